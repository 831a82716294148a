"""Whether a picture can be trusted with a count.

Dark, covered and blurred are detected in one picture, frozen from its following ones, moved and
partly covered against the camera's own view (`guard`). Each threshold stands beside what
`python -m tests.bench.health_rates` measures; deploy/decisions/0005-picture-health.md has the
table.
"""

import math
from dataclasses import dataclass
from functools import cached_property

import cv2
import msgspec
import numpy as np
from numpy.typing import NDArray

from edge.common.sighting import HeadMap, PictureHealth
from edge.common.timer import Timer
from edge.common.units import nanoseconds
from edge.watch.frame import Frame
from edge.watch.scene_life import SceneLife
from edge.watch.view import SMALLEST, Samples, pooled
from edge.watch.view_monitor import ViewMonitor

BLOCK = 4  # every second sample
AROUND = np.ones((5, 5), np.uint8)  # blocks

# Brightness 0..255. Of the good pictures the darkest has a mean of 43, the flattest a contrast
# (standard deviation of the means of blocks, so that noise does not count) of 11.
DARK_MEAN_BELOW = 10.0
DARK_CONTRAST_BELOW = 8.0
COVERED_CONTRAST_BELOW = 6.0
# The same as a share of the mean, for dim streets: with 1/64 of the light at least 0.18 is left,
# where a hand before the lens leaves 0.10.
COVERED_SHARE_BELOW = 0.12
# A block is blank when its standard deviation is below this: less than a sensor's noise, as under
# a privacy mask, beside a round or narrow picture, in a plain sky, and where a stream was not
# decoded or light has filled the sensor. What is not blank is judged by itself, if it is enough.
BLANK_BELOW = 0.5
BLANK_MOST = 0.75
MASKED_ABOVE = 0.02  # below, what is blank is left where it is
# Light that has filled the sensor is a cover sooner: a white sky is at most half of the picture.
FULL_ABOVE, FULL_MOST = 250.0, 0.5
# FFmpeg leaves rows that it did not decode grey (128) or, in a buffer of zeros, green (135).
UNDECODED, UNDECODED_MOST = (124.0, 140.0), 0.3
# Mean square of the second difference, along rows or columns: at least 99 in good pictures, 6 in
# the darkest, at most 4 in 95 of 100 blurred by 1 % of their longer side. Its ratio to that at
# half the size reveals a small blur at any contrast: at least 0.35 in all good pictures but one;
# at most 0.24 when blurred by 0.25 %, 0.26 when shaken over 1 %.
BLURRED_BELOW = 6.0
BLURRED_RATIO_BELOW = 0.3
# A real sensor's noise makes every frame differ, in the samples too.
FROZEN_AFTER_S = 3.0
# A network camera that has frozen may encode its picture anew each time, with a clock drawn into
# it. Long, as an empty street may stand still, too.
STILL_AFTER_S = 300.0
LOOK_EVERY_S = 0.2


@dataclass(frozen=True, eq=False)
class _Seen:
    """Samples of a picture, and since when it is the same."""

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
        self._life = SceneLife()
        self._look_timer = Timer(LOOK_EVERY_S)
        self._still = False
        self._hidden: Samples | None = None
        self._unlike: Samples | None = None

    @property
    def first_seen(self) -> int:
        """When the picture that was judged last was new: one that repeats it is no news."""
        return 0 if self._seen is None else self._seen.since

    def judge(self, frame: Frame) -> PictureHealth:
        """Return what is wrong with this frame."""
        grey = frame.thumbnail.samples
        self._hidden = self._unlike = None
        frozen = self._frozen(grey, frame.taken_at)
        health = _by_itself(grey)
        if health.faults or frozen or self._guard is None:
            return msgspec.structs.replace(health, frozen=frozen)
        seen = self._guard.look(grey, frame.taken_at)
        self._hidden, self._unlike = seen.hidden, seen.unlike
        return PictureHealth(moved=seen.moved, covered=seen.covered)

    def hidden(self, heads: HeadMap, share: float) -> Samples | None:
        """What is hidden of the picture judged last, 0 to 1 for each cell of `heads`.

        None where it is nowhere more than `share`, or not known.
        """
        return _in_cells_of(heads, self._hidden, share)

    def unlike(self, heads: HeadMap, share: float) -> Samples | None:
        """How unlike its own view the picture judged last looks, 0 to 1 for each cell of `heads`.

        None where it is nowhere more than `share`, or not known.
        """
        return _in_cells_of(heads, self._unlike, share)

    def _frozen(self, grey: Samples, at: int) -> bool:
        """Whether it is the same picture for too long: exactly, or but for what a codec does."""
        same = self._live and self._seen and np.array_equal(self._seen.grey, grey)
        if self._seen is None or not same:
            self._seen = _Seen(grey, at)
        if not self._live:
            return False
        if self._look_timer.restart_if_due(at):
            self._life.see(grey, at)
            self._still = self._life.still_for(STILL_AFTER_S, at)
        return self._still or at - self._seen.since >= nanoseconds(FROZEN_AFTER_S)


