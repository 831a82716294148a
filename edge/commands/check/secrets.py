"""Whether secrets are secret, and certificates good for a while."""

import pwd
import stat
from collections.abc import Iterator
from pathlib import Path

from edge.commands.check.certificates import Certificate, certificates_in, date, judge_dates
from edge.common.clock import time_plausible
from edge.common.errors import SiteError
from edge.report.tls import (
    BYTE_ORDER_MARKS,
    MARKED_WORDS,
    OTHERS_ONLY,
    encrypted_words,
    is_encrypted,
)
from edge.site import Site
from edge.site.schema import StreamOptions

STRANGERS = 0o007  # the site file is also its group's: that of the programs
INSTALLED = Path("/etc/redroad")
READERS = {
    "upstream.password_file": "redroad-report",
    "upstream.key_file": "redroad-report",
    "camera.password_file": "redroad-watch",
}


def secret_files(site: Site) -> dict[str, Path]:
    """Return the files that hold secrets, by option."""
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
    found = dict(_certificates(site))
    if time_plausible():
        for name, certificates in found.items():
            wrong += judge_dates(name, certificates, bundle=name == "upstream.ca_file")
    if wrong:
        raise SiteError("\n".join(wrong))
    parts = [f"{len(files)} files, read by their owner alone"] if files else []
    parts += [
        f"{name} good until {date(min(each.end_s for each in certificates))}"
        for name, certificates in found.items()
    ]
    return "; ".join(parts) or "none are configured"


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
    if not found.st_size:
        return f"option {option}: {path} is empty; write the secret into it"
    return _unusable(option, path) if stat.S_ISREG(found.st_mode) else ""


def _unusable(option: str, path: Path) -> str:
    """What in the file itself keeps it from being used; nothing where only its reader may look."""
    try:
        content = path.read_bytes()
    except OSError:
        return ""
    if option.endswith("key_file") and is_encrypted(content):
        return f"option {option} = {str(path)!r} {encrypted_words(path)}"
    if option.endswith("password_file") and content.startswith(BYTE_ORDER_MARKS):
        return f"option {option} = {str(path)!r} {MARKED_WORDS}"
    return ""


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


def _certificates(site: Site) -> Iterator[tuple[str, list[Certificate]]]:
    """The unit's own certificate, with those that signed it, and the authorities."""
    for option in ("cert_file", "ca_file"):
        file = getattr(site.upstream, option)
        if file is not None:
            name = f"upstream.{option}"
            yield name, certificates_in(name, site.path(file))
