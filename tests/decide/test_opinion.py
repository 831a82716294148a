"""What a second opinion may do: widen the interval, and hold a rise back for a bounded time."""

import math
from collections.abc import Sequence
from dataclasses import replace

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.common.sighting import HeadMap, PictureHealth, Sighting
from edge.common.units import NS_PER_S as NS
from edge.common.wire import Level, Occupancy
from edge.decide.decider import Decider
from edge.decide.levels import LevelState, bands_of
from edge.decide.opinion import DOUBT_FROM, HOLD_S, VALID_S, Held, Opinion
from edge.site.bands import BandTable
from edge.site.schema import Site

BANDS = bands_of(BandTable())
HOLD = round(HOLD_S * NS)
LEVELS = [Level.CLEAR, Level.UNKNOWN, Level.CAUTION, Level.CROWDED, Level.CRITICAL]
CORNERS = [(0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0)]
SITE = Site.model_validate({"zone": [{"name": "floor", "polygon": CORNERS, "area_m2": 40.0}]})
SEEN = Occupancy("street", 40.0, 32.0, 48.0, 40.0, 1.0, 1.5, 1)


def heads(density: float) -> HeadMap:
    """So many people per m2, evenly, and without any other doubt."""
    count = np.full((4, 4), density * 40 / 16, np.float32)
    return HeadMap(count, np.zeros_like(count), 16.0, 64, 64, 1.645)


def street(
    decider: Decider, density: float, seconds: float, from_s: float, ratio: float | None = None
) -> Decider:
    """So many people per m2; with a ratio, each second a second look that counts so many times."""
    seen = heads(density)
    for step in range(round(4 * seconds)):
        at = round((from_s + step / 4) * NS)
        again = None if ratio is None or step % 4 else seen.count * np.float32(ratio)
        second = None if again is None else msgspec.structs.replace(seen, count=again)
        decider.see(Sighting(at, at, seen, PictureHealth(), "m", second=second), at)
    return decider


def level(decider: Decider) -> Level:
    return decider.level


def test_two_looks_that_agree_delay_nothing() -> None:
    plain, judged = (
        street(street(Decider(SITE), 0.3, 4, 1), 6.0, 3.5, 5, ratio) for ratio in (None, 1.1)
    )
    assert level(plain) is level(judged) is Level.CRITICAL


def test_a_phantom_that_one_look_denies_waits_and_the_sign_says_caution() -> None:
    decider = street(Decider(SITE), 0.3, 4, 1, ratio=1.0)
    street(decider, 6.0, 9.0, 5, ratio=0.2)
    assert level(decider) is Level.CAUTION
    state = decider.state(14 * NS, "")
    assert "CRITICAL waits for 10 s at most, as a second look disagrees" in state.reason
    seen = state.zones[0].occupancy
    assert seen is not None and seen.doubt is not None and seen.doubt > 4
    street(decider, 0.3, 1, 14, ratio=1.0)
    assert level(decider) is Level.CAUTION  # and it never was more


def test_no_doubt_hides_a_crush_for_longer_than_the_bound() -> None:
    decider = street(Decider(SITE), 0.3, 4, 1, ratio=1.0)
    street(decider, 6.0, 3 + HOLD_S + 0.5, 5, ratio=0.2)
    assert level(decider) is Level.CRITICAL
    assert "waited for 10 s at most" in decider.state(20 * NS, "").reason


def test_what_both_looks_support_is_said_at_once() -> None:
    """Eight per m2 and, by the second look, five and more: both are CRITICAL."""
    decider = street(Decider(SITE), 0.3, 4, 1, ratio=1.0)
    street(decider, 8.5, 3.5, 5, ratio=0.65)
    assert level(decider) is Level.CRITICAL


