"""The table of messages (`edge/messages.py`) as a site has it: its own words, colours, patterns."""

from dataclasses import dataclass

from edge.messages import NEUTRAL, ROWS, VOICES, MessageRow, Words, clip_name
from edge.site.outputs import Wording
from edge.site.schema import Site

FLASHING = ("slow", "fast")


@dataclass(frozen=True)
class Phrase:
    """What one clip says, and in whose voice, as espeak-ng names it."""

    voice: str
    text: str


def words_of(site: Site, message: str, language: str) -> Words:
    """The cell of a message and a language, the site's own where it has one."""
    shipped = ROWS[message].words[language]
    overridden: dict[tuple[str, str], Wording] = {
        (row, column): own for row, cells in site.words.items() for column, own in cells.items()
    }
    own = overridden.get((message, language), Wording())
    return Words(
        own.headline or shipped.headline,
        own.action or shipped.action,
        own.short or shipped.short,
        own.spoken or shipped.spoken,
    )


def lines_of(site: Site, row: MessageRow) -> tuple[str, ...]:
    """The lines of a row that is shown in no language of its own: the site's neutral text."""
    return tuple(site.sign.neutral) if row is NEUTRAL else row.lines


def colour_of(site: Site, row: MessageRow) -> str:
    """The colour of its pages ("#rrggbb")."""
    own = {**site.sign.colours.model_dump(), NEUTRAL.name: site.sign.neutral_colour}
    return str(own.get(row.name, row.colour))


def beacon_of(site: Site, row: MessageRow) -> str:
    """Its beacon pattern; where nothing may flash, what would flash is steady."""
    own = {str(name): str(pattern) for name, pattern in site.beacon.patterns.items()}
    pattern = own.get(row.name, row.beacon)
    return "steady" if pattern in FLASHING and not site.beacon.flashing else pattern


def clips_of(site: Site, row: MessageRow) -> tuple[str, ...]:
    """The names of the clips that are played with it, in the order of the site's languages."""
    if row.name not in site.voice.spoken:
        return ()
    return tuple(clip_name(row.name, language) for language in site.voice.languages)


def phrases_of(site: Site) -> dict[str, Phrase]:
    """Every clip that the site's loudspeaker needs, by the clip's name."""
    return {
        clip_name(row.name, language): Phrase(VOICES[language], spoken)
        for row in ROWS.values()
        if row.name in site.voice.spoken
        for language in site.voice.languages
        if (spoken := words_of(site, row.name, language).spoken)
    }
