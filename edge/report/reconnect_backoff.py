"""How long to wait before the broker is connected again: the common backoff, of two kinds.

Hundreds of signs lose a broker together and must not come back together, so every pause is
shortened by chance. Two units of one name take the connection from each other for as long as both
run: each of them waits longer from time to time, so that both still deliver what they have.
"""

from edge.common.backoff import Backoff
from edge.common.units import NS_PER_S, seconds

FIRST, LONGEST = NS_PER_S, 30 * NS_PER_S
# A failure of our own says nothing against the broker: delivery must resume within 10 s.
LONGEST_AFTER_OUR_FAILURE = 2 * NS_PER_S
STEADY_AFTER = 10 * NS_PER_S  # a connection that ends sooner was none
SHORT_IN_A_ROW = 3
LONGEST_AFTER_CONFLICT = 60 * NS_PER_S
NAMESAKE_GONE_AFTER = 10 * 60 * NS_PER_S
JITTER = 0.5  # each pause is shortened by up to half


class ReconnectBackoff:
    """Pauses that double until a connection is stable, or another unit of the same name is gone."""

    def __init__(self) -> None:
        self._backoff = _backoff(LONGEST)
        self._conflict_backoff = _backoff(LONGEST_AFTER_CONFLICT)
        self._connected_at: int | None = None
        self._short = 0  # connections in a row
        self._felt_at: int | None = None

    def connected(self, now: int) -> None:
        """Record that a connection to the broker was made at `now` (boot time, ns)."""
        self._connected_at = now

    def is_trusted(self, now: int) -> bool:
        """Return whether a recovery may be reported: after short connections, once one is stable.

        Otherwise a broker that hangs up again and again would fill the outbox with recoveries.
        """
        stands = self._connected_at is not None and now - self._connected_at >= STEADY_AFTER
        return stands or self._short <= SHORT_IN_A_ROW

    def after_loss(self, now: int) -> int:
        """Return the pause (ns) after the broker was lost or has refused the connection."""
        return self._doubled(now, LONGEST)

    def after_our_failure(self, now: int) -> int:
        """Return the pause (ns) after a failure of this program's own."""
        return self._doubled(now, LONGEST_AFTER_OUR_FAILURE)

    def note_conflict(self, now: int) -> None:
        """Record that another unit of the same name was detected at `now` (boot time, ns)."""
        self._felt_at = now

    def after_conflict(self) -> int:
        """Return the pause (ns) after another unit of the same name took the connection."""
        return self._conflict_backoff.next_pause()

    def in_conflict(self, now: int) -> bool:
        """Return whether one was detected too recently to assume that it is gone."""
        if self._felt_at is not None and now - self._felt_at >= NAMESAKE_GONE_AFTER:
            self._felt_at = None
            self._conflict_backoff.worked()
        return self._felt_at is not None

    def _doubled(self, now: int, longest: int) -> int:
        if self._connected_at is not None:
            if now - self._connected_at >= STEADY_AFTER:
                self._backoff.worked()
                self._short = 0
            else:
                self._short += 1
        self._connected_at = None
        return self._backoff.next_pause(seconds(longest))


def _backoff(longest: int) -> Backoff:
    return Backoff(seconds(FIRST), seconds(longest), jitter=JITTER)
