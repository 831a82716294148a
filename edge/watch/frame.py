"""One picture and the moment at which it was taken."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]  # (height, width, 3), RGB


@dataclass(frozen=True, eq=False)
class Frame:
    """`pixels` of shape (height, width, 3), RGB, taken at `taken_at` (boot time, ns)."""

    pixels: Pixels
    taken_at: int
