"""A second opinion: what another look at the same picture counts, and what a doubt may do.

Phantom crowds (foliage, lights, patterned cloth) change with the scale at which they are seen, real
ones hardly do. Where two looks disagree, the interval reaches to both, and a rise to CROWDED or
CRITICAL that only one of them supports waits, `HOLD_S` at most: a true crush is never hidden by
doubt. It lowers no level, and no other change waits for it. Pure: time is an argument (boot time,
ns). deploy/decisions/0024-second-opinion.md has the figures.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import msgspec

from edge.common.units import nanoseconds
from edge.common.wire import Level, Occupancy
from edge.decide.levels import Band, LevelState

# Heads added to both counts: among few of them, a head more or less is no disagreement.
AMONG_FEW = 5.0
# Counts whose ratio is higher disagree: of real crowds 1 in 100 does.
DOUBT_FROM = 1.42
# Crowds become dangerous within minutes, and the sign says CAUTION meanwhile.
HOLD_S = 10.0
# As a rise takes so long, so does its end while it waits.
GONE_AFTER_S = 3.0
# Of what a look says; the next one comes after a minute.
VALID_S = 90.0


@dataclass(frozen=True)
class Opinion:
    """The second look's count of a zone over the first's, each with 5 heads more, and when."""

    ratio: float
    at: int

    @staticmethod
    def of(first: float, second: float, at: int) -> "Opinion":
        """From the people whom each of two looks counts; no opinion of what is no number."""
        ratio = (second + AMONG_FEW) / (first + AMONG_FEW)
        return Opinion(ratio if math.isfinite(ratio) and ratio > 0 else 1.0, at)

    @property
    def doubt(self) -> float:
        """The larger count over the smaller one, 1 where they agree."""
        return max(self.ratio, 1 / self.ratio)

    @property
    def disagrees(self) -> bool:
        """Whether real crowds are hardly ever counted so differently."""
        return self.doubt > DOUBT_FROM

    def stands(self, at: int) -> bool:
        """Whether this still says something at `at`."""
        return 0 <= at - self.at <= nanoseconds(VALID_S)

    def widened(self, seen: Occupancy) -> Occupancy:
        """The occupancy with its doubt; where the looks disagree, its interval reaches to both."""
        if not self.disagrees:
            return msgspec.structs.replace(seen, doubt=self.doubt)
        other = max(0.0, self.ratio * (seen.people + AMONG_FEW) - AMONG_FEW)
        low, high = min(seen.low, other), max(seen.high, other)
        return msgspec.structs.replace(seen, doubt=self.doubt, low=low, high=high)

    def support(self, bands: Sequence[Band], density: float) -> Level:
        """The highest level that both looks support at this density of the first one's."""
        if not self.disagrees:
            return Level.CRITICAL
        lower = density * min(1.0, self.ratio)
        return max((band.level for band in bands if lower >= band.rise), default=Level.CLEAR)


@dataclass(frozen=True)
class Held:
    """A zone's level machine, and its level, which may lag behind the machine's.

    `since` is when the machine's level rose above `level`; None while they are the same. `gone` is
    since when too few are counted for it, while they differ.
    """

    state: LevelState = field(default_factory=LevelState)
    level: Level = Level.UNKNOWN
    since: int | None = None
    gone: int | None = None

    def follow(self, state: LevelState, support: Level, reached: Level, at: int) -> "Held":
        """The machine is now in `state`.

        Both looks support the level `support`; the first one's upper end reaches the fall value of
        `reached`. UNKNOWN, CAUTION and all falls count at once, and so does what both support. A
        rise that waits comes after `HOLD_S`, or ends for what was a phantom and is gone: it would
        come late, and the machine would let it stand for as long as a fall takes.
        """
        wanted = state.level
        agreed = wanted <= support
        if wanted < Level.CROWDED or wanted <= self.level or (agreed and self.since is None):
            return Held(state, wanted)
        since = at if self.since is None else self.since
        level = max(self.level, Level.CAUTION, min(wanted, support, reached))
        if reached >= wanted:
            over = at - since >= nanoseconds(HOLD_S)
            return Held(state, wanted) if agreed or over else Held(state, level, since)
        gone = at if self.gone is None else self.gone
        if at - gone < nanoseconds(GONE_AFTER_S):
            return Held(state, level, since, gone)
        left = max(level, reached)
        state = replace(state, level=left, falling_since=None)
        return Held(state, level, since) if left > level else Held(state, level)


def reached(bands: Sequence[Band], upper: float) -> Level:
    """The highest level whose fall value an upper end reaches."""
    return max((band.level for band in bands if upper >= band.fall), default=Level.CLEAR)
