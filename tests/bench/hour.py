"""An hour of the simulated street in autumn, from the afternoon into the evening.

Trees, fallen leaves, goods, strings of lamps (alight in the second half), and umbrellas over some.
The density goes up and down through all levels and never repeats itself.
"""

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from edge.common.wire import Level
from edge.street.crowd import Script, Street
from edge.street.scenarios import SCENARIOS, Scenario, scene_of
from edge.street.scene import LOOKS, standard_view
from hil.testkit.true_zone import TrueZone
from tests.bench.course import Moment, Seen

EVERY_S = 2.0
LENGTH_S = 3600.0
PARTS: tuple[Scenario, ...] = (SCENARIOS["autumn"], SCENARIOS["illuminations"])
SEED = 7
STAYS_S, CHANGES_S = (20.0, 70.0), (15.0, 60.0)
DENSITIES = (0.2, 6.5)  # persons per m2
SPELL_S = 10.0  # shorter ones are in no list


def script(seed: int = SEED, length_s: float = LENGTH_S) -> Script:
    """Densities over an hour: one for a while, then on to the next, and back to the first."""
    rng = np.random.default_rng([seed, 30])
    points, at_s = [(0.0, DENSITIES[0])], 0.0
    while at_s < length_s - STAYS_S[1] - 2 * CHANGES_S[1]:
        begins_s = at_s + float(rng.uniform(*CHANGES_S))
        at_s = begins_s + float(rng.uniform(*STAYS_S))
        density = float(rng.uniform(*DENSITIES))
        points += [(begins_s, density), (at_s, density)]
    return (*points, (at_s + CHANGES_S[1], DENSITIES[0]), (length_s, DENSITIES[0]))


def hour(zone: TrueZone, minutes: float) -> Iterator[Seen]:
    """The hour's first minutes and, of the evening, as many; picture by picture."""
    street, view = Street(script(), SEED, LOOKS), standard_view(640, 352)
    for number, part in enumerate(PARTS):
        scene = scene_of(part, view, street, SEED)
        begins_s = number * LENGTH_S / len(PARTS)
        for since_s in np.arange(0.0, 60 * minutes / len(PARTS), EVERY_S).tolist():
            at_s = begins_s + since_s
            feet = street.at(at_s).feet
            pixels = scene.at(at_s).pixels
            yield Seen(at_s, pixels, zone.density(feet), zone.peak(feet))


@dataclass(frozen=True)
class Spell:
    """A time during which the sign said another level than is true, as (truth, camera)."""

    from_s: float
    length_s: float
    truth: Level
    camera: Level
    peak: float
    counted: float


def spells(moments: Sequence[Moment]) -> list[Spell]:
    """All of them: without a break above the truth, or below."""
    found, known = [], [m for m in moments if Level.UNKNOWN not in {m.truth, m.camera}]
    for side, run in itertools.groupby(known, lambda m: int(np.sign(m.camera - m.truth))):
        if side:
            found.append(_spell(list(run)))
    return found


def _spell(run: Sequence[Moment]) -> Spell:
    worst = max(run, key=lambda m: abs(m.camera - m.truth))
    counted = [m.occupancy.peak for m in run if m.occupancy]
    length_s = EVERY_S * len(run)
    peak = float(np.mean([m.peak for m in run]))
    return Spell(run[0].at_s, length_s, worst.truth, worst.camera, peak, float(np.mean(counted)))


def show_hour(moments: Sequence[Moment]) -> None:
    """For each true level how long it was, and how long the sign was above and below it."""
    found = spells(moments)
    print("\n| true level | s | same | above, s | longest | below, s | longest | UNKNOWN, s |")
    print("|---|---|---|---|---|---|---|---|")
    for level in Level:
        here = [m for m in moments if m.truth is level]
        if level is Level.UNKNOWN or not here:
            continue
        same = sum(m.camera is level for m in here) / len(here)
        unknown = EVERY_S * sum(m.camera is Level.UNKNOWN for m in here)
        above = [s.length_s for s in found if s.truth is level and s.camera > level]
        below = [s.length_s for s in found if s.truth is level and s.camera < level]
        print(
            f"| {level.name} | {EVERY_S * len(here):.0f} | {100 * same:.0f} % | "
            f"{sum(above):.0f} | {max(above, default=0):.0f} | "
            f"{sum(below):.0f} | {max(below, default=0):.0f} | {unknown:.0f} |"
        )
    print(f"\nSpells of more than {SPELL_S:g} s:\n")
    print("| from, s | s | true | said | true peak | counted |\n|---|---|---|---|---|---|")
    for s in found:
        if s.length_s > SPELL_S:
            print(
                f"| {s.from_s:.0f} | {s.length_s:.0f} | {s.truth.name} | {s.camera.name} | "
                f"{s.peak:.1f} | {s.counted:.1f} |"
            )
    print(flush=True)
