"""Errors of a counter on labelled pictures, and the interval that holds the truth.

Whatever counts pictures is measured alike: the appliance's own counter with an int8 file, or the
network in float.
"""

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
FEW_HEADS = 5.0  # below which an interval's width is no longer judged as a part of the count


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


def merged(scores: Sequence[Score]) -> Score:
    """The pictures of several places as those of one."""
    parts = [(score.truth, score.found, score.variance) for score in scores]
    truth, found, variance = (np.concatenate(column) for column in zip(*parts, strict=True))
    return Score(truth, found, variance, scores[0].interval)


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
    """The narrowest interval that holds the truth in 90 of 100 pictures of each place.

    Split conformal prediction (Vovk 2005) with the error's size in standard deviations as the
    score. One interval serves all places, or one place's lesser and larger crowds, so it is as wide
    as the one that needs most; of all pairs of `factor` and `relative`, the narrowest on average.
    """
    groups = scores if len(scores) > 1 else _halves(scores[0])
    tried = [
        Interval(max(LEAST_FACTOR, *(_factor(group, relative) for group in groups)), relative)
        for relative in RELATIVE_STEPS.tolist()
    ]
    return min(tried, key=lambda interval: _width(groups, interval))


def _width(groups: Sequence[Score], interval: Interval) -> float:
    """Half the width as a part of the count, on average over the places."""
    parts = [
        interval.spread(group.found, group.variance) / (group.found + FEW_HEADS) for group in groups
    ]
    return float(np.mean([part.mean() for part in parts]))


def _halves(score: Score) -> tuple[Score, Score]:
    large = score.truth > np.median(score.truth)
    return score.where(~large), score.where(large)


def _factor(score: Score, relative: float) -> float:
    """The smallest factor that holds 90 of 100, beside a relative part that is given.

    Without the few per cent that split conformal prediction adds for few pictures: the widest of
    several places is taken, and `left_out_coverage` tells what that holds elsewhere.
    """
    left = np.maximum((score.found - score.truth) ** 2 - (relative * score.found) ** 2, 0.0)
    needed = np.sqrt(left) / np.maximum(np.sqrt(score.variance), LEAST_DEVIATION)
    return float(np.quantile(needed, COVERED, method="higher"))
