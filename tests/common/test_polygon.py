"""Outlines: areas, crossings, and exact overlaps."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from edge.common.polygon import area, crossing
from edge.site.ground.overlap import covered

L_SHAPE = [(0.0, 0.0), (4.0, 0.0), (4.0, 1.0), (1.0, 1.0), (1.0, 3.0), (0.0, 3.0)]


def inside(points: NDArray[np.float64], outline: list[tuple[float, float]]) -> NDArray[np.bool_]:
    """Even-odd rule: whether each point has an odd number of sides to its right."""
    found = np.zeros(len(points), bool)
    for (ax, ay), (bx, by) in zip(outline, outline[1:] + outline[:1], strict=True):
        if ay != by:
            between = (points[:, 1] > min(ay, by)) & (points[:, 1] <= max(ay, by))
            found ^= between & (points[:, 0] < ax + (points[:, 1] - ay) / (by - ay) * (bx - ax))
    return found


def test_the_area_of_an_l() -> None:
    assert area(L_SHAPE) == area(L_SHAPE[::-1]) == 4 + 2


def test_a_bow_tie_crosses_and_an_l_does_not() -> None:
    assert crossing(L_SHAPE) is None
    assert crossing([(0, 0), (1, 1), (1, 0), (0, 1)]) == (1, 3)
    assert crossing([(0, 0), (4, 0), (4, 1), (2, 0), (0, 1)]) is not None


corner = st.tuples(st.floats(-1, 5), st.floats(-1, 4))


@settings(deadline=None, max_examples=60)
@given(corner, st.floats(0.3, 3), st.floats(0.3, 3), st.floats(0, 6.28), st.booleans())
def test_overlaps_are_what_darts_find(
    middle: tuple[float, float], wide: float, high: float, turn: float, backwards: bool
) -> None:
    """A turned rectangle over an outline that is not convex, against 20000 random points."""
    box = np.array([(-wide, -high), (wide, -high), (wide, high), (-wide, high)]) / 2
    c, s = np.cos(turn), np.sin(turn)
    cell = box @ np.array([(c, s), (-s, c)]) + middle
    darts = np.random.default_rng(0).uniform(-0.5, 0.5, (20000, 2)) * (wide, high)
    darts = darts @ np.array([(c, s), (-s, c)]) + middle
    outline = L_SHAPE[::-1] if backwards else L_SHAPE
    (found,) = covered(cell[None], np.array(outline))
    assert found == pytest.approx(
        wide * high * inside(darts, L_SHAPE).mean(), abs=0.02 * wide * high
    )


def test_cells_that_tile_the_plane_add_up_to_the_outline() -> None:
    x, y = np.meshgrid(np.arange(-1, 6, 0.37), np.arange(-1, 5, 0.29))
    paths = np.stack([x, y], axis=-1)
    cells = np.stack(
        [paths[:-1, :-1], paths[:-1, 1:], paths[1:, 1:], paths[1:, :-1]], axis=2
    ).reshape(-1, 4, 2)
    assert covered(cells, np.array(L_SHAPE)).sum() == pytest.approx(6.0)
