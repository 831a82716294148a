"""Who truly stands where on the simulated street, independent of any camera."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edge.street.crowd import ZONE_FAR_M, ZONE_HALF_M, ZONE_NEAR_M

Floats = NDArray[np.float64]
Polygon = Sequence[tuple[float, float]]

STRETCH: Polygon = (
    (-ZONE_HALF_M, ZONE_NEAR_M),
    (ZONE_HALF_M, ZONE_NEAR_M),
    (ZONE_HALF_M, ZONE_FAR_M),
    (-ZONE_HALF_M, ZONE_FAR_M),
)
PATCH_M = 2.0
PATCH_STEP_M = 0.25


@dataclass(frozen=True)
class Truth:
    """Everybody's feet (N, 2) in metres on the street at one moment."""

    feet: Floats

    def people(self, zone: Polygon = STRETCH) -> int:
        """How many stand inside a polygon, metres."""
        return int(inside(self.feet, zone).sum())

    def density(self, zone: Polygon = STRETCH) -> float:
        """Persons per m2 inside a polygon, metres."""
        return self.people(zone) / area_m2(zone)

    def worst_patch(self, zone: Polygon = STRETCH) -> float:
        """Persons per m2 on the worst square of 4 m2 whose corners lie inside a polygon.

        Squares stand every 0.25 m, along X and Y; 0 where the polygon has room for none.
        """
        low, high = np.min(zone, axis=0), np.max(zone, axis=0)
        x, y = (
            np.arange(a, b - PATCH_M + 1e-9, PATCH_STEP_M) for a, b in zip(low, high, strict=True)
        )
        corner = np.stack(np.meshgrid(x, y), axis=-1).reshape(-1, 2)
        a, b = 1e-3, PATCH_M - 1e-3
        shifts = np.array([(a, a), (b, a), (b, b), (a, b)])
        fits = np.all([inside(corner + shift, zone) for shift in shifts], axis=0)
        away = self.feet[None] - corner[fits][:, None]
        counts = np.all((away >= 0) & (away <= PATCH_M), axis=2).sum(axis=1)
        return float(counts.max(initial=0)) / PATCH_M**2


def inside(points: Floats, polygon: Polygon) -> NDArray[np.bool_]:
    """Which points (N, 2) lie in a polygon: those whose ray crosses its outline an odd number of
    times (Shimrat, 1962). A point on the outline may fall to either side.
    """
    x, y = points.T
    odd = np.zeros(len(points), bool)
    for (x0, y0), (x1, y1) in zip(polygon, [*polygon[1:], polygon[0]], strict=True):
        if y0 != y1:
            odd ^= ((y0 > y) != (y1 > y)) & (x < x0 + (y - y0) * (x1 - x0) / (y1 - y0))
    return odd


def area_m2(polygon: Polygon) -> float:
    """The area inside a polygon, by the shoelace formula."""
    x, y = np.transpose(polygon)
    return float(abs(np.dot(x, np.roll(y, -1)) - np.dot(y, np.roll(x, -1))) / 2)
