"""Does a figure grow? A straight line through the means of blocks, and how sure it is. Pure.

The simulated street goes round in 150 s, and so do many figures: a block is one round, and its
mean has no round in it. What is left of the likeness of neighbours is allowed for as by Santer et
al. (2000, J. Geophys. Res. 105, 7337): with r, the correlation of a residual with the next, n
blocks tell only as much as n (1 - r) / (1 + r) that know nothing of each other.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

BLOCK_S = 150.0
LEAST_BLOCKS = 6
SURE = 3.0  # standard errors: with twenty blocks chance alone goes beyond once in a hundred lines


@dataclass(frozen=True)
class Trend:
    """The mean of a figure, its slope per hour, and that slope's standard error."""

    mean: float
    slope: float
    error: float

    @property
    def bound(self) -> float:
        """How far the slope may be from its estimate: three standard errors."""
        return SURE * self.error

    @property
    def grows(self) -> bool:
        """Whether the slope is above zero beyond doubt; what falls is no leak."""
        return self.slope > self.bound

    @property
    def is_flat(self) -> bool:
        """Whether the slope cannot be told from zero."""
        return abs(self.slope) <= self.bound

    @property
    def verdict(self) -> str:
        """In a word."""
        return "flat" if self.is_flat else "GROWS" if self.grows else "falls"


def trend(times_s: ArrayLike, values: ArrayLike) -> Trend:
    """The trend of `values` at `times_s`. ValueError for fewer than six blocks of 150 s."""
    hours, means = _block_means(
        np.asarray(times_s, np.float64) / 3600, np.asarray(values, np.float64)
    )
    if len(means) < LEAST_BLOCKS:
        raise ValueError(f"{len(means)} blocks of {BLOCK_S:g} s, must be at least {LEAST_BLOCKS}")
    centred = hours - hours.mean()
    spread = float(np.sum(centred**2))
    slope = float(np.sum(centred * means)) / spread
    residuals = means - means.mean() - slope * centred
    count = _independent(residuals)
    variance = float(np.sum(residuals**2)) / max(1.0, count - 2)
    return Trend(float(means.mean()), slope, (variance / spread) ** 0.5)


def _block_means(
    hours: NDArray[np.float64], values: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Mean time and value of each whole block."""
    blocks = np.floor((hours - hours[0]) * 3600 / BLOCK_S).astype(int)
    whole = range(blocks[-1])  # the last one may be cut short
    found = [blocks == block for block in whole if np.any(blocks == block)]
    return (
        np.array([hours[block].mean() for block in found]),
        np.array([values[block].mean() for block in found]),
    )


def _independent(residuals: NDArray[np.float64]) -> float:
    """As how many blocks that know nothing of each other these count."""
    power = float(np.sum(residuals**2))
    likeness = 0.0 if power == 0 else float(np.sum(residuals[1:] * residuals[:-1])) / power
    likeness = min(max(likeness, 0.0), 0.99)
    return len(residuals) * (1 - likeness) / (1 + likeness)
