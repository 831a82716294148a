"""Whether a picture can be trusted with a count.

First version: dark, covered, blurred and frozen. `moved` needs the site's own view to compare
with, and is never set here. The thresholds were set on 1,898 pictures of real and rendered
streets and halls, as they are and blurred on purpose; beside each stands what was measured there.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edge.clock import nanoseconds
from edge.watch.frame import Frame, Pixels
from edge.wire import PictureHealth

# The longer side is brought to about this many samples, whatever the camera's resolution.
SAMPLES = 320
BLOCK = 8

# Brightness 0..255. Of the good pictures the darkest has a mean of 43, the flattest a contrast
# (standard deviation of the means of blocks, so that noise does not count) of 11.
DARK_MEAN_BELOW = 16.0
DARK_CONTRAST_BELOW = 8.0
COVERED_CONTRAST_BELOW = 6.0
# Variance of the Laplacian: at least 88 in the good pictures, at most 14 in the same ones
# blurred by 1 % of their longer side, at most 2 when blurred by 2 %.
BLURRED_BELOW = 15.0
# A real sensor's noise makes every frame differ, in the samples too.
FROZEN_AFTER_S = 3.0


@dataclass(frozen=True, eq=False)
class _Seen:
    """A picture's samples, and when they were first seen."""

    grey: NDArray[np.float32]
    since: int


class HealthJudge:
    """Judges frames in their order; `live=False` for pictures, which may well stand still."""

    def __init__(self, *, live: bool = True) -> None:
        self._live = live
        self._seen: _Seen | None = None

    def judge(self, frame: Frame) -> PictureHealth:
        """What is wrong with this frame."""
        grey = _sampled(frame.pixels)
        mean, contrast = float(grey.mean()), _contrast(grey)
        dark = mean < DARK_MEAN_BELOW and contrast < DARK_CONTRAST_BELOW
        covered = not dark and contrast < COVERED_CONTRAST_BELOW
        blurred = not dark and not covered and _sharpness(grey) < BLURRED_BELOW
        frozen = self._live and self._frozen(grey, frame.taken_at)
        return PictureHealth(dark=dark, covered=covered, blurred=blurred, frozen=frozen)

    def _frozen(self, grey: NDArray[np.float32], at: int) -> bool:
        if self._seen is None or not np.array_equal(self._seen.grey, grey):
            self._seen = _Seen(grey, at)
        return at - self._seen.since >= nanoseconds(FROZEN_AFTER_S)


def _sampled(pixels: Pixels) -> NDArray[np.float32]:
    """The green channel (most of brightness), each sample the mean of four of its square."""
    green = pixels[..., 1]
    step = max(1, min(round(max(green.shape) / SAMPLES), *green.shape))
    rows, columns = (length // step for length in green.shape)
    green = green[: rows * step, : columns * step]
    half = step // 2
    total = np.zeros((rows, columns), np.int16)
    for row in (0, half):
        for column in (0, half):
            total += green[row::step, column::step]
    return total.astype(np.float32) / 4


def _contrast(grey: NDArray[np.float32]) -> float:
    rows, columns = (max(1, length // BLOCK) for length in grey.shape)
    high, wide = grey.shape[0] // rows, grey.shape[1] // columns
    blocks = grey[: rows * high, : columns * wide].reshape(rows, high, columns, wide)
    return float(blocks.mean(axis=(1, 3)).std())


def _sharpness(grey: NDArray[np.float32]) -> float:
    """The variance of the Laplacian (Pech-Pacheco 2000); infinite where there is no inside."""
    if min(grey.shape) < 3:
        return float("inf")
    inside = 4 * grey[1:-1, 1:-1]
    around = grey[:-2, 1:-1] + grey[2:, 1:-1] + grey[1:-1, :-2] + grey[1:-1, 2:]
    return float((inside - around).var())
