"""Zones of the picture: which part of each cell lies in which zone, and who is in it."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from edge.site.schema import Zone
from edge.wire import HeadMap, Occupancy

Point = tuple[float, float]


def zone_weights(zone: Zone, heads: HeadMap) -> NDArray[np.float32]:
    """The part (0 to 1) of each cell that lies in the zone, shape (rows, columns).

    Exact: the zone's outline is cut at every cell's sides (Sutherland and Hodgman, 1974), and the
    area of what is left follows from the shoelace formula.
    """
    rows, columns = heads.count.shape
    outline = [
        (x * heads.width / heads.cell, y * heads.height / heads.cell) for x, y in zone.polygon
    ]
    weights = np.zeros((rows, columns), np.float32)
    for row in range(rows):
        strip = _cut(_cut(outline, 1, row, keep_above=True), 1, row + 1, keep_above=False)
        if not strip:
            continue
        for column in range(columns):
            left = _cut(strip, 0, column, keep_above=True)
            weights[row, column] = _area(_cut(left, 0, column + 1, keep_above=False))
    return weights


def _cut(outline: list[Point], axis: int, limit: float, *, keep_above: bool) -> list[Point]:
    """The part of an outline on one side of the line where coordinate `axis` equals `limit`."""
    kept: list[Point] = []
    for start, end in zip(outline[-1:] + outline[:-1], outline, strict=True):
        start_in = start[axis] >= limit if keep_above else start[axis] <= limit
        end_in = end[axis] >= limit if keep_above else end[axis] <= limit
        if start_in != end_in:
            part = (limit - start[axis]) / (end[axis] - start[axis])
            kept.append(
                (start[0] + part * (end[0] - start[0]), start[1] + part * (end[1] - start[1]))
            )
        if end_in:
            kept.append(end)
    return kept


def _area(outline: Sequence[Point]) -> float:
    """Area inside an outline by the shoelace formula, whatever its direction."""
    double = 0.0
    for index, (x, y) in enumerate(outline):
        next_x, next_y = outline[(index + 1) % len(outline)]
        double += x * next_y - next_x * y
    return abs(double) / 2


class ZoneCounter:
    """People per zone; the weights are computed once for each shape of head map."""

    def __init__(self, zones: Sequence[Zone]) -> None:
        self._zones = tuple(zones)
        self._shape: tuple[int, ...] = ()
        self._weights: list[NDArray[np.float32]] = []

    def count(self, heads: HeadMap, taken_at: int) -> tuple[Occupancy, ...]:
        """The occupancy of every zone, in the site file's order."""
        shape = (*heads.count.shape, heads.width, heads.height)
        if shape != self._shape:
            self._weights = [zone_weights(zone, heads) for zone in self._zones]
            self._shape = shape
        return tuple(
            _occupancy(zone, heads, weights, taken_at)
            for zone, weights in zip(self._zones, self._weights, strict=True)
        )


def _occupancy(
    zone: Zone, heads: HeadMap, weights: NDArray[np.float32], taken_at: int
) -> Occupancy:
    """Without a ground plane no patch is known, so the peak is the mean density."""
    estimate = heads.weighted(weights)
    density = estimate.people / zone.area_m2
    return Occupancy(
        zone=zone.name,
        people=estimate.people,
        low=estimate.low,
        high=estimate.high,
        area=zone.area_m2,
        density=density,
        peak=density,
        taken_at=taken_at,
    )
