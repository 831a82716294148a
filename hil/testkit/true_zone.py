"""What zones truly hold, from the feet themselves, and head maps without a counter's error."""

import numpy as np
from numpy.typing import NDArray

from edge.common.sighting import HeadMap
from edge.site.schema import Zone
from edge.street.truth import inside

Floats = NDArray[np.float64]
STEP_M = 0.1
LEAST_INSIDE = 0.75  # of a patch must lie in the zone


def counted(heads: Floats, width: int, height: int, cell: float = 8.0) -> HeadMap:
    """A head map of heads (N, 2) in px, each counted once in its cell, without any doubt."""
    shape = (round(height / cell), round(width / cell))
    x, y = heads.T
    seen = (x >= 0) & (x < width) & (y >= 0) & (y < height)
    count = np.zeros(shape, np.float32)
    np.add.at(count, ((y[seen] // cell).astype(int), (x[seen] // cell).astype(int)), 1)
    return HeadMap(count, np.zeros_like(count), cell, width, height, 1.645)


class TrueZone:
    """A zone's true density and peak: Helbing's Gaussian of a patch at every decimetre."""

    def __init__(self, zone: Zone, patch_m2: float = 4.0) -> None:
        self._outline, self._area = zone.ground or [], zone.area
        self._radius_square = patch_m2 / (2 * np.pi)
        low, high = np.min(self._outline, axis=0), np.max(self._outline, axis=0)
        axes = [np.arange(a + STEP_M / 2, b, STEP_M) for a, b in zip(low, high, strict=True)]
        grid = np.stack(np.meshgrid(*axes), axis=-1).reshape(-1, 2)
        grid = grid[inside(grid, self._outline)]
        mass = np.array([STEP_M**2 * self._weights(point[None], grid).sum() for point in grid])
        self._middles, self._mass = grid[mass >= LEAST_INSIDE], mass[mass >= LEAST_INSIDE]

    def density(self, feet: Floats) -> float:
        """Persons per m2 of feet (N, 2), metres."""
        return float(inside(feet, self._outline).sum()) / self._area

    def peak(self, feet: Floats) -> float:
        """Persons per m2 on the worst patch, of the zone's part of it."""
        here = feet[inside(feet, self._outline)]
        return float((self._weights(self._middles, here).sum(axis=1) / self._mass).max())

    def _weights(self, middles: Floats, paths: Floats) -> Floats:
        square = ((middles[:, None] - paths[None]) ** 2).sum(axis=2)
        return np.asarray(np.exp(-square / self._radius_square) / (np.pi * self._radius_square))
