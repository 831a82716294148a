"""Text of people, as it enters: composed, and without characters that are not seen. Pure.

A word that looks right must be right: macOS writes Korean in single letters (NFD), which no font of
ours has and a voice spells, and a character that nobody sees hides a word from whoever looks for
it. What draws nothing is dropped; what turns the order of reading, or is no character at all, is
refused by its name.
"""

import re
import unicodedata

# Unicode's Default_Ignorable_Code_Point, less those refused below: soft hyphen, joiners, marks of
# direction, variation selectors, the byte order mark within a text.
_UNSEEN = re.compile(
    "[\u00ad\u034f\u061c\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2060-\u2065\ufe00-\ufe0f\ufeff"
    "\U000e0100-\U000e01ef]"
)
_FILLERS = "\u115f\u1160\u3164\uffa0"  # letters of Hangul without ink
# Unicode's single letters of Hangul. Those that compose to a syllable are gone by then.
_JAMO = re.compile("[\u1100-\u11ff\ua960-\ua97f\ud7b0-\ud7ff]")
_WIDE_SPACE = "\u3000"
# Categories that are no text: controls, formats, surrogates, private use, unassigned, separators of
# lines and paragraphs.
_NO_TEXT = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}


def shown_text(text: str) -> str:
    """A line for the panel. ValueError names a character that cannot be in one."""
    return _whole("".join(map(_spaced, _composed(text))))


def spoken_text(text: str) -> str:
    """A text to speak, in one line. ValueError names a character that cannot be in one."""
    return _whole(" ".join(_composed(text).split()))


def _composed(text: str) -> str:
    return unicodedata.normalize("NFC", _UNSEEN.sub("", text))


def _spaced(character: str) -> str:
    """Every space of a Latin line is the usual one; the wide one of a Japanese line stays."""
    is_space = unicodedata.category(character) == "Zs" and character != _WIDE_SPACE
    return " " if is_space else character


def _whole(text: str) -> str:
    for character in text:
        if character in _FILLERS or unicodedata.category(character) in _NO_TEXT:
            raise ValueError(f"{_named(character)} cannot be shown or spoken; take it out")
        if _JAMO.match(character):
            raise ValueError(
                f"{_named(character)} is a single letter of no syllable; write whole syllables"
            )
    return text


def _named(character: str) -> str:
    name = unicodedata.name(character, "no letter or sign")
    return f"character U+{ord(character):04X} ({name.lower()})"
