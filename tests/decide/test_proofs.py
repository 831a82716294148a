"""Proofs about the level machine: an exhaustive walk over a discretised model, and random streams.

The walk is exact for the densities, as the machine only compares them with the table: readings
that compare alike lead alike, and each kind is walked with its lowest and its highest. Times pass
in whole seconds; timers older than all they are compared with are made equally old, which closes
the state space. The random streams have times in ns, any table, and any order.
"""

import itertools
import math
from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.common.units import NS_PER_S as NS
from edge.common.wire import Level
from edge.decide.levels import (
    Band,
    LevelState,
    Reading,
    bands_of,
    distrust,
    observe,
    pass_time,
)
from edge.site.bands import BandOptions, BandTable
from tests.decide.explorer import explore
from tests.decide.witness import STALE, TRUST, Input, Since, Watched

DAYS = 5 * 86_400 * NS
UNIT = 3 * NS // 2


def table(*rows: tuple[float, float, float, float]) -> tuple[Band, ...]:
    """Bands from rows of rise, fall, rise_after_s, fall_after_s, checked like a site file's."""
    names = ("caution", "crowded", "critical")
    options = {
        name: BandOptions(rise=rise, fall=fall, rise_after_s=up, fall_after_s=down)
        for name, (rise, fall, up, down) in zip(names, rows, strict=True)
    }
    return bands_of(BandTable(**options))


DEFAULT = bands_of(BandTable())
QUICK = table((2.0, 1.6, 3.0, 3.0), (3.0, 2.6, 1.5, 3.0), (5.0, 4.3, 3.0, 1.5))
EVEN = table(*((rise, fall, 1.5, 3.0) for rise, fall in ((2.0, 1.6), (3.0, 2.6), (5.0, 4.3))))
NESTED = table((2.0, 1.0, 0.0, 1.5), (3.0, 1.5, 1.5, 0.0), (5.0, 1.8, 4.5, 3.0))


Pick = Callable[[list[tuple[float, float]]], tuple[float, float]]


def kinds(bands: Sequence[Band], pick: Pick) -> list[tuple[float, float]]:
    """A density and upper end of every kind the table tells apart: the lowest or the highest."""
    edges = [edge for band in bands for edge in (band.rise, band.fall)]
    values = sorted({0.0, 12.0, *edges, *(math.nextafter(edge, 0) for edge in edges)})
    alike: dict[tuple[bool, ...], list[tuple[float, float]]] = {}
    for density, upper in itertools.combinations_with_replacement(values, 2):
        kind = (*(density >= b.rise for b in bands), *(upper >= b.fall for b in bands))
        alike.setdefault(kind, []).append((density, upper))
    return [pick(pairs) for pairs in alike.values()]


def settled(bands: Sequence[Band], state: LevelState, now: int) -> LevelState:
    """The state with `now` as time zero, and timers no older than what they are compared with."""
    falls = {band.level: band.fall_after_s for band in bands}
    reached = [band.fall for band in bands if state.highest >= band.fall]
    return replace(
        state,
        rising_since=tuple(
            aged(since, now, band.rise_after_s * NS)
            for since, band in zip(state.rising_since, bands, strict=False)
        ),
        falling_since=aged(state.falling_since, now, falls.get(state.level, 0) * NS),
        trusted_since=aged(state.trusted_since, now, TRUST),
        seen=aged(state.seen, now, STALE + NS),
        highest=max(reached, default=0.0) if state.level is Level.UNKNOWN else 0.0,
    )


def aged(since: Since, now: int, oldest: float) -> Since:
    return None if since is None else max(since - now, -round(oldest))


def settled_watched(bands: Sequence[Band], watched: Watched) -> Watched:
    now, witness, last = watched.now, watched.witness, watched.witness.last
    unknown = watched.state.level is Level.UNKNOWN
    trust = TRUST + STALE if unknown else TRUST
    rises = [max(TRUST, band.rise_after_s * NS) for band in bands]
    falls = [max(trust, band.fall_after_s * NS) for band in bands]
    return Watched(
        settled(bands, watched.state, now),
        replace(
            witness,
            newest=aged(witness.newest, now, STALE + NS),
            trusted_since=aged(witness.trusted_since, now, trust),
            reached=tuple(aged(s, now, age) for s, age in zip(witness.reached, rises, strict=True)),
            below=tuple(aged(s, now, age) for s, age in zip(witness.below, falls, strict=True)),
            last=last and replace(last, reason="", at=aged(last.at, now, max(rises + falls)) or 0),
        ),
    )


