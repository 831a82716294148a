"""Which commands are retained, where MQTT 3.1.1 does not mark them so. Pure.

By MQTT 3.1.1 a broker marks only what it retained before we subscribed; what is published to be
retained later comes as if it were not. So a command without the mark waits here until the broker
was asked once more for all that it retains, by the same subscription: what comes back, marked, is
not followed. A bridge that passes a command on without having it retained leaves no trace of that.
"""

from edge.common.units import NS_PER_S
from edge.report.requests import LONGEST_PAYLOAD, Received

COMES_BACK_WITHIN = NS_PER_S  # after the subscription is acknowledged
WAITING_AT_MOST = 1000


class RetainedCheck:
    """Commands that wait for one subscription after their arrival; over all connections."""

    def __init__(self) -> None:
        self._new: list[Received] = []
        self._asked: list[Received] = []
        self._has_asked = self._repeats = False
        self._answered_at: int | None = None

    @property
    def wants_to_ask(self) -> bool:
        """Whether the subscription is to be asked for once more."""
        return bool(self._new) and not self._asked and self._has_asked

    def connected(self) -> None:
        """Begin a connection, whose first subscription asks about all that wait."""
        self._new, self._asked = self._asked + self._new, []
        self._has_asked = self._repeats = False
        self._answered_at = None

    def asked(self) -> None:
        """Record that the subscription was sent."""
        self._new, self._asked = [], self._asked + self._new
        self._repeats, self._has_asked = self._has_asked, True
        self._answered_at = None

    def answered(self, now: int) -> None:
        """Record that the subscription was acknowledged."""
        self._answered_at = now

    def take(self, received: Received, *, is_marked: bool) -> list[Received]:
        """Take in a command; those to be judged now. `is_marked`: MQTT 5 would mark it."""
        if not received.retained:
            if is_marked or len(received.payload) > LONGEST_PAYLOAD:
                return [received]
            self._new = [*self._new, received][-WAITING_AT_MOST:]
            return []
        waiting = len(self._new) + len(self._asked)
        self._new = [each for each in self._new if not _same(each, received)]
        self._asked = [each for each in self._asked if not _same(each, received)]
        is_found_out = len(self._new) + len(self._asked) < waiting
        # Otherwise it was judged as it came by the first subscription of this connection.
        return [received] if is_found_out or not self._repeats else []

    def cleared(self, now: int) -> list[Received]:
        """Return the commands that the broker does not retain."""
        if self._answered_at is None or now - self._answered_at < COMES_BACK_WITHIN:
            return []
        cleared, self._asked = self._asked, []
        return cleared


def _same(one: Received, other: Received) -> bool:
    return (one.name, one.payload) == (other.name, other.payload)
