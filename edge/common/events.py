"""A program's events on their way to report: sent again until report acknowledges them.

A datagram that report had not read when it was killed is lost; the event is not, as it waits here
until an `Ack` names it. Only a program that is killed itself loses what it could not hand over.
"""

import itertools
from collections.abc import Iterable

from edge.common.link import Sender
from edge.common.units import NS_PER_S
from edge.common.wire import Ack, Event

MAX_WAITING = 1000
# Sent and not yet acknowledged; more would push a State out of report's queue.
MAX_IN_FLIGHT = 100
RESEND_AFTER = 3 * NS_PER_S


class Events:
    """In the order in which they happened; when there are too many, the oldest are dropped."""

    def __init__(self, sender: Sender) -> None:
        self.dropped = 0
        self._sender = sender
        self._waiting: dict[str, Event] = {}
        self._sent_at: dict[str, int] = {}

    def add(self, event: Event) -> None:
        """Queue one; the next `send_due` sends it."""
        self._waiting[event.id] = event
        if len(self._waiting) > MAX_WAITING:
            self._forget([next(iter(self._waiting))])
            self.dropped += 1

    @property
    def waiting(self) -> int:
        """How many are not acknowledged yet."""
        return len(self._waiting)

    def acknowledge(self, ack: Ack) -> None:
        """Drop what report has on disk; after its restart everything else is due at once."""
        self._forget(ack.ids)
        if ack.begun:
            self._sent_at.clear()

    def _forget(self, ids: Iterable[str]) -> None:
        for name in ids:
            self._waiting.pop(name, None)
            self._sent_at.pop(name, None)

    def send_due(self, now: int) -> None:
        """Send those never sent, or not acknowledged in time, as far as report's inbox has room."""
        for name, event in itertools.islice(self._waiting.items(), MAX_IN_FLIGHT):
            sent_at = self._sent_at.get(name)
            if sent_at is not None and now - sent_at < RESEND_AFTER:
                continue
            if not self._sender.send(event):
                return
            self._sent_at[name] = now
