"""How many pictures a second are really watched. Pure."""

from collections import deque

from edge.common.units import NS_PER_S

OVER = 10 * NS_PER_S


class Rate:
    """Counts over the last ten seconds."""

    def __init__(self, now: int) -> None:
        self._began = now
        self._times: deque[int] = deque()

    def add(self, now: int) -> None:
        """A picture was watched."""
        self._times.append(now)

    def per_second(self, now: int) -> float | None:
        """Pictures per second; None until it was counted for long enough."""
        while self._times and now - self._times[0] >= OVER:
            self._times.popleft()
        if now - self._began < OVER:
            return None
        return len(self._times) * NS_PER_S / OVER
