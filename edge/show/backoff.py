"""When what failed may be tried again: after pauses that double."""

from edge.common.clock import boottime_ns
from edge.common.units import nanoseconds
from edge.show.driver_process import DEAD_MAN_S

# Shorter than the dead-man of a driver apart: it would put the neutral text, or nothing, on a panel
# that has just come back, while we wait to try it again.
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.5, DEAD_MAN_S - 0.5


class Backoff:
    """The pauses of one device."""

    def __init__(self) -> None:
        self._pause_s = FIRST_PAUSE_S
        self._next_at = 0

    def due(self) -> bool:
        """Whether it may be tried now."""
        return boottime_ns() >= self._next_at

    def failed(self) -> None:
        """It failed: wait, and the next time longer."""
        self._next_at = boottime_ns() + nanoseconds(self._pause_s)
        self._pause_s = min(LONGEST_PAUSE_S, 2 * self._pause_s)

    def worked(self) -> None:
        """It works: the next failure is a first one."""
        self._pause_s = FIRST_PAUSE_S
