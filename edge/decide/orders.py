"""Orders: what the sign is to show, say and flash at a level, with the commands in force."""

from msgspec.structs import replace

from edge.common.wire import Command, Level, Notice, Order, Page
from edge.decide.active_commands import ActiveCommands
from edge.messages import MESSAGES, TEST, MessageRow
from edge.site.overrides import beacon_of, clips_of, colour_of, lines_of, words_of
from edge.site.schema import Site

# An Order outlives its repetition several times, and is dead well within the 5 s after which the
# sign must be neutral when this program is gone.
ORDER_LIFETIME_S = 3.0
ORDER_EVERY_S = 0.5

TEST_PAGE_S = 1.0
ROOMY_ROWS = 48  # LEDs that two lines of a language need on a page


def pages_of(row: MessageRow, site: Site) -> tuple[Page, ...]:
    """At most two pages: one for each language, or one for each two of them."""
    sign, colour = site.sign, colour_of(site, row)
    if not row.words:
        return (Page(lines_of(site, row), colour),)
    words = [words_of(site, row.name, language) for language in sign.languages]
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


def order_for(level: Level, site: Site, at: int, active: ActiveCommands | None = None) -> Order:
    """The Order that makes the sign show `level` from `at` on, as the commands in force change it.

    At CRITICAL no command changes anything, and an operator's text waits; a test gives way to every
    warning.
    """
    row = MESSAGES[level]
    order = Order(
        message=row.name,
        level=level,
        pages=pages_of(row, site),
        clips=clips_of(site, row),
        beacon=beacon_of(site, row),
        priority=row.priority,
        issued_at=at,
        lifetime_s=ORDER_LIFETIME_S,
    )
    if active is None or level is Level.CRITICAL:
        return order
    if active.get("test", at) and level < Level.CAUTION:
        pages = _test_pages(site)
        return replace(order, message=TEST.name, pages=pages, beacon=beacon_of(site, TEST))
    if text := active.get("text", at):
        order = replace(order, notice=_notice(text, site))
    return replace(order, clips=()) if active.get("mute", at) else order


def _notice(text: Command, site: Site) -> Notice:
    """An operator's text, in the colour that claims nothing about the street."""
    page = Page(text.lines, site.sign.neutral_colour, site.sign.page_s)
    return Notice(text.id, (page,), text.until)


def _test_pages(site: Site) -> tuple[Page, ...]:
    lines = TEST.lines if site.sign.height >= ROOMY_ROWS else TEST.lines[-1:]
    return tuple(Page(lines, colour, TEST_PAGE_S) for colour in TEST.cycle)
