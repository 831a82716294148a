"""What looks like a secret, by its option's name or by its form.

`edge/commands/bundle/redact.py` knows more.
"""

import re

HIDDEN = "***"
_NAME = re.compile(r"pass|pwd|secret|token|credential|(^|_)key($|_)", re.I)


def is_secret(name: str) -> bool:
    """Whether an option of this name holds a secret itself, and not only names its file."""
    return bool(_NAME.search(name)) and not name.endswith("_file")


def harmless(option: str, value: object) -> str:
    """A wrong option's value as it may be logged: no password, no address, no section."""
    if isinstance(value, dict):
        return "{...}"
    text = repr(value)
    return HIDDEN if is_secret(option.rpartition(".")[2]) or "://" in text else text
