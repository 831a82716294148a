"""Where a text may be broken into lines, by the rules of its script.

English and Korean break at spaces. Chinese and Japanese break between any two characters, but a
line begins with no closing mark, small kana or mark of length, and ends with no opening one
(the Japanese kinsoku rules, JIS X 4051, and the Chinese ones, GB/T 15834).
"""

import re
from unicodedata import east_asian_width

NEVER_FIRST = (
    "、。，．・：；？！）」』】〕〉》”’％℃,.:;?!)]}%…‥"
    "ー～゛゜ァィゥェォッャュョヮぁぃぅぇぉっゃゅょゎ々ゝゞ"
)
NEVER_LAST = "（「『【〔〈《“‘([{＃№¥￥$"

# Han, kana and their marks: scripts that are written without spaces.
_UNSPACED = re.compile(r"[\u3000-\u30ff\u3400-\u9fff\uf900-\ufaff\uff00-\uffef]")


def pieces(text: str) -> list[str]:
    """Return the text in parts that may not be broken; a space is at the end of its part."""
    parts = [""]
    for index, character in enumerate(text):
        if index and _may_break(text[:index], character):
            parts.append("")
        parts[-1] += character
    return [part for part in parts if part]


def broken(text: str, lines: int) -> tuple[str, ...]:
    """Return the text in at most so many lines, of which the widest is as narrow as possible."""
    parts = pieces(text.strip())
    limit = max((_width(part.rstrip()) for part in parts), default=0)
    while len(filled := _filled(parts, limit)) > lines:
        limit += 1
    return filled


def _filled(parts: list[str], limit: int) -> tuple[str, ...]:
    """The parts in lines, each as full as the limit of width allows (halves of a square)."""
    lines = [""]
    for part in parts:
        if lines[-1] and _width((lines[-1] + part).rstrip()) > limit:
            lines.append("")
        lines[-1] += part
    return tuple(line.strip() for line in lines)


def _width(text: str) -> int:
    """The width in halves of a square: East Asian characters are twice as wide as others."""
    return sum(2 if east_asian_width(character) in "WF" else 1 for character in text)


def _may_break(before: str, after: str) -> bool:
    """Whether a line may end with the text `before` and the next begin with `after`."""
    if after in NEVER_FIRST or after.isspace() or before.rstrip()[-1:] in NEVER_LAST:
        return False
    if before[-1].isspace():
        return True
    return bool(_UNSPACED.match(before[-1]) and _UNSPACED.match(after))
