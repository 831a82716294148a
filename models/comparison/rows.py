"""One row of the comparison: what a contestant costs, and how much it errs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from models.comparison.cost import Cost

RESAMPLES = 2000


@dataclass(frozen=True)
class Errors:
    """Counting errors over one set's pictures, in heads."""

    pictures: int
    mae: float
    rmse: float
    bias: float  # negative when too few are counted
    mae_90: tuple[float, float]  # the MAE's 90 % bootstrap interval: what other pictures might give


def errors_of(truth: Sequence[float], found: Sequence[float]) -> Errors:
    """Errors of counts against truth, picture by picture."""
    off = np.asarray(found, np.float64) - np.asarray(truth, np.float64)
    drawn = np.random.default_rng(0).integers(len(off), size=(RESAMPLES, len(off)))
    low, high = np.quantile(np.abs(off)[drawn].mean(axis=1), (0.05, 0.95))
    rmse = float(np.sqrt((off**2).mean()))
    return Errors(
        len(off), float(np.abs(off).mean()), rmse, float(off.mean()), (float(low), float(high))
    )


@dataclass(frozen=True)
class Row:
    """What is known of a contestant."""

    name: str
    size: tuple[int, int] | None
    speed_only: bool
    cost: Cost | None
    ms: Mapping[int, float]  # by number of threads
    ratio: Mapping[int, float]  # to ours of the same input
    peak_mb: float
    errors: Mapping[str, Errors] = field(default_factory=dict)
