"""Where a stream comes from: what FFmpeg opens, and what a person may read of it."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from edge.common.errors import CameraError
from edge.site.schema import StreamOptions

# The login ends at the last "@" before the path, as FFmpeg has it.
_URL = re.compile(r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*)://((?P<login>[^/?#]*)@)?(?P<rest>.*)", re.S)
_UNRESERVED = re.compile(rb"[^A-Za-z0-9._~-]")


@dataclass(frozen=True)
class Address:
    """A stream's address. Only `shown` may appear in a text: `opened` may hold a password."""

    opened: str = field(repr=False)
    shown: str
    kind: str  # "network", "device" or "file"

    @property
    def is_rtsp(self) -> bool:
        """Whether its pictures come in packets of their own, over a transport to be chosen."""
        return self.opened.lower().startswith(("rtsp://", "rtsps://"))

    @property
    def is_http(self) -> bool:
        """Whether it may be a picture, and no stream."""
        return self.opened.lower().startswith(("http://", "https://"))

    @property
    def port(self) -> int:
        """Where it is connected to; 0 where that is not known."""
        scheme, _, rest = self.shown.partition("://")
        number = rest.rpartition(":")[2] if not rest.endswith("]") else ""
        usual = {"rtsp": 554, "rtsps": 322, "http": 80, "https": 443, "rtmp": 1935}
        return int(number) if number.isdigit() else usual.get(scheme.lower(), 0)


def address_of(options: StreamOptions, resolve: Callable[[str], Path]) -> Address:
    """Return the address in the site file, with the password of its file put in."""
    match = _URL.fullmatch(options.url)
    if match is None:
        path = resolve(options.url)
        return Address(str(path), str(path), "device" if path.is_relative_to("/dev") else "file")
    # Path and query are left out: cameras take user and password there, too.
    host = re.split(r"[/?#]", match["rest"].rpartition("@")[2], maxsplit=1)[0]
    shown = f"{match['scheme']}://{host}"
    if options.password_file is None:
        return Address(options.url, shown, "network")
    user = (match["login"] or "").partition(":")[0]
    if not user:
        raise CameraError(
            f"camera stream {shown}: password_file is set but the url names no user; "
            f"write {match['scheme']}://USER@{host}/..."
        )
    password = _quoted(_password(resolve(options.password_file), shown))
    return Address(f"{match['scheme']}://{user}:{password}@{match['rest']}", shown, "network")


def login_of(url: str) -> tuple[str, str] | None:
    """User and password of an address, decoded; None where it has none."""
    match = _URL.fullmatch(url)
    if match is None or match["login"] is None:
        return None
    user, _, password = match["login"].partition(":")
    return _plain(user), _plain(password)


def without_login(url: str) -> str:
    """Return the address without user and password; a file's path as it is."""
    match = _URL.fullmatch(url)
    return url if match is None else f"{match['scheme']}://{match['rest']}"


def _password(path: Path, shown: str) -> str:
    try:
        text = path.read_text(encoding="utf-8").rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise CameraError(
            f"camera stream {shown}: password_file {path} cannot be read ({why}); "
            "give its path and let the user of redroad read it"
        ) from None
    if text.startswith("\ufeff"):
        raise CameraError(
            f"camera stream {shown}: password_file {path} begins with a byte order mark, which "
            "would be taken for a part of the password; save it as UTF-8 without one"
        )
    return text


def _plain(text: str) -> str:
    data = re.sub(rb"%([0-9A-Fa-f]{2})", lambda one: bytes([int(one[1], 16)]), text.encode())
    return data.decode(errors="replace")


def _quoted(text: str) -> str:
    return _UNRESERVED.sub(lambda byte: b"%%%02X" % byte[0][0], text.encode()).decode()
