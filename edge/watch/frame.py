"""One picture and the moment at which it was taken."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from edge.watch.thumbnail import Thumbnail

Pixels = NDArray[np.uint8]  # (height, width, 3), RGB


@dataclass(frozen=True, eq=False)
class Frame:
    """`pixels` of shape (height, width, 3), RGB, taken at `taken_at` (boot time, ns)."""

    pixels: Pixels
    taken_at: int

    @cached_property
    def thumbnail(self) -> Thumbnail:
        """Its small green picture, made once."""
        return Thumbnail.of(self.pixels)
