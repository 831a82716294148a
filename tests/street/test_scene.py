"""The simulated street: repeatable, true to its script, and as the camera would see it."""

import math
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from edge.site.schema import DEMO_GROUND, DEMO_ZONE
from edge.street.crowd import DEMO, PERSONAL_M, ZONE_AREA_M2, Street
from edge.street.pinhole import PinholeCamera
from edge.street.scene import ZONE_M, Scene


@pytest.mark.slow
def test_the_same_seed_and_time_give_the_same_picture() -> None:
    first, second = Scene(seed=3), Scene(seed=3)
    second.at(50.0)  # what was looked at before does not matter
    assert np.array_equal(first.at(20.0).pixels, second.at(20.0).pixels)
    assert not np.array_equal(first.at(20.0).pixels, Scene(seed=4).at(20.0).pixels)


def test_the_script_repeats() -> None:
    street = Street(DEMO, 0, 10)
    assert np.allclose(street.at(12.0).feet, street.at(162.0).feet)


@pytest.mark.parametrize("moment", [5.0, 16.0, 27.0, 38.0, 53.0, 74.0, 120.0])
def test_the_zone_follows_the_script(moment: float) -> None:
    """Within half a person per m2, which the walking in and out allows for."""
    times, densities = zip(*DEMO, strict=True)
    wanted = float(np.interp(moment, times, densities))
    found = Scene(64, 64).people_in_zone(moment) / ZONE_AREA_M2
    assert found == pytest.approx(wanted, abs=0.5)


def test_nobody_appears_or_vanishes_in_the_middle_of_the_street() -> None:
    """Everybody in the middle has somebody within a step's reach a tenth of a second before."""
    street = Street(DEMO, 0, 10)
    for moment in (25.0, 50.0, 80.0):
        before, now = street.at(moment - 0.1).feet, street.at(moment).feet
        middle = now[(now[:, 1] > 7) & (now[:, 1] < 19)]
        gaps = np.hypot(*(middle[:, None] - before[None, :]).transpose(2, 0, 1)).min(axis=1)
        assert gaps.max() < 0.4


@pytest.mark.parametrize("moment", [10.0, 35.0, 53.0, 60.0])
def test_people_keep_their_distance(moment: float) -> None:
    """Even in the worst crowd no two heads are in one place."""
    feet = Street(DEMO, 0, 10).at(moment).feet
    gaps = np.hypot(*(feet[:, None] - feet[None, :]).transpose(2, 0, 1))
    np.fill_diagonal(gaps, 9.0)
    nearest = gaps.min(axis=1)
    assert np.quantile(nearest, 0.1) > 0.9 * PERSONAL_M
    assert nearest.min() > 0.75 * PERSONAL_M


def test_heads_lie_inside_the_picture_and_above_their_feet() -> None:
    scene = Scene()
    picture = scene.at(50.0)
    assert np.all((picture.heads >= 0) & (picture.heads < (640, 352)))
    assert len(picture.heads) == len(picture.ground)
    feet = np.column_stack([picture.ground, np.zeros(len(picture.ground))])
    _, foot_y, _ = scene.view.project(feet)
    assert np.all(picture.heads[:, 1] < foot_y)


def test_an_empty_street_has_nobody() -> None:
    picture = Scene(script=((0.0, 0.0), (150.0, 0.0))).at(5.0)
    assert len(picture.heads) == 0
    assert picture.hidden == 0


def test_night_is_darker_than_day() -> None:
    assert Scene(night=True).at(5.0).pixels.mean() < 0.7 * Scene().at(5.0).pixels.mean()


def test_the_camera_projects_as_a_pinhole() -> None:
    """The point on the optical axis lies in the middle; a metre aside, by focal over depth."""
    view = PinholeCamera.of(640, 352, 8.0, 45.0, 60.0)
    x, y, depth = view.project(np.array([[0.0, 8.0, 0.0], [1.0, 8.0, 0.0]]))
    assert x[0] == pytest.approx(320.0)
    assert y[0] == pytest.approx(176.0)
    assert depth[0] == pytest.approx(8.0 * 2**0.5)
    assert x[1] - x[0] == pytest.approx(view.focal_px / depth[0])


def test_the_demonstration_s_zone_is_the_scene_s() -> None:
    assert DEMO_ZONE.ground == list(ZONE_M)
    assert DEMO_ZONE.area == ZONE_AREA_M2


def test_the_demonstration_s_marked_points_are_the_scene_s() -> None:
    view = Scene(DEMO_GROUND.picture_width, DEMO_GROUND.picture_height).view
    assert view.height_m == DEMO_GROUND.camera_height_m
    marks = np.array(DEMO_GROUND.points)
    x, y, _ = view.project(np.column_stack([marks[:, 2:], np.zeros(len(marks))]))
    assert np.allclose(np.column_stack([x, y]), marks[:, :2], atol=0.05 + 1e-9)


def _inside(points: NDArray[np.floating[Any]], polygon: list[tuple[float, float]]) -> int:
    """How many points lie in a convex polygon."""
    inside = np.ones(len(points), bool)
    for (x, y), (next_x, next_y) in zip(polygon, polygon[1:] + polygon[:1], strict=True):
        turn = (next_x - x) * (points[:, 1] - y) - (next_y - y) * (points[:, 0] - x)
        inside &= turn >= 0
    return int(inside.sum())


def test_heads_in_the_outlined_zone_are_the_people_on_it() -> None:
    """But for those hidden, and for statures at the edges."""
    scene = Scene()
    for t_s in (5.0, 22.0, 34.0):
        truth = scene.people_in_zone(t_s)
        seen = _inside(scene.at(t_s).heads / (640, 352), scene.zone)
        assert abs(seen - truth) <= 3 + 0.08 * truth


@pytest.mark.parametrize("turn", [0.0, 12.0])
def test_rays_undo_the_projection(turn: float) -> None:
    """The ray of a point's pixel passes through the point."""
    view = PinholeCamera.of(640, 352, 7.0, 30.0, 60.0, turn_deg=turn, across_m=1.0)
    point = np.array([2.0, 12.0, 0.5])
    x, y, _ = (float(values[0]) for values in view.project(point[None]))
    across, along, up = (
        rays[math.floor(y), math.floor(x)] for rays in view.rays(range(view.height))
    )
    reach = (point[2] - view.height_m) / up
    assert (view.across_m + reach * across, reach * along) == pytest.approx((2.0, 12.0), abs=0.1)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("size", [(640, 352), (384, 544)])
def test_varied_streets_show_people(seed: int, size: tuple[int, int]) -> None:
    """By whatever camera and weather, day and night, in pictures of any shape."""
    picture = Scene(*size, seed=seed, night=seed == 1, script=1.0, vary=True).at(5.0)
    assert picture.pixels.shape == (size[1], size[0], 3)
    assert picture.pixels.std() > 10
    assert len(picture.heads) > 10
