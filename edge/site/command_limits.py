"""What a command may ask at most. Pure: checked where it arrives, and again where it is followed.

No command can make the sign say CLEAR, and none outlives its time.
"""

import unicodedata

from edge.common.errors import CommandError
from edge.common.text import shown_text
from edge.common.units import seconds
from edge.common.wire import LOG_AT_MOST_S, Action, Command, Level
from edge.messages import CLEAR
from edge.site.overrides import words_of
from edge.site.schema import Site

LONGEST_COMMAND_S: dict[Action, float] = {
    "hold": 4 * 3600.0,
    "text": 4 * 3600.0,
    "mute": 3600.0,
    "test": 12.0,
    "release": 60.0,
    "log": LOG_AT_MOST_S,
}
MOST_LINES, LONGEST_LINE = 3, 40
SCRIPTS = ("HANGUL", "CJK", "IDEOGRAPHIC", "HIRAGANA", "KATAKANA")  # and ASCII


def refuse_beyond_limits(command: Command, site: Site) -> None:
    """CommandError says what the command asks that it may not, the bound, and what to do."""
    lasts, at_most = seconds(command.until - command.since), LONGEST_COMMAND_S[command.action]
    if not 0 < lasts <= at_most:
        raise CommandError(
            f"{command.action} for {lasts:.0f} s is not within 0 to {at_most:.0f} s; "
            "ask for less, and again when the time is over"
        )
    if command.action == "hold" and (command.level is None or command.level <= Level.UNKNOWN):
        raise CommandError(
            "only CAUTION, CROWDED and CRITICAL can be held: less than that only the camera says"
        )
    if command.action == "text":
        _refuse_text(command.lines, site)


def cleaned_line(line: str) -> str:
    """A line as it may be shown: composed. CommandError names what cannot be in one."""
    try:
        return shown_text(line)
    except ValueError as error:
        raise CommandError(f"line {line!r}: {error}") from None


def _refuse_text(lines: tuple[str, ...], site: Site) -> None:
    if not 1 <= len(lines) <= MOST_LINES:
        raise CommandError(f"a text has 1 to {MOST_LINES} lines, not {len(lines)}")
    for line in lines:
        if not 1 <= len(line) <= LONGEST_LINE or not line.isprintable() or line.isspace():
            raise CommandError(
                f"line {line!r} must be 1 to {LONGEST_LINE} characters that can be shown"
            )
        if cleaned_line(line) != line:
            raise CommandError(f"line {line!r} is not composed (NFC), or hides characters")
    _refuse_foreign("".join(lines))
    text = _letters("".join(lines))
    for language in CLEAR.words:
        cell = words_of(site, CLEAR.name, language)
        for words in (cell.headline, cell.short):
            if _letters(words) in text:
                raise CommandError(
                    f"the text says {words!r}, which only the camera can say; use other words"
                )


def _refuse_foreign(text: str) -> None:
    """Letters of other scripts look like ours: the Cyrillic "С" in a word that may not be said."""
    for letter in filter(str.isalpha, _plain(text)):
        if not letter.isascii() and not unicodedata.name(letter, "").startswith(SCRIPTS):
            raise CommandError(
                f"letter {letter!r} (U+{ord(letter):04X}) is none of a to z, Korean, Chinese or "
                "Japanese; use those"
            )


def _letters(text: str) -> str:
    """Letters and digits alone, as they are read: without case, width and accents."""
    return "".join(character for character in _plain(text) if character.isalnum())


def _plain(text: str) -> str:
    apart = unicodedata.normalize("NFKD", text).casefold()
    return "".join(character for character in apart if not unicodedata.combining(character))