def inputs(bands: Sequence[Band], pick: Pick) -> list[Input]:
    """Everything that may happen next: silence, a blind camera, or a reading of each kind."""
    some = kinds(bands, pick)
    silence = [Input(wait, picture=False) for wait in (0, UNIT, DAYS)]
    blind = [Input(wait) for wait in (0, UNIT, DAYS)]
    readings = [Input(UNIT, True, *kind) for kind in some]
    warned = [replace(reading, warned=True) for reading in readings]
    rare = [Input(wait, True, *kind) for wait in (0, 2 * UNIT, DAYS) for kind in some[::3]]
    return silence + blind + readings + warned + rare


@pytest.mark.slow
@pytest.mark.parametrize(
    ("bands", "pick"), [(QUICK, min), (NESTED, max)], ids=["lowest", "nested-highest"]
)
def test_no_way_leads_to_a_broken_rule(bands: tuple[Band, ...], pick: Pick) -> None:
    """Every rule of the witness, at every step from every state that can be reached."""
    reached: set[Level] = set()

    def step(watched: Watched, given: Input) -> Watched:
        after = watched.take(bands, given)
        reached.add(after.state.level)
        return settled_watched(bands, after)

    assert explore(Watched(), inputs(bands, pick), step) > 1000
    assert reached == set(Level)


Pair = tuple[LevelState, LevelState]


def test_a_warning_never_lowers_and_raises_by_one_level_at_most() -> None:
    """Two streets with the same readings, the one warned of now and then.

    By one level, where all levels take equally long; where they do not, the higher one that the
    warning calls for may come before the lower one that the density calls for.
    """
    some = kinds(EVEN, max)
    ladder = [Level.CLEAR, *(band.level for band in EVEN)]

    def step(pair: Pair, move: tuple[tuple[float, float], str]) -> Pair:
        figures, warning = move
        plain, warned = (
            settled(EVEN, observe(EVEN, state, Reading(*figures, UNIT, words))[0], UNIT)
            for state, words in zip(pair, ("", warning), strict=True)
        )
        assert (plain.level is Level.UNKNOWN) == (warned.level is Level.UNKNOWN)
        if plain.level is not Level.UNKNOWN:
            assert 0 <= ladder.index(warned.level) - ladder.index(plain.level) <= 1
        return plain, warned

    moves = itertools.product(some, ("", "standstill"))
    assert explore((LevelState(), LevelState()), moves, step) > 100


@pytest.mark.slow
def test_more_people_never_show_a_lower_level() -> None:
    """Two streets whose pictures come at the same times and are trusted alike.

    The one whose density and upper end are at least as high in every picture, and that is warned
    of whenever the other is, shows a level at least as high at every moment. Nothing of the kind
    holds between a trusted picture and an untrusted one: UNKNOWN stands above CLEAR and below the
    warnings.
    """
    some = [Reading(*kind, UNIT, words) for kind in kinds(QUICK, min) for words in ("", "jam")]
    moves = [
        (low, high)
        for low, high in itertools.product(some, some)
        if low.density <= high.density and low.upper <= high.upper and low.warning <= high.warning
    ]

    def step(pair: Pair, move: tuple[Reading, Reading]) -> Pair:
        low, high = (
            settled(QUICK, observe(QUICK, state, reading)[0], UNIT)
            for state, reading in zip(pair, move, strict=True)
        )
        assert low.level <= high.level
        return low, high

    assert explore((LevelState(), LevelState()), moves, step) > 1000


@st.composite
def tables(draw: st.DrawFn) -> tuple[Band, ...]:
    """Any table that a site file may hold: bands apart, overlapping, or one within the other."""
    edges = sorted(draw(st.lists(st.floats(0.01, 12), min_size=6, max_size=6, unique=True)))
    falls = draw(st.sampled_from([(0, 2, 4), (0, 1, 4), (0, 2, 3), (0, 1, 2)]))
    rises = [index for index in range(6) if index not in falls]
    after = st.sampled_from([0.0, 0.5, 2.0, 3.0, 7.25, 20.0])
    rows = [
        (edges[rise], edges[fall], draw(after), draw(after))
        for rise, fall in zip(rises, falls, strict=True)
    ]
    return table(*rows)


