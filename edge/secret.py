"""What looks like a secret, by its option's name or by its form; `edge/redact.py` knows more."""

import re

HIDDEN = "***"
NAME = re.compile(r"pass|pwd|secret|token|credential|(^|_)key($|_)", re.I)


def harmless(option: str, value: object) -> str:
    """A wrong option's value as it may be told in a log: no password, no address, no section."""
    if isinstance(value, dict):
        return "{...}"
    text = repr(value)
    named = NAME.search(option.rpartition(".")[2]) and not option.endswith("_file")
    return HIDDEN if named or "://" in text else text
