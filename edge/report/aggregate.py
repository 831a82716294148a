"""Counts over a minute: what each zone's people, density and levels were. Pure."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass, field

from edge.common.units import NS_PER_S, seconds
from edge.common.wire import Level, Occupancy, State

# A State is valid for this long at most; after that nothing is known.
STANDS_FOR = 3 * NS_PER_S
# What is beyond these was not measured: persons (per m2, too), and m/s.
MOST_PEOPLE, FASTEST = 1e6, 100.0


@dataclass(frozen=True)
class Spread:
    """Of a quantity over the period; None where there was no sample."""

    minimum: float | None
    mean: float | None
    maximum: float | None
    p95: float | None


@dataclass(frozen=True)
class Aggregate:
    """One zone over one period, times in boot-time ns; shares of time per level add up to 1.

    `speed` is the mean over its people in m/s, None where at no moment both were known.
    """

    zone: str
    start: int
    end: int
    samples: int
    people: Spread
    density: Spread
    speed: float | None
    shares: dict[Level, float]


@dataclass
class _ZoneMinute:
    seen: list[Occupancy] = field(default_factory=list)
    lasted: dict[Level, int] = field(default_factory=dict)


class Aggregator:
    """Collects States and closes a period whenever its time has come.

    The time that no State covers is UNKNOWN, never empty street.
    """

    def __init__(self, period_s: int, zones: Sequence[str], now: int) -> None:
        self._period = period_s * NS_PER_S
        self._names = tuple(zones)
        self._zones: dict[str, _ZoneMinute] = {}
        self._last: State | None = None
        self._begin(now)

    def add(self, state: State) -> list[Aggregate]:
        """Take a State; one that is not newer than the last changes nothing."""
        if self._last is not None and state.at <= self._last.at:
            return []
        closed = self.pass_time(state.at)
        self._last = state
        for zone in state.zones:
            seen = zone.occupancy
            if zone.zone in self._zones and seen is not None and _is_sound(seen):
                self._zones[zone.zone].seen.append(seen)
        return closed

    def pass_time(self, now: int) -> list[Aggregate]:
        """Close every period that has ended by `now`."""
        closed: list[Aggregate] = []
        while now >= self._end:
            self._cover(self._end)
            closed += [self._close(name) for name in self._names]
            # Long silence gives one long UNKNOWN period, not thousands of short ones.
            behind = now - self._end >= self._period
            self._begin(self._end, now // self._period * self._period if behind else None)
        self._cover(now)
        return closed

    def _begin(self, start: int, end: int | None = None) -> None:
        self._start = self._covered = start
        self._end = end or (start // self._period + 1) * self._period
        self._zones = {name: _ZoneMinute() for name in self._names}

    def _cover(self, until: int) -> None:
        """Add the time since the last update to the levels that were in force."""
        if until <= self._covered:
            return
        known_until = self._last.at + STANDS_FOR if self._last else self._covered
        known_until = min(max(known_until, self._covered), until)
        levels = {zone.zone: zone.level for zone in self._last.zones} if self._last else {}
        for name, minute in self._zones.items():
            level = levels.get(name, Level.UNKNOWN)
            for held, lasted in (
                (level, known_until - self._covered),
                (Level.UNKNOWN, until - known_until),
            ):
                minute.lasted[held] = minute.lasted.get(held, 0) + lasted
        self._covered = until

    def _close(self, name: str) -> Aggregate:
        minute = self._zones[name]
        whole = self._end - self._start
        return Aggregate(
            zone=name,
            start=self._start,
            end=self._end,
            samples=len(minute.seen),
            people=_spread([seen.people for seen in minute.seen]),
            density=_spread([seen.density for seen in minute.seen]),
            speed=_mean_speed(minute.seen),
            shares={level: minute.lasted.get(level, 0) / whole for level in Level},
        )


def _is_sound(seen: Occupancy) -> bool:
    """Return whether its figures can be true; what is no number is not known."""
    return 0 <= seen.people < MOST_PEOPLE and 0 <= seen.density < MOST_PEOPLE


def _mean_speed(seen: Sequence[Occupancy]) -> float | None:
    """Of all people, so that a moment counts by how many there were."""
    moving = [(o.speed, o.people) for o in seen if o.speed is not None and 0 <= o.speed < FASTEST]
    people = sum(number for _, number in moving)
    return sum(speed * number for speed, number in moving) / people if people > 0 else None


def _spread(values: list[float]) -> Spread:
    if not values:
        return Spread(None, None, None, None)
    return Spread(min(values), statistics.fmean(values), max(values), _p95(values))


def _p95(values: list[float]) -> float:
    """Return the value below which 95 % lie, on the straight line between its two neighbours."""
    if len(values) == 1:
        return values[0]  # statistics wants two before Python 3.13
    return statistics.quantiles(values, n=20, method="inclusive")[-1]


def length_s(aggregate: Aggregate) -> float:
    """Return the length of the period in seconds."""
    return seconds(aggregate.end - aggregate.start)
