"""A camera that is opened again for as long as it takes."""

import time
from collections.abc import Callable

from edge.common.backoff import Backoff
from edge.common.clock import boottime_ns
from edge.common.errors import CameraError
from edge.common.program import Program
from edge.common.units import seconds
from edge.watch.cameras.camera import Camera, NoFrameError
from edge.watch.frame import Frame

FRAME_WAIT_S = 1.0
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.5, 5.0
NAP_S = 0.2
# No picture older than 1 s goes unreported: 0.2 s are left for what cannot be seen from here.
LATE_S = 0.8
PROMISED_S = 3.0  # without a new picture for so long the sign is neutral
GOOD_FOR_S = 10.0
LATE = (
    "camera: its pictures are a second old, or older, when they come; choose a smaller stream or a "
    "higher frame rate in the camera, or mend its network"
)
REMEDY = "let it give at least one a second"


class ReconnectingCamera:
    """Opens the camera at the first read, and anew after every failure, with growing pauses.

    Pictures that come late, or too seldom for the sign, are a fault that is reported once.
    """

    def __init__(
        self, open_camera: Callable[[], Camera], program: Program, remedy: str = REMEDY
    ) -> None:
        self._open = open_camera
        self._program = program
        self._judge = _Judge(remedy)
        self._camera: Camera | None = None
        self._backoff = Backoff(FIRST_PAUSE_S, LONGEST_PAUSE_S)

    def read(self) -> Frame | None:
        """Return the next frame, or None when there is none within about FRAME_WAIT_S.

        It never waits longer, so that a program whose camera is away still shows signs of life.
        """
        if not self._backoff.due(boottime_ns()):
            time.sleep(NAP_S)
            return None
        try:
            if self._camera is None:
                self._camera = self._open()
            frame = self._camera.read(FRAME_WAIT_S)
        except NoFrameError:
            return None
        except CameraError as error:
            self._give_up(error)
            return None
        self._report(self._judge.fault(frame.taken_at, boottime_ns()))
        self._backoff.worked()
        return frame

    def close(self) -> None:
        """Give the camera back."""
        if self._camera is not None:
            self._camera.close()
            self._camera = None

    def _report(self, fault: str | None) -> None:
        if fault is None:
            self._program.recovered("camera")
        elif self._program.faults.get("camera") != fault:
            self._program.fault("camera", fault)

    def _give_up(self, error: CameraError) -> None:
        self._program.fault("camera", str(error))
        self._judge.begin_anew()
        self.close()
        self._backoff.failed(boottime_ns())


class _Judge:
    """Whether pictures come in time and often enough. Pure: times are arguments (boot time, ns)."""

    def __init__(self, remedy: str) -> None:
        self._remedy = remedy
        self._before: int | None = None
        self._fault: str | None = None
        self._bad_at = 0

    def begin_anew(self) -> None:
        """The camera was closed: until the next picture it is no slow one."""
        self._before = None

    def fault(self, taken_at: int, now: int) -> str | None:
        """Return what is wrong with the pictures; it lasts until all were good for a while."""
        gap_s = 0.0 if self._before is None else seconds(taken_at - self._before)
        self._before = taken_at
        found = self._slow(gap_s) if gap_s > PROMISED_S else None
        if found is None and seconds(now - taken_at) > LATE_S:
            found = LATE
        if found is not None:
            keeps = self._fault is not None and (found is LATE or self._fault is not LATE)
            self._fault, self._bad_at = self._fault if keeps else found, now
        elif seconds(now - self._bad_at) >= GOOD_FOR_S:
            self._fault = None
        return self._fault

    def _slow(self, gap_s: float) -> str:
        return (
            f"camera: gave no picture for {gap_s:.0f} s, but the sign needs a new one within "
            f"{PROMISED_S:g} s; {self._remedy}"
        )
