"""Motion on the ground: crowds of known velocities over the demonstration's street."""

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from edge.common.errors import GroundError
from edge.common.sighting import HeadMap, Motion
from edge.common.units import NS_PER_S as NS
from edge.common.wire import Occupancy
from edge.decide.motion import MEMORY_S, PAUSE_S
from edge.decide.zones import ZoneCounter
from edge.site.ground.plane import GroundPlane
from edge.site.schema import DEMO_GROUND, DEMO_ZONE, Zone

PLANE = GroundPlane.of(DEMO_GROUND)
ROWS, COLUMNS, CELL = 22, 40, 16.0
Velocities = NDArray[np.float64]  # (2, rows, columns), m/s on the ground


def heads(each: float = 1.0) -> HeadMap:
    count = np.full((ROWS, COLUMNS), each, np.float32)
    return HeadMap(count, count, CELL, 640, 352, 1.645)


def everywhere(x: float, y: float) -> Velocities:
    return np.broadcast_to(np.array([x, y])[:, None, None], (2, ROWS, COLUMNS))


def picture_of(velocity: Velocities, sample: float = 2.0) -> Motion:
    """What a camera sees of it: the px that heads move by in a hundredth of a second, x 100."""
    x, y = np.meshgrid(np.arange(COLUMNS) + 0.5, np.arange(ROWS) + 0.5)
    feet = PLANE.feet(CELL * np.stack([x, y], axis=-1))
    both = [
        PLANE.picture(feet + sign * 0.005 * np.moveaxis(velocity, 0, -1), PLANE.head_height_m)
        for sign in (-1, 1)
    ]
    px = np.nan_to_num((both[1] - both[0]) / 0.01).astype(np.float32)
    return Motion(px[..., 0], px[..., 1], sample)


def watched(
    velocity: Callable[[float], Velocities],
    seconds: float = 15.0,
    every_s: float = 0.25,
    *,
    zones: tuple[Zone, ...] = (DEMO_ZONE,),
    crowd: HeadMap | None = None,
    sample: float = 2.0,
) -> list[Occupancy]:
    """The first zone at each of the pictures."""
    counter, seen = ZoneCounter(list(zones), DEMO_GROUND), []
    for t_s in np.arange(0.0, seconds, every_s).tolist():
        motion = picture_of(velocity(t_s), sample)
        seen.append(counter.count(crowd or heads(), round((1 + t_s) * NS), motion).zones[0])
    return seen


def known(zone: Occupancy) -> tuple[float, float, float]:
    assert zone.speed is not None
    assert zone.speed_variance is not None
    assert zone.pressure is not None
    return zone.speed, zone.speed_variance, zone.pressure


@pytest.mark.parametrize(("x", "y"), [(0.0, -1.2), (0.7, 0.0), (0.3, 0.4), (0.0, 0.0)])
def test_who_walk_alike_have_their_speed_and_no_variance(x: float, y: float) -> None:
    speed, variance, pressure = known(watched(lambda _: everywhere(x, y))[-1])
    assert speed == pytest.approx(np.hypot(x, y), abs=0.01)
    assert variance == pytest.approx(0, abs=1e-3)
    assert pressure == pytest.approx(0, abs=1e-3)


def test_two_streams_side_by_side_vary_but_press_little() -> None:
    """1 m/s each way: variance of all about 1; on a patch of one stream nothing changes."""
    x = np.meshgrid(np.arange(COLUMNS), np.arange(ROWS))[0]
    streams = np.stack([np.zeros_like(x, float), np.where(x < COLUMNS / 2, 1.0, -1.0)])
    speed, variance, pressure = known(watched(lambda _: streams)[-1])
    assert speed == pytest.approx(1, abs=0.02)
    assert variance == pytest.approx(1, abs=0.05)
    assert pressure == pytest.approx(0, abs=1e-3)


def test_a_crowd_pushed_to_and_fro_presses_by_density_times_variance() -> None:
    """All go 0.5 m/s to the left, then to the right, each second: a variance of 0.25."""
    seen = watched(lambda t_s: everywhere(0.5 if t_s % 2 < 1 else -0.5, 0.0), 60.0)
    figures = [(*known(zone), zone.peak) for zone in seen[120:]]
    speed, variance, pressure, peak = np.mean(figures, axis=0)
    assert speed == pytest.approx(0.5, abs=0.01)
    assert variance == pytest.approx(0.25, rel=0.05)
    assert pressure == pytest.approx(peak * 0.25, rel=0.05)


def test_nothing_is_known_before_five_seconds_of_motion() -> None:
    seen = watched(lambda _: everywhere(0.0, 1.0))
    assert [zone.speed is not None for zone in seen] == [
        number * 0.25 >= MEMORY_S for number in range(len(seen))
    ]


