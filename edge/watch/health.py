"""Whether a picture can be trusted with a count.

Dark, covered and blurred are told from one picture, frozen from its following ones, moved and
partly covered against the camera's own view (`guard`). Each threshold stands beside what
`python -m tests.bench.health_rates` measures; deploy/decisions/0005-picture-health.md has the
table.
"""

import math
from dataclasses import dataclass

import msgspec
import numpy as np

from edge.common.sighting import PictureHealth
from edge.common.units import nanoseconds
from edge.watch.frame import Frame, Pixels
from edge.watch.view import CELL, SMALLEST, Samples, pooled
from edge.watch.view_monitor import ViewMonitor

# The longer side is brought to about this many samples, whatever the camera's resolution.
SAMPLES = 320
BLOCK = 4  # every second sample

# Brightness 0..255. Of the good pictures the darkest has a mean of 43, the flattest a contrast
# (standard deviation of the means of blocks, so that noise does not count) of 11.
DARK_MEAN_BELOW = 10.0
DARK_CONTRAST_BELOW = 8.0
COVERED_CONTRAST_BELOW = 6.0
# The same as a share of the mean, for dim streets: with 1/64 of the light at least 0.18 is left,
# where a hand before the lens leaves 0.10.
COVERED_SHARE_BELOW = 0.12
# A block is blank when its standard deviation is below this: less than a sensor's noise, as where
# a stream was not decoded or light has filled the sensor. At most 0.2 of a good picture is.
BLANK_BELOW = 0.5
COVERED_BLANK_ABOVE = 0.3
# Mean square of the second difference, along rows or columns: at least 99 in good pictures, 6 in
# the darkest, at most 4 in 95 of 100 blurred by 1 % of their longer side. Its ratio to that at
# half the size tells of a small blur at any contrast: at least 0.35 in all good pictures but one;
# at most 0.24 when blurred by 0.25 %, 0.26 when shaken over 1 %.
BLURRED_BELOW = 6.0
BLURRED_RATIO_BELOW = 0.3
# A real sensor's noise makes every frame differ, in the samples too.
FROZEN_AFTER_S = 3.0
# A network camera that has frozen may encode its picture anew each time. The cells of two such
# pictures differ by at most 0.6 of the cells' standard deviation over the picture; by at least 1.5
# in real pictures of people up to 30 s apart. Long, as an empty street may stand still, too.
STIRRED_ABOVE = 0.8
STILL_AFTER_S = 300.0


@dataclass(frozen=True, eq=False)
class _Seen:
    """Samples or cells of a picture, and since when it is the same."""

    grey: Samples
    since: int


class HealthJudge:
    """Judges frames in their order.

    `live=False` for pictures, which may well stand still. With a `guard`, also whether the camera
    still looks where it did.
    """

    def __init__(self, *, live: bool = True, guard: ViewMonitor | None = None) -> None:
        self._live = live
        self._guard = guard
        self._seen: _Seen | None = None
        self._stirred: _Seen | None = None

    @property
    def first_seen(self) -> int:
        """When the picture that was judged last was new: one that repeats it is no news."""
        return 0 if self._seen is None else self._seen.since

    def judge(self, frame: Frame) -> PictureHealth:
        """What is wrong with this frame."""
        grey = sampled(frame.pixels)
        frozen = self._frozen(grey, frame.taken_at)
        health = _by_itself(grey)
        if health.faults or frozen or self._guard is None:
            return msgspec.structs.replace(health, frozen=frozen)
        seen = self._guard.look(grey, frame.taken_at)
        return PictureHealth(moved=seen.moved, covered=seen.covered)

    def _frozen(self, grey: Samples, at: int) -> bool:
        """Whether it is the same picture for too long: exactly, or but for what a codec does."""
        same = self._live and self._seen and np.array_equal(self._seen.grey, grey)
        if self._seen is None or not same:
            self._seen = _Seen(grey, at)
        cells = pooled(grey, CELL)
        still = self._live and self._stirred and unlike(self._stirred.grey, cells) < STIRRED_ABOVE
        if self._stirred is None or not still:
            self._stirred = _Seen(cells, at)
        return at - self._seen.since >= nanoseconds(FROZEN_AFTER_S) or (
            at - self._stirred.since >= nanoseconds(STILL_AFTER_S)
        )


def unlike(before: Samples, now: Samples) -> float:
    """How much has moved between the cells of two pictures: the cell that differs most, as a
    multiple of the cells' standard deviation over the picture. Infinite for other shapes.
    """
    if before.shape != now.shape or now.size == 0:
        return math.inf
    most = float(np.abs(now - before).max())
    return most / float(now.std()) if most else 0.0


def _by_itself(grey: Samples) -> PictureHealth:
    """What can be told from one picture alone: at most one of dark, covered and blurred."""
    mean, contrast, blank = _light(grey)
    if mean < DARK_MEAN_BELOW and contrast < DARK_CONTRAST_BELOW:
        return PictureHealth(dark=True)
    if (
        contrast < min(COVERED_CONTRAST_BELOW, COVERED_SHARE_BELOW * mean)
        or blank > COVERED_BLANK_ABOVE
    ):
        return PictureHealth(covered=True)
    return PictureHealth(blurred=_blurred(grey))


def sampled(pixels: Pixels) -> Samples:
    """The green channel (most of brightness), each sample the mean of four of its square."""
    green = pixels[..., 1]
    step = max(1, min(round(max(green.shape) / SAMPLES), *green.shape))
    rows, columns = (length // step * step for length in green.shape)
    green, half = green[:rows, :columns], step // 2
    total = green[::step, ::step].astype(np.uint16)
    for row, column in ((0, half), (half, 0), (half, half)):
        total += green[row::step, column::step]
    return total * np.float32(0.25)


def _light(grey: Samples) -> tuple[float, float, float]:
    """Brightness, contrast between blocks, and the share of the blocks that are blank."""
    few = grey[::2, ::2]  # a quarter of the samples tells as much
    size = min(BLOCK, *few.shape)
    means = pooled(few, size)
    variances = pooled(few * few, size) - means * means
    blank = float(np.mean(variances < BLANK_BELOW**2))
    return float(few.mean()), float(means.std()), blank


def _blurred(grey: Samples) -> bool:
    """Whether fine detail is missing, along the rows or along the columns."""
    if min(grey.shape) < SMALLEST:
        return False
    fine, coarse = _detail(grey), _detail(pooled(grey, 2))
    return min(fine) < BLURRED_BELOW or any(
        one < BLURRED_RATIO_BELOW * half for one, half in zip(fine, coarse, strict=True)
    )


def _detail(grey: Samples) -> tuple[float, float]:
    """The mean square of the second difference along rows and along columns.

    The two terms of the Laplacian (Pech-Pacheco 2000), apart: shaking blurs one of them only.
    """
    across = grey[:, 2:] + grey[:, :-2]
    across -= 2 * grey[:, 1:-1]
    down = grey[2:] + grey[:-2]
    down -= 2 * grey[1:-1]
    return float(np.vdot(across, across)) / across.size, float(np.vdot(down, down)) / down.size
