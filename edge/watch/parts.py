"""Two head maps of one picture as one: the closer look's heads in the cells of the other."""

from dataclasses import dataclass

import numpy as np
from msgspec.structs import replace
from numpy.typing import NDArray

from edge.common.sighting import HeadMap

Floats = NDArray[np.float32]

SEAM = 1.0  # cells of the closer look along its edge: what is cut there is left to the other


def joined(near: HeadMap, far: HeadMap) -> HeadMap:
    """The cells of `near`, those wholly within `far` counted by it.

    A cell of `far` that lies in several of `near` is shared out by area, count and variance alike.
    """
    (rows, columns), (far_rows, far_columns) = near.count.shape, far.count.shape
    down, far_down = _Side(near.top, rows, near.cell), _Side(far.top, far_rows, far.cell)
    right = _Side(near.left, columns, near.cell)
    far_right = _Side(far.left, far_columns, far.cell)
    within = np.outer(down.within(far_down), right.within(far_right))
    below, across = down.shares(far_down), right.shares(far_right).T
    return replace(
        near,
        count=np.where(within, below @ far.count @ across, near.count),
        variance=np.where(within, below @ far.variance @ across, near.variance),
    )


@dataclass(frozen=True)
class _Side:
    """One side of a head map: px of the picture at which its cells begin, how many, how long."""

    begin: float
    cells: int
    cell: float

    def low(self) -> NDArray[np.float64]:
        """Where each cell begins, (cells,)."""
        return self.begin + self.cell * np.arange(self.cells)

    def shares(self, far: "_Side") -> Floats:
        """Which part of each cell of `far` lies in each of these, (cells, far cells)."""
        low, far_low = self.low()[:, None], far.low()[None]
        common = np.minimum(low + self.cell, far_low + far.cell) - np.maximum(low, far_low)
        return np.asarray(common.clip(0) / far.cell, np.float32)

    def within(self, far: "_Side") -> NDArray[np.bool_]:
        """Which of these cells lie wholly in those of `far`, but for the seam, (cells,)."""
        first, last = far.begin + SEAM * far.cell, far.begin + (far.cells - SEAM) * far.cell
        return np.asarray((self.low() >= first) & (self.low() + self.cell <= last))
