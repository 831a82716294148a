"""What must not leave the unit: secrets, wherever they stand in a text.

Known ones are those that the site file names or holds, in every form in which a log may have them;
what looks like a secret is taken for one.
"""

import base64
import json
import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote, quote_plus

import tomlkit

from edge.common.secret import HIDDEN, is_secret

MOST_SECRET_BYTES = 65536
PUBLIC_FILES = {"ca_file", "cert_file", "lux_file"}
SHORTEST = 4  # of an address's parts: shorter ones are no secret, and stand in every log

_ADDRESS = re.compile(
    r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*://)(?P<login>[^/?#]*@)?(?P<host>[^/?#]*)"
)
_LINE = re.compile(r"(?P<name>[\w.-]+)\s*=\s*(?P<value>.*?)\s*$", re.M)
_LOOKS_SECRET = (
    (re.compile(r"-----BEGIN [^-]*PRIVATE KEY-----.*?(-----END [^-]*KEY-----|\Z)", re.S), HIDDEN),
    (re.compile(r"(\w://)[^/\s\"']*@"), rf"\1{HIDDEN}@"),
    (
        re.compile(
            r"(?i)\b((?:pass(?:word|wort|phrase|wd)?|pwd|secret|token|api_?key)[\"']?\s*[:=]\s*[\"']?)"
            r"[^\s\"'&,;]+"
        ),
        rf"\1{HIDDEN}",
    ),
    (re.compile(r"[A-Za-z0-9+/_-]{400,}=*"), "(long data left out)"),  # a picture could be such
)


@dataclass(frozen=True)
class Redactor:
    """Takes secrets out of texts. `unread` names the files whose secrets it does not know."""

    secrets: frozenset[str] = field(repr=False)
    unread: tuple[str, ...] = ()

    def clean(self, text: str) -> str:
        """Return the text with every secret hidden."""
        forms = sorted({form for secret in self.secrets for form in _forms(secret)}, key=len)
        if forms:
            known = "|".join(re.escape(form) for form in reversed(forms))
            text = re.sub(known, HIDDEN, text)
        for pattern, instead in _LOOKS_SECRET:
            text = pattern.sub(instead, text)
        return text


def _forms(secret: str) -> Iterator[str]:
    """As it stands in a file, an address, JSON, Python's own words, or base64."""
    yield secret
    yield from (quote(secret, safe=""), quote(secret), quote_plus(secret))
    yield from (json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1])
    yield repr(secret)[1:-1]
    yield base64.b64encode(secret.encode()).decode().rstrip("=")


def redactor_of(site_file: Path | None) -> Redactor:
    """One that knows the secrets of a site file, whole or broken."""
    text = _read(site_file) if site_file is not None else ""
    if site_file is None or not text:
        return Redactor(frozenset())
    secrets, unread = set[str](), list[str]()
    for name, value in _options(text):
        if name == "url":
            secrets |= set(_of_address(value))
        elif name.endswith("_file") and name not in PUBLIC_FILES:
            file = site_file.parent / value
            found = _of_file(file)
            if not found:
                unread.append(f"{name} = {file}")
            # Some write the secret itself where its file should be named.
            secrets |= set(found if found or file.exists() else [value])
        elif is_secret(name):
            secrets.add(value)
    return Redactor(frozenset(filter(None, secrets)), tuple(unread))


def redacted_site(site_file: Path, redactor: Redactor) -> str:
    """The site file's options without its comments, which may hold anything, and its secrets."""
    try:
        options = tomllib.loads(site_file.read_text(encoding="utf-8-sig"))
    except (OSError, UnicodeDecodeError) as error:
        return f"# {site_file} cannot be read: {error}\n"
    except tomllib.TOMLDecodeError as error:
        return redactor.clean(f"# {site_file} is not valid TOML, and is left out: {error}\n")
    return redactor.clean(tomlkit.dumps(_hidden(options)))


def _hidden(options: Mapping[str, Any]) -> dict[str, Any]:
    return {name: _hidden_value(name, value) for name, value in options.items()}


def _hidden_value(name: str, value: Any) -> Any:
    if isinstance(value, dict):
        return _hidden(value)
    if isinstance(value, list):
        return [_hidden_value(name, item) for item in value]
    if name == "url" and (address := _ADDRESS.match(str(value))):
        return f"{address['scheme']}{address['host']}/{HIDDEN}"
    return HIDDEN if is_secret(name) else value


def _options(text: str) -> Iterator[tuple[str, str]]:
    """Names and values of all texts in the file; comments, too, may hold an option of old."""
    for found in _LINE.finditer(text):
        value = found["value"].partition(" #")[0].strip()
        yield found["name"].rpartition(".")[2], value.strip("\"'")
    try:
        yield from _leaves(tomllib.loads(text))
    except tomllib.TOMLDecodeError:
        return


def _leaves(options: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for name, value in options.items():
        for item in value if isinstance(value, list) else [value]:
            if isinstance(item, dict):
                yield from _leaves(item)
            elif isinstance(item, str | int) and not isinstance(item, bool):
                yield name, str(item)


def _of_address(url: str) -> Iterable[str]:
    """The login, and path and query, where some cameras want user and password."""
    address = _ADDRESS.match(url)
    if address is None:
        return
    yield (address["login"] or "").removesuffix("@").partition(":")[2]
    parts = re.split(r"[/?&=#]", url[address.end() :])
    yield from (part for part in parts if len(part) >= SHORTEST)


def _of_file(path: Path) -> list[str]:
    """The secrets in a file: each line, but those that only say that a key begins or ends."""
    lines = _read(path).splitlines() if path.is_file() else []
    return [line.strip() for line in lines if line.strip() and not line.startswith("-----")]


def _read(path: Path) -> str:
    """Return what stands in it; nothing where that is not to be had."""
    try:
        with path.open("rb") as file:
            return file.read(MOST_SECRET_BYTES).decode(errors="replace")
    except OSError:
        return ""
