"""The small green picture by which health, view and motion see a frame: made once for all three.

Green is most of brightness, and what a sensor has most of.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

# The longer side is brought to about this many samples, whatever the camera's resolution.
SAMPLES = 320


@dataclass(frozen=True, eq=False)
class Thumbnail:
    """Of `green` (height, width), uint8: one sample for each square of `step` x `step` px."""

    green: NDArray[Any]
    step: int

    @classmethod
    def of(cls, pixels: NDArray[np.uint8]) -> "Thumbnail":
        """The thumbnail of a picture (height, width, 3), RGB."""
        return cls(pixels[..., 1], step_of(*pixels.shape[:2]))

    @cached_property
    def samples(self) -> NDArray[np.float32]:
        """The mean of four px of each square, brightness 0..255: keeps the sensor's noise."""
        green, step = self._squares, self._side
        half = step // 2
        total = green[::step, ::step].astype(np.uint16)
        for row, column in ((0, half), (half, 0), (half, half)):
            total += green[row::step, column::step]
        return total * np.float32(0.25)

    @cached_property
    def means(self) -> NDArray[np.uint8]:
        """The mean of all px of each square, brightness 0..255: as little noise as there can be."""
        if self._side <= 2:
            return (self.samples + np.float32(0.5)).astype(np.uint8)  # four px are all of them
        green = np.ascontiguousarray(self._squares)
        rows, columns = (length // self._side for length in green.shape)
        small = cv2.resize(green, (columns, rows), interpolation=cv2.INTER_AREA)
        return np.asarray(small, np.uint8)

    @property
    def _side(self) -> int:
        """Px of a square's side: less than a step where the picture is thinner than that."""
        return min(self.step, *self.green.shape)

    @property
    def _squares(self) -> NDArray[Any]:
        """What whole squares cover."""
        rows, columns = (length // self._side * self._side for length in self.green.shape)
        return self.green[:rows, :columns]


def step_of(height: int, width: int) -> int:
    """Return how many px of a picture one sample covers, each way."""
    return max(1, round(max(height, width) / SAMPLES))


def sampled(pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
    """The samples of a picture (height, width, 3), RGB."""
    return Thumbnail.of(pixels).samples
