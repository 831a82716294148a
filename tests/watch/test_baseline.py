"""What is counted where nobody is: learnt from phantoms, and not from people."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from edge.common.units import nanoseconds
from edge.site import Site
from edge.street.scene import Scene
from edge.watch.baseline import (
    DAY_HOURS,
    DAYS,
    LEAST_MINUTES,
    MOST_STEPS,
    MOVED_S,
    STEP,
    Baseline,
    Days,
    Grid,
    Quiet,
    places,
)
from edge.watch.frame import Frame
from edge.watch.main import Counting
from tests.watch.baselines import (
    COLUMNS,
    HEIGHT,
    ROWS,
    WIDTH,
    Counts,
    Street,
    days_of,
    guard,
    head_map,
    known,
    live,
    nobody,
    samples,
)

GOLDEN = Path(__file__).parents[2] / "models" / "golden.jpg"
ALL_DAYS = DAYS * DAY_HOURS
QUIET_HOURS = range(3, 6)  # of each day
TREE = (slice(2, 5), slice(30, 34))


def with_tree(minute: int) -> Counts:
    """A tree that is counted as six heads, more or less: it stirs."""
    count = nobody()
    count[TREE] = 0.5 + 0.1 * np.sin(minute)
    return count


def busy_street(minute: int) -> Counts:
    """The tree, and people: many, who stand for a while, by day; a few, who pass, by night."""
    count = with_tree(minute)
    by_night = minute // 60 % DAY_HOURS in QUIET_HOURS
    random = np.random.default_rng(minute if by_night else minute // 20)
    people = 3 if by_night else 60
    count[random.integers(8, ROWS, people), random.integers(0, COLUMNS, people)] += 1.0
    return count


def counted(days: Days) -> Counts:
    assert days.nobody is not None
    return np.asarray(days.nobody.count, np.float32)


def test_a_tree_is_learnt_and_people_who_pass_are_not() -> None:
    baseline = Baseline(guard())
    live(baseline, busy_street, ALL_DAYS + 1)
    assert baseline.nobody is not None
    found = baseline.nobody.count.copy()
    assert found[TREE] == pytest.approx(np.full((3, 4), 0.4), abs=0.03)
    found[TREE] = 0.0
    assert found.sum() == 0.0


def test_nothing_is_told_before_enough_days_are_over() -> None:
    days = days_of(with_tree, ALL_DAYS - 1)
    assert days.nobody is None and len(days.before) == DAYS - 1
    assert days_of(with_tree, 1, days).nobody is not None


def standing(hours: range, days: range) -> Street:
    """Somebody who stands in one place in these hours of these days, in a street with people."""

    def street(minute: int) -> Counts:
        count = busy_street(minute)
        day, hour = divmod(minute // 60, DAY_HOURS)
        count[12, 20] = 1.0 if day in days and hour in hours else 0.0
        return count

    return street


@pytest.mark.parametrize(
    ("hours", "days"),
    [
        (range(DAY_HOURS), range(1, 2)),
        (range(DAY_HOURS), range(1, DAYS)),
        (range(6, 22), range(DAYS)),
    ],
    ids=["a whole day and night", "four of five", "each day, but not at its quietest hour"],
)
def test_who_stands_in_one_place_is_not_learnt(hours: range, days: range) -> None:
    assert counted(days_of(standing(hours, days), ALL_DAYS))[12, 20] == 0.0


def test_who_is_there_at_the_quietest_hours_of_all_days_is_told_until_the_day_after() -> None:
    """What no count can tell from a thing; so nothing may be taken off by it."""
    days = days_of(standing(range(DAY_HOURS), range(DAYS)), ALL_DAYS)
    assert counted(days)[12, 20] == pytest.approx(1.0, abs=STEP)
    assert counted(days_of(busy_street, DAY_HOURS, days))[12, 20] == 0.0


def test_what_is_taken_away_is_no_more_told_after_a_day() -> None:
    assert counted(days_of(lambda _: nobody(), DAY_HOURS, known(with_tree(0)))).sum() == 0.0


def test_pictures_that_are_not_trusted_tell_nothing() -> None:
    """Least of all that a street is quiet."""
    baseline = Baseline(guard())
    for minute in range(60 * (DAY_HOURS + 1)):
        trusted = minute % 60 < LEAST_MINUTES - 5
        baseline.see(head_map(nobody()) if trusted else None, nanoseconds(60.0 * (minute + 1)))
    assert baseline.days is not None
    assert baseline.days.before == () and baseline.days.quietest is None


def test_looks_of_a_minute_are_averaged() -> None:
    """Twice a second, of which a phantom is in every second one: half a head."""
    baseline = Baseline(guard())
    for second in range(3605):
        count = nobody()
        count[3, 3] = second % 2
        baseline.see(head_map(count), nanoseconds(1.0 + second))
    assert baseline.days is not None and baseline.days.quietest is not None
    assert baseline.days.quietest.least[3, 3] * STEP == pytest.approx(0.5, abs=0.03)
    assert baseline.days.quietest.heads == pytest.approx(0.5, abs=0.01)


def test_a_camera_that_stays_moved_makes_it_forget() -> None:
    eye = guard()
    baseline = Baseline(eye, known(with_tree(0)))
    baseline.see(head_map(with_tree(0)), nanoseconds(1.0))
    for second in range(2, 4 + int(MOVED_S)):
        eye.look(samples(seed=1), nanoseconds(second))
        assert eye.status == "moved"
        assert baseline.nobody is None  # its places are others
        baseline.see(None, nanoseconds(second))
    assert baseline.days is None


def test_a_start_in_doubt_does_not() -> None:
    eye = guard()
    baseline = Baseline(eye, known(with_tree(0)))
    for second in range(1, 20):
        eye.look(samples(seed=1), nanoseconds(second))
        baseline.see(None, nanoseconds(second))
    for second in range(20, 60):
        eye.look(samples(), nanoseconds(second))
    assert eye.status == "kept"
    baseline.see(head_map(with_tree(0)), nanoseconds(60))
    assert baseline.nobody is not None
    assert baseline.nobody.total().people == pytest.approx(6.0, abs=0.5)


def test_without_a_view_nothing_is_learnt() -> None:
    eye = guard()
    baseline = Baseline(eye, known(with_tree(0)))
    eye.forget()
    baseline.see(head_map(with_tree(0)), nanoseconds(1.0))
    assert baseline.days is None and baseline.nobody is None


def test_pictures_of_another_size_are_another_view() -> None:
    baseline = Baseline(guard(), known(with_tree(0)))
    count = np.zeros((34, 60), np.float32)
    small = head_map(count)
    baseline.see(type(small)(count, count, 16, 960, 544, 1.0), nanoseconds(1.0))
    assert baseline.days is not None
    assert (baseline.days.grid, baseline.days.before) == (Grid(960, 544), ())


def test_a_cell_is_bounded() -> None:
    """A picture of a texture was once counted as 7,000 heads."""
    street = np.full((ROWS, COLUMNS), 8.0, np.float32)
    found = counted(days_of(lambda _: street, ALL_DAYS))
    assert found.max() == pytest.approx(STEP * MOST_STEPS)


@given(seed=st.integers(0, 1000), most=st.floats(0.0, 20.0))
def test_an_hour_tells_never_more_than_any_of_its_minutes(seed: int, most: float) -> None:
    """And misses no more than one step of it, up to the bound."""
    random = np.random.default_rng(seed)
    minutes = [random.uniform(0, most, (4, 5)).astype(np.float32) for _ in range(LEAST_MINUTES)]
    quiet = Quiet.of(minutes)
    assert quiet is not None
    least = quiet.least * STEP
    assert all((least <= minute + 1e-5).all() for minute in minutes)
    bounded = np.minimum(np.min(minutes, axis=0), STEP * MOST_STEPS)
    assert (bounded - least < STEP + 1e-5).all()


def test_what_was_counted_stays_as_it_is() -> None:
    count = with_tree(0)
    baseline = Baseline(guard(), known(with_tree(0)))
    baseline.see(head_map(count), nanoseconds(1.0))
    assert (count == with_tree(0)).all()


@given(
    left=st.integers(0, WIDTH - 64),
    top=st.integers(0, HEIGHT - 64),
    rows=st.integers(1, 30),
    columns=st.integers(1, 30),
    cell=st.floats(2.0, 64.0),
    seed=st.integers(0, 1000),
)
def test_the_heads_of_any_part_of_the_picture_keep_sum_and_place(
    *, left: int, top: int, rows: int, columns: int, cell: float, seed: int
) -> None:
    """Of a map whose last cells alone reach beyond the picture, as a counter's do."""
    rows = min(rows, int(np.ceil((HEIGHT - top) / cell - 1e-6)))
    columns = min(columns, int(np.ceil((WIDTH - left) / cell - 1e-6)))
    count = np.random.default_rng(seed).uniform(0, 2, (rows, columns)).astype(np.float32)
    heads = head_map(count, left=float(left), top=float(top))
    grid = Grid(WIDTH, HEIGHT)
    laid = grid.laid(type(heads)(count, count, cell, WIDTH, HEIGHT, 1.0, 0.0, left, top))
    assert laid.shape == grid.shape
    assert laid.sum() == pytest.approx(count.sum(), rel=1e-4)
    right, bottom = left + columns * cell, top + rows * cell
    lines, rails = np.nonzero(laid > 0)
    assert (lines.min() + 1) * grid.cell > top and lines.max() * grid.cell < bottom
    assert (rails.min() + 1) * grid.cell > left and rails.max() * grid.cell < right


