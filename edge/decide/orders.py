"""The table of messages: for every level, what the sign shows, says and flashes."""

from dataclasses import dataclass

from msgspec.structs import replace

from edge.common.wire import Command, Level, Order, Page
from edge.decide.active_commands import Wishes
from edge.messages import clip_name, words_of
from edge.site.schema import Site

# An Order outlives its repetition several times, and is dead well within the 5 s after which the
# sign must be neutral when this program is gone.
ORDER_LIFETIME_S = 3.0
ORDER_EVERY_S = 0.5

TEST_COLOURS = ("#ff0000", "#00ff00", "#0000ff", "#ffffff")  # every LED of a panel, by turns

FLASHING = ("slow", "fast")
ROOMY_ROWS = 48  # LEDs that two lines of a language need on a page


@dataclass(frozen=True)
class Message:
    """One row: the beacon's pattern, and its weight."""

    name: str
    beacon: str = "off"
    priority: int = 0


MESSAGES: dict[Level, Message] = {
    Level.CLEAR: Message("clear"),
    Level.CAUTION: Message("caution", beacon="slow", priority=1),
    Level.CROWDED: Message("crowded", beacon="slow", priority=2),
    Level.CRITICAL: Message("critical", beacon="fast", priority=3),
}
TEST = Message("test", beacon="slow")
NEUTRAL = Message("neutral")  # for UNKNOWN: it claims nothing about the street


def colour_of(message: Message, site: Site) -> str:
    """The colour of its pages, as the site has it."""
    colours = site.sign.colours
    by_level = {
        "clear": colours.clear,
        "caution": colours.caution,
        "crowded": colours.crowded,
        "critical": colours.critical,
    }
    return by_level.get(message.name, site.sign.neutral_colour)


def pages_of(message: Message, site: Site) -> tuple[Page, ...]:
    """At most two pages: one for each language, or one for each two of them."""
    sign = site.sign
    if message is NEUTRAL:
        return (Page(tuple(sign.neutral), colour_of(message, site)),)
    colour = colour_of(message, site)
    words = [words_of(site, message.name, language) for language in sign.languages]
    shared = 1 if len(words) <= 2 and sign.height >= ROOMY_ROWS else 2
    roomy = sign.height >= shared * ROOMY_ROWS
    lines = [(cell.headline, cell.action) if roomy else (cell.short,) for cell in words]
    return tuple(
        Page(
            tuple(line for cell in lines[first : first + shared] for line in cell),
            colour,
            sign.page_s,
        )
        for first in range(0, len(lines), shared)
    )


def order_for(level: Level, site: Site, at: int, wishes: Wishes | None = None) -> Order:
    """The Order that makes the sign tell `level` from `at` on, in the way that is wished.

    At CRITICAL nothing is wished away, and a test gives way to every warning.
    """
    message = MESSAGES.get(level, NEUTRAL)
    languages = site.voice.languages if message.name in site.voice.spoken else []
    order = Order(
        message=message.name,
        level=level,
        pages=pages_of(message, site),
        clips=tuple(clip_name(message.name, language) for language in languages),
        beacon=_beacon(message, site),
        priority=message.priority,
        issued_at=at,
        lifetime_s=ORDER_LIFETIME_S,
    )
    if wishes is None or level is Level.CRITICAL:
        return order
    if wishes.get("test", at) and level < Level.CAUTION:
        return replace(order, message="test", pages=_test_pages(site), beacon=_beacon(TEST, site))
    if text := wishes.get("text", at):
        order = _with_text(order, text, colour_of(message, site))
    return replace(order, clips=()) if wishes.get("mute", at) else order


def _beacon(message: Message, site: Site) -> str:
    """Its pattern, as the site has it; where nothing may flash, what would stands."""
    own = {str(name): str(pattern) for name, pattern in site.beacon.patterns.items()}
    pattern = own.get(message.name, message.beacon)
    return "steady" if pattern in FLASHING and not site.beacon.flashing else pattern


def _with_text(order: Order, text: Command, colour: str) -> Order:
    """An operator's text in the place of the level's; light and voice stay the level's."""
    return replace(order, message="text", pages=(Page(text.lines, colour),), until=text.until)


def _test_pages(site: Site) -> tuple[Page, ...]:
    lines = ("시험 중", "TEST") if site.sign.height >= ROOMY_ROWS else ("TEST",)
    return tuple(Page(lines, colour, seconds=1.0) for colour in TEST_COLOURS)
