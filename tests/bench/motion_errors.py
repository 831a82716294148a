"""`python -m tests.bench.motion_errors [SCENARIO...]`: measured motion against the truth.

With the true heads, where motion alone can err, and with the counter in the way. The truth has
everybody's own velocity from frame to frame, remembered for as long as what is measured.
"""

import math
import sys
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edge.common.sighting import HeadMap, Motion
from edge.common.units import nanoseconds
from edge.decide.motion import LEAST_PEOPLE, MEMORY_S
from edge.decide.zones import ZoneCounter
from edge.site.schema import DEMO_GROUND, DEMO_ZONE, Site
from edge.street.crowd import ZONE_FAR_M, ZONE_HALF_M, ZONE_NEAR_M
from edge.street.scenarios import SCENARIOS, StagedScenario, load_crowd
from edge.street.truth import STRETCH, inside
from edge.watch.frame import Frame
from edge.watch.main import Counting
from edge.watch.motion import MotionMeter

Floats = NDArray[np.float64]

EVERY_S = 0.25
CELL = 16
# The patch of the site, a Gaussian with R2 = patch / 2 pi; in the truth those well inside.
RADIUS_M = (DEMO_GROUND.patch_m2 / (2 * math.pi)) ** 0.5
INSIDE_M, STEP_M = 0.8, 0.4


@dataclass(frozen=True)
class Figures:
    """People in the zone, their mean speed, variance of velocities and crowd pressure."""

    people: float
    speed: float
    variance: float
    pressure: float


class TrueMotion:
    """Everybody's velocity on the counted stretch, remembered as in `edge/decide/motion.py`."""

    def __init__(self, crowd: str) -> None:
        self._paths = load_crowd(crowd)
        self._names = np.arange(self._paths.people)
        x = np.arange(INSIDE_M - ZONE_HALF_M, ZONE_HALF_M - INSIDE_M + 1e-9, STEP_M)
        y = np.arange(ZONE_NEAR_M + INSIDE_M, ZONE_FAR_M - INSIDE_M + 1e-9, STEP_M)
        self._middles = np.stack(np.meshgrid(x, y), axis=-1).reshape(-1, 2)
        self._zone, self._patches = np.zeros(5), np.zeros((4, len(self._middles)))
        self._began_s: float | None = None

    def see(self, t_s: float) -> Figures | None:
        """The figures at a time, after those at all times before."""
        feet, velocity = self._moving(t_s)
        keep = 0.0 if self._began_s is None else math.exp(-EVERY_S / MEMORY_S)
        self._began_s = t_s if self._began_s is None else self._began_s
        speed = np.hypot(*velocity.T)
        zone = np.array([len(feet), *velocity.sum(axis=0), speed.sum(), (speed**2).sum()])
        patches = self._local(feet, velocity)
        self._zone = zone + keep * (self._zone - zone)
        self._patches = patches + keep * (self._patches - patches)
        if t_s - self._began_s < MEMORY_S or len(feet) < LEAST_PEOPLE:
            return None
        people, x, y, total, squares = self._zone
        density, px, py, local = self._patches
        return Figures(
            people=float(people),
            speed=float(total / people),
            variance=float((squares - (x**2 + y**2) / people) / people),
            pressure=float((local - (px**2 + py**2) / np.maximum(density, 1e-6)).max()),
        )

    def _moving(self, t_s: float) -> tuple[Floats, Floats]:
        """Feet on the stretch, and the velocity of each since the frame before."""
        before = self._paths.at(t_s - EVERY_S, self._names)
        after = self._paths.at(t_s, self._names)
        _, first, second = np.intersect1d(before.look, after.look, return_indices=True)
        feet = after.feet[second]
        here = inside(feet, STRETCH)
        return feet[here], ((feet - before.feet[first]) / EVERY_S)[here]

    def _local(self, feet: Floats, velocity: Floats) -> Floats:
        """Of every patch: density, density x local velocity (X, Y), density x its square."""
        square = ((self._middles[:, None] - feet[None]) ** 2).sum(axis=-1)
        weight = np.exp(-square / RADIUS_M**2) / (math.pi * RADIUS_M**2)
        density, flow = weight.sum(axis=1), weight @ velocity
        local = (flow**2).sum(axis=1) / np.maximum(density, 1e-6)
        return np.stack([density, *flow.T, local])


