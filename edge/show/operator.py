"""An operator's text on the panel: with the time at which it ends, and only as it fits."""

from datetime import datetime
from functools import lru_cache
from zoneinfo import ZoneInfo

from msgspec.structs import replace

from edge.common.clock import boottime_ns, time_plausible, wall_s
from edge.common.errors import LayoutError
from edge.common.program import Program
from edge.common.units import seconds
from edge.common.wire import Order, Page
from edge.messages import NEUTRAL
from edge.show.layout import render
from edge.site import Site


class OperatorTexts:
    """Lays out the text of an Order that an operator has sent."""

    def __init__(self, site: Site, program: Program, neutral: Page) -> None:
        self._sign, self._program, self._neutral = site.sign, program, neutral
        self._zone = ZoneInfo(site.site.time_zone)

    def prepared(self, order: Order) -> Order:
        """Return the Order with its text laid out, or with the neutral text where it does not fit.

        Beacon and clips stay the level's.
        """
        if order.until is None:
            self._program.recovered("text")
            return order
        try:
            pages = laid_out(
                order.pages, self._end(order.until), self._sign.width, self._sign.height
            )
        except LayoutError as error:
            why = f"an operator's text cannot be shown: {error}"
            if self._program.faults.get("text") != why:
                self._program.fault("text", why)
            return replace(order, message=NEUTRAL.name, pages=(self._neutral,))
        self._program.recovered("text")
        return replace(order, pages=pages)

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
