"""A recording's clock, whatever its times say."""

import itertools
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.watch.timeline import Notes, Timeline, placed

Times = Sequence[float | None]


def run(
    times: Times, *, may_break: bool = True, at_once: bool = False
) -> tuple[list[float], Notes]:
    timeline = Timeline(0.1, may_break=may_break)
    items = ((time_s, None) for time_s in times)
    return [at_s for at_s, _ in placed(items, timeline, at_once=at_once)], timeline.notes


def every(seconds: float, count: int, start: float = 0.0) -> list[float]:
    return [start + seconds * n for n in range(count)]


def test_good_times_are_kept_from_the_first_on() -> None:
    times = [7.0, 7.1, 7.5, 9.0, 12.0]
    assert run(times)[0] == pytest.approx([0, 0.1, 0.5, 2.0, 5.0])
    assert run(times)[1] == Notes(pictures=5)


@pytest.mark.parametrize("at_once", [False, True])
@pytest.mark.parametrize("second", [0.0, 3.3, 95_000.0])
def test_a_clock_that_starts_again_goes_on(second: float, at_once: bool) -> None:
    found, notes = run([*every(0.1, 50), *every(0.1, 50, second)], at_once=at_once)
    assert found == pytest.approx(every(0.1, 100))
    assert list(notes.breaks_s) == pytest.approx([5.0])


@pytest.mark.parametrize("stray", [-1e4, 0.0, 0.25, 2.0, 9.0, 1e5])
def test_one_stray_time_moves_nobody_else(stray: float) -> None:
    times = every(0.1, 20, 0.5)
    times[10] = stray
    found, notes = run(times)
    others = [at_s for n, at_s in enumerate(found) if n != 10]
    assert others == pytest.approx([0.1 * n for n in range(20) if n != 10])
    assert found[9] < found[10] < found[11]
    assert (notes.strays, notes.breaks_s) == (1, ())


def test_without_times_the_rate_is_assumed() -> None:
    found, notes = run([None] * 30)
    assert found == pytest.approx(every(0.1, 30))
    assert notes.untimed == 30


def test_times_that_stand_still_are_none() -> None:
    assert run([4.0] * 10)[0] == pytest.approx(every(0.1, 10))
    fields = [0.0, 0.0, 0.2, 0.2, 0.4, 0.4]
    assert run(fields)[0] == pytest.approx(every(0.1, 6))


def test_a_gap_is_a_gap_where_the_format_has_no_breaks() -> None:
    times = [0.0, 0.1, 3600.0, 3600.1]
    assert run(times, may_break=False)[0] == pytest.approx(times)
    assert run(times, may_break=True)[0] == pytest.approx([0, 0.1, 0.2, 0.3])


@given(
    st.lists(st.none() | st.floats(-1e6, 1e6), min_size=1, max_size=40),
    st.booleans(),
    st.booleans(),
)
def test_nothing_is_lost_and_time_never_stands(
    times: Times, may_break: bool, at_once: bool
) -> None:
    found, notes = run(times, may_break=may_break, at_once=at_once)
    assert len(found) == notes.pictures == len(times)
    assert found[0] == 0.0
    assert all(after > before for before, after in itertools.pairwise(found))


def test_a_live_picture_does_not_wait_for_the_next_one() -> None:
    """A recording's picture is placed once the next one's time is known."""
    waiting = iter([(0.0, "a"), (0.1, "b"), (0.2, "c")])
    live = placed(waiting, Timeline(0.1, may_break=True), at_once=True)
    assert next(live)[1] == "a"
    assert next(waiting)[1] == "b"
