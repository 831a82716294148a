"""Who we are and whom we trust: certificates and passwords, and in plain words what is wrong.

Files are read anew for every connection: to renew a certificate, replace the files, and the next
connection uses them.
"""

import codecs
import ssl
from pathlib import Path

from edge.common.clock import time_plausible
from edge.common.errors import SiteError
from edge.site import Site

OTHERS_ONLY = 0o077
# Python 3.13 asks for both by itself, 3.11 for neither: one verdict on every system, so that no
# upgrade cuts a unit off that could connect before.
VERDICT = ssl.VERIFY_X509_STRICT | ssl.VERIFY_X509_PARTIAL_CHAIN
BYTE_ORDER_MARKS = (codecs.BOM_UTF8, codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)

OTHER_CA = (
    "the broker's certificate is of another CA; check upstream.ca_file; or the broker leaves out "
    "the intermediate certificate that signed it: add that to the broker's certificate file"
)
# What OpenSSL's strict checks (RFC 5280) refuse, and what that is called in plain words.
STRICT_WORDS = (
    ("Path length", "limits its chain's length where it may not"),
    ("Key usage keyCertSign invalid", "may sign others, but is no authority's"),
    ("Issuer name empty", "has no issuer's name"),
    ("Subject name empty", "is an authority's without a name"),
    ("Missing Authority Key Identifier", "lacks the authority key identifier"),
    ("Missing Subject Key Identifier", "lacks the subject key identifier"),
    ("Empty Subject Alternative Name", "has an empty list of hosts (subject alternative name)"),
    ("Subject empty and", "has neither a name nor a critical list of hosts"),
    ("Basic Constraints of CA cert", "is an authority's without critical basic constraints"),
    ("Key Identifier marked critical", "marks a key identifier as critical"),
    ("CA cert does not include key usage", "is an authority's without key usage"),
    ("requires at least X509v3", "has extensions, but is not of version 3"),
    ("explicit ECC parameters", "has a curve of its own"),
)
# What OpenSSL calls it, and what that means to a technician. Ours come first: the
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
    ("unable to verify the first", OTHER_CA),
    ("unable to get issuer", OTHER_CA),
    ("key too weak", "the broker's certificate or its authority's has too short a key; renew it"),
    ("digest algorithm too weak", "the broker's certificate is signed by SHA-1 or MD5; renew it"),
    ("md too weak", "the broker's certificate is signed by SHA-1 or MD5; renew it"),
    ("unsupported certificate purpose", "the broker's certificate is not for servers; renew it"),
    ("invalid CA certificate", "the broker's certificate is signed by one that is no authority's"),
    ("unsupported protocol", "the broker speaks only TLS older than 1.2; update it"),
    ("alert protocol version", "the broker speaks only TLS older than 1.2; update it"),
    (
        "EOF occurred",  # the alert that says more was lost on the way
        "the broker ended the handshake, as it does when it refuses us; check upstream.cert_file",
    ),
    ("wrong version number", "the broker's port does not speak TLS; check upstream.port"),
)
MARKED_WORDS = (
    "begins with a byte order mark, which would be taken for a part of the password; save it as "
    "UTF-8 without one"
)
# What Python says of a connection that was never made.
NETWORK_WORDS = (
    ("not known", "no host has this name; check upstream.host, and the name server"),
    ("No address associated", "no host has this name; check upstream.host, and the name server"),
    ("Temporary failure in name", "the name server gives no answer; check the network"),
    ("refused", "nothing listens there; check upstream.port, and that the broker runs"),
    ("timed out", "no answer; is the address right, and does a firewall drop it?"),
    ("No route to host", "there is no way to it; check upstream.host and the network"),
    ("unreachable", "there is no way to it; check the network"),
    ("reset by peer", "it hangs up at once; check upstream.port, and whether it wants TLS"),
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
    context.verify_flags |= VERDICT
    if upstream.cert_file is not None and upstream.key_file is not None:
        _present(context, site.path(upstream.cert_file), site.path(upstream.key_file))
    return context


def _present(context: ssl.SSLContext, certificate: Path, key: Path) -> None:
    """Let the context show our own certificate."""
    _refuse_open(key, "key_file")

    def refuse() -> str:
        """Called by OpenSSL, which else asks on the terminal and waits for ever."""
        raise SiteError(f"option upstream.key_file = {str(key)!r} {encrypted_words(key)}")

    try:
        context.load_cert_chain(certificate, key, password=refuse)
    except (OSError, ssl.SSLError) as error:
        raise SiteError(
            f"options upstream.cert_file = {str(certificate)!r} and key_file = {str(key)!r} cannot "
            f"be used together ({error}); give PEM files of one certificate and its key, on an "
            "installed unit files of redroad-report's"
        ) from error


def is_encrypted(key: bytes) -> bool:
    """Return whether a PEM file of a key asks for a passphrase."""
    return b"ENCRYPTED" in key and b"PRIVATE KEY" in key


def encrypted_words(key: Path) -> str:
    """Return what to do about an encrypted key."""
    return (
        "is encrypted, and nobody is there to type its passphrase when the unit starts; run: "
        f"(umask 077; openssl pkey -in {key} -out {key}.plain) && mv {key}.plain {key}"
    )


def password_of(site: Site) -> str | None:
    """Return it from its file, private to us; None where there is none. SiteError names both."""
    if site.upstream.password_file is None:
        return None
    path = site.path(site.upstream.password_file)
    _refuse_open(path, "password_file")
    try:
        content = path.read_bytes()
        if content.startswith(BYTE_ORDER_MARKS):
            raise SiteError(f"option upstream.password_file = {str(path)!r} {MARKED_WORDS}")
        return content.decode().strip()
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


def in_plain_words(text: str) -> str:
    """Return why a connection failed, and what to do, from Python's or OpenSSL's message."""
    known = [words for sign, words in PLAIN_WORDS if sign in text]
    if not known and "SSL" not in text:
        reached = [words for sign, words in NETWORK_WORDS if sign in text]
        return f"the broker cannot be reached: {reached[0] if reached else text}"
    if not known and "certificate verify failed" in text:
        known = [_of_strict(words) for sign, words in STRICT_WORDS if sign in text]
    why = known[0] if known else f"TLS failed ({text})"
    return why if time_plausible() else why + CLOCK


def _of_strict(words: str) -> str:
    return (
        f"the broker's certificate, or one that signed it, {words}: that breaks RFC 5280, and is "
        "refused on every version of Python alike; have it issued anew"
    )