def test_another_part_of_the_picture_finds_the_same_place() -> None:
    whole = with_tree(0)
    part = head_map(whole[1:12, 20:38].copy(), left=20 * 16.0, top=16.0)
    grid = Grid(WIDTH, HEIGHT)
    assert grid.laid(part) == pytest.approx(grid.laid(head_map(whole)), abs=1e-6)


def test_places_are_named_the_one_with_most_heads_first() -> None:
    count = with_tree(0)
    count[20, 0] = 2.0
    found = places(known(count).nobody or head_map(nobody()))
    assert [(str(place.box), round(place.heads, 1)) for place in found] == [
        ("64x48 px from 480,32", 6.0),
        ("16x16 px from 0,320", 2.0),
    ]


@pytest.mark.slow
def test_a_poster_of_a_crowd_is_found_in_a_street_full_of_people() -> None:
    """By the counter that ships, over ten minutes in which everybody walks on."""
    poster = Image.open(GOLDEN).convert("RGB").resize((160, 110))
    counting, scene, grid = Counting(Site(), live=False), Scene(), Grid(WIDTH, HEIGHT)
    minutes = []
    for number in range(LEAST_MINUTES):
        street = Image.fromarray(scene.at(20.0 + 20 * number).pixels)
        street.paste(poster, (30, 10))
        seen = counting.sighting(Frame(np.asarray(street), nanoseconds(number + 1)))
        assert seen.heads is not None
        minutes.append(grid.laid(seen.heads))
    quiet = Quiet.of(minutes)
    assert quiet is not None
    first, *_ = places(Days(grid, before=(quiet.least,) * DAYS).nobody or head_map(nobody()))
    assert first.box.left >= 16 and first.box.right <= 208 and first.box.bottom <= 144
    assert first.heads > 50
    everything = float(np.sum(quiet.least)) * STEP
    assert everything - first.heads < 1.0 < quiet.heads - everything
