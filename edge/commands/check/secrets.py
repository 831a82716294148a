"""Whether secrets are secret, and certificates good for a while."""

import pwd
import ssl
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from edge.common.clock import time_plausible
from edge.common.errors import SiteError
from edge.report.tls import OTHERS_ONLY
from edge.site import Site
from edge.site.schema import StreamOptions

DAY_S = 86400.0
RENEW_DAYS = 14.0
STRANGERS = 0o007  # the site file is also its group's: that of the programs
INSTALLED = Path("/etc/redroad")
READERS = {
    "upstream.password_file": "redroad-report",
    "upstream.key_file": "redroad-report",
    "camera.password_file": "redroad-watch",
}


def secret_files(site: Site) -> dict[str, Path]:
    """The files that hold secrets, by option."""
    upstream = site.upstream
    named = {
        "upstream.password_file": upstream.password_file,
        "upstream.key_file": upstream.key_file,
    }
    if isinstance(site.camera, StreamOptions):
        named["camera.password_file"] = site.camera.password_file
    return {option: site.path(file) for option, file in named.items() if file is not None}


def judge_secrets(site: Site, site_file: Path | None) -> str:
    """Nobody else may read them, and no certificate ends soon. SiteError lists what is wrong."""
    files = secret_files(site)
    wrong = [words for option, path in files.items() if (words := _wrong(option, path))]
    wrong += _in_address(site, site_file)
    ends = dict(_certificates(site))
    if time_plausible():
        wrong += [words for name, end_s in ends.items() if (words := _too_soon(name, end_s))]
    if wrong:
        raise SiteError("\n".join(wrong))
    told = [f"{len(files)} files, read by their owner alone"] if files else []
    told += [f"{name} good until {_date(end_s)}" for name, end_s in ends.items()]
    return "; ".join(told) or "none are configured"


def _wrong(option: str, path: Path) -> str:
    try:
        found = path.stat()
    except PermissionError:
        return f"option {option} = {str(path)!r} may not be looked at; run: sudo redroad check"
    except OSError as error:
        return f"option {option} = {str(path)!r} cannot be read ({error.strerror}); put it there"
    if found.st_mode & OTHERS_ONLY:
        return f"option {option}: {path} can be read by others; run: chmod 600 {path}"
    if path.is_relative_to(INSTALLED) and found.st_uid != _uid(READERS[option]):
        reader = READERS[option]
        return f"option {option}: {path} is not {reader}'s; run: sudo chown {reader} {path}"
    return "" if found.st_size else f"option {option}: {path} is empty; write the secret into it"


def _uid(user: str) -> int | None:
    try:
        return pwd.getpwnam(user).pw_uid
    except KeyError:
        return None


def _in_address(site: Site, site_file: Path | None) -> list[str]:
    """A password in the camera's address stands in the site file, which is for everybody's eyes."""
    camera = site.camera
    if not isinstance(camera, StreamOptions) or site_file is None or "://" not in camera.url:
        return []
    login = camera.url.partition("://")[2].partition("/")[0].rpartition("@")[0]
    if ":" in login and site_file.stat().st_mode & STRANGERS:
        return [
            f"option camera.url holds a password, and others can read {site_file}; "
            "move it into a file and name that in camera.password_file"
        ]
    return []


def _certificates(site: Site) -> Iterator[tuple[str, float]]:
    """When the unit's own certificate ends and when the authority's (Unix, s)."""
    for option in ("cert_file", "ca_file"):
        file = getattr(site.upstream, option)
        if file is not None:
            yield f"upstream.{option}", _end_s(option, site.path(file))


def _end_s(option: str, path: Path) -> float:
    """Python decodes certificates only for its own tests and in a handshake; the former serves."""
    decode: Any = ssl._ssl._test_decode_cert  # type: ignore[attr-defined]
    try:
        return ssl.cert_time_to_seconds(decode(str(path))["notAfter"])
    except (OSError, ssl.SSLError, KeyError, ValueError) as error:
        raise SiteError(
            f"option upstream.{option} = {str(path)!r} is no certificate; give a PEM file"
        ) from error


def _too_soon(name: str, end_s: float) -> str:
    days = (end_s - time.time()) / DAY_S
    if days >= RENEW_DAYS:
        return ""
    how = f"ends in {days:.0f} days" if days > 0 else f"ended on {_date(end_s)}"
    return f"{name} {how}; renew it"


def _date(end_s: float) -> str:
    return f"{datetime.fromtimestamp(end_s, UTC):%Y-%m-%d}"
