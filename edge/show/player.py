"""What the sign shows at a moment, and what the voice says: no I/O, time is an argument (ns).

The dead-man timer is here: without an Order within its lifetime the sign is neutral.
"""

import collections
from collections.abc import Iterable
from dataclasses import dataclass

from edge.common.timer import Timer
from edge.common.units import seconds
from edge.common.wire import Level, Notice, Order, Page
from edge.messages import NEUTRAL

SHORTEST_PAGE_S = 0.5  # a page is never a flash: nothing changes faster than 3 Hz
TEXT = "text"  # how the page of an operator's text is recorded


@dataclass(frozen=True)
class SignContent:
    """What is on the sign: `order` is the Order it shows, or None for the neutral text."""

    message: str
    level: Level
    page: Page
    beacon: str
    order: Order | None


def is_alive(order: Order, at: int) -> bool:
    """Whether `order` may be shown at `at`: not before it was issued, not past its lifetime."""
    return 0 <= seconds(at - order.issued_at) < order.lifetime_s


def newest_of(orders: Iterable[Order], at: int) -> Order | None:
    """Return the newest of the Orders that may be shown at `at`, or None.

    Of several that came at once only this one is laid out, as that takes time.
    """
    living = (order for order in orders if is_alive(order, at))
    return max(living, key=lambda order: order.issued_at, default=None)


class Player:
    """Keeps the newest Order, and turns its pages."""

    def __init__(self, neutral: Page) -> None:
        self.neutral = SignContent(NEUTRAL.name, Level.UNKNOWN, neutral, "off", None)
        self._order: Order | None = None
        self._since = 0  # when the pages that are shown were first ordered

    def follow(self, order: Order, at: int) -> None:
        """Show `order` from `at` on, unless it is expired or older than the present one."""
        if not is_alive(order, at) or (self._order and order.issued_at < self._order.issued_at):
            return
        if self._living(at) is None or self._words(self._order) != self._words(order):
            self._since = at
        self._order = order

    def content(self, at: int) -> SignContent:
        """Return what the sign shows at `at`."""
        order = self._living(at)
        if order is None:
            return self.neutral
        own = order.pages or (self.neutral.page,)
        texts = texts_at(order, at)
        page = page_at(turns(own, texts), at - self._since)
        message = TEXT if page in texts and page not in own else order.message
        return SignContent(message, order.level, page, order.beacon, order)

    def _living(self, at: int) -> Order | None:
        return self._order if self._order and is_alive(self._order, at) else None

    @staticmethod
    def _words(order: Order | None) -> tuple[str, tuple[Page, ...], Notice | None] | None:
        return (order.message, order.pages, order.notice) if order else None


def texts_at(order: Order, at: int) -> tuple[Page, ...]:
    """Return the pages of an operator's text, until it ends, whatever the Order's lifetime."""
    return order.notice.pages if order.notice is not None and at < order.notice.until else ()


def turns(pages: tuple[Page, ...], texts: tuple[Page, ...]) -> tuple[Page, ...]:
    """Return the level's pages, all of them before each page of an operator's text.

    So the level's words come first, and are never away for longer than one page.
    """
    return tuple(page for text in texts for page in (*pages, text)) or pages


def page_at(pages: tuple[Page, ...], elapsed_ns: int) -> Page:
    """Return the page to show `elapsed_ns` after the first one appeared; they are repeated."""
    lengths = [max(SHORTEST_PAGE_S, page.seconds) for page in pages]
    left_s = seconds(elapsed_ns) % sum(lengths)
    for page, length in zip(pages, lengths, strict=True):
        left_s -= length
        if left_s < 0:
            return page
    return pages[-1]


@dataclass(frozen=True)
class Cue:
    """What the loudspeaker is to do: stop, begin the clip of that name, both or neither."""

    stop: bool = False
    clip: str | None = None


class Announcer:
    """Plays an Order's clips in turn, again every `repeat_s`, and at once when the level rises."""

    def __init__(self, repeat_s: float) -> None:
        self._round_timer = Timer(repeat_s)
        self._subject: tuple[str, Level] | None = None
        self._waiting: collections.deque[str] = collections.deque()
        self._loudest: Level | None = None  # the level of the last round

    def cue(self, order: Order | None, at: int, *, busy: bool, quiet: bool) -> Cue:
        """Return the next step at `at`; `busy`: a clip plays; `quiet`: only CRITICAL may speak."""
        if order and (not order.clips or (quiet and order.level < Level.CRITICAL)):
            order = None
        subject = (order.message, order.level) if order else None
        stop = busy and self._subject != subject
        if self._subject != subject:
            self._subject = subject
            self._waiting.clear()
        if busy and not stop:
            return Cue()
        if order and not self._waiting and self._due(order, at):
            self._waiting.extend(order.clips)
            self._round_timer.restart(at)
            self._loudest = order.level
        return Cue(stop, self._waiting.popleft() if self._waiting else None)

    def _due(self, order: Order, at: int) -> bool:
        """Whether a round of clips begins: at once after a rise, else by the interval."""
        rises = self._loudest is None or order.level > self._loudest
        return rises or self._round_timer.due(at)
