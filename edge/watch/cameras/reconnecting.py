"""A camera that is opened again for as long as it takes."""

import time
from collections.abc import Callable

from edge.common.backoff import Backoff
from edge.common.clock import boottime_ns
from edge.common.errors import CameraError
from edge.common.program import Program
from edge.watch.cameras.camera import Camera, NoFrameError
from edge.watch.frame import Frame

READ_TIMEOUT_S = 1.0
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.5, 5.0
NAP_S = 0.2


class ReconnectingCamera:
    """Opens the camera at the first read, and anew after every failure, with growing pauses."""

    def __init__(self, open_camera: Callable[[], Camera], program: Program) -> None:
        self._open = open_camera
        self._program = program
        self._camera: Camera | None = None
        self._backoff = Backoff(FIRST_PAUSE_S, LONGEST_PAUSE_S)

    def read(self) -> Frame | None:
        """The next frame, or None when there is none within about READ_TIMEOUT_S.

        It never waits longer, so that a program whose camera is away still shows signs of life.
        """
        if not self._backoff.due(boottime_ns()):
            time.sleep(NAP_S)
            return None
        try:
            if self._camera is None:
                self._camera = self._open()
            frame = self._camera.read(READ_TIMEOUT_S)
        except NoFrameError:
            return None
        except CameraError as error:
            self._give_up(error)
            return None
        self._program.recovered("camera")
        self._backoff.worked()
        return frame

    def close(self) -> None:
        """Give the camera back."""
        if self._camera is not None:
            self._camera.close()
            self._camera = None

    def _give_up(self, error: CameraError) -> None:
        self._program.fault("camera", str(error))
        self.close()
        self._backoff.failed(boottime_ns())
