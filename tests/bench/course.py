"""The whole way from picture to level, beside the same level machine given the truth."""

import itertools
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache

import numpy as np

from edge.common.units import nanoseconds
from edge.common.wire import Level, Occupancy
from edge.decide.decider import Decider
from edge.decide.levels import LevelState, Reading, bands_of, observe
from edge.site import Site
from edge.street.placed import Decor
from edge.street.scenarios import SCENARIOS, Recorded, StagedScenario, load_crowd, scene_of
from edge.street.scene import standard_view
from edge.watch.frame import Frame, Pixels
from edge.watch.main import Counting
from edge.watch.view import View
from edge.watch.view_monitor import ViewMonitor
from hil.testkit.true_zone import TrueZone
from tests.watch.views import view_of

EVERY_S = 1.0
LOW = (Level.CLEAR, Level.CAUTION)
LOOKS = range(0, 120, 15)


@dataclass(frozen=True, eq=False)
class Seen:
    """A picture, and its zone's true density and peak in persons per m2."""

    at_s: float
    pixels: Pixels
    density: float
    peak: float


@dataclass(frozen=True)
class Moment:
    """What was true, and what the camera's way made of it; no `occupancy` when not trusted."""

    at_s: float
    density: float
    peak: float
    truth: Level
    occupancy: Occupancy | None
    camera: Level


def course(site: Site, pictures: Iterable[Seen], guard: ViewMonitor | None) -> Iterator[Moment]:
    """A site of one zone, picture by picture."""
    counting, decider = Counting(site, live=False, guard=guard), Decider(site)
    bands, truth = bands_of(site.levels), LevelState()
    for seen in pictures:
        at = nanoseconds(1 + seen.at_s)  # zero means never
        decider.see(counting.sighting(Frame(seen.pixels, at)))
        truth, _ = observe(bands, truth, Reading(seen.peak, seen.peak, at))
        (zone,) = decider.state(at, "").zones
        yield Moment(seen.at_s, seen.density, seen.peak, truth.level, zone.occupancy, zone.level)


def of_scenario(
    name: str, zone: TrueZone, from_s: float = 0.0, until_s: float = np.inf
) -> Iterator[Seen]:
    """A scenario of the simulated street, second by second."""
    staged = StagedScenario(name)
    for at_s in np.arange(from_s, min(until_s, staged.length_s), EVERY_S).tolist():
        feet = staged.truth(at_s).feet
        yield Seen(at_s, staged.at(at_s).pixels, zone.density(feet), zone.peak(feet))


def quiet_view(name: str = "morning") -> View:
    """A scenario's street as learnt on a quiet day, for scenarios by day and by night."""
    return _view_of_street(SCENARIOS[name].decor, SCENARIOS[name].lamps)


@cache
def _view_of_street(decor: Decor | None, lamps: bool) -> View:
    quiet = replace(SCENARIOS["morning"], decor=decor, lamps=lamps)
    people = Recorded(load_crowd(quiet.crowd), seed=0)
    scene = scene_of(quiet, standard_view(640, 352), people, seed=0)
    return view_of([scene.at(float(at_s)).pixels for at_s in LOOKS])


def held(pictures: Iterable[Seen], hold_s: float) -> Iterator[Seen]:
    """Pictures taken far apart: each again every second, until the next or for `hold_s`."""
    for seen, following in itertools.pairwise(itertools.chain(pictures, [None])):
        assert seen is not None
        until_s = (
            seen.at_s + hold_s if following is None else min(following.at_s, seen.at_s + hold_s)
        )
        for at_s in np.arange(seen.at_s, until_s, EVERY_S).tolist():
            yield replace(seen, at_s=at_s)


def longest(moments: Iterable[Moment], levels: Sequence[Level]) -> float:
    """For how many seconds at most the camera says one of `levels` while the truth is CRITICAL."""
    found = [m.truth is Level.CRITICAL and m.camera in levels for m in moments]
    return max(
        (EVERY_S * len(list(run)) for low, run in itertools.groupby(found) if low), default=0
    )


def delays(moments: Sequence[Moment], level: Level) -> list[float | None]:
    """Seconds from each rise of the truth to `level` or above until the camera says so, too.

    Negative where it did before; None where it has not done so when the truth is below again.
    """
    truth = [moment.truth >= level for moment in moments]
    camera = [moment.camera >= level for moment in moments]
    rises = [i for i in range(1, len(truth)) if truth[i] and not truth[i - 1]]
    return [_delay(truth, camera, rise) for rise in rises]


def _delay(truth: Sequence[bool], camera: Sequence[bool], rise: int) -> float | None:
    if camera[rise]:
        said_since = list(itertools.takewhile(bool, camera[rise::-1]))
        return EVERY_S * (1 - len(said_since))
    for later in range(rise, len(truth)):
        if camera[later]:
            return EVERY_S * (later - rise)
        if not truth[later]:
            break
    return None
