"""Who is in which zone: people, density, the peak over the worst patch, and how they move.

A cell's people are taken to stand evenly on the piece of ground that the cell shows at the height
of heads. Everything that depends on the camera alone is computed once for each shape of head map;
a frame then costs one sparse matrix product.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edge.common.errors import GroundError
from edge.common.sighting import Estimate, HeadMap, Motion
from edge.common.wire import Occupancy
from edge.decide.motion import Movement, Moving, Street
from edge.decide.plausible import Cleared, cleared
from edge.decide.sparse import Row, SparseMatrix
from edge.site.ground.overlap import covered, signed_area
from edge.site.ground.plane import GroundPlane
from edge.site.schema import Ground, Zone

Floats = NDArray[np.float64]

FINER = 3  # a cell is cut into so many parts each way
FARTHEST_M = 100.0  # from the camera's foot; beyond, a cell covers more ground than a zone
LEAST_SEEN = 0.98  # of a zone's area must lie in the picture, at the height of heads
SPACING = 0.45  # of the patch's radius, between the middles of patches
REACH = 2.0  # of the patch's radius; beyond, its Gaussian weighs less than 2 %
LEAST_INSIDE = 0.75  # of a patch must lie in the zone


@dataclass(frozen=True)
class Crowd:
    """The occupancy of every zone, and the heads seen beyond any ground that could be measured."""

    zones: tuple[Occupancy, ...]
    off_ground: float


class ZoneCounter:
    """People per zone. GroundError, at once, when the marked points give no ground plane."""

    def __init__(self, zones: Sequence[Zone], ground: Ground | None = None) -> None:
        self._zones = tuple(zones)
        self._plane = None if ground is None else GroundPlane.of(ground)
        self._patch_m2 = 0.0 if ground is None else ground.patch_m2
        self._shape: tuple[float, ...] = ()
        self._weights: Weights | None = None
        self._movement: Movement | None = None

    def count(self, heads: HeadMap, taken_at: int, motion: Motion | None = None) -> Crowd:
        """The occupancy of every zone, in the site file's order; the speed from memory, too.

        GroundError when the ground plane does not suit the picture, or a zone is not all in it.
        """
        place = (heads.cell, heads.left, heads.top)
        shape = (*heads.count.shape, heads.width, heads.height, *place)
        if self._weights is None or shape != self._shape:
            self._weights = Weights.of(self._zones, heads, self._plane, self._patch_m2)
            street = None if self._plane is None else self._weights.street(self._plane, heads)
            self._movement = None if street is None else Movement(street)
            self._shape = shape
        if self._movement is None:
            return self._weights.crowd(heads, taken_at)
        return self._weights.crowd(heads, taken_at, self._movement.see(heads, motion, taken_at))

    def average(self, cells: NDArray[np.float32] | None) -> dict[str, float]:
        """Of what is known of the last heads' cells, the mean over each zone's area."""
        if self._weights is None or cells is None:
            return {}
        flat = cells.ravel()
        areas = zip(self._weights.zones, self._weights.areas, strict=True)
        return {name: float(weights @ flat[columns]) for (name, _), (columns, weights) in areas}


@dataclass(frozen=True, eq=False)
class Weights:
    """What to sum: a row for each zone, one for what is beyond, then each zone's patches.

    `patches_from` are each zone's first. Of a zone that is not larger than a patch, or has no
    ground plane, the only patch is the whole. `zones` are their names and areas (m2), `shares` the
    part of each cell in each zone, `areas` the part of each zone in each cell.
    """

    zones: tuple[tuple[str, float], ...]
    people: SparseMatrix
    variance: SparseMatrix
    shares: tuple[Row, ...]
    areas: tuple[Row, ...]
    patches: tuple[Row, ...]
    patches_from: NDArray[np.int64]

    @staticmethod
    def of(
        zones: Sequence[Zone], heads: HeadMap, plane: GroundPlane | None, patch_m2: float
    ) -> "Weights":
        """The weights for head maps shaped like `heads`."""
        picture = _in_picture(heads)
        ground = picture if plane is None else _on_ground(heads, plane)
        in_zone = [
            _cover(zone, heads, picture if zone.ground is None else ground) for zone in zones
        ]
        shares = [parts.shares(area) for parts, area in in_zone]
        patches = [
            [(cells, share / zone.area)]
            if zone.ground is None or zone.area <= patch_m2
            else parts.patches(area, patch_m2)
            for zone, (parts, area), (cells, share) in zip(zones, in_zone, shares, strict=True)
        ]
        counts = np.array([len(rows) for rows in patches])
        firsts = len(zones) + 1 + np.cumsum(counts) - counts
        return Weights(
            zones=tuple((zone.name, zone.area) for zone in zones),
            people=SparseMatrix(
                [*shares, ground.off_ground(), *(row for rows in patches for row in rows)]
            ),
            variance=SparseMatrix(shares).squared(),
            shares=tuple(shares),
            areas=tuple(_row(parts.cell, inside / inside.sum()) for parts, inside in in_zone),
            patches=tuple(row for rows in patches for row in rows),
            patches_from=firsts,
        )

    def street(self, plane: GroundPlane, heads: HeadMap) -> Street:
        """What the motion of head maps shaped like `heads` means on the ground."""
        return Street.of(plane, heads, self.shares, self.people, self.patches_from)

    def crowd(
        self, heads: HeadMap, taken_at: int, moving: Sequence[Moving | None] | None = None
    ) -> Crowd:
        """Everybody in `heads`, and how they move in each zone.

        What cannot be people (`edge/decide/plausible.py`) is taken out of the zones.
        """
        counts, variance = heads.count.ravel(), heads.variance.ravel()
        found = cleared(counts, self.people, self.patches, len(self.zones) + 1)
        taken_out = self._taken_out(counts, found)
        if found is not None:
            counts, variance = found.counts, np.where(found.removed, np.float32(0), variance)
        sums = self.people @ counts
        variances = self.variance @ variance
        peaks = np.maximum.reduceat(sums, self.patches_from)
        speeds = moving or [None] * len(self.zones)
        rows = zip(
            self.zones, sums.tolist(), variances.tolist(), peaks.tolist(), speeds, taken_out,
            strict=False,
        )  # fmt: skip
        return Crowd(
            zones=tuple(
                _occupancy(
                    zone,
                    heads.with_interval(people, variance),
                    peak,
                    speed,
                    taken_out=out,
                    taken_at=taken_at,
                )
                for zone, people, variance, peak, speed, out in rows
            ),
            off_ground=float(sums[len(self.zones)]),
        )

    def _taken_out(
        self, counts: NDArray[np.float32], found: Cleared | None
    ) -> list[tuple[float, float]]:
        """Of each zone the heads that cannot be people, and the m2 on which they were counted."""
        if found is None:
            return [(0.0, 0.0)] * len(self.zones)
        heads = (self.people @ (counts - found.counts)).tolist()
        return [
            (people, area * _sum(row, found.removed))
            for (_, area), people, row in zip(self.zones, heads, self.areas, strict=False)
        ]


def _sum(row: Row, cells: NDArray[np.bool_]) -> float:
    """What the row weighs in those cells."""
    columns, weights = row
    return float(weights[cells[columns]].sum())


def _occupancy(
    zone: tuple[str, float],
    found: Estimate,
    peak: float,
    moving: Moving | None,
    *,
    taken_out: tuple[float, float],
    taken_at: int,
) -> Occupancy:
    """The figures of a zone, of which name and area are given. The peak is never below the mean."""
    name, area = zone
    density = found.people / area
    return Occupancy(
        zone=name,
        people=found.people,
        low=found.low,
        high=found.high,
        area=area,
        density=density,
        peak=max(density, peak),
        taken_at=taken_at,
        speed=None if moving is None else moving.speed,
        speed_variance=None if moving is None else moving.speed_variance,
        pressure=None if moving is None else moving.pressure,
        implausible=taken_out[0],
        implausible_area=taken_out[1],
    )


@dataclass(frozen=True, eq=False)
class Parts:
    """The parts of all cells: corners (N, 4, 2), areas (N,), and the cell each belongs to.

    `cells` are the areas of whole cells, 0 for those that are not wholly seen.
    """

    corners: Floats
    cell: NDArray[np.int64]
    cells: Floats

    @staticmethod
    def of(corners: Floats, rows: int, columns: int) -> "Parts":
        """From the places (rows * FINER + 1, columns * FINER + 1, 2) of the parts' corners."""
        quads = np.stack(
            [corners[:-1, :-1], corners[:-1, 1:], corners[1:, 1:], corners[1:, :-1]], axis=2
        ).reshape(-1, 4, 2)
        row, column = np.indices((rows * FINER, columns * FINER)) // FINER
        cell = (row * columns + column).ravel()
        areas = np.abs(signed_area(quads))
        cells = np.nan_to_num(np.bincount(cell, areas, rows * columns)).astype(np.float64)
        seen = cells[cell] > 0
        return Parts(quads[seen], cell[seen], cells)

    def shares(self, inside: Floats) -> Row:
        """The part of each cell that lies in a zone, of which each part covers `inside`."""
        return _row(self.cell, inside / self.cells[self.cell])

    def off_ground(self) -> Row:
        """All of the cells that are not wholly seen."""
        unseen = np.flatnonzero(self.cells == 0)
        return unseen, np.ones(len(unseen))

    def patches(self, inside: Floats, patch_m2: float) -> list[Row]:
        """For each patch of a zone the weights that make its density, in persons per m2.

        The patch is Helbing's Gaussian (Phys. Rev. E 75, 046109, 2007), exp(-d2/R2), wide enough
        to have the noise of a box of `patch_m2` (R2 = patch / 2 pi), over the zone's part of it.
        """
        radius = (patch_m2 / (2 * np.pi)) ** 0.5
        used = np.flatnonzero(inside > 0)
        middles = self.corners[used].mean(axis=1)
        order = np.argsort(middles[:, 0])
        used, middles = used[order], middles[order]
        found = []
        for x, y in _grid(middles, SPACING * radius):
            first, last = np.searchsorted(middles[:, 0], (x - REACH * radius, x + REACH * radius))
            square = ((middles[first:last] - (x, y)) ** 2).sum(axis=1) / radius**2
            near = square < REACH**2
            chosen = used[first:last][near]
            weight = np.exp(-square[near]) / (np.pi * radius**2)
            mass = float(weight @ inside[chosen])
            found.append((mass, chosen, weight))
        most = max(mass for mass, _, _ in found)
        return [
            _row(self.cell[chosen], weight * inside[chosen] / self.cells[self.cell[chosen]] / mass)
            for mass, chosen, weight in found
            if mass >= min(LEAST_INSIDE, 0.95 * most)
        ]


