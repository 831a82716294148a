"""The part of the picture that holds the zones: where heads are of those who stand in them.

A zone lies on the ground and heads are above it, so its outline is projected at both ends of a
person. Everybody in it is between the two: a plane's outline stays an outline in the picture.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edge.common.errors import GroundError
from edge.site.ground.plane import GroundPlane
from edge.site.schema import Ground, Zone

Floats = NDArray[np.float64]

TALLEST_M = 2.0
HEAD_M = 0.22  # a head's width
# Around the zones: half a head that is cut is no head to the counter, and it looks at shoulders.
MARGIN_M = 0.5
STEP_M = 0.25  # along an outline, whose sides a lens bends


@dataclass(frozen=True)
class Box:
    """A rectangle of the picture in px: columns left to right and rows top to bottom, both ends
    excluded at the right and below.
    """

    left: int
    top: int
    right: int
    bottom: int

    def __str__(self) -> str:
        return f"{self.width}x{self.height} px from {self.left},{self.top}"

    @property
    def width(self) -> int:
        """Px across."""
        return self.right - self.left

    @property
    def height(self) -> int:
        """Px down."""
        return self.bottom - self.top


@dataclass(frozen=True, eq=False)
class Region:
    """The part of a picture that holds the zones.

    Of points along their outlines, `ends` (N, 4) are left, top, right and bottom in px of a person
    there with the margin, and `head_px` (N,) how wide a head is.
    """

    ends: Floats
    head_px: Floats

    @property
    def box(self) -> Box:
        """The rectangle around everybody."""
        left, top = np.floor(self.ends[:, :2].min(axis=0)).astype(int).tolist()
        right, bottom = np.ceil(self.ends[:, 2:].max(axis=0)).astype(int).tolist()
        return Box(left, top, right, bottom)

    def where_heads_are_below(self, px: float) -> "Region | None":
        """The far part, in which heads are less wide; None where there is none."""
        far = self.head_px < px
        return Region(self.ends[far], self.head_px[far]) if far.any() else None


def region_of(
    zones: Sequence[Zone], ground: Ground | None, width: int, height: int
) -> Region | None:
    """The region of the zones in pictures of `width` x `height` px.

    None where it is not known: without a ground plane or with one of pictures of another shape,
    with a zone that is an outline in the picture, or one that the camera does not see.
    """
    if ground is None:
        return None
    try:
        plane = GroundPlane.of(ground).for_picture(width, height)
    except GroundError:  # decide reports it
        return None
    outlines = [_dense(zone.ground) for zone in zones if zone.ground is not None]
    if len(outlines) < len(zones):
        return None
    outline = np.concatenate(outlines)
    px_per_m = plane.px_per_m(outline)
    ends = [plane.picture(outline, up_m) for up_m in (0.0, TALLEST_M)]
    if not np.isfinite(ends).all():
        return None
    margin = MARGIN_M * px_per_m[:, None]
    low = np.min([end - margin for end in ends], axis=0).clip(0, (width - 1, height - 1))
    high = np.max([end + margin for end in ends], axis=0).clip(low + 1, (width, height))
    return Region(np.concatenate([low, high], axis=1), HEAD_M * px_per_m)


def _dense(outline: Sequence[tuple[float, float]]) -> Floats:
    """An outline's corners and points between them, (N, 2)."""
    corners = np.array(outline, np.float64)
    sides = zip(corners, np.roll(corners, -1, axis=0), strict=True)
    return np.concatenate(
        [
            np.linspace(start, end, max(1, round(np.hypot(*(end - start)) / STEP_M)), False)
            for start, end in sides
        ]
    )
