"""A host as the site file names it: a name or an address, and nothing around it."""

import ipaddress
import re

_LABEL = re.compile(r"[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?")
_LONGEST = 253
SECURE = ("mqtts", "ssl", "tls", "wss", "https")
# What people write in the place of a host: an address of the web's kind, or a part of one.
_PARTS = re.compile(
    r"((?P<scheme>[A-Za-z]+)://)?([^/?#]*@)?(\[(?P<bracketed>[^\]]*)\]|(?P<name>[^:/?#\[\]]*))"
    r"(:(?P<port>\d{1,5}))?([/?#\\].*)?",
    re.S,
)


def bare_host(host: str) -> str:
    """The host itself. ValueError says what else stands there, and how to write it.

    It repeats no login: what is wrong here goes to the log, and upstream.
    """
    if _is_address(host):
        return host
    if not host.strip():
        raise ValueError(
            "is blank; write the broker's name or address, or take the line out: "
            "then everything waits in the outbox"
        )
    wrong = _what_is_wrong(host)
    if wrong:
        raise ValueError(f"{wrong}; {_remedy(host)}")
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
    return "" if _is_name(host) else f"{host!r} is no name of a host"


def _remedy(host: str) -> str:
    """The lines as they should be, as far as they can be told."""
    parts = _PARTS.fullmatch(host.strip())
    name = "" if parts is None else (parts["bracketed"] or parts["name"] or "").lower()
    if parts is None or not (_is_name(name) or _is_address(name)):
        return "write the broker's name or address alone"
    port = f" and port = {parts['port']}" if parts["port"] else ""
    tls = "; TLS begins with upstream.ca_file" if parts["scheme"] in SECURE else ""
    return f'write host = "{name}"{port}{tls}'


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
