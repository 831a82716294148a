"""Errors of a counter on labelled pictures, and the interval that holds the truth.

Whatever counts pictures is measured alike: the appliance's own counter with an int8 file, or the
network in float.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from edge.common.sighting import HeadMap
from models.pictures import Example

VAL_SETS = ("street", "station")
COVERED = 0.90
# A picture made smaller than this is one that a model is not for: it says nothing of intervals.
FAIR_RATIO = 0.45
SIZES_OF_CROWD = ((0, 1), (1, 10), (10, 50), (50, 150), (150, 10_000))
LEAST_DEVIATION = 0.1  # heads
LEAST_FACTOR = 0.6  # or a sum near nothing would be told as certain, and gates the all-clear
RELATIVE_STEPS = np.arange(0.0, 0.301, 0.005)
FACTOR_STEPS = 17


class Counts(Protocol):
    """Anything that counts heads in a picture."""

    def count(self, pixels: NDArray[np.uint8]) -> HeadMap:
        """The heads in a picture of shape (height, width, 3), RGB."""


@dataclass(frozen=True)
class Interval:
    """How wide a sum's 90 % interval is: see `HeadMap`."""

    factor: float
    relative: float

    def spread(
        self, people: NDArray[np.float64], variance: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """Half the width, heads."""
        deviation = np.maximum(np.sqrt(variance), LEAST_DEVIATION)
        return np.hypot(self.factor * deviation, self.relative * people)


@dataclass(frozen=True)
class Score:
    """True and counted heads of each picture, with the variance of the count."""

    truth: NDArray[np.float64]
    found: NDArray[np.float64]
    variance: NDArray[np.float64]
    interval: Interval

    @property
    def mae(self) -> float:
        """Mean absolute error, heads."""
        return float(np.abs(self.found - self.truth).mean())

    @property
    def rmse(self) -> float:
        """Root of the mean squared error, heads."""
        return float(np.sqrt(((self.found - self.truth) ** 2).mean()))

    @property
    def bias(self) -> float:
        """Mean error, heads; negative when too few are counted."""
        return float((self.found - self.truth).mean())

    @property
    def relative_bias(self) -> float:
        """Mean error as a part of the mean count."""
        return self.bias / max(float(self.truth.mean()), 1e-9)

    @property
    def coverage(self) -> float:
        """Share of pictures whose truth lies inside the interval."""
        spread = self.interval.spread(self.found, self.variance)
        return float((np.abs(self.found - self.truth) <= spread).mean())

    def apart_from(self, other: "Score") -> float:
        """Mean distance of two counters' counts of the same pictures, as a part of their mean."""
        return float(np.abs(self.found - other.found).sum() / max(other.found.sum(), 1e-9))

    def where(self, chosen: NDArray[np.bool_]) -> "Score":
        """Only the pictures that are chosen."""
        return Score(self.truth[chosen], self.found[chosen], self.variance[chosen], self.interval)

    def part(self, low: int, high: int) -> "Score":
        """Only pictures with at least `low` and fewer than `high` heads."""
        return self.where((self.truth >= low) & (self.truth < high))

    def judged_by(self, interval: Interval) -> "Score":
        """The same counts with another interval."""
        return replace(self, interval=interval)


def measure(counter: Counts, examples: Sequence[Example]) -> Score:
    """Count every picture."""
    maps = [counter.count(example.pixels) for example in examples]
    return Score(
        truth=np.array([len(example.heads) for example in examples], np.float64),
        found=np.array([float(heads.count.sum()) for heads in maps]),
        variance=np.array([float(heads.variance.sum()) for heads in maps]),
        interval=Interval(maps[0].interval, maps[0].relative),
    )


def is_fair(size: Sequence[int], examples: Sequence[Example]) -> bool:
    """Whether a set's pictures are at least FAIR_RATIO of their size in a (width, height) input."""
    height, width, _ = examples[0].pixels.shape
    return min(size[0] / width, size[1] / height) >= FAIR_RATIO


def fitted_interval(scores: Sequence[Score]) -> Interval:
    """The interval that holds the truth in 90 of 100 pictures of each set, as nearly as it can.

    Split conformal prediction (Vovk 2005) with the error's size in standard deviations as the
    score. One interval serves all sets, or one set's lesser and larger crowds: of all pairs of
    `factor` and `relative`, the one whose worst set is nearest to 90 %, and of those as good, the
    one at which the sets need factors most alike.
    """
    groups = scores if len(scores) > 1 else _halves(scores[0])
    tried = [
        (_worst_gap(groups, interval), _unlikeness(groups, relative), interval.factor, interval)
        for relative in RELATIVE_STEPS.tolist()
        for interval in _candidates(groups, relative)
    ]
    return min(tried, key=lambda one: (one[0], one[1], -one[2]))[-1]


def _candidates(groups: Sequence[Score], relative: float) -> list[Interval]:
    """From the factor of the set that needs least to that of the one that needs most."""
    needed = [_factor(group, relative) for group in groups]
    factors = np.maximum(LEAST_FACTOR, np.linspace(min(needed), max(needed), FACTOR_STEPS))
    return [Interval(float(factor), relative) for factor in np.unique(factors)]


def _worst_gap(groups: Sequence[Score], interval: Interval) -> float:
    """How far the share of pictures inside is from 90 % in the set where it is farthest."""
    return max(abs(group.judged_by(interval).coverage - COVERED) for group in groups)


def _halves(score: Score) -> tuple[Score, Score]:
    large = score.truth > np.median(score.truth)
    return score.where(~large), score.where(large)


def _unlikeness(groups: Sequence[Score], relative: float) -> float:
    factors = [max(_factor(group, relative), 1e-3) for group in groups]
    return math.log(max(factors) / min(factors))


def _factor(score: Score, relative: float) -> float:
    """The smallest factor that holds 90 of 100, beside a relative part that is given."""
    left = np.maximum((score.found - score.truth) ** 2 - (relative * score.found) ** 2, 0.0)
    needed = np.sqrt(left) / np.maximum(np.sqrt(score.variance), LEAST_DEVIATION)
    rank = min(1.0, COVERED * (1 + 1 / len(needed)))
    return float(np.quantile(needed, rank, method="higher"))


def held_out_coverage(scores: Sequence[Score]) -> list[float]:
    """For each set, the share of pictures inside an interval fitted on every other one instead.

    The manifest's interval is fitted on all val pictures, so their share inside it is 90 % by
    construction; this is what a picture sees that took no part in the fit.
    """
    parts = [[_every_second(score, parity) for score in scores] for parity in (0, 1)]
    intervals = [fitted_interval(part) for part in parts]
    return [
        float(np.mean([parts[p][n].judged_by(intervals[1 - p]).coverage for p in (0, 1)]))
        for n in range(len(scores))
    ]


def _every_second(score: Score, first: int) -> Score:
    return score.where(np.arange(len(score.truth)) % 2 == first)
