"""Zones: the part of each cell, and the people in it."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from edge.common.sighting import HeadMap
from edge.decide.zones import ZoneCounter
from edge.site.schema import Zone


def heads(rows: int = 22, columns: int = 40, each: float = 1.0) -> HeadMap:
    count = np.full((rows, columns), each, np.float32)
    return HeadMap(count, count, 16.0, columns * 16, rows * 16, 1.645)


def weights(zone: Zone) -> NDArray[np.float64]:
    """The part of each cell in the zone, from maps with one head in a single cell each."""
    counter, each = ZoneCounter([zone]), np.zeros((22, 40))
    for row, column in np.ndindex(22, 40):
        count = np.zeros((22, 40), np.float32)
        count[row, column] = 1
        crowd = counter.count(HeadMap(count, count, 16.0, 640, 352, 1.645), 1)
        each[row, column] = crowd.zones[0].people
    return each


def test_the_whole_picture_counts_everything_once() -> None:
    zone = Zone(name="all", polygon=[(0, 0), (1, 0), (1, 1), (0, 1)], area_m2=100.0)
    assert np.allclose(weights(zone), 1.0)


def test_half_a_cell_counts_half() -> None:
    zone = Zone(name="half", polygon=[(0, 0), (1 / 80, 0), (1 / 80, 1), (0, 1)], area_m2=1000.0)
    assert np.allclose(weights(zone)[:, 0], 0.5)
    assert np.allclose(weights(zone)[:, 1:], 0.0)


def test_a_notched_zone_leaves_its_notch_out() -> None:
    zone = Zone(
        name="u",
        polygon=[(0, 0), (0.25, 0), (0.25, 0.5), (0.75, 0.5), (0.75, 0), (1, 0), (1, 1), (0, 1)],
        area_m2=1000.0,
    )
    (seen,) = ZoneCounter([zone]).count(heads(), 1).zones
    assert seen.people == pytest.approx(40 * 22 * 0.75, rel=1e-5)


corner = st.floats(0.0, 1.0).map(lambda value: round(value, 3))


@settings(deadline=None, max_examples=30)
@given(st.lists(st.tuples(corner, corner), min_size=3, max_size=3, unique=True))
def test_weights_add_up_to_the_area_of_the_outline(triangle: list[tuple[float, float]]) -> None:
    (ax, ay), (bx, by), (cx, cy) = triangle
    area = abs((bx - ax) * (cy - ay) - (cx - ax) * (by - ay)) / 2 * 40 * 22
    zone = Zone(name="t", polygon=triangle, area_m2=1000.0)
    (seen,) = ZoneCounter([zone]).count(heads(), 1).zones
    assert seen.people == pytest.approx(area, rel=1e-5, abs=1e-3)


def test_occupancy_divides_by_the_stated_area_and_carries_the_interval() -> None:
    zone = Zone(name="all", polygon=[(0, 0), (1, 0), (1, 1), (0, 1)], area_m2=176.0)
    (seen,) = ZoneCounter([zone]).count(heads(), taken_at=5).zones
    assert seen.people == pytest.approx(880.0)
    assert seen.density == pytest.approx(5.0)
    assert seen.high - seen.people == pytest.approx(1.645 * 880**0.5)
    assert seen.low < seen.people < seen.high


def test_another_picture_size_gets_its_own_weights() -> None:
    zone = Zone(name="left", polygon=[(0, 0), (0.5, 0), (0.5, 1), (0, 1)], area_m2=1000.0)
    counter = ZoneCounter([zone])
    (wide,) = counter.count(heads(), taken_at=1).zones
    (tall,) = counter.count(heads(rows=34, columns=24), taken_at=2).zones
    assert wide.people == pytest.approx(22 * 20)
    assert tall.people == pytest.approx(34 * 12)
