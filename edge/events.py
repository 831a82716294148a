"""A program's events on their way to report: told again until report says that they are kept.

A datagram that report had not read when it was killed is gone; the event is not, as it stays here
until `Kept` names it. Only a program that itself is killed takes with it what it could not hand on.
"""

import itertools
from collections.abc import Iterable

from edge.clock import NS_PER_S
from edge.link import Outlet
from edge.wire import Event

AT_MOST = 1000
# So many are told before the first of them is kept; more would push a State out of report's queue.
UNDER_WAY = 100
AGAIN_AFTER = 3 * NS_PER_S
NEVER = -AGAIN_AFTER


class Events:
    """In the order in which they happened; when there are too many, the oldest are dropped."""

    def __init__(self, outlet: Outlet) -> None:
        self.dropped = 0
        self._outlet = outlet
        self._waiting: dict[str, Event] = {}
        self._told_at: dict[str, int] = {}

    def add(self, event: Event) -> None:
        """Take one; it is told by the next `tell`."""
        self._waiting[event.id] = event
        if len(self._waiting) > AT_MOST:
            self.kept([next(iter(self._waiting))])
            self.dropped += 1

    def kept(self, ids: Iterable[str]) -> None:
        """These need not be told again."""
        for name in ids:
            self._waiting.pop(name, None)
            self._told_at.pop(name, None)

    def tell(self, now: int) -> None:
        """Tell those that were not told, or long ago, as far as report's inbox takes them."""
        for name, event in itertools.islice(self._waiting.items(), UNDER_WAY):
            if now - self._told_at.get(name, NEVER) >= AGAIN_AFTER:
                if not self._outlet.send(event):
                    return
                self._told_at[name] = now
