"""What an ONVIF camera says of itself to whom it knows: its maker, and where its streams are."""

import asyncio
import logging
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import onvif
import zeep.exceptions
from lxml import etree

from edge.commands.camera.discovery import Found, printable
from edge.common.errors import CameraError

WITHIN_S = 20.0
MOST_PROFILES = 8
RTSP_UNICAST = {"Stream": "RTP-Unicast", "Transport": {"Protocol": "RTSP"}}
_REFUSED = ("notauthorized", "not authorized", "unauthorized", "failedauthentication", "401")
_ERRORS = (
    onvif.ONVIFError,
    zeep.exceptions.Error,
    aiohttp.ClientError,
    etree.XMLSyntaxError,
    OSError,
    TimeoutError,
    ValueError,
    LookupError,
    AttributeError,  # an answer without what the standard asks for
    TypeError,
)


class LoginError(CameraError):
    """The camera wants another login, or one at all."""


@dataclass(frozen=True)
class Login:
    """User and password; neither is ever shown."""

    user: str = field(repr=False)
    password: str = field(repr=False)


@dataclass(frozen=True)
class StreamOf:
    """A stream: its address without a login, its size in px (0: not said) and its codec."""

    url: str
    width: int
    height: int
    codec: str
    rate: int

    @property
    def px(self) -> int:
        """How large its pictures are."""
        return self.width * self.height


@dataclass(frozen=True)
class Details:
    """The camera's maker and model, and its streams, the largest first."""

    model: str
    streams: tuple[StreamOf, ...]


def ask(camera: Found, login: Login | None) -> Details:
    """Ask the camera itself. LoginError when it wants a login, CameraError when it fails.

    The password is sent as a digest (WS-UsernameToken), and to this camera alone.
    """
    # They log requests, and with them the login, at their finer levels.
    for name in ("onvif", "zeep", "aiohttp"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
    try:
        return asyncio.run(asyncio.wait_for(_ask(camera, login), WITHIN_S))
    except CameraError:
        raise
    except _ERRORS as error:
        text = str(error).lower()
        if any(refused in text for refused in _REFUSED):
            wants = "refuses that login" if login else "wants a login"
            raise LoginError(f"camera {camera.host}: {wants}") from None
        if isinstance(error, TimeoutError):
            why = f"gave no answer within {WITHIN_S:g} s"
        else:
            why = f"does not answer as ONVIF asks for ({type(error).__name__})"
        raise CameraError(
            f"camera {camera.host}: {why}; look its RTSP address up in its manual"
        ) from None


async def _ask(camera: Found, login: Login | None) -> Details:
    scheme = "https://" if camera.secure else ""
    asked = onvif.ONVIFCamera(
        f"{scheme}{camera.host}",
        camera.port,
        login.user if login else "",  # it knows no other way to have none
        login.password if login else "",
        str(Path(onvif.__file__).parent / "wsdl"),
        adjust_time=True,  # a camera whose clock is wrong would refuse the login
        nat_override=not camera.secure,  # whatever it says, only this address is asked
    )
    try:
        await asked.update_xaddrs()
        _refuse_others(asked.xaddrs.values(), camera)
        device = await asked.create_devicemgmt_service()
        about = await device.GetDeviceInformation()
        media = await asked.create_media_service()
        profiles = list(await media.GetProfiles())[:MOST_PROFILES]
        streams = {await _stream(media, profile, login) for profile in profiles}
        best_first = sorted(streams, key=lambda one: (-one.px, one.url))
        return Details(printable(f"{about.Manufacturer} {about.Model}"), tuple(best_first))
    finally:
        await asked.close()


def _refuse_others(addresses: Iterable[str], camera: Found) -> None:
    """CameraError when a service lies elsewhere: the login is for this camera alone."""
    for address in addresses:
        if urlsplit(address).hostname != camera.host:
            raise CameraError(
                f"camera {camera.host}: names another machine for a part of its services; "
                "look its RTSP address up in its manual"
            )


async def _stream(media: Any, profile: Any, login: Login | None) -> StreamOf:
    answer = await media.GetStreamUri({"StreamSetup": RTSP_UNICAST, "ProfileToken": profile.token})
    encoder = profile.VideoEncoderConfiguration
    size = getattr(encoder, "Resolution", None)
    limits = getattr(encoder, "RateControl", None)
    return StreamOf(
        _without_secrets(printable(answer.Uri), login),
        int(getattr(size, "Width", 0) or 0),
        int(getattr(size, "Height", 0) or 0),
        printable(str(getattr(encoder, "Encoding", None) or "")),
        int(getattr(limits, "FrameRateLimit", 0) or 0),
    )


def _without_secrets(url: str, login: Login | None) -> str:
    """The address without a login, and with the password hidden where it stands within it."""
    scheme, _, rest = url.partition("://")
    host, slash, path = rest.partition("/")
    url = f"{scheme}://{host.rpartition('@')[2]}{slash}{path}"
    if login is not None and login.password:
        url = url.replace(login.password, "***")
    return url
