"""Whether a picture can be trusted with a count.

Dark, covered and blurred are told from one picture, frozen from its following ones, moved and
partly covered against the camera's own view (`guard`). Each threshold stands beside what
`python -m tests.health_rates` measures; deploy/decisions/0005-picture-health.md has the table.
"""

from dataclasses import dataclass

import msgspec
import numpy as np

from edge.clock import nanoseconds
from edge.watch.frame import Frame, Pixels
from edge.watch.guard import ViewGuard
from edge.watch.view import SMALLEST, Samples, pooled
from edge.wire import PictureHealth

# The longer side is brought to about this many samples, whatever the camera's resolution.
SAMPLES = 320
BLOCK = 8

# Brightness 0..255. Of the good pictures the darkest has a mean of 43, the flattest a contrast
# (standard deviation of the means of blocks, so that noise does not count) of 11.
DARK_MEAN_BELOW = 16.0
DARK_CONTRAST_BELOW = 8.0
COVERED_CONTRAST_BELOW = 6.0
# A block is blank when its standard deviation is below this: less than a sensor's noise, as where
# a stream was not decoded or light has filled the sensor. At most 0.2 of a good picture is.
BLANK_BELOW = 0.5
COVERED_BLANK_ABOVE = 0.3
# Variance of the Laplacian: at least 88 in the good pictures, at most 14 in the same ones
# blurred by 1 % of their longer side. Its ratio to that at half the size, which tells of a small
# blur at any contrast: at least 0.37, and at most 0.27 when blurred by 0.25 %.
BLURRED_BELOW = 15.0
BLURRED_RATIO_BELOW = 0.3
# A real sensor's noise makes every frame differ, in the samples too.
FROZEN_AFTER_S = 3.0


@dataclass(frozen=True, eq=False)
class _Seen:
    """A picture's samples, and when they were first seen."""

    grey: Samples
    since: int


class HealthJudge:
    """Judges frames in their order.

    `live=False` for pictures, which may well stand still. With a `guard`, also whether the camera
    still looks where it did.
    """

    def __init__(self, *, live: bool = True, guard: ViewGuard | None = None) -> None:
        self._live = live
        self._guard = guard
        self._seen: _Seen | None = None

    def judge(self, frame: Frame) -> PictureHealth:
        """What is wrong with this frame."""
        grey = _sampled(frame.pixels)
        frozen = self._live and self._frozen(grey, frame.taken_at)
        health = _by_itself(grey)
        if health.faults or frozen or self._guard is None:
            return msgspec.structs.replace(health, frozen=frozen)
        seen = self._guard.look(grey, frame.taken_at)
        return PictureHealth(moved=seen.moved, covered=seen.covered)

    def _frozen(self, grey: Samples, at: int) -> bool:
        if self._seen is None or not np.array_equal(self._seen.grey, grey):
            self._seen = _Seen(grey, at)
        return at - self._seen.since >= nanoseconds(FROZEN_AFTER_S)


def _by_itself(grey: Samples) -> PictureHealth:
    """What can be told from one picture alone: at most one of dark, covered and blurred."""
    mean, contrast, blank = _light(grey)
    if mean < DARK_MEAN_BELOW and contrast < DARK_CONTRAST_BELOW:
        return PictureHealth(dark=True)
    if contrast < COVERED_CONTRAST_BELOW or blank > COVERED_BLANK_ABOVE:
        return PictureHealth(covered=True)
    return PictureHealth(blurred=_blurred(grey))


def _sampled(pixels: Pixels) -> Samples:
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


def _light(grey: Samples) -> tuple[float, float, float]:
    """Brightness, contrast between blocks, and the share of the blocks that are blank."""
    size = min(BLOCK, *grey.shape)
    means = pooled(grey, size)
    variances = pooled(grey * grey, size) - means * means
    blank = float(np.mean(variances < BLANK_BELOW**2))
    return float(grey.mean()), float(means.std()), blank


def _blurred(grey: Samples) -> bool:
    """Whether there is little fine detail, in all or against the coarser one."""
    if min(grey.shape) < SMALLEST:
        return False
    fine = _sharpness(grey)
    return fine < BLURRED_BELOW or fine < BLURRED_RATIO_BELOW * _sharpness(pooled(grey, 2))


def _sharpness(grey: Samples) -> float:
    """The variance of the Laplacian (Pech-Pacheco 2000)."""
    inside = 4 * grey[1:-1, 1:-1]
    around = grey[:-2, 1:-1] + grey[2:, 1:-1] + grey[1:-1, :-2] + grey[1:-1, 2:]
    return float((inside - around).var())
