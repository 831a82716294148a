"""An operator's text on the panel: with the time at which it ends, and only as it fits.

It stands beside the level's words, never in their place.
"""

from datetime import datetime
from functools import lru_cache
from zoneinfo import ZoneInfo

from msgspec.structs import replace

from edge.common.clock import boottime_ns, time_plausible, wall_s
from edge.common.errors import LayoutError
from edge.common.program import Program
from edge.common.units import seconds
from edge.common.wire import Notice, Order, Page
from edge.show.layout import render
from edge.site import Site


class OperatorTexts:
    """Lays out the text of an Order that an operator has sent."""

    def __init__(self, site: Site, program: Program) -> None:
        self._sign, self._program = site.sign, program
        self._zone = ZoneInfo(site.site.time_zone)
        self._refused = ""  # the command whose text was answered so

    def prepared(self, order: Order) -> Order:
        """Return the Order with its text laid out, or without one that cannot be shown.

        That is answered upstream; message, beacon and clips stay the level's.
        """
        notice = order.notice
        if notice is None:
            self._program.recovered("text")
            return order
        try:
            end = self._end(notice.until)
            pages = laid_out(notice.pages, end, self._sign.width, self._sign.height)
        except LayoutError as error:
            self._refuse(notice, str(error))
            return replace(order, notice=None)
        self._program.recovered("text")
        return replace(order, notice=replace(notice, pages=pages))

    def _refuse(self, notice: Notice, why: str) -> None:
        """Once for each command: the fault as long as it stands, and an answer by report."""
        reason = f"an operator's text cannot be shown: {why}"
        if self._program.faults.get("text") != reason:
            self._program.fault("text", reason)
        if self._refused != notice.command:
            self._refused = notice.command
            self._program.event("command", reason, after="refused", command=notice.command)

    def _end(self, until: int) -> str:
        """The end in local time; while the clock was not set, the minutes that are left."""
        if time_plausible():
            return f"~ {datetime.fromtimestamp(round(wall_s(until)), self._zone):%H:%M}"
        return f"~ {max(1, round(seconds(until - boottime_ns()) / 60))} min"


@lru_cache(maxsize=16)
def laid_out(pages: tuple[Page, ...], end: str, width: int, height: int) -> tuple[Page, ...]:
    """Return the pages with the end as the last line, on one page more where one is too small.

    LayoutError when it does not fit so either, or takes more than two pages.
    """
    *before, last = pages
    whole = (*before, replace(last, lines=(*last.lines, end)))
    try:
        return _checked(whole, width, height)
    except LayoutError:
        if len(last.lines) == 1 or len(whole) == 2:
            raise
    middle = (len(last.lines) + 1) // 2
    halves = (last.lines[:middle], (*last.lines[middle:], end))
    return _checked(tuple(replace(last, lines=lines) for lines in halves), width, height)


def _checked(pages: tuple[Page, ...], width: int, height: int) -> tuple[Page, ...]:
    if len(pages) > 2:
        raise LayoutError(f"{len(pages)} pages are too many to read in passing; at most 2")
    for page in pages:
        render(page, width, height)
    return pages
