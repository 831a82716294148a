"""A folder of pictures as a camera."""

from collections.abc import Iterator
from pathlib import Path

from edge.common.clock import boottime_ns
from edge.common.errors import CameraError, PictureError
from edge.site.schema import PicturesOptions
from edge.watch.cameras.camera import NoFrameError
from edge.watch.cameras.pace import Pace
from edge.watch.frame import Frame
from edge.watch.recording import Bad, Note, Read, TimedFrame, read_all
from edge.watch.video import Reading


class PicturesCamera:
    """Shows a folder's pictures, and its films, in the order of time, one every `every_s`.

    A picture that cannot be read is a read without a frame; the next read goes on.
    """

    def __init__(self, options: PicturesOptions, folder: Path) -> None:
        self._folder = folder
        self._options = options
        self._reads = self._begun()
        self._pace = Pace(f"folder {folder}", options.every_s)

    def read(self, timeout_s: float) -> Frame:
        """Return the next picture, when its time has come."""
        self._pace.wait(timeout_s)
        read = self._following()
        if isinstance(read, TimedFrame):
            return Frame(read.pixels, boottime_ns())
        why = read.error if isinstance(read, Bad) else "holds no frame"
        raise NoFrameError(f"camera: {why}")

    def close(self) -> None:
        """There is nothing to give back."""

    def _following(self) -> Read:
        read = self._next()
        if read is None and self._options.repeat:
            self._reads = self._begun()  # pictures that came meanwhile join
            read = self._next()
        if read is None:
            raise CameraError(
                f"camera folder {self._folder}: all its pictures were shown; set repeat = true"
            )
        return read

    def _next(self) -> Read | None:
        return next((read for read in self._reads if not isinstance(read, Note)), None)

    def _begun(self) -> Iterator[Read]:
        options = self._options
        try:
            if not self._folder.is_dir():
                raise PictureError(f"folder {self._folder}: is no folder; check camera.folder")
            how = Reading(pixel_aspect=options.pixel_aspect)
            return read_all(self._folder, every_s=options.every_s, how=how)
        except PictureError as error:
            raise CameraError(f"camera: {error}") from error
