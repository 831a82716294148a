"""Aggregates: every second is booked once, and nothing unknown is taken for nobody."""

import subprocess
import sys
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.common.units import NS_PER_S
from edge.common.wire import Level, Occupancy, State, ZoneState
from edge.report.aggregate import Aggregate, Aggregator

S = NS_PER_S


def state(at_s: float, level: Level, people: float | None) -> State:
    at = round(at_s * S)
    seen = None
    if people is not None:
        seen = Occupancy("z", people, people - 1, people + 1, 10.0, people / 10, people / 10, at)
    return State(at, level, "m", "b", (ZoneState("z", level, seen),), 0.1, (), "m")


def minute_of(states: list[State], start_s: float = 60.0) -> Aggregate:
    aggregator = Aggregator(60, ["z"], round(start_s * S))
    for each in states:
        assert aggregator.add(each) == []
    (closed,) = aggregator.pass_time(120 * S)
    return closed


def test_a_whole_minute_of_one_level() -> None:
    minute = minute_of([state(60 + n, Level.CAUTION, 20.0 + n % 2) for n in range(60)])
    assert minute.samples == 60
    assert (minute.people.minimum, minute.people.maximum) == (20.0, 21.0)
    assert minute.people.mean == pytest.approx(20.5)
    assert minute.density.p95 == pytest.approx(2.1)
    assert minute.shares[Level.CAUTION] == pytest.approx(1.0)


def test_no_count_is_not_nobody() -> None:
    minute = minute_of([state(60 + n, Level.UNKNOWN, None) for n in range(60)])
    assert minute.samples == 0
    assert minute.people.minimum is None
    assert minute.shares[Level.UNKNOWN] == pytest.approx(1.0)


def test_silence_is_unknown() -> None:
    minute = minute_of([state(60 + n, Level.CLEAR, 5.0) for n in range(28)])
    assert minute.shares[Level.CLEAR] == pytest.approx(30 / 60)
    assert minute.shares[Level.UNKNOWN] == pytest.approx(30 / 60)


def test_a_change_in_the_middle_is_shared() -> None:
    states = [state(60 + n, Level.CLEAR if n < 15 else Level.CROWDED, 5.0) for n in range(60)]
    minute = minute_of(states)
    assert minute.shares[Level.CLEAR] == pytest.approx(15 / 60)
    assert minute.shares[Level.CROWDED] == pytest.approx(45 / 60)


def test_hours_of_silence_give_one_long_unknown_period_not_hundreds() -> None:
    aggregator = Aggregator(60, ["z"], 0)
    aggregator.add(state(1, Level.CLEAR, 5.0))
    closed = aggregator.pass_time(10 * 3600 * S)
    assert len(closed) == 2
    assert closed[1].shares[Level.UNKNOWN] == pytest.approx(1.0)
    assert closed[-1].end == 10 * 3600 * S


moments = st.lists(
    st.tuples(st.floats(0.0, 40.0), st.sampled_from(list(Level)), st.none() | st.floats(0, 99)),
    max_size=60,
)


@given(moments)
def test_every_second_is_booked_exactly_once(
    steps: list[tuple[float, Level, float | None]],
) -> None:
    aggregator, now_s, closed = Aggregator(60, ["z"], 0), 0.0, []
    for step, level, people in steps:
        now_s += step
        closed += aggregator.add(state(now_s, level, people))
    closed += aggregator.pass_time(round((now_s + 200) * S))
    assert closed[0].start == 0
    for before, after in pairwise(closed):
        assert before.end == after.start
    for period in closed:
        assert sum(period.shares.values()) == pytest.approx(1.0)
        assert all(share >= 0 for share in period.shares.values())


@pytest.mark.parametrize("people", [float("nan"), float("inf"), -1.0, 1e308])
def test_what_nobody_can_have_counted_is_not_counted(people: float) -> None:
    minute = minute_of([state(60 + n, Level.CAUTION, people if n % 2 else 7.0) for n in range(60)])
    assert (minute.samples, minute.people.maximum) == (30, 7.0)


def test_a_state_that_is_not_newer_changes_nothing() -> None:
    aggregator = Aggregator(60, ["z"], 60 * S)
    aggregator.add(state(70, Level.CLEAR, 5.0))
    aggregator.add(state(65, Level.CRITICAL, 99.0))
    (minute,) = aggregator.pass_time(120 * S)
    assert minute.samples == 1
    assert minute.shares[Level.CRITICAL] == 0.0


@given(st.lists(st.floats(0, 1e5), min_size=1, max_size=70))
def test_mean_and_p95_are_those_of_numpy(people: list[float]) -> None:
    minute = minute_of([state(60 + n * 0.8, Level.CLEAR, each) for n, each in enumerate(people)])
    assert minute.people.mean == pytest.approx(np.mean(people), abs=1e-9)
    assert minute.people.p95 == pytest.approx(np.quantile(people, 0.95), abs=1e-9)


def test_report_does_without_numpy() -> None:
    """numpy is nearly a third of a program's memory that uses it for nothing else."""
    code = "import sys, edge.report.main; sys.exit('numpy' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)