def _in_cells_of(heads: HeadMap, view: Samples | None, share: float) -> Samples | None:
    """For the cells of `heads` what is known for the view's; None if all is up to `share`."""
    if view is None or float(view.max(initial=0.0)) <= share:
        return None
    high, wide = view.shape
    rows, columns = (np.arange(cells) + 0.5 for cells in heads.count.shape)
    x = (heads.left + columns * heads.cell) * wide / heads.width - 0.5
    y = (heads.top + rows * heads.cell) * high / heads.height - 0.5
    across, down = np.meshgrid(x.astype(np.float32), y.astype(np.float32))
    cells = cv2.remap(view, across, down, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(cells, np.float32)


def _by_itself(grey: Samples) -> PictureHealth:
    """Return what one picture alone shows: at most one of dark, covered and blurred."""
    light = _Light.of(grey)
    if light.is_dark(light.means) or light.is_dark(light.rest):
        return PictureHealth(dark=True)
    if light.is_covered():
        return PictureHealth(covered=True)
    return PictureHealth(blurred=_blurred(grey, light.near_blank))


@dataclass(frozen=True, eq=False)
class _Light:
    """The mean brightness of blocks (rows, columns), and which of them are blank."""

    means: Samples
    blank: NDArray[np.bool_]

    @classmethod
    def of(cls, grey: Samples) -> "_Light":
        few = grey[::2, ::2]  # a quarter of the samples is as informative
        size = min(BLOCK, *few.shape)
        means = pooled(few, size)
        return cls(means, pooled(few * few, size) - means * means < BLANK_BELOW**2)

    @property
    def rest(self) -> Samples:
        """The means of the blocks away from blank ones, one after another."""
        return self.means[~self.near_blank]

    @cached_property
    def near_blank(self) -> NDArray[np.bool_]:
        """Blank blocks and their neighbours, where so many are blank that it matters."""
        if self.blank.mean() <= MASKED_ABOVE:
            return np.zeros_like(self.blank)
        grown: NDArray[np.uint8] = cv2.dilate(self.blank.astype(np.uint8), AROUND)
        return grown.astype(np.bool_)

    def is_dark(self, means: Samples) -> bool:
        """Return whether so little light fell on these blocks; nothing is where there are none."""
        return (
            means.size > 0
            and float(means.mean()) < DARK_MEAN_BELOW
            and float(means.std()) < DARK_CONTRAST_BELOW
        )

    def is_covered(self) -> bool:
        """Return whether too much is blank, or what is not has no contrast."""
        if self.blank.mean() > BLANK_MOST:
            return True
        if np.mean(self.blank & (self.means > FULL_ABOVE)) > FULL_MOST:
            return True
        least, most = UNDECODED
        lost = (self.blank & (self.means >= least) & (self.means <= most)).mean(axis=1) > 0.9
        decoded = np.flatnonzero(~lost)
        if 1 - (decoded.max(initial=-1) + 1) / len(lost) > UNDECODED_MOST:
            return True
        if self.rest.size == 0:
            return True
        mean, contrast = float(self.rest.mean()), float(self.rest.std())
        return contrast < min(COVERED_CONTRAST_BELOW, COVERED_SHARE_BELOW * mean)


def _blurred(grey: Samples, left_out: NDArray[np.bool_]) -> bool:
    """Whether fine detail is missing, along the rows or the columns; not where blocks are left out:
    the sharp edges of what is blank say nothing of the lens.
    """
    if min(grey.shape) < SMALLEST:
        return False
    weights = _weights(left_out, grey.shape) if left_out.any() else None
    fine = _detail(grey, weights)
    coarse = _detail(pooled(grey, 2), None if weights is None else weights[::2, ::2].copy())
    return min(fine) < BLURRED_BELOW or any(
        one < BLURRED_RATIO_BELOW * half for one, half in zip(fine, coarse, strict=True)
    )


def _weights(left_out: NDArray[np.bool_], shape: tuple[int, ...]) -> Samples:
    """1 for each sample, and 0 for those of blocks that are left out, and of the odd ends."""
    rows, columns = (2 * BLOCK * length for length in left_out.shape)
    weights = np.zeros(shape, np.float32)
    kept = (~left_out).astype(np.float32)
    whole = cv2.resize(kept, (columns, rows), interpolation=cv2.INTER_NEAREST)
    weights[:rows, :columns] = whole[: shape[0], : shape[1]]
    return weights


def _detail(grey: Samples, weights: Samples | None) -> tuple[float, float]:
    """Return the mean square of the second difference along rows and along columns.

    The two terms of the Laplacian (Pech-Pacheco 2000), apart: shaking blurs one of them only.
    """
    across = grey[:, 2:] + grey[:, :-2]
    across -= 2 * grey[:, 1:-1]
    down = grey[2:] + grey[:-2]
    down -= 2 * grey[1:-1]
    sizes = float(across.size), float(down.size)
    if weights is not None:
        wide = weights[: len(grey), 1 : grey.shape[1] - 1]
        high = weights[1 : len(grey) - 1, : grey.shape[1]]
        across *= wide
        down *= high
        # Nothing is known to be blurred where there is nothing.
        sizes = cv2.countNonZero(wide) or math.nan, cv2.countNonZero(high) or math.nan
    return float(np.vdot(across, across)) / sizes[0], float(np.vdot(down, down)) / sizes[1]
