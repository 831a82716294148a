"""An address that gives one picture (snap.jpg), asked for again and again.

The one place where `watch` speaks HTTP itself: FFmpeg makes a connection and a login for every
picture, and does not say that the picture is still the last one.
"""

import io
import logging
from collections.abc import Generator

import httpx

from edge.common.errors import PictureError
from edge.site.schema import StreamOptions
from edge.watch.address import Address, login_of, without_login
from edge.watch.frame import Pixels
from edge.watch.pictures import picture_of

LARGEST_BYTES = 32 << 20
UNCHANGED = 304
# They log each request with its whole address, in which a password may be.
for _name in ("httpx", "httpcore"):
    logging.getLogger(_name).setLevel(logging.CRITICAL)

CHECK = "check its address, user and password, and that the camera is on"


class Poller:
    """Asks over one connection for as long as the camera keeps it, and only for what is new."""

    def __init__(self, options: StreamOptions, address: Address) -> None:
        login = login_of(address.opened)
        self._url = without_login(address.opened)
        # As with FFmpeg no authority vouches for a camera; nothing of the environment is used.
        self._client = httpx.Client(
            auth=None if login is None else _Login(*login),
            verify=False,
            trust_env=False,
            timeout=httpx.Timeout(options.read_timeout_s, connect=options.open_timeout_s),
        )
        self._known = dict[str, str]()

    def close(self) -> None:
        """End the connection."""
        self._client.close()

    def ask(self) -> Pixels | None:
        """The picture, or None when it is still the last one. PictureError says what fails."""
        try:
            with self._client.stream("GET", self._url, headers=self._known) as answer:
                if answer.status_code == UNCHANGED:
                    return None
                if answer.status_code != httpx.codes.OK:
                    raise PictureError(_refused(answer))
                data = _read(answer)
        except httpx.TimeoutException:
            raise PictureError(
                "gave no picture in time; check that the camera is on and its network, and raise "
                "camera.read_timeout_s if it needs longer"
            ) from None
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise PictureError(f"cannot be read ({type(error).__name__}); {CHECK}") from None
        self._known = _validators(answer.headers)
        return _decoded(data)


class _Login(httpx.Auth):
    """The login as the camera asks for it, Digest or Basic; nothing is sent before it asks."""

    def __init__(self, user: str, password: str) -> None:
        self._user, self._password = user, password
        self._chosen: httpx.Auth | None = None

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """What httpx sends, one request after the other."""
        if self._chosen is None:
            answer = yield request
            if answer.status_code != httpx.codes.UNAUTHORIZED:
                return
            asked = answer.headers.get("www-authenticate", "").lower()
            kind = httpx.DigestAuth if "digest" in asked else httpx.BasicAuth
            self._chosen = kind(self._user, self._password)
        yield from self._chosen.auth_flow(request)


def _read(answer: httpx.Response) -> bytes:
    kept = io.BytesIO()
    for part in answer.iter_bytes():
        kept.write(part)
        if kept.tell() > LARGEST_BYTES:
            raise PictureError(
                f"gives more than {LARGEST_BYTES >> 20} MiB for a picture; give the address of a "
                "single picture"
            )
    return kept.getvalue()


def _refused(answer: httpx.Response) -> str:
    status = f"answers {answer.status_code} {answer.reason_phrase}".rstrip()
    if answer.is_redirect:
        to = httpx.URL(answer.headers.get("location", ""))
        there = f"{to.scheme}://{to.host}" if to.host else "another path"
        return f"{status}, and points to {there}; write that address"
    return f"{status}; {CHECK}"


def _validators(headers: httpx.Headers) -> dict[str, str]:
    """Return what the next question says of the picture that is known."""
    asked = {"If-None-Match": "etag", "If-Modified-Since": "last-modified"}
    return {name: headers[given] for name, given in asked.items() if given in headers}


def _decoded(data: bytes) -> Pixels:
    try:
        return picture_of(data)
    except PictureError as error:
        raise PictureError(f"gives something that {error}") from None