def _row(cells: NDArray[np.int64], weights: Floats) -> Row:
    """The weights of parts, added up by cell."""
    columns, place = np.unique(cells, return_inverse=True)
    summed = np.bincount(place, weights, len(columns)).astype(np.float64)
    return columns[summed > 0], summed[summed > 0]


def _grid(points: Floats, step: float) -> Floats:
    """The middles of patches over all points."""
    low, high = points.min(axis=0), points.max(axis=0)
    counts = np.maximum(1, np.ceil((high - low) / step)).astype(int)
    axes = [
        middle + (np.arange(n) - (n - 1) / 2) * step
        for middle, n in zip((low + high) / 2, counts, strict=True)
    ]
    return np.asarray(np.stack(np.meshgrid(*axes), axis=-1).reshape(-1, 2))


def _corners(heads: HeadMap) -> Floats:
    """The px of the corners of all cells' parts, cut at the picture's edge."""
    rows, columns = heads.count.shape
    x = np.arange(columns * FINER + 1) * heads.cell / FINER + heads.left
    y = np.arange(rows * FINER + 1) * heads.cell / FINER + heads.top
    x, y = np.minimum(x, heads.width), np.minimum(y, heads.height)
    return np.asarray(np.stack(np.meshgrid(x, y), axis=-1), np.float64)