def true_heads(centres: NDArray[np.float32], width: int, height: int) -> HeadMap:
    """The head map of a counter that never errs."""
    rows, columns = -(-height // CELL), -(-width // CELL)
    count = np.zeros((rows, columns), np.float32)
    column, row = (centres // CELL).astype(int).T
    np.add.at(count, (row, column), 1)
    return HeadMap(count, np.zeros_like(count), CELL, width, height, 1.645)


Course = list[tuple[Figures, Figures | None, Figures | None]]


def course(name: str) -> tuple[Course, int]:
    """Truth, with true heads, and with the counter; and how many pictures gave no motion."""
    staged, truth = StagedScenario(name), TrueMotion(SCENARIOS[name].crowd)
    counting, meter = Counting(Site(), live=False), MotionMeter()
    by_truth, by_count = (ZoneCounter([DEMO_ZONE], DEMO_GROUND) for _ in range(2))
    found: Course = []
    lost = 0
    for t_s in np.arange(EVERY_S, staged.length_s - EVERY_S, EVERY_S).tolist():
        picture, at = staged.at(t_s), nanoseconds(1 + t_s)
        frame = Frame(picture.pixels, at)
        heads = true_heads(picture.heads, frame.pixels.shape[1], frame.pixels.shape[0])
        exact = _figures(by_truth, heads, meter.see(frame, heads), at)
        sighting = counting.sighting(frame)
        lost += sighting.motion is None
        seen = None
        if sighting.heads is not None:
            seen = _figures(by_count, sighting.heads, sighting.motion, at)
        true = truth.see(t_s)
        if true is not None:
            found.append((true, exact, seen))
    return found, lost


def _figures(
    counter: ZoneCounter, heads: HeadMap, motion: Motion | None, at: int
) -> Figures | None:
    (zone,) = counter.count(heads, at, motion).zones
    if zone.speed is None or zone.speed_variance is None or zone.pressure is None:
        return None
    return Figures(zone.people, zone.speed, zone.speed_variance, zone.pressure)


# Of a zone of 40 m2: those few of whom each counts, and crowds that walk, creep and stand.
KINDS: dict[str, Callable[[Figures], bool]] = {
    "under 0.5 /m2": lambda true: true.people < 20,
    "faster than 0.5 m/s": lambda true: true.people >= 20 and true.speed >= 0.5,
    "0.1 to 0.5 m/s": lambda true: true.people >= 20 and 0.1 <= true.speed < 0.5,
    "slower than 0.1 m/s": lambda true: true.people >= 20 and true.speed < 0.1,
}


def lines(name: str) -> list[str]:
    """The rows of one scenario."""
    found, lost = course(name)
    rows = []
    for kind, belongs in KINDS.items():
        chosen = [row for row in found if belongs(row[0])]
        for source, column in (("true heads", 1), ("counter", 2)):
            pairs = [(row[0], row[column]) for row in chosen]
            known = [(true, seen) for true, seen in pairs if seen is not None]
            if known:
                share = 100 * len(known) / len(pairs)
                rows.append(f"| {name} | {kind} | {source} | {share:.0f} % | {_errors(known)} |")
    return [*rows, f"| {name} | pictures without motion | | {lost} | | | | |"]


def _errors(known: list[tuple[Figures, Figures]]) -> str:
    """Truth, measured and mean absolute error of speed; truth and measured of the others."""
    true, seen = (
        np.array([(one.speed, one.variance, one.pressure) for one in column])
        for column in zip(*known, strict=True)
    )
    off = np.abs(seen - true)[:, 0].mean()
    speed, variance, pressure = zip(true.mean(axis=0), seen.mean(axis=0), strict=True)
    highest = f"{true[:, 2].max():.3f} / {seen[:, 2].max():.3f}"
    return (
        f"{speed[0]:.2f} / {speed[1]:.2f} | {off:.3f} | {variance[0]:.3f} / {variance[1]:.3f} | "
        f"{pressure[0]:.3f} / {pressure[1]:.3f} | {highest}"
    )


def main(names: list[str]) -> None:
    """Print the table."""
    print("Each figure: true / measured. Speed m/s, variance m2/s2, pressure 1/s2.\n")
    print("| scenario | crowd | heads | known | speed | error | variance | pressure | highest |")
    print("|---|---|---|---|---|---|---|---|---|")
    for name in names or list(SCENARIOS):
        print("\n".join(lines(name)), flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
