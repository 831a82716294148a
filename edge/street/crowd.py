"""The people of the simulated street: where each stands at any time, by a script of density.

People walk in at both ends of the street and out at the other end: nobody appears out of nothing.
They enter as densely as the script asks for in the counted stretch when they get there, and all
walk slower where it is crowded. Metres: X across the street, Y along it, away from the camera's
pole; seconds.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Script = tuple[tuple[float, float], ...]

# Seconds and persons per m2: quiet, up through every level to CRITICAL, and down again with time
# for the levels to fall one by one.
DEMO: Script = (
    (0.0, 0.5), (10.0, 0.5), (22.0, 2.4), (32.0, 3.6), (44.0, 6.8), (62.0, 6.8), (84.0, 0.5),
    (150.0, 0.5),
)  # fmt: skip

# The counted stretch, X from -2.5 to 2.5 and Y from 8 to 16 m.
ZONE_HALF_M, ZONE_NEAR_M, ZONE_FAR_M = 2.5, 8.0, 16.0
ZONE_AREA_M2 = 2 * ZONE_HALF_M * (ZONE_FAR_M - ZONE_NEAR_M)

LANE_HALF_M = 2.75  # people walk this far from the street's middle
NEAR_M, FAR_M = 4.5, 21.5
FREE_PACE_M_S, JAMMED_PACE_M_S, JAMMED_PER_M2 = 1.2, 0.55, 6.0
PACES = (0.85, 1.15)  # the slowest and the quickest walker, of the common pace
PERSONAL_M = 0.38
LISTED_M = 0.55  # who is nearer than this may have to make room
LISTS, PUSHES = 4, 7  # how often neighbours are listed, and pushed apart after each listing
FACINGS = 8  # directions in which people are drawn
TOWARDS, AWAY = 0, 4
STEP_M = 0.25  # of the common walk, in which entries are planned
GOLDEN = (math.sqrt(5) - 1) / 2


@dataclass(frozen=True)
class Walkers:
    """Everybody who enters during one cycle: one row each.

    `entry_m` is how far the common walk had come when the person entered.
    """

    entry_m: Floats
    pace: Floats  # of the common pace; negative: towards the camera
    lane_m: Floats
    sway: Floats
    look: NDArray[np.int64]


@dataclass(frozen=True)
class Crowd:
    """Everybody on the street at one moment: feet (N, 2) in metres, facing, and looks.

    `facing` counts in parts of a turn, `FACINGS` to a whole one: 0 looks towards the camera, and
    the next ones to the left of the person before.
    """

    feet: Floats
    facing: NDArray[np.int64]
    look: NDArray[np.int64]

    def in_zone(self) -> int:
        """How many stand on the counted stretch."""
        x, y = self.feet.T
        inside = (np.abs(x) <= ZONE_HALF_M) & (y >= ZONE_NEAR_M) & (y <= ZONE_FAR_M)
        return int(np.sum(inside))

    def far_to_near(self) -> "Crowd":
        """The same people in the order of drawing."""
        order = np.argsort(-self.feet[:, 1], kind="stable")
        return Crowd(self.feet[order], self.facing[order], self.look[order])


@dataclass(frozen=True)
class Walk:
    """How far everybody has walked, on average: metres over one cycle of seconds."""

    times_s: Floats
    walked_m: Floats

    @property
    def cycle_s(self) -> float:
        """The script's length."""
        return float(self.times_s[-1])

    @property
    def cycle_m(self) -> float:
        """How far one cycle takes."""
        return float(self.walked_m[-1])

    def at(self, t_s: float) -> float:
        """Metres at a time, modulo the cycle."""
        return float(np.interp(t_s % self.cycle_s, self.times_s, self.walked_m))


class Street:
    """A stretch of street with people on it, from `NEAR_M` to `far_m`."""

    def __init__(self, script: Script, seed: int, looks: int, far_m: float = FAR_M) -> None:
        rng = np.random.default_rng([seed, 1])
        self._length_m = far_m - NEAR_M
        self._far_m = far_m
        self._walk = _common_walk(script)
        self._walkers = _schedule(script, self._walk, self._length_m, rng, looks)

    def at(self, t_s: float) -> Crowd:
        """The people at a time; the script repeats for ever."""
        people = self._walkers
        since = (self._walk.at(t_s) - people.entry_m) % self._walk.cycle_m
        walked = since * np.abs(people.pace)
        here = walked <= self._length_m
        walked, pace = walked[here], people.pace[here]
        along = np.where(pace > 0, NEAR_M + walked, self._far_m - walked)
        across = people.lane_m[here] + 0.12 * np.sin(1.2 * since[here] + people.sway[here])
        feet = _keep_apart(np.stack([across, along], axis=1))
        return Crowd(feet, np.where(pace > 0, AWAY, TOWARDS), people.look[here])


