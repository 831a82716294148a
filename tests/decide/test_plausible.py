"""What cannot be people: both ways, on the ground of the simulated street."""

from dataclasses import dataclass

import msgspec
import numpy as np
import pytest
from numpy.typing import NDArray

from edge.common.sighting import HeadMap, PictureHealth, Sighting
from edge.common.units import NS_PER_S as NS
from edge.common.wire import Level
from edge.decide.decider import Decider
from edge.decide.plausible import IMPLAUSIBLE_PER_M2, MOST_PER_M2
from edge.decide.zones import ZoneCounter
from edge.site.ground.plane import GroundPlane
from edge.site.schema import DEMO_GROUND, DEMO_ZONE, Site
from hil.testkit.true_zone import counted

PLANE = GroundPlane.of(DEMO_GROUND)
EVERYWHERE = (-2.5, 2.5, 8.0, 16.0)


@dataclass(frozen=True)
class Patch:
    """People at a density (persons per m2) over X from, X to, Y from, Y to in metres."""

    density: float
    place: tuple[float, float, float, float] = EVERYWHERE

    def feet(self) -> NDArray[np.float64]:
        left, right, near, far = self.place
        count = round(self.density * (right - left) * (far - near))
        rng = np.random.default_rng(count)
        return rng.uniform((left, near), (right, far), (count, 2))


def heads(*patches: Patch, factor: float = 1.0) -> HeadMap:
    """What a counter sees that errs by `factor`."""
    feet = np.concatenate([patch.feet() for patch in patches])
    found = counted(PLANE.picture(feet, PLANE.head_height_m), PLANE.width, PLANE.height)
    return msgspec.structs.replace(found, count=found.count * np.float32(factor))


def street(decider: Decider, seen: HeadMap, seconds: float, from_s: float = 1.0) -> Decider:
    for step in range(int(seconds * 4)):
        at = round((from_s + step / 4) * NS)
        decider.see(Sighting(at, at, seen, PictureHealth(), "m"), at)
    return decider


def level(decider: Decider) -> Level:
    """Asked anew each time, which mypy would not believe of a property."""
    return decider.level


@pytest.mark.parametrize("factor", [0.7, 1.0, 1.3])
def test_a_crush_stays_critical_with_a_counter_that_errs(factor: float) -> None:
    decider = street(Decider(Site()), heads(Patch(8.0), factor=factor), 10)
    assert level(decider) is Level.CRITICAL
    (zone,) = decider.state(11 * NS, "").zones
    assert zone.occupancy is not None and zone.occupancy.implausible == 0.0


def test_the_densest_crowd_that_was_ever_simulated_is_nowhere_taken_out() -> None:
    (seen,) = ZoneCounter([DEMO_ZONE], DEMO_GROUND).count(heads(Patch(MOST_PER_M2)), 1).zones
    assert seen.implausible == 0.0


def test_a_small_phantom_is_taken_out_and_reported() -> None:
    """A planter of which the counter makes 40 per m2, in a nearly empty street."""
    phantom = Patch(40.0, (1.4, 2.5, 14.5, 16.0))
    few = Patch(0.3, (-2.5, 1.0, 8.0, 14.0))
    decider = street(Decider(Site()), heads(few, phantom), 30)
    (zone,) = decider.state(31 * NS, "").zones
    assert zone.occupancy is not None
    assert zone.occupancy.implausible > 20
    assert zone.occupancy.peak <= IMPLAUSIBLE_PER_M2
    assert 0 < zone.occupancy.implausible_area < 0.2 * DEMO_ZONE.area


def test_a_street_of_phantoms_is_unknown_and_says_why() -> None:
    decider = street(Decider(Site()), heads(Patch(0.5)), 10)
    assert level(decider) is Level.CLEAR
    street(decider, heads(Patch(40.0)), 5, from_s=11.0)
    assert level(decider) is Level.UNKNOWN
    reason = decider.state(16 * NS, "").reason
    assert "heads counted on" in reason and "at most 10 people can stand there" in reason


def test_a_level_that_was_reached_is_not_lost_to_a_doubtful_patch() -> None:
    decider = street(Decider(Site()), heads(Patch(6.0)), 10)
    assert level(decider) is Level.CRITICAL
    phantom = Patch(40.0, (1.4, 2.5, 14.5, 16.0))
    calm = Patch(0.3, (-2.5, 1.0, 8.0, 14.0))
    street(decider, heads(calm, phantom), 60, from_s=11.0)
    (zone,) = decider.state(71 * NS, "").zones
    assert zone.occupancy is not None and zone.occupancy.implausible > 0
    assert level(decider) is Level.CRITICAL
    street(decider, heads(calm), 80, from_s=72.0)
    assert level(decider) is Level.CLEAR


def test_a_zone_without_metres_has_its_area_to_go_by() -> None:
    site = Site.model_validate(
        {"zone": [{"name": "floor", "polygon": [(0, 0), (1, 0), (1, 1), (0, 1)], "area_m2": 10.0}]}
    )
    count = np.full((10, 10), 4.0, np.float32)
    seen = HeadMap(count, np.zeros_like(count), 16.0, 160, 160, 1.645)
    decider = street(Decider(site), seen, 5)
    assert level(decider) is Level.UNKNOWN
