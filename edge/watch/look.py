"""Where the counter looks: at the part of the picture that holds the zones, or at all of it.

The network sees so many px, whatever the camera gives: what is left out of the picture gives those
who stand in the zones more of them. The part has the shape of the model's input and whole cells, or
ends at the picture's edge. Nothing is enlarged: that adds no detail, and costs what is around.
"""

import math
from dataclasses import dataclass

from edge.ground.region import Box, Region
from edge.watch.manifest import Manifest, ModelEntry

# In the model's input; the model card's upper bound. A nearer head is not looked at more closely.
LARGEST_HEAD_PX = 60.0
# A model that costs less is taken where it gives heads nearly as many px.
NEARLY = 0.9


@dataclass(frozen=True)
class Look:
    """A model, and the part of the picture that it gets; `ratio` px of its input for one there."""

    entry: ModelEntry
    box: Box
    ratio: float

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
    largest = max(all_of_it.ratio, min(1.0, LARGEST_HEAD_PX / region.nearest_head_px))
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
    name: str = "auto",
) -> Look:
    """The look at pictures of `size` (width, height) by the model of this name.

    "auto" takes the model nearest in shape and size to the picture; with a region, of those that
    cost at most `limit_gmac` the one that gives heads most px.
    """
    if region is None:
        entry = manifest.nearest(*size, limit_gmac) if name == "auto" else manifest.named(name)
        return whole(entry, *size)
    if name != "auto":
        return look_at(manifest.named(name), region, *size)
    looks = [look_at(entry, region, *size) for entry in manifest.affordable(limit_gmac)]
    most = max(min(1.0, look.ratio) for look in looks)
    near = [look for look in looks if min(1.0, look.ratio) >= NEARLY * most]
    return min(near, key=lambda look: look.cost)


def _placed(low: int, high: int, length: int, end: int) -> int:
    """Where a stretch of `length` begins that has low..high in its middle, within 0..end."""
    return max(0, min(end - length, (low + high - length) // 2))
