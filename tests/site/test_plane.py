"""The ground plane: cameras are recovered, impossible points are named."""

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from edge.common.errors import GroundError
from edge.site.ground.plane import GroundPlane
from edge.site.schema import DEMO_GROUND, Ground
from edge.street.pinhole import PinholeCamera

GRID = [(x, y) for y in (9.0, 12.0, 16.0) for x in (-2.5, 0.5, 2.5)]
SQUARE = [(-2.5, 9.0), (2.5, 9.0), (2.5, 16.0), (-2.5, 16.0)]
VIEW = PinholeCamera.of(1280, 704, 8.5, 33.0, 46.0)


def marks(
    view: PinholeCamera, paths: list[tuple[float, float]], k1: float = 0.0, k2: float = 0.0
) -> list[tuple[float, float, float, float]]:
    """The points of the site file that a camera would see at these places."""
    ground = np.array(paths)
    x, y, _ = view.project(np.column_stack([ground, np.zeros(len(ground))]))
    rays = (np.column_stack([x, y]) - (view.width / 2, view.height / 2)) / (view.width / 2)
    square = (rays**2).sum(axis=1, keepdims=True)
    seen = rays * (1 + k1 * square + k2 * square**2)
    px = seen * view.width / 2 + (view.width / 2, view.height / 2)
    return [(*map(float, row),) for row in np.column_stack([px, ground])]  # type: ignore[misc]


def ground_of(
    view: PinholeCamera, points: list[tuple[float, float, float, float]], **more: float
) -> Ground:
    return Ground(
        picture_width=view.width,
        picture_height=view.height,
        points=points,
        camera_height_m=view.height_m,
        **more,  # type: ignore[arg-type]
    )


def in_picture(view: PinholeCamera, points: list[tuple[float, float, float, float]]) -> bool:
    px = np.array(points)[:, :2]
    return bool(np.all((px >= 0) & (px <= (view.width, view.height))))


views = st.builds(
    lambda height, tilt, lens, turn, across: PinholeCamera.of(
        1280, 960, height, tilt, lens, turn_deg=turn, across_m=across
    ),
    st.floats(4.0, 14.0), st.floats(20.0, 60.0), st.floats(45.0, 100.0), st.floats(-25.0, 25.0),
    st.floats(-4.0, 4.0),
)  # fmt: skip


@settings(deadline=None, max_examples=60)
@given(views, st.floats(-0.12, 0.05), st.sampled_from([SQUARE, GRID]))
def test_any_camera_is_recovered_from_its_own_points(
    view: PinholeCamera, k1: float, paths: list[tuple[float, float]]
) -> None:
    """Feet within a centimetre, camera within a decimetre, and there and back again."""
    points = marks(view, paths, k1)
    assume(in_picture(view, points))
    plane = GroundPlane.of(ground_of(view, points, k1=k1))
    assert plane.residuals_m.max() < 1e-3
    assert plane.foot == pytest.approx((view.across_m, 0.0), abs=0.1)
    people = np.array([(0.0, 10.0), (-1.5, 14.0), (2.0, 15.0)])
    heads = plane.picture(people, 1.65)
    x, y, _ = view.project(np.column_stack([people, np.full(3, 1.65)]))
    if k1 == 0:
        assert heads == pytest.approx(np.column_stack([x, y]), abs=0.5)
    assert plane.feet(heads) == pytest.approx(people, abs=0.01)


def test_heads_are_brought_down_to_their_feet() -> None:
    """Heads taken for feet stand too far away by Hc / (Hc - h), by the field's formula."""
    plane = GroundPlane.of(ground_of(VIEW, marks(VIEW, GRID)))
    people = np.array([(1.0, 11.0), (-2.0, 15.0)])
    x, y, _ = VIEW.project(np.column_stack([people, np.full(2, 1.65)]))
    heads = np.column_stack([x, y])
    assert plane.feet(heads) == pytest.approx(people, abs=0.01)
    too_far = people * 8.5 / (8.5 - 1.65)
    assert plane.floor(heads) == pytest.approx(too_far, abs=0.01)


def test_nothing_lies_at_the_horizon_or_above() -> None:
    view = PinholeCamera.of(640, 352, 5.0, 8.0, 60.0)
    plane = GroundPlane.of(ground_of(view, marks(view, [(-2, 14), (2, 14), (2, 30), (-2, 30)])))
    horizon = view.height / 2 - view.focal_px * np.tan(view.tilt)
    assert np.isnan(plane.feet(np.array([(320.0, horizon - 3), (100.0, 0.0)]))).all()
    assert np.isfinite(plane.feet(np.array([320.0, horizon + 3]))).all()


def test_a_stated_foot_is_taken() -> None:
    ground = DEMO_GROUND.model_copy(update={"camera_foot_m": [1.0, 0.5]})
    assert tuple(GroundPlane.of(ground).foot) == (1.0, 0.5)


def test_another_size_serves_and_another_shape_does_not() -> None:
    plane = GroundPlane.of(DEMO_GROUND)
    large = plane.for_picture(1280, 704)
    assert large.feet(np.array([640.0, 400.0])) == pytest.approx(
        plane.feet(np.array([320.0, 200.0]))
    )
    with pytest.raises(GroundError, match="calibrate again"):
        plane.for_picture(640, 480)


def refusal(points: list[tuple[float, float, float, float]], **more: float) -> list[str]:
    with pytest.raises(GroundError) as caught:
        GroundPlane.of(ground_of(VIEW, points, **more))
    return str(caught.value).splitlines()


