"""A host as the site file names it: a name or an address, and nothing around it."""

import ipaddress
import re
from urllib.parse import SplitResult, urlsplit

_LABEL = re.compile(r"[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?")
_LONGEST = 253


def bare_host(host: str) -> str:
    """The host itself. ValueError says what else stands there, and how to write it.

    It repeats no login: what is wrong here goes to the log, and upstream.
    """
    if _is_address(host):
        return host
    if not host.strip():
        raise ValueError(
            "upstream.host is blank; write the broker's name or address, or take the line out: "
            "then everything waits in the outbox"
        )
    wrong = _what_is_wrong(host)
    if wrong:
        raise ValueError(f"upstream.host {wrong}; {_remedy(host)}")
    return host


def _what_is_wrong(host: str) -> str:
    """In words; empty for a name that can be looked up."""
    if "://" in host:
        return f"has a scheme, {host.partition('://')[0].strip()}://"
    if "@" in host:
        return "has a login"
    if re.search(r"\s", host):
        return "has a blank in it"
    if re.search(r"[/?#\\]", host):
        return "has a path"
    if ":" in host or host.startswith("["):
        has_port = not _is_address(host.strip("[]"))
        return "has a port" if has_port else "has brackets"
    return "" if _is_name(host) else f"= {host!r} is no name of a host"


def _remedy(host: str) -> str:
    """The lines as they should be, as far as they can be told."""
    text = host.strip()
    try:
        parts = urlsplit(text if "://" in text else f"//{text}")
        name, port = parts.hostname, parts.port
    except ValueError:
        name, port = None, None
    if name is None or not (_is_name(name) or _is_address(name)):
        return "write the broker's name or address alone"
    number = "" if port is None else f" and port = {port}"
    return f'write host = "{name}"{number}{_tls(parts)}'


def _tls(parts: SplitResult) -> str:
    secure = parts.scheme in {"mqtts", "ssl", "tls", "wss", "https"}
    return "; TLS begins with upstream.ca_file" if secure else ""


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def _is_name(text: str) -> bool:
    """Whether each part can be one of a host's name, as it is or as IDNA writes it."""
    try:
        name = text.encode("idna").decode("ascii").removesuffix(".")
    except UnicodeError:
        return False
    parts = name.split(".")
    # Names never end in a number: 10.0.0.300 is a mistyped address.
    return (
        len(name) <= _LONGEST
        and all(_LABEL.fullmatch(part) for part in parts)
        and not parts[-1].isdigit()
    )
