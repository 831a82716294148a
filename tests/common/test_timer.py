"""What is done at most every so many seconds."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from edge.common.timer import Timer
from edge.common.units import NS_PER_S as S


def test_the_first_time_is_due_at_once_and_the_next_after_the_interval() -> None:
    interval = Timer(2.0)
    assert interval.restart_if_due(5)
    assert not interval.restart_if_due(5 + 2 * S - 1)
    assert interval.restart_if_due(5 + 2 * S)


def test_asking_alone_changes_nothing() -> None:
    interval = Timer(2.0)
    assert interval.due(0) and interval.due(1)
    interval.restart(1)
    assert not interval.due(S)


@given(st.lists(st.integers(0, 60 * S)).map(sorted), st.floats(0.01, 10))
def test_no_two_begin_within_an_interval(times: list[int], every_s: float) -> None:
    interval = Timer(every_s)
    begun = [at for at in times if interval.restart_if_due(at)]
    gaps = [after - before for before, after in pairwise(begun)]
    assert all(gap >= round(every_s * S) for gap in gaps)
    assert not times or begun[0] == times[0]
