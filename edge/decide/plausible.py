"""What the ground allows: where more people are counted than can stand, there is no crowd.

No more than about 10 people stand on a square metre: simulations of the crush of Itaewon reach
9.95. A counter that errs by +100 % reads 20 there. What reads more, over a patch of several square
metres, is something else that looks like heads: foliage, lights, cloth.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edge.decide.sparse import Row, SparseMatrix

MOST_PER_M2 = 10.0
IMPLAUSIBLE_PER_M2 = 2 * MOST_PER_M2
# Of a zone's area: with more of it unknown, the rest does not say how crowded the zone is.
MOST_REMOVED = 0.2
CORE = 0.1  # of a patch's largest weight: lighter cells hardly belong to it


@dataclass(frozen=True, eq=False)
class Cleared:
    """Heads per cell (cells,) with what cannot be people taken out, and which cells those were."""

    counts: NDArray[np.float32]
    removed: NDArray[np.bool_]


def cleared(
    counts: NDArray[np.float32],
    densities: SparseMatrix,
    patches: Sequence[Row],
    first: int,
) -> Cleared | None:
    """Take out what lies on patches denser than people can stand; None when nothing does.

    `counts` are heads per cell (cells,). `patches` are rows that make densities (persons per m2);
    in `densities` they begin at row `first`. The densest patch goes first, so that its neighbours
    stay where they were dense because of it alone.
    """
    found = (densities @ counts)[first:]
    if not found.max() > IMPLAUSIBLE_PER_M2:  # NaN is refused later
        return None
    counts, removed = counts.copy(), np.zeros(len(counts), np.bool_)
    while found.max() > IMPLAUSIBLE_PER_M2:
        cells, weights = patches[int(found.argmax())]
        core = cells[weights >= CORE * weights.max()]
        taken = core if counts[core].any() else cells
        counts[taken], removed[taken] = 0.0, True
        found = (densities @ counts)[first:]
    return Cleared(counts, removed)