def test_a_doubt_that_ends_lets_the_level_rise() -> None:
    decider = street(Decider(SITE), 0.3, 4, 1, ratio=1.0)
    street(decider, 6.0, 5, 5, ratio=0.2)
    assert level(decider) is Level.CAUTION
    street(decider, 6.0, 1, 10, ratio=1.0)
    assert level(decider) is Level.CRITICAL


def test_a_second_look_that_counts_more_delays_the_all_clear() -> None:
    decider = street(Decider(SITE), 2.4, 8, 1, ratio=1.0)
    assert level(decider) is Level.CAUTION
    street(decider, 0.9, 40, 9, ratio=2.5)
    assert level(decider) is Level.CAUTION
    street(decider, 0.9, 25, 49, ratio=1.0)
    assert level(decider) is Level.CLEAR


def test_a_second_look_that_counts_more_raises_nothing() -> None:
    decider = street(Decider(SITE), 0.5, 30, 1, ratio=8.0)
    assert level(decider) is Level.CLEAR


@pytest.mark.parametrize("second", [math.nan, math.inf, -5.0, -7.0])
def test_what_is_no_count_is_no_opinion(second: float) -> None:
    assert Opinion.of(3.0, second, 1).disagrees is False


def test_an_opinion_ends() -> None:
    opinion = Opinion.of(40.0, 4.0, 1)
    assert opinion.stands(1 + round(VALID_S * NS))
    assert not opinion.stands(2 + round(VALID_S * NS))
    assert not opinion.stands(0)


counts = st.floats(0, 400)


@given(counts, counts, counts)
def test_doubt_only_widens_the_interval(first: float, second: float, people: float) -> None:
    opinion = Opinion.of(first, second, 1)
    seen = msgspec.structs.replace(SEEN, people=people, low=0.8 * people, high=1.2 * people)
    found = opinion.widened(seen)
    assert 0 <= found.low <= seen.low and seen.high <= found.high
    assert found.people == people
    assert opinion.doubt >= 1
    if opinion.doubt <= DOUBT_FROM:
        assert (found.low, found.high) == (seen.low, seen.high)


levels = st.sampled_from(LEVELS)
steps = st.tuples(levels, levels, levels, st.integers(0, 4 * NS))


@settings(max_examples=300, deadline=None)
@given(st.lists(steps, max_size=60))
def test_a_level_lags_behind_the_machine_for_the_bound_at_most(
    stream: Sequence[tuple[Level, Level, Level, int]],
) -> None:
    """Whatever the machine says, the looks support and the counts reach: never above the machine,
    never back, CAUTION or more while a rise waits, and what is still reached not long below it.
    """
    held, now = Held(), 0
    since: dict[Level, int] = {}
    for wanted, support, upper, wait in stream:
        now += wait
        for each in LEVELS:
            if min(wanted, upper) < each:
                since.pop(each, None)
            else:
                since.setdefault(each, now)
        before = held
        held = held.follow(replace(LevelState(), level=wanted), support, upper, now)
        assert held.level <= wanted
        assert held.level >= min(before.level, wanted)  # doubt lowers no level
        assert held.level is wanted or held.level >= Level.CAUTION
        assert held.level >= min(support, upper, wanted)
        for each, began in since.items():
            if now - began >= HOLD:
                assert held.level >= each


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(st.floats(0, 9), st.floats(0.1, 9), st.integers(1, 20)), max_size=4))
def test_no_doubt_hides_what_is_counted_for_longer_than_the_bound(
    parts: Sequence[tuple[float, float, int]],
) -> None:
    """Any densities and any second looks; a picture each second."""
    decider, at_s = Decider(SITE), 0
    since = dict.fromkeys((band.level for band in BANDS), math.inf)
    for density, ratio, length in parts:
        for _ in range(length):
            at_s += 1
            street(decider, density, 0.25, at_s, ratio)
            for band in BANDS:
                counted = density >= band.rise
                since[band.level] = min(since[band.level], at_s) if counted else math.inf
                if at_s - since[band.level] > band.rise_after_s + HOLD_S:
                    assert level(decider) >= band.level