def _common_walk(script: Script) -> Walk:
    """Slower where the script is crowded, linearly from the free to the jammed pace."""
    at, density = (np.array(part, np.float64) for part in zip(*script, strict=True))
    times = np.linspace(0.0, at[-1], 1 + max(1, math.ceil(at[-1] / 0.05)))
    crowding = (np.interp(times, at, density) / JAMMED_PER_M2).clip(0, 1)
    pace = FREE_PACE_M_S + (JAMMED_PACE_M_S - FREE_PACE_M_S) * crowding
    walked = np.concatenate([[0.0], np.cumsum((pace[1:] + pace[:-1]) / 2 * np.diff(times))])
    return Walk(times, walked)


def _schedule(
    script: Script, walk: Walk, length_m: float, rng: np.random.Generator, looks: int
) -> Walkers:
    """When each person enters, so that the density in the counted stretch follows the script."""
    edges = np.linspace(0.0, walk.cycle_m, 1 + max(1, round(walk.cycle_m / STEP_M)))
    entered = np.concatenate([[0.0], np.cumsum(_entries(script, walk, length_m, edges))])
    count = math.floor(entered[-1] + 1e-6)
    order = np.arange(count)
    entry_m = np.interp(order + rng.uniform(0.2, 0.8, count), entered, edges)
    # Successive lanes by the golden ratio: even across the street, and never in step.
    lane = ((order * GOLDEN + rng.uniform(0, 0.1, count)) % 1) * 2 - 1
    direction = np.where(rng.random(count) < 0.5, 1.0, -1.0)
    return Walkers(
        entry_m=entry_m,
        pace=direction * rng.uniform(*PACES, count),
        lane_m=lane * LANE_HALF_M,
        sway=rng.uniform(0, 2 * math.pi, count),
        look=rng.integers(looks, size=count),
    )


def _entries(script: Script, walk: Walk, length_m: float, edges: Floats) -> Floats:
    """How many people have to enter in each step of the common walk.

    The number in the counted stretch is the entries before, each times the part of such people
    who are on the stretch so much later: a circular convolution. It is undone by multiplicative
    steps (Richardson 1972, Lucy 1974), which never ask for less than nobody.
    """
    middle = (edges[:-1] + edges[1:]) / 2
    at, density = zip(*script, strict=True)
    times = np.interp(middle, walk.walked_m, walk.times_s)
    wanted = np.interp(times, at, density) * ZONE_AREA_M2
    present = np.fft.rfft(_part_present(middle, length_m))
    entries = np.full(len(middle), max(float(np.mean(wanted)), 1e-9) / present[0].real)
    for _ in range(60):
        reached = np.fft.irfft(np.fft.rfft(entries) * present, len(middle)).clip(1e-9)
        blame = np.fft.irfft(np.fft.rfft(wanted / reached) * np.conj(present), len(middle))
        entries = entries * (blame / present[0].real).clip(0)
    return np.asarray(entries, np.float64)


def _part_present(since_m: Floats, length_m: float) -> Floats:
    """The part of people on the counted stretch `since_m` of the common walk after entering."""
    paces = np.linspace(*PACES, 15)[:, None]
    walked = since_m[None, :] * paces
    near, far = ZONE_NEAR_M - NEAR_M, ZONE_FAR_M - NEAR_M
    from_near = (walked >= near) & (walked <= far)
    from_far = (walked >= length_m - far) & (walked <= length_m - near)
    present: Floats = (from_near.mean(axis=0) + from_far.mean(axis=0)) / 2
    return present * ZONE_HALF_M / LANE_HALF_M


def _keep_apart(feet: Floats) -> Floats:
    """Push people who stand too close a bit more than half the missing distance apart each.

    Who may come close to whom is listed once in a while, not for every push.
    """
    x, y = feet.T.copy()
    limit = LANE_HALF_M + 0.2
    for _ in range(LISTS):
        one, other = _pairs(x, y)
        for _ in range(PUSHES):
            gap_x, gap_y = x[other] - x[one], y[other] - y[one]
            distance = np.sqrt(gap_x**2 + gap_y**2) + 1e-9
            part = 0.6 * np.maximum(0.0, PERSONAL_M / distance - 1)
            x = (x + _sums(gap_x * part, one, other, len(x))).clip(-limit, limit)
            y = y + _sums(gap_y * part, one, other, len(y))
    return np.stack([x, y], axis=1)


def _sums(push: Floats, one: NDArray[np.int64], other: NDArray[np.int64], count: int) -> Floats:
    """The sum of pushes on each person: forward for `other`, back for `one`."""
    summed = np.bincount(other, push, count) - np.bincount(one, push, count)
    return np.asarray(summed, np.float64)


def _pairs(x: Floats, y: Floats) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """All pairs of people less than `LISTED_M` apart in both directions, each pair once."""
    order = np.argsort(y, kind="stable")
    first = np.arange(len(y))
    last = np.searchsorted(y[order], y[order] + LISTED_M)
    counts = np.maximum(last - first - 1, 0)
    start = np.repeat(first, counts)
    within = np.arange(len(start)) - np.repeat(np.cumsum(counts) - counts, counts)
    one, other = order[start], order[start + 1 + within]
    near = np.abs(x[one] - x[other]) < LISTED_M
    return one[near], other[near]
