"""A test rig's camera: what it sees is a film, and what befalls it is commanded from outside."""

import time
from pathlib import Path
from typing import Literal

import numpy as np

from edge.common.clock import boottime_ns
from edge.common.errors import CameraError
from edge.common.units import seconds
from edge.site.schema import RigCameraOptions
from edge.watch.cameras.pace import Pace
from edge.watch.frame import Frame, Pixels

Mishap = Literal["frozen", "hung", "away"]

FILM = "film.npy"
NAP_S = 0.1


class RiggedCamera:
    """Plays `film.npy` of its folder: uint8 of shape (pictures, height, width, 3), RGB.

    The film's time is the time since boot, round and round: it goes on without readers, and
    anyone who knows the film knows what is to be seen. A file named "frozen" in the folder repeats
    the last picture, "hung" does not come back from reading, "away" breaks every read.
    """

    def __init__(self, options: RigCameraOptions, folder: Path) -> None:
        self._folder, self._fps = folder, options.fps
        self._film = _opened(folder / FILM)
        self._pace = Pace("rig", 1 / options.fps)
        self._last: Pixels | None = None

    def read(self, timeout_s: float) -> Frame:
        """Return the next frame, or what is commanded."""
        while self._befallen("hung"):
            time.sleep(NAP_S)  # beyond the timeout, as a driver that waits in the kernel
        if self._befallen("away"):
            raise CameraError("camera rig: it is away, as the rig commands; put it back")
        self._pace.wait(timeout_s)
        now = boottime_ns()
        if self._last is None or not self._befallen("frozen"):
            self._last = np.array(self._film[int(seconds(now) * self._fps) % len(self._film)])
        return Frame(self._last, now)

    def close(self) -> None:
        """There is nothing to give back."""

    def _befallen(self, mishap: Mishap) -> bool:
        return (self._folder / mishap).exists()


def _opened(file: Path) -> Pixels:
    try:
        film: Pixels = np.load(file, mmap_mode="r")
    except (OSError, ValueError) as error:
        raise CameraError(f"camera rig: {file} cannot be played ({error}); make a film") from error
    return film
