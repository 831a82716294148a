"""A camera on the Pi's ribbon cable, by picamera2 (which comes with Raspberry Pi OS)."""

from typing import Any

import numpy as np

from edge.common.clock import boottime_ns
from edge.common.errors import CameraError
from edge.common.units import seconds
from edge.site.schema import PiCameraOptions
from edge.watch.cameras.camera import NoFrameError
from edge.watch.frame import Frame

# After this long without a frame the camera is taken for wedged and has to be opened anew.
WEDGED_AFTER_S = 3.0


class PiCamera:
    """Takes each frame as libcamera completes it."""

    def __init__(self, options: PiCameraOptions) -> None:
        self._name = f"picamera {options.number}"
        self._camera = self._started(options)
        # A capture that did not come in time stays asked for: a second one would queue behind it.
        self._job: Any = None
        self._alive_at = boottime_ns()

    def read(self, timeout_s: float) -> Frame:
        """Return the next frame, timed by the sensor."""
        try:
            self._job = self._job or self._camera.capture_request(wait=False)
            request = self._camera.wait(self._job, timeout=timeout_s)
        except TimeoutError:
            raise self._silent(timeout_s) from None
        except (RuntimeError, OSError) as error:
            raise self._broken(str(error)) from error
        self._job = None
        self._alive_at = boottime_ns()
        return _frame(request)

    def close(self) -> None:
        """Stop the camera and give it back."""
        camera, self._camera = self._camera, None
        if camera is not None:
            camera.close()

    def _started(self, options: PiCameraOptions) -> Any:
        picamera2 = _library()
        found = len(picamera2.Picamera2.global_camera_info())
        if options.number >= found:
            raise self._broken(f"is not there, {found} found")
        try:
            camera = picamera2.Picamera2(options.number)
        except (RuntimeError, OSError, IndexError) as error:
            raise self._broken(str(error)) from error
        try:
            camera.configure(_configuration(camera, options))
            camera.start()
        except (RuntimeError, OSError) as error:
            camera.close()
            raise self._broken(str(error)) from error
        return camera

    def _silent(self, timeout_s: float) -> CameraError:
        silent_s = seconds(boottime_ns() - self._alive_at)
        if silent_s > WEDGED_AFTER_S:
            return self._broken(f"gave no frame for {silent_s:.0f} s")
        return NoFrameError(f"camera {self._name}: no frame within {timeout_s:g} s; is fps lower?")

    def _broken(self, why: str) -> CameraError:
        return CameraError(
            f"camera {self._name}: {why}; check the ribbon cable at both ends, that no other "
            "program uses the camera, and what `rpicam-hello --list-cameras` says"
        )


def _library() -> Any:
    try:
        import picamera2  # noqa: PLC0415 - found only on a Pi
    except ImportError as error:
        raise CameraError(
            f"camera picamera: picamera2 cannot be loaded ({error}); run "
            "`sudo apt install python3-picamera2` and let redroad's Python see system packages"
        ) from error
    return picamera2


def _configuration(camera: Any, options: PiCameraOptions) -> Any:
    size = (options.width, options.height)
    # What libcamera names RGB888 lies in memory as B, G, R; its BGR888 is the RGB we want.
    return camera.create_video_configuration(
        main={"size": size, "format": "BGR888"}, controls={"FrameRate": options.fps}
    )


def _frame(request: Any) -> Frame:
    """Return the frame of a completed request; SensorTimestamp is boot time in ns."""
    try:
        pixels = np.array(request.make_array("main")[..., :3], np.uint8)
        taken_at = int(request.get_metadata()["SensorTimestamp"])
    finally:
        request.release()
    return Frame(pixels, taken_at)