def test_points_on_one_line_are_named() -> None:
    (line,) = refusal(marks(VIEW, [(-2.5, 9.0), (2.5, 9.0), (0.0, 9.0), (0.0, 14.0)]))
    assert all(f"point {number} " in line for number in (1, 2, 3))
    assert "one line" in line
    assert "point 4" not in line


def test_crossed_points_are_named() -> None:
    points = marks(VIEW, GRID)
    for one, other in ((0, 1), (3, 8)):
        crossed = list(points)
        crossed[one] = (*points[one][:2], *points[other][2:])
        crossed[other] = (*points[other][:2], *points[one][2:])
        (line,) = refusal(crossed)
        assert f"point {one + 1} " in line
        assert f"point {other + 1} " in line
        assert "crossed" in line


def test_a_point_behind_the_camera_is_named() -> None:
    points = marks(VIEW, GRID)
    points[4] = (*points[4][:2], 0.0, -12.0)
    (line,) = refusal(points)
    assert line.startswith("point 5 ")
    assert "behind the camera" in line


def test_a_camera_upside_down_is_refused() -> None:
    points = marks(VIEW, SQUARE)
    near, far = points[:2], points[2:]
    swapped = [(x, y, -a, -b) for (x, y, _, _), (_, _, a, b) in zip(near, far, strict=True)]
    swapped += [(x, y, -a, -b) for (x, y, _, _), (_, _, a, b) in zip(far, near, strict=True)]
    wide = [(x if y < 300 else 640 + (x - 640) * 0.3, y, a, b) for x, y, a, b in swapped]
    (line,) = refusal(wide)
    assert "behind the camera" in line


@pytest.mark.parametrize("bad", range(9))
def test_a_point_that_is_off_is_named(bad: int) -> None:
    """The eight others pass."""
    points = marks(VIEW, GRID)
    x, y, across, along = points[bad]
    points[bad] = (x, y, across + 1.0, along + 0.8)
    (line,) = refusal(points)
    assert line.startswith(f"point {bad + 1} ")
    assert "1.28 m off" in line


def test_each_of_two_bad_points_gets_its_line() -> None:
    points = marks(VIEW, GRID)
    points[1] = (*points[1][:2], points[1][2] + 1.2, points[1][3])
    points[6] = (*points[6][:2], points[6][2], points[6][3] + 1.5)
    assert {line.split(" (")[0] for line in refusal(points)} == {"point 2", "point 7"}


def test_of_five_points_one_is_suspected() -> None:
    points = marks(VIEW, [*SQUARE, (0.0, 12.0)])
    points[4] = (*points[4][:2], 1.5, 12.5)
    (line,) = refusal(points)
    assert line.startswith("point ")
    assert "of five points none can be blamed" in line
    assert "add a sixth" in line


def test_doubles_and_points_outside_are_named() -> None:
    points = marks(VIEW, [*SQUARE, SQUARE[0]])
    assert "point 1 " in refusal(points)[0]
    assert "at one place" in refusal(points)[0]
    (line,) = refusal([*marks(VIEW, SQUARE), (1300.0, 500.0, 4.0, 12.0)])
    assert line.startswith("point 5 (1300, 500 px) is outside the picture")


def test_a_camera_height_that_cannot_be_is_refused() -> None:
    ground = DEMO_GROUND.model_copy(update={"camera_height_m": 4.0})
    with pytest.raises(GroundError, match=r"camera_height_m = 4, but .* 8\.5 m up"):
        GroundPlane.of(ground)


def test_a_camera_that_looks_straight_down_must_say_where_it_stands() -> None:
    view = PinholeCamera.of(640, 640, 6.0, 89.5, 80.0)
    points = marks(view, [(-2, -2), (2, -2), (2, 2), (-2, 2)])
    with pytest.raises(GroundError, match="give camera_foot_m"):
        GroundPlane.of(ground_of(view, points))
    ground = ground_of(view, points).model_copy(update={"camera_foot_m": [0.0, 0.0]})
    people = np.array([(1.0, 1.0)])
    x, y, _ = view.project(np.column_stack([people, [1.65]]))
    assert GroundPlane.of(ground).feet(np.column_stack([x, y])) == pytest.approx(people, abs=0.01)


def test_a_distortion_that_folds_the_picture_is_refused() -> None:
    assert "half picture widths" in refusal(marks(VIEW, GRID), k1=-0.6)[0]


def test_a_point_where_such_a_lens_shows_nothing_is_refused() -> None:
    """With k1 = -0.2 nothing is farther from the middle than 0.86 half picture widths."""
    corner = (1280.0, 704.0, 4.0, 8.0)
    (line,) = refusal([*marks(VIEW, GRID), corner], k1=-0.2)
    assert line.startswith("point 10 (1280, 704 px) is where no lens of k1 = -0.2")


def test_ground_that_the_lens_cannot_show_is_not_seen() -> None:
    points = marks(VIEW, [(-1.5, 10.0), (1.5, 10.0), (1.5, 14.0), (-1.5, 14.0)], k1=-0.2)
    plane = GroundPlane.of(ground_of(VIEW, points, k1=-0.2))
    assert np.isfinite(plane.floor(np.array([640.0, 352.0]))).all()
    assert np.isnan(plane.floor(np.array([(0.0, 0.0), (1280.0, 704.0)]))).all()
