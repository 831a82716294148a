"""What is done at most once in so many seconds. Pure: time is an argument (boot time, ns)."""

from edge.common.units import nanoseconds


class Timer:
    """The `every_s` seconds that lie at least between one time and the next."""

    def __init__(self, every_s: float) -> None:
        self._every = nanoseconds(every_s)
        self._began_at: int | None = None

    def due(self, now: int) -> bool:
        """Whether the interval is over at `now`; True when it never began."""
        return self._began_at is None or now - self._began_at >= self._every

    def restart(self, now: int) -> None:
        """Begin the interval at `now`, whether or not the one before is over."""
        self._began_at = now

    def restart_if_due(self, now: int) -> bool:
        """Whether the interval is over at `now`; if so, the next one begins."""
        if not self.due(now):
            return False
        self.restart(now)
        return True
