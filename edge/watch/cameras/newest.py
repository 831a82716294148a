"""Hands the newest frame from the thread that reads a camera to the one that counts."""

import threading

from edge.common.clock import boottime_ns
from edge.common.errors import CameraError
from edge.common.units import seconds
from edge.watch.cameras.camera import NoFrameError
from edge.watch.frame import Frame


class Newest:
    """The newest frame, and then why there are no more."""

    def __init__(self, shown: str, patience_s: float) -> None:
        self._shown = shown
        self._patience_s = patience_s
        self._changed = threading.Condition()
        self._frame: Frame | None = None
        self._ended: str | None = None
        self._alive_at = boottime_ns()
        self._within_s: float | None = None

    def alive(self, within_s: float | None = None) -> None:
        """Note that the reader works, and within how many seconds it will again (None: unknown)."""
        self._alive_at, self._within_s = boottime_ns(), within_s

    def put(self, frame: Frame) -> None:
        """Put a frame in place of one that was not taken."""
        with self._changed:
            self._frame = frame
            self._changed.notify()

    def end(self, why: str) -> None:
        """After the frame still here there are no more."""
        with self._changed:
            self._ended = why
            self._changed.notify()

    def take(self, timeout_s: float) -> Frame:
        """Return the newest frame; NoFrameError when none came in time, CameraError at the end."""
        with self._changed:
            self._changed.wait_for(lambda: self._frame or self._ended, timeout_s)
            frame, self._frame = self._frame, None
            if frame is not None:
                return frame
            if self._ended is not None:
                raise CameraError(f"camera stream {self._shown}: {self._ended}")
        self._refuse_silence()
        raise NoFrameError(
            f"camera stream {self._shown}: no frame within {timeout_s:g} s; "
            "check that the camera is on and its network is fast enough"
        )

    def _refuse_silence(self) -> None:
        silent_s = seconds(boottime_ns() - self._alive_at)
        if self._within_s is not None and silent_s > self._within_s:
            raise CameraError(
                f"camera stream {self._shown}: gave nothing in time; "
                "check that the camera is on and its network"
            )
        if silent_s > self._patience_s:
            raise CameraError(
                f"camera stream {self._shown}: hangs for {silent_s:.0f} s; "
                "check its cable and its network"
            )
