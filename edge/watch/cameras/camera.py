"""What every camera can do."""

from typing import Protocol

from edge.common.errors import CameraError
from edge.watch.frame import Frame


class NoFrameError(CameraError):
    """This read gave no frame, but the camera is still open and the next read may."""


class Camera(Protocol):
    """A source of frames, open from its construction until `close`."""

    def read(self, timeout_s: float) -> Frame:
        """Return the next frame that was not given before, waited for up to `timeout_s`.

        NoFrameError when there is none in time; any other CameraError when the camera is broken
        and has to be closed and opened anew.
        """
        ...

    def close(self) -> None:
        """Give the device back; a second call does nothing."""
        ...