def test_a_pause_begins_anew_and_a_picture_without_motion_does_not() -> None:
    counter, motion = ZoneCounter([DEMO_ZONE], DEMO_GROUND), picture_of(everywhere(0.0, 1.0))

    def speed(at_s: float, motion: Motion | None) -> float | None:
        return counter.count(heads(), round(at_s * NS), motion).zones[0].speed

    for number in range(24):
        speed(1 + number / 4, motion)
    assert speed(7.0, None) == pytest.approx(1, abs=0.01)
    assert speed(6.75 + PAUSE_S, None) is not None
    assert speed(6.76 + PAUSE_S, None) is None
    assert speed(9.0, motion) is None
    assert speed(11.0, motion) is None


def test_the_memory_forgets_at_its_pace_whatever_the_pictures_rate() -> None:
    """After walking for long, and standing for as long as the memory: 1/e of the speed is left."""
    for every_s in (0.25, 1.0):
        seen = watched(lambda t_s: everywhere(0.0, 1.0 if t_s < 40 else 0.0), 45.0, every_s)
        assert seen[-1].speed == pytest.approx(np.exp(-1), abs=0.03)


def test_too_few_samples_per_metre_are_not_reported() -> None:
    """The stretch's far end has 44 px per metre at the height of heads."""
    assert watched(lambda _: everywhere(0.0, 1.0), 8.0, sample=2.1)[-1].speed is not None
    assert watched(lambda _: everywhere(0.0, 1.0), 8.0, sample=2.5)[-1].speed is None
    near = Zone(name="near", ground=[(-2, 8), (2, 8), (2, 10), (-2, 10)])
    assert watched(lambda _: everywhere(0, 1), 8.0, zones=(near,), sample=2.5)[-1].speed is not None


def test_of_nobody_no_speed_is_reported() -> None:
    empty = watched(lambda _: everywhere(0.0, 1.0), 8.0, crowd=heads(0.001))
    assert empty[-1].people < 1
    assert empty[-1].speed is None


def test_who_has_left_has_no_speed_any_more() -> None:
    counter, motion = ZoneCounter([DEMO_ZONE], DEMO_GROUND), picture_of(everywhere(0.0, 1.0))
    told = [
        counter.count(heads(1.0 if n < 40 else 0.001), NS + n * NS // 4, motion).zones[0].speed
        for n in range(42)
    ]
    assert told[39] == pytest.approx(1, abs=0.01)
    assert told[40:] == [None, None]


def test_a_zone_in_the_picture_has_no_metres_and_no_speed() -> None:
    zone = Zone(name="p", polygon=[(0, 0), (1, 0), (1, 1), (0, 1)], area_m2=100.0)
    counter = ZoneCounter([zone])
    for number in range(40):
        motion = picture_of(everywhere(0.0, 1.0))
        seen = counter.count(heads(), NS + number * NS // 4, motion)
    assert seen.zones[0].speed is None


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_what_is_no_number_is_forgotten(bad: float) -> None:
    counter, motion = ZoneCounter([DEMO_ZONE], DEMO_GROUND), picture_of(everywhere(0.0, 1.0))
    broken = Motion(np.full_like(motion.right, bad), motion.down, 2.0)
    speeds = [
        counter.count(heads(), NS + n * NS // 4, broken if n == 30 else motion).zones[0].speed
        for n in range(60)
    ]
    assert speeds[29] is not None
    assert speeds[30:51] == [None] * 21
    assert speeds[-1] == pytest.approx(1, abs=0.01)


def test_motion_of_other_cells_is_refused() -> None:
    counter = ZoneCounter([DEMO_ZONE], DEMO_GROUND)
    few = np.zeros((2, 2), np.float32)
    with pytest.raises(GroundError, match="motion of"):
        counter.count(heads(), NS, Motion(few, few, 2.0))


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(st.floats(-3, 3), st.floats(-3, 3)), min_size=30, max_size=40))
def test_no_motion_makes_a_figure_that_cannot_be(steps: list[tuple[float, float]]) -> None:
    """Variance and pressure are never negative; nothing is more than the fastest made."""
    counter = ZoneCounter([DEMO_ZONE], DEMO_GROUND)
    fastest = max(float(np.hypot(*step)) for step in steps)
    for number, step in enumerate(steps):
        motion = picture_of(everywhere(*step))
        (zone,) = counter.count(heads(), NS + number * NS // 4, motion).zones
        if zone.speed is not None:
            speed, variance, pressure = known(zone)
            assert 0 <= speed <= fastest * 1.01 + 0.01
            assert 0 <= variance <= fastest**2 * 1.01 + 0.01
            assert 0 <= pressure <= zone.peak * fastest**2 * 1.01 + 0.01
