"""A program's events on their way to report: told again until report says that they are kept.

A datagram that report had not read when it was killed is gone; the event is not, as it stays here
until `Ack` names it. Only a program that itself is killed takes with it what it could not hand on.
"""

import itertools
from collections.abc import Iterable

from edge.common.clock import NS_PER_S
from edge.common.link import Sender
from edge.common.wire import Ack, Event

AT_MOST = 1000
# So many are told before the first of them is kept; more would push a State out of report's queue.
UNDER_WAY = 100
AGAIN_AFTER = 3 * NS_PER_S


class Events:
    """In the order in which they happened; when there are too many, the oldest are dropped."""

    def __init__(self, outlet: Sender) -> None:
        self.dropped = 0
        self._outlet = outlet
        self._waiting: dict[str, Event] = {}
        self._told_at: dict[str, int] = {}

    def add(self, event: Event) -> None:
        """Take one; it is told by the next `tell`."""
        self._waiting[event.id] = event
        if len(self._waiting) > AT_MOST:
            self._forget([next(iter(self._waiting))])
            self.dropped += 1

    @property
    def waiting(self) -> int:
        """How many are not kept yet."""
        return len(self._waiting)

    def take(self, ack: Ack) -> None:
        """What report keeps need not be told again; all else at once, where it knows of nothing."""
        self._forget(ack.ids)
        if ack.begun:
            self._told_at.clear()

    def _forget(self, ids: Iterable[str]) -> None:
        for name in ids:
            self._waiting.pop(name, None)
            self._told_at.pop(name, None)

    def tell(self, now: int) -> None:
        """Tell those that were not told, or long ago, as far as report's inbox takes them."""
        for name, event in itertools.islice(self._waiting.items(), UNDER_WAY):
            told_at = self._told_at.get(name)
            if told_at is not None and now - told_at < AGAIN_AFTER:
                continue
            if not self._outlet.send(event):
                return
            self._told_at[name] = now
