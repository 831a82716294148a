"""A folder of pictures as a camera."""

from pathlib import Path

from edge.common.clock import boottime_ns
from edge.common.errors import CameraError, PictureError
from edge.site.schema import PicturesOptions
from edge.watch.cameras.camera import NoFrameError
from edge.watch.cameras.pace import Pace
from edge.watch.frame import Frame
from edge.watch.pictures import pictures_in, read_picture


class PicturesCamera:
    """Shows a folder's pictures in the order of time, one every `every_s`.

    A picture that cannot be read is a read without a frame; the next read goes on.
    """

    def __init__(self, options: PicturesOptions, folder: Path) -> None:
        self._folder = folder
        self._repeat = options.repeat
        self._paths = iter(self._listed())
        self._pace = Pace(f"folder {folder}", options.every_s)

    def read(self, timeout_s: float) -> Frame:
        """The next picture, when its time has come."""
        self._pace.wait(timeout_s)
        path = self._following()
        try:
            return Frame(read_picture(path), boottime_ns())
        except PictureError as error:
            raise NoFrameError(f"camera: {error}") from error

    def close(self) -> None:
        """There is nothing to give back."""

    def _following(self) -> Path:
        path = next(self._paths, None)
        if path is None and self._repeat:
            self._paths = iter(self._listed())  # pictures that came meanwhile join
            path = next(self._paths)
        if path is None:
            raise CameraError(
                f"camera folder {self._folder}: all its pictures were shown; set repeat = true"
            )
        return path

    def _listed(self) -> list[Path]:
        try:
            return pictures_in(self._folder)
        except PictureError as error:
            raise CameraError(f"camera: {error}") from error
