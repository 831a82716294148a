"""The command `redroad camera find`: what it prints and asks."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import tomlkit

from edge.commands.camera.details import Details, Login, LoginError, StreamOf, ask
from edge.commands.camera.discovery import Found, find
from edge.common.errors import CameraError

HTTP = 80
# Wide enough for the counter's larger models; more costs the network, and is scaled down anyway.
ENOUGH_PX = 960
TRIES = 3
PASSWORD_FILE = "camera.password"

# Asks a person for a login to that camera; None where no one can be asked.
Asker = Callable[[str], Login | None]


@dataclass(frozen=True)
class Asked:
    """Whom to ask for a login, and the one that was given beforehand."""

    asker: Asker
    login: Login | None = None


def find_cameras(wait_s: float, addresses: tuple[str, ...], asked: Asked) -> Iterator[str]:
    """Lines for the console: each camera with its streams, and the section for the site file.

    CameraError when no camera answers.
    """
    cameras = [_camera_at(address) for address in addresses] or find(wait_s)
    if not cameras:
        raise CameraError(
            f"no ONVIF camera answered within {wait_s:g} s; switch ONVIF on in the camera, be in "
            "its network, or name it: redroad camera find --address 192.0.2.10"
        )
    yield f"{len(cameras)} camera{'s' * (len(cameras) != 1)}"
    login = asked.login
    for camera in cameras:
        yield ""
        yield described(camera)
        try:
            details, login = _details(camera, login, asked.asker)
        except CameraError as error:
            yield f"  {error}"
            continue
        yield from _lines(details, login)


def _camera_at(address: str) -> Found:
    host, _, port = address.partition(":")
    if port and not port.isdigit():
        raise CameraError(f"--address is {address!r}, must be HOST or HOST:PORT")
    return Found(host, int(port or HTTP))


def described(camera: Found) -> str:
    """Return a camera in a line, from what it announces to everyone."""
    where = f", at {camera.place}" if camera.place else ""
    name = f" {camera.name}" if camera.name else ""
    hardware = f" ({camera.hardware})" if camera.hardware else ""
    return f"{camera.host}:{name}{hardware}{where}"


def _details(camera: Found, login: Login | None, asker: Asker) -> tuple[Details, Login | None]:
    """Return what the camera says, and the login that it took: the next may well take the same."""
    for _ in range(TRIES):
        try:
            return ask(camera, login), login
        except LoginError as error:
            login = asker(str(error))
            if login is None:
                raise CameraError(
                    f"{error}; run this in a terminal, or give --user and --password-file"
                ) from None
    raise CameraError(f"camera {camera.host}: refuses that login; see to its users")


def _lines(details: Details, login: Login | None) -> Iterator[str]:
    yield f"  {details.model}"
    for number, stream in enumerate(details.streams):
        size = f"{stream.width}x{stream.height}" if stream.px else "size not said"
        rate = f", {stream.rate} a second" if stream.rate else ""
        name = "main" if number == 0 else "sub "
        yield f"  {name}  {stream.url}  ({size} {stream.codec}{rate})"
    if not details.streams:
        yield "  it offers no stream; switch one on in the camera"
        return
    yield ""
    yield from section(best_of(details.streams), login).splitlines()


def best_of(streams: tuple[StreamOf, ...]) -> StreamOf:
    """Return the smallest stream that is large enough to count in, else the largest."""
    enough = [stream for stream in streams if stream.width >= ENOUGH_PX]
    return min(enough, key=lambda one: one.px) if enough else streams[0]


def section(stream: StreamOf, login: Login | None) -> str:
    """[camera] of the site file, without the password."""
    table = tomlkit.table()
    scheme, _, rest = stream.url.partition("://")
    user = f"{_quoted(login.user)}@" if login else ""
    table["kind"] = "stream"
    table["url"] = f"{scheme}://{user}{rest}"
    if "***" in stream.url:
        table["url"].comment("the password in place of ***: this camera wants it here")
    elif login:
        table["password_file"] = PASSWORD_FILE
        table["password_file"].comment("write the password there; owner redroad-watch, mode 600")
    table["fps"] = 4.0
    return tomlkit.dumps({"camera": table})


def _quoted(user: str) -> str:
    return "".join(
        letter
        if letter.isalnum() or letter in "-._~"
        else "".join(f"%{byte:02X}" for byte in letter.encode())
        for letter in user
    )


def read_password(path: Path) -> str:
    """Return the password in a file; CameraError when it cannot be read."""
    try:
        return path.read_text(encoding="utf-8").rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise CameraError(f"--password-file {path}: cannot be read ({why})") from None
