"""When certificates begin and end: each one of a file, for a bundle is as good as its worst."""

import base64
import hashlib
import re
import ssl
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from edge.common.errors import SiteError

DAY_S = 86400.0
RENEW_DAYS = 14.0
_BLOCK = re.compile(rb"-----BEGIN (?:TRUSTED )?CERTIFICATE-----.+?-----END [A-Z ]+-----", re.S)


@dataclass(frozen=True)
class Certificate:
    """One of a file's: whose it is, when it begins and ends (Unix, s), and its fingerprint."""

    subject: str
    begin_s: float
    end_s: float
    sha256: str


def certificates_in(option: str, path: Path) -> list[Certificate]:
    """All that a PEM file holds, at least one. SiteError names option and file where none is."""
    try:
        blocks = _BLOCK.findall(path.read_bytes())
        found = [_decoded(block) for block in blocks]
    except (OSError, ssl.SSLError, KeyError, ValueError) as error:
        raise SiteError(_no_certificate(option, path)) from error
    if not found:
        raise SiteError(_no_certificate(option, path))
    return found


def _no_certificate(option: str, path: Path) -> str:
    return f"option {option} = {str(path)!r} is no certificate; give a PEM file"


def _decoded(block: bytes) -> Certificate:
    """Python decodes certificates only for its own tests and in a handshake; the former serves."""
    decode: Any = ssl._ssl._test_decode_cert  # type: ignore[attr-defined]
    with tempfile.NamedTemporaryFile(suffix=".pem") as file:
        file.write(block + b"\n")
        file.flush()
        fields = decode(file.name)
    names = {key: value for part in fields.get("subject", ()) for key, value in part}
    subject = names.get("commonName") or names.get("organizationName") or "of no name"
    begin_s, end_s = (ssl.cert_time_to_seconds(fields[name]) for name in ("notBefore", "notAfter"))
    return Certificate(str(subject), begin_s, end_s, _sha256(block))


def _sha256(block: bytes) -> str:
    """As `openssl x509 -fingerprint -sha256` has it, without its colons."""
    lines = block.splitlines()[1:-1]
    return hashlib.sha256(base64.b64decode(b"".join(lines))).hexdigest()


def judge_dates(option: str, found: Sequence[Certificate], *, bundle: bool) -> list[str]:
    """Return what is wrong with the dates of a file's certificates.

    In a `bundle` of authorities one that ends soon is no fault while another lasts; in the chain of
    a unit's own certificate each is needed.
    """
    now = time.time()
    soon = now + RENEW_DAYS * DAY_S
    lasting = [certificate for certificate in found if certificate.end_s >= soon]
    wrong = []
    for number, certificate in enumerate(found, 1):
        name = option if len(found) == 1 else _one_of(option, number, len(found), certificate)
        remedy = "renew it" if len(found) == 1 else "renew it, or take it out"
        if certificate.end_s <= now:
            wrong.append(f"{name} ended on {date(certificate.end_s)}; {remedy}")
        elif certificate.end_s < soon and not (bundle and lasting):
            wrong.append(f"{name} ends in {(certificate.end_s - now) / DAY_S:.0f} days; {remedy}")
        elif certificate.begin_s > now:
            wrong.append(f"{name} begins only on {date(certificate.begin_s)}; check both clocks")
    return wrong


def _one_of(option: str, number: int, count: int, certificate: Certificate) -> str:
    return f"{option}: certificate {number} of {count} ({certificate.subject})"


def date(at_s: float) -> str:
    """Return the day (UTC)."""
    return f"{datetime.fromtimestamp(at_s, UTC):%Y-%m-%d}"