@st.composite
def streams(draw: st.DrawFn, bands: Sequence[Band]) -> list[Input]:
    """Anything at any time: runs of like pictures, late and blind ones, silence, days."""
    edges = [edge for band in bands for edge in (band.rise, band.fall)]
    value = st.sampled_from([0.0, *edges, 12.0]) | st.floats(0, 15)
    wait = st.sampled_from([0, NS // 4, NS, DAYS]) | st.integers(0, 4 * NS)
    stream: list[Input] = []
    for _ in range(draw(st.integers(1, 12))):
        lag = draw(st.sampled_from([0, 0, NS // 5]) | st.integers(0, 5 * NS))
        one = st.sampled_from(["count", "count", "count", "count", "blind", "silence"])
        match draw(one):
            case "count":
                density, upper = sorted((draw(value), draw(value)))
                given = Input(draw(wait), True, density, upper, lag, draw(st.booleans()))
            case "blind":
                given = Input(draw(wait), lag=lag)
            case _:
                given = Input(draw(wait), picture=False)
        stream += [given] * draw(st.sampled_from([1, 2, 5, 13, 30]))
    return stream


@st.composite
def streets(draw: st.DrawFn) -> tuple[tuple[Band, ...], list[Input]]:
    bands = draw(st.just(DEFAULT) | tables())
    return bands, draw(streams(bands))


def after_all(bands: Sequence[Band], stream: Sequence[Input]) -> Watched:
    """The machine after a stream, every rule of the witness checked at every step."""
    watched = Watched()
    for arrival in stream:
        watched = watched.take(bands, arrival)
    return watched


@settings(max_examples=150, deadline=None)
@given(streets())
def test_no_stream_breaks_a_rule(street: tuple[tuple[Band, ...], list[Input]]) -> None:
    after_all(*street)


@settings(max_examples=40, deadline=None)
@given(streets(), st.integers(NS // 4, 3 * NS))
def test_whatever_was_an_empty_street_becomes_clear_and_a_full_one_critical(
    street: tuple[tuple[Band, ...], list[Input]], wait: int
) -> None:
    """In the end: the times of the table, and of each step at most two pictures more."""
    bands, stream = street
    before = after_all(bands, stream)
    falls = TRUST + sum(round(band.fall_after_s * NS) + 2 * wait for band in bands)
    rise = max(TRUST, round(bands[-1].rise_after_s * NS))
    for figure, length, level in ((0.0, falls, Level.CLEAR), (12.0, rise, Level.CRITICAL)):
        ended = before
        for _ in range(length // wait + 2):
            ended = ended.take(bands, Input(wait, True, figure, figure))
        assert ended.state.level is level


@settings(max_examples=100, deadline=None)
@given(streets(), st.data())
def test_more_people_never_show_a_lower_level_in_any_stream(
    street: tuple[tuple[Band, ...], list[Input]], data: st.DataObject
) -> None:
    bands, stream = street
    low = high = Watched()
    more = st.sampled_from([0.0, 0.0, 0.5, 3.0])
    for arrival in stream:
        low = low.take(bands, arrival)
        fuller = arrival
        if arrival.density is not None and arrival.upper is not None:
            density = arrival.density + data.draw(more)
            upper = max(density, arrival.upper + data.draw(more))
            warned = arrival.warned or data.draw(st.booleans())
            fuller = replace(arrival, density=density, upper=upper, warned=warned)
        high = high.take(bands, fuller)
        assert high.state.level >= low.state.level


@settings(max_examples=100, deadline=None)
@given(streets(), st.integers(1, 7))
def test_repeated_and_late_messages_change_nothing(
    street: tuple[tuple[Band, ...], list[Input]], back: int
) -> None:
    """After every picture one that was taken before it comes once more, and an old tick."""
    bands, stream = street
    state, now, past = LevelState(), 0, list[Reading]()
    for arrival in stream:
        now += arrival.wait
        reading = arrival.reading(now)
        if reading is not None:
            past.append(reading)
            state, _ = observe(bands, state, reading)
        elif arrival.picture:
            state, _ = distrust(state, now, "covered")
        for late in past[-1:] + past[-back:][:1]:
            assert observe(bands, state, late) == (state, None)
            assert pass_time(state, late.at) == (state, None)
            if state.seen is not None and late.at < state.seen:
                assert distrust(state, late.at, "covered") == (state, None)
