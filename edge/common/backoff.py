"""How long to wait before what failed is tried again. Pure but for the jitter's chance.

The product's one backoff: drivers of the sign, cameras, the broker and the children of
`redroad run` wait by it. Times are CLOCK_BOOTTIME nanoseconds, given by the caller.
"""

import random
from collections.abc import Callable

from edge.common.units import nanoseconds

FACTOR = 2.0


class Backoff:
    """Pauses of `first_s`, then each `factor` times the one before, up to `longest_s`.

    With a `jitter` of 0 to 1 each pause is shortened by chance, by at most that share of it, so
    that many units that failed together do not try again together. `draw` returns that chance,
    0 to 1.
    """

    def __init__(
        self,
        first_s: float,
        longest_s: float,
        *,
        factor: float = FACTOR,
        jitter: float = 0.0,
        draw: Callable[[], float] = random.random,
    ) -> None:
        self._first, self._longest = nanoseconds(first_s), nanoseconds(longest_s)
        self._factor, self._jitter, self._draw = factor, jitter, draw
        self._pause = self._first
        self._next_at: int | None = None

    def due(self, now: int) -> bool:
        """Whether the next try is due at `now`; True before the first failure."""
        return self._next_at is None or now >= self._next_at

    def failed(self, now: int) -> None:
        """Note a failure at `now`: the next try is due after the next pause."""
        self._next_at = now + self.next_pause()

    def next_pause(self, longest_s: float | None = None) -> int:
        """The pause to wait after a failure (ns); the one after it is longer.

        `longest_s` bounds this pause further, and the next ones grow from there.
        """
        pause = self._pause if longest_s is None else min(self._pause, nanoseconds(longest_s))
        self._pause = min(round(self._factor * pause), self._longest)
        return round(pause * (1 - self._jitter * self._draw()))

    def worked(self) -> None:
        """Note a success: the pause after the next failure is the first one again."""
        self._pause = self._first
