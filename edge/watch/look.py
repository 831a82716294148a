"""Where the counter looks: at the part of the picture that holds the zones, or at all of it.

The network sees so many px, whatever the camera gives: what is left out of the picture gives those
who stand in the zones more of them. The part has the shape of the model's input and whole cells, or
ends at the picture's edge. Nothing is enlarged: that adds no detail, and costs what is around.

Where heads at the far end are small all the same, and there is time, that end is looked at closer.
"""

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from edge.common.sighting import HeadMap
from edge.site.ground.region import Box, Region
from edge.watch.counter import Counter
from edge.watch.frame import Pixels
from edge.watch.manifest import Manifest, ModelEntry
from edge.watch.parts import joined

Floats = NDArray[np.float64]

# In the model's input; the model card's upper bound. A nearer head is not looked at more closely.
LARGEST_HEAD_PX = 60.0
# A model that costs less is taken where it gives heads nearly as many px.
NEARLY = 0.9
# In the model's input. Heads that are smaller gain most from more px: decision 23 has the figures.
WANTED_HEAD_PX = 12.0
CLOSER = 1.25  # times as many px, or a second part is not worth its time


@dataclass(frozen=True)
class Look:
    """A model, and the part of the picture that it gets; `ratio` px of its input for one there.

    `far` is a part of that part that it gets by itself, too; None where one look serves.
    """

    entry: ModelEntry
    box: Box
    ratio: float
    far: Box | None = None

    def __str__(self) -> str:
        return f"{self.box}" if self.far is None else f"{self.box}, and closer at {self.far}"

    @property
    def far_ratio(self) -> float:
        """As `ratio`, of the far part; without one, the same."""
        if self.far is None:
            return self.ratio
        wide, high = self.entry.input
        return min(wide / self.far.width, high / self.far.height)

    def ratios(self, picture: Floats) -> Floats:
        """Px of the input for one of the picture at px (..., 2) of it, (...)."""
        if self.far is None:
            return np.full(picture.shape[:-1], self.ratio)
        low, high = (self.far.left, self.far.top), (self.far.right, self.far.bottom)
        inside = ((picture >= low) & (picture <= high)).all(axis=-1)
        return np.where(inside, self.far_ratio, self.ratio)

    def count(self, counter: Counter, pixels: Pixels, scale: float = 1.0) -> HeadMap:
        """Return the heads in a picture, counted by the counter of this look's model."""
        heads = counter.count(pixels, self.box, scale)
        if self.far is None:
            return heads
        return joined(heads, counter.count(pixels, self.far, scale))

    @property
    def cost(self) -> float:
        """GMAC, were all of the input used: a part that leaves much of it grey is a bad bargain."""
        wide, high = self.entry.input
        used = self.ratio**2 * self.box.width * self.box.height
        return self.entry.gmac * wide * high / used


def whole(entry: ModelEntry, width: int, height: int) -> Look:
    """A look at a whole picture of `width` x `height` px."""
    wide, high = entry.input
    return Look(entry, Box(0, 0, width, height), min(wide / width, high / height))


def look_at(entry: ModelEntry, region: Region, width: int, height: int) -> Look:
    """A look at the region, and around it as much as the model's input has room for."""
    all_of_it = whole(entry, width, height)
    largest = max(all_of_it.ratio, min(1.0, LARGEST_HEAD_PX / float(region.head_px.max())))
    wide, high = entry.input
    cells = math.gcd(wide, high)  # of so many px of the input, each way
    step = (wide // cells, high // cells)  # px of the picture, by which the part grows
    steps = max(
        math.ceil(region.box.width / step[0]),
        math.ceil(region.box.height / step[1]),
        math.ceil(cells / largest),
    )
    across, down = min(width, steps * step[0]), min(height, steps * step[1])
    if (across, down) == (width, height):
        return all_of_it
    left = _placed(region.box.left, region.box.right, across, width)
    top = _placed(region.box.top, region.box.bottom, down, height)
    box = Box(left, top, left + across, top + down)
    return Look(entry, box, min(wide / across, high / down))


def choose_look(
    manifest: Manifest,
    region: Region | None,
    size: tuple[int, int],
    limit_gmac: float,
    *,
    name: str = "auto",
    budget_gmac: float = 0.0,
) -> Look:
    """The look at pictures of `size` (width, height) by the model of this name.

    "auto" takes the model nearest in shape and size to the picture; with a region, of those that
    cost at most `limit_gmac` the one that gives heads most px. A far part is looked at where two
    looks cost at most `budget_gmac`.
    """
    if region is None:
        entry = manifest.nearest(*size, limit_gmac) if name == "auto" else manifest.named(name)
        return whole(entry, *size)
    if name == "auto":
        look = _best(manifest, region, size, limit_gmac)
    else:
        look = look_at(manifest.named(name), region, *size)
    return look if 2 * look.entry.gmac > budget_gmac else _with_far(look, region, size)


def _with_far(look: Look, region: Region, size: tuple[int, int]) -> Look:
    """The look, and a closer one at the farther half, if heads are small there and get more px.

    Halves by the size of heads: as many times smaller than in the middle as they are at the end.
    """
    farthest, nearest = float(region.head_px.min()), float(region.head_px.max())
    small = region.where_heads_are_below(math.sqrt(farthest * nearest))
    if small is None or farthest * look.ratio >= WANTED_HEAD_PX:
        return look
    far = look_at(look.entry, small, *size)
    return replace(look, far=far.box) if far.ratio >= CLOSER * look.ratio else look


def _best(manifest: Manifest, region: Region, size: tuple[int, int], limit_gmac: float) -> Look:
    looks = [look_at(entry, region, *size) for entry in manifest.affordable(limit_gmac)]
    most = max(min(1.0, look.ratio) for look in looks)
    near = [look for look in looks if min(1.0, look.ratio) >= NEARLY * most]
    return min(near, key=lambda look: look.cost)


def _placed(low: int, high: int, length: int, end: int) -> int:
    """Where a stretch of `length` begins that has low..high in its middle, within 0..end."""
    return max(0, min(end - length, (low + high - length) // 2))
