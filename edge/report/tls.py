"""Who we are and whom we trust: certificates and passwords, and in plain words what is wrong.

Files are read anew for every connection: whoever renews a certificate replaces the files, and the
next connection uses them.
"""

import ssl
from pathlib import Path

from edge.common.clock import time_plausible
from edge.common.errors import SiteError
from edge.site import Site

OTHERS_ONLY = 0o077

OTHER_CA = "the broker's certificate is of another CA; check upstream.ca_file"
# What OpenSSL calls it, and what that means to whoever stands before it. Ours come first: the
# broker's alert names our certificate, a failed verification the broker's.
PLAIN_WORDS = (
    ("alert certificate expired", "our certificate has expired; renew upstream.cert_file"),
    (
        "alert unknown ca",
        "the broker does not know who signed our certificate; check upstream.cert_file",
    ),
    ("alert certificate revoked", "our certificate is revoked; renew upstream.cert_file"),
    ("alert bad certificate", "the broker takes our certificate for bad; renew upstream.cert_file"),
    (
        "alert certificate required",
        "the broker wants a certificate of us; set upstream.cert_file and upstream.key_file",
    ),
    ("alert handshake failure", "the broker refuses our certificate; check upstream.cert_file"),
    ("certificate has expired", "the broker's certificate has expired; renew it on the broker"),
    ("certificate is not yet valid", "the broker's certificate is not valid yet by our clock"),
    (
        "Hostname mismatch",
        "the broker's certificate is of another host; check upstream.host",
    ),
    ("IP address mismatch", "the broker's certificate is of another host; check upstream.host"),
    ("self-signed certificate", OTHER_CA),
    ("unable to get local issuer", OTHER_CA),
    (
        "EOF occurred",  # the alert that says more was lost on the way
        "the broker ended the handshake, as it does when it refuses us; check upstream.cert_file",
    ),
    ("wrong version number", "the broker's port does not speak TLS; check upstream.port"),
)
CLOCK = "; this unit's clock was never set, so no certificate can be judged: it is tried again"


def context_of(site: Site) -> ssl.SSLContext | None:
    """What secures the site's connection; None where it is plain. SiteError when it cannot."""
    upstream = site.upstream
    if upstream.ca_file is None:
        return None
    ca_file = site.path(upstream.ca_file)
    try:
        context = ssl.create_default_context(cafile=str(ca_file))
    except (OSError, ssl.SSLError) as error:
        raise SiteError(
            f"option upstream.ca_file = {str(ca_file)!r} cannot be used ({error}); "
            "give a PEM file of the broker's authority"
        ) from error
    if upstream.cert_file is not None and upstream.key_file is not None:
        _present(context, site.path(upstream.cert_file), site.path(upstream.key_file))
    return context


def _present(context: ssl.SSLContext, certificate: Path, key: Path) -> None:
    """Let the context show our own certificate."""
    _refuse_open(key, "key_file")
    try:
        context.load_cert_chain(certificate, key)
    except (OSError, ssl.SSLError) as error:
        raise SiteError(
            f"options upstream.cert_file = {str(certificate)!r} and key_file = {str(key)!r} cannot "
            f"be used together ({error}); give PEM files of one certificate and its key, on an "
            "installed unit files of redroad-report's"
        ) from error


def password_of(site: Site) -> str | None:
    """From its file, which nobody else may read; None where there is none. SiteError names both."""
    if site.upstream.password_file is None:
        return None
    path = site.path(site.upstream.password_file)
    _refuse_open(path, "password_file")
    try:
        return path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise SiteError(
            f"option upstream.password_file = {str(path)!r} cannot be read ({error}); "
            "write the password into that file; on an installed unit it belongs to redroad-report"
        ) from error


def refuse_unusable(site: Site) -> None:
    """SiteError when no connection could be made with the files as they are."""
    context_of(site)
    password_of(site)


def _refuse_open(path: Path, option: str) -> None:
    try:
        mode = path.stat().st_mode
    except OSError as error:
        raise SiteError(
            f"option upstream.{option} = {str(path)!r} cannot be read ({error}); "
            "put the secret into that file"
        ) from error
    if mode & OTHERS_ONLY:
        raise SiteError(
            f"option upstream.{option} = {str(path)!r} can be read by others; run: chmod 600 {path}"
        )


def in_plain_words(told: str) -> str:
    """Why a connection could not be made, and what to do, from what Python or OpenSSL told."""
    known = [words for sign, words in PLAIN_WORDS if sign in told]
    if not known and "SSL" not in told:
        return f"the broker cannot be reached ({told})"
    why = known[0] if known else f"TLS failed ({told})"
    return why if time_plausible() else why + CLOCK
