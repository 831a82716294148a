"""When the next frame of a camera without a clock of its own is due."""

import time

from edge.common.clock import boottime_ns
from edge.common.units import nanoseconds, seconds
from edge.watch.cameras.camera import NoFrameError


class Pace:
    """One frame every `every_s`, the first at once."""

    def __init__(self, camera: str, every_s: float) -> None:
        self._camera = camera
        self._every = nanoseconds(every_s)
        self._due = boottime_ns()

    def wait(self, timeout_s: float) -> None:
        """Return when the next frame is due; NoFrameError when that is after `timeout_s`."""
        wait_s = seconds(self._due - boottime_ns())
        time.sleep(max(0.0, min(timeout_s, wait_s)))
        if wait_s > timeout_s:
            raise NoFrameError(
                f"camera {self._camera}: the next frame is due in {wait_s - timeout_s:.1f} s; "
                "set a shorter time between frames if that is too long"
            )
        # A late reader makes no burst of frames afterwards.
        self._due = max(self._due, boottime_ns() - self._every) + self._every
