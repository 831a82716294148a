"""How people move on the ground: mean speed, its variance, and crowd pressure, zone by zone.

Of each zone, and of each patch, the moments of its people's velocities are remembered for about
five seconds. Crowd pressure is Helbing's (Phys. Rev. E 75, 046109, 2007): density times the
variance over time of the local velocity, which is the mean of all who stand on a patch; the worst
patch counts. Motion is reported only where the picture has enough samples per metre: with fewer,
noise alone looks like turbulence.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edge.common.errors import GroundError
from edge.common.sighting import HeadMap, Motion
from edge.common.units import NS_PER_S
from edge.decide.sparse import Row, SparseMatrix
from edge.site.ground.plane import GroundPlane

Floats = NDArray[np.float64]
Sums = NDArray[np.float32]

MEMORY_S = 5.0
PAUSE_S = 2.0  # after a longer one all is forgotten
LEAST_SAMPLES_PER_M = 20.0
LEAST_PEOPLE = 1.0  # in a zone, now; of fewer nothing is reported


@dataclass(frozen=True)
class Moving:
    """How the people of one zone move: m/s, m2/s2 and 1/s2."""

    speed: float
    speed_variance: float
    pressure: float


@dataclass(frozen=True, eq=False)
class Street:
    """The ground under the cells of a head map, for zones and their patches.

    `metres` (2, 2, cells): X and Y on the ground for a px to the right and for one down, at head
    height. `px_per_m` is of each zone the least. `sums` has the zones' rows first; a zone's patches
    begin at its row of `patches_from`.
    """

    metres: Floats
    px_per_m: Floats
    sums: SparseMatrix
    patches_from: NDArray[np.int64]

    @staticmethod
    def of(
        plane: GroundPlane,
        heads: HeadMap,
        zones: Sequence[Row],
        sums: SparseMatrix,
        patches_from: NDArray[np.int64],
    ) -> "Street":
        """The ground under head maps shaped like `heads`."""
        plane = plane.for_picture(heads.width, heads.height)
        rows, columns = heads.count.shape
        x, y = np.meshgrid(np.arange(columns) + 0.5, np.arange(rows) + 0.5)
        middles = heads.cell * np.stack([x.ravel(), y.ravel()], axis=-1) + (heads.left, heads.top)
        aside, below = (
            plane.feet(middles + step) - plane.feet(middles - step)
            for step in np.array([[0.5, 0.0], [0.0, 0.5]])
        )
        fine = plane.px_per_m(plane.feet(middles))
        return Street(
            metres=np.nan_to_num(np.stack([aside.T, below.T], axis=1)),
            px_per_m=np.array([fine[cells].min() for cells, _ in zones]),
            sums=sums,
            patches_from=patches_from,
        )


class Movement:
    """Remembers how the people of every zone of a street moved.

    The memory is a mean over time in which what is `MEMORY_S` old counts 1/e of what is new. For
    every row of `Street.sums` it holds sums over cells of heads, heads x velocity (X and Y),
    heads x speed, heads x speed squared, and heads x (local velocity) squared.
    """

    def __init__(self, street: Street) -> None:
        self._street = street
        self._mean: Sums | None = None
        self._people: Sums = np.zeros(0, np.float32)
        self._sample = 1.0
        self._began = self._last = 0

    def see(self, heads: HeadMap, motion: Motion | None, at: int) -> list[Moving | None]:
        """How the people of each zone move; None where that is not known.

        GroundError when the motion is of other cells than the heads.
        """
        if self._mean is not None and at - self._last > PAUSE_S * NS_PER_S:
            self._mean = None
        if motion is not None:
            self._remember(heads, motion, at)
        if self._mean is None or self._last - self._began < MEMORY_S * NS_PER_S:
            return [None] * len(self._street.px_per_m)
        return self._figures(self._mean)

    def _remember(self, heads: HeadMap, motion: Motion, at: int) -> None:
        now = _sums(self._street, heads, motion)
        if not np.isfinite(now).all():
            self._mean = None
        elif self._mean is None:
            self._mean, self._began = now, at
        else:
            kept = math.exp((self._last - at) / (MEMORY_S * NS_PER_S))
            self._mean = now + np.float32(kept) * (self._mean - now)
        self._last, self._people, self._sample = at, now[0], motion.sample

    def _figures(self, mean: Sums) -> list[Moving | None]:
        """The figures of each zone, from the moments of its row and of its patches."""
        heads, x, y, speed, squared, local = mean
        some = np.maximum(heads, np.float32(1e-6))
        still = (x**2 + y**2) / some
        patches = np.maximum.reduceat(local - still, self._street.patches_from)
        fine = self._street.px_per_m / self._sample >= LEAST_SAMPLES_PER_M
        return [
            Moving(
                float(speed[zone] / heads[zone]),
                max(0.0, float((squared[zone] - still[zone]) / heads[zone])),
                max(0.0, float(patches[zone])),
            )
            if fine[zone] and self._people[zone] >= LEAST_PEOPLE
            else None
            for zone in range(len(patches))
        ]


def _sums(street: Street, heads: HeadMap, motion: Motion) -> Sums:
    """What is remembered of one picture, shape (6, rows)."""
    if motion.right.shape != heads.count.shape:
        raise GroundError(
            f"motion of {motion.right.shape} cells beside heads of {heads.count.shape}; "
            "watch and decide must be of the same release: install redroad again"
        )
    count = heads.count.ravel()
    px = np.stack([motion.right.ravel(), motion.down.ravel()])
    with np.errstate(invalid="ignore", over="ignore"):  # what is no number is refused
        velocity = np.einsum("gpc,pc->gc", street.metres, px).astype(np.float32)
        square = (velocity**2).sum(axis=0)
        each = np.stack([np.ones_like(square), *velocity, np.sqrt(square), square])
        sums = street.sums @ (count * each)
        local = (sums[1] ** 2 + sums[2] ** 2) / np.maximum(sums[0], np.float32(1e-6))
    return np.concatenate([sums, local[np.newaxis]])
