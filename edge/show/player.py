"""What the sign says at a moment, and what the voice does: no I/O, time is an argument.

Here lives the dead-man timer: without a living Order the sign is neutral.
"""

import collections
from collections.abc import Iterable
from dataclasses import dataclass

from edge.common.units import nanoseconds, seconds
from edge.common.wire import Level, Order, Page
from edge.messages import NEUTRAL

SHORTEST_PAGE_S = 0.5  # a page is never a flash: nothing changes faster than 3 Hz


@dataclass(frozen=True)
class Scene:
    """What stands on the sign: `order` is the living Order, or None for the neutral text."""

    message: str
    level: Level
    page: Page
    beacon: str
    order: Order | None


def is_alive(order: Order, at: int) -> bool:
    """Whether `order` may be shown at `at`: not before it was issued, not past its lifetime.

    Nor past the end of an operator's text, whatever the lifetime.
    """
    if order.until is not None and at >= order.until:
        return False
    return 0 <= seconds(at - order.issued_at) < order.lifetime_s


def newest_of(orders: Iterable[Order], at: int) -> Order | None:
    """The one to follow, of several that came at once: to lay out all of their texts takes time."""
    living = (order for order in orders if is_alive(order, at))
    return max(living, key=lambda order: order.issued_at, default=None)


class Player:
    """Keeps the newest Order and turns its pages."""

    def __init__(self, neutral: Page) -> None:
        self.neutral = Scene(NEUTRAL.name, Level.UNKNOWN, neutral, "off", None)
        self._order: Order | None = None
        self._since = 0  # when the pages that are shown were first ordered

    def take(self, order: Order, at: int) -> None:
        """Follow `order` from now on, unless it is expired or older than the one followed."""
        if not is_alive(order, at) or (self._order and order.issued_at < self._order.issued_at):
            return
        if self._living(at) is None or self._content(self._order) != self._content(order):
            self._since = at
        self._order = order

    def scene(self, at: int) -> Scene:
        """What to show at `at`."""
        order = self._living(at)
        if order is None:
            return self.neutral
        page = page_at(order.pages, at - self._since) if order.pages else self.neutral.page
        return Scene(order.message, order.level, page, order.beacon, order)

    def _living(self, at: int) -> Order | None:
        return self._order if self._order and is_alive(self._order, at) else None

    @staticmethod
    def _content(order: Order | None) -> tuple[str, tuple[Page, ...]] | None:
        return (order.message, order.pages) if order else None


def page_at(pages: tuple[Page, ...], elapsed_ns: int) -> Page:
    """The page to show `elapsed_ns` after the first one came up; they go round."""
    lengths = [max(SHORTEST_PAGE_S, page.seconds) for page in pages]
    left_s = seconds(elapsed_ns) % sum(lengths)
    for page, length in zip(pages, lengths, strict=True):
        left_s -= length
        if left_s < 0:
            return page
    return pages[-1]


@dataclass(frozen=True)
class Cue:
    """What the loudspeaker must do now: fall silent, begin a clip, both or neither."""

    stop: bool = False
    clip: str | None = None


class Announcer:
    """Says an Order's clips in turn, again every `repeat_s`, and at once when the level rises."""

    def __init__(self, repeat_s: float) -> None:
        self._repeat_ns = nanoseconds(repeat_s)
        self._telling: tuple[str, Level] | None = None
        self._waiting: collections.deque[str] = collections.deque()
        self._loudest: Level | None = None  # the level last spoken of
        self._began_at = 0

    def cue(self, order: Order | None, at: int, *, busy: bool, quiet: bool) -> Cue:
        """The next step at `at`; `busy`: a clip is playing; `quiet`: only CRITICAL may speak."""
        if order and (not order.clips or (quiet and order.level < Level.CRITICAL)):
            order = None
        subject = (order.message, order.level) if order else None
        stop = busy and self._telling != subject
        if self._telling != subject:
            self._telling = subject
            self._waiting.clear()
        if busy and not stop:
            return Cue()
        if order and not self._waiting and self._due(order, at):
            self._waiting.extend(order.clips)
            self._began_at, self._loudest = at, order.level
        return Cue(stop, self._waiting.popleft() if self._waiting else None)

    def _due(self, order: Order, at: int) -> bool:
        """A rise speaks at once; everything else, a fall too, when its turn comes."""
        rises = self._loudest is None or order.level > self._loudest
        return rises or at - self._began_at >= self._repeat_ns