def _in_picture(heads: HeadMap) -> Parts:
    return Parts.of(_corners(heads), *heads.count.shape)


def _on_ground(heads: HeadMap, plane: GroundPlane) -> Parts:
    """Where the people stand whose heads are in each part; unseen when it is too far away."""
    feet = plane.for_picture(heads.width, heads.height).feet(_corners(heads))
    with np.errstate(invalid="ignore"):
        far = np.hypot(*np.moveaxis(feet - plane.foot, -1, 0)) > FARTHEST_M
    feet[far] = np.nan
    return Parts.of(feet, *heads.count.shape)


def _cover(zone: Zone, heads: HeadMap, parts: Parts) -> tuple[Parts, Floats]:
    """The area that a zone has in each part of the cells."""
    if zone.ground is None:
        outline = np.array(zone.polygon, np.float64) * (heads.width, heads.height)
        return parts, covered(parts.corners, outline)
    inside = covered(parts.corners, np.array(zone.ground, np.float64))
    seen = float(inside.sum()) / zone.area
    if seen < LEAST_SEEN:
        raise GroundError(
            f"zone {zone.name!r}: {100 * seen:.0f} % of its {zone.area:g} m2 can be seen at the "
            f"height of heads, must be {100 * LEAST_SEEN:.0f} %; draw it smaller or tilt the camera"
        )
    return parts, inside
