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
    """Pauses that double until a connection stands, or until no namesake is felt any more."""

    def __init__(self) -> None:
        self._backoff = _backoff(LONGEST)
        self._conflict_backoff = _backoff(LONGEST_AFTER_CONFLICT)
        self._connected_at: int | None = None
        self._short = 0  # connections in a row
        self._felt_at: int | None = None

    def connected(self, now: int) -> None:
        """The broker is there."""
        self._connected_at = now

    def is_trusted(self, now: int) -> bool:
        """Whether the connection may be told to have recovered: after short ones, once it stands.

        Else a broker that hangs up again and again would fill the outbox with recoveries.
        """
        stands = self._connected_at is not None and now - self._connected_at >= STEADY_AFTER
        return stands or self._short <= SHORT_IN_A_ROW

    def after_loss(self, now: int) -> int:
        """Ns to wait once the broker is away or has refused us."""
        return self._doubled(now, LONGEST)

    def after_our_failure(self, now: int) -> int:
        """Ns to wait once something of ours has failed."""
        return self._doubled(now, LONGEST_AFTER_OUR_FAILURE)

    def note_conflict(self, now: int) -> None:
        """Another of our name was there."""
        self._felt_at = now

    def after_conflict(self) -> int:
        """Ns to wait once another of our name has taken the connection."""
        return self._conflict_backoff.next_pause()

    def in_conflict(self, now: int) -> bool:
        """Whether one was felt not so long ago that it is likely to be gone."""
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
