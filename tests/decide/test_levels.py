"""The level machine: every rule of safety by example; `test_proofs` has the proofs."""

from dataclasses import FrozenInstanceError
from math import inf, nan, nextafter

import pytest

from edge.common.units import NS_PER_S as NS
from edge.common.wire import Level
from edge.decide.levels import (
    LevelState,
    Reading,
    Transition,
    bands_of,
    distrust,
    observe,
    pass_time,
    shown,
    worst,
)
from edge.site.bands import BandTable

BANDS = bands_of(BandTable())
LONG = 5 * 86_400 * NS


class Street:
    """Feeds the machine readings, four a second if not told otherwise, and keeps what it said."""

    def __init__(self, every: int = NS // 4) -> None:
        self.every = every
        self.state = LevelState()
        self.at = NS
        self.changes: list[Transition] = []

    def show(self, density: float, seconds: float, upper: float | None = None) -> "Street":
        for _ in range(round(seconds * NS / self.every)):
            self.at += self.every
            self.take(*observe(BANDS, self.state, Reading(density, upper or density, self.at)))
        return self

    def wait(self, seconds: float) -> "Street":
        """Time in which nobody looks."""
        self.at += round(seconds * NS)
        return self

    def silence(self, seconds: float) -> "Street":
        for _ in range(round(seconds * 4)):
            self.at += NS // 4
            self.take(*pass_time(self.state, self.at))
        return self

    def take(self, state: LevelState, change: Transition | None) -> None:
        self.state = state
        if change is not None:
            self.changes.append(change)

    @property
    def levels(self) -> list[Level]:
        return [change.after for change in self.changes]


def test_unknown_leaves_after_three_seconds_of_good_readings() -> None:
    assert Street().show(0.5, 2.75).levels == []
    assert Street().show(0.5, 3.5).levels == [Level.CLEAR]


def test_unknown_leaves_into_the_level_that_the_upper_end_reaches() -> None:
    assert Street().show(1.0, 4, upper=2.7).levels == [Level.CROWDED]


def test_rises_by_any_number_of_levels_after_the_rise_time() -> None:
    street = Street().show(0.5, 4)
    assert street.show(6.0, 2.75).levels == [Level.CLEAR]
    assert street.show(6.0, 1.0).levels == [Level.CLEAR, Level.CRITICAL]


def test_the_times_of_the_table_are_exact() -> None:
    """The first of four readings a second comes after 0.25 s; the time has passed at the last."""
    street = Street()
    assert street.show(0.5, 3.0).state.level is Level.UNKNOWN
    assert street.show(0.5, 0.25).state.level is Level.CLEAR
    assert street.show(6.0, 3.0).state.level is Level.CLEAR
    assert street.show(6.0, 0.25).state.level is Level.CRITICAL
    assert street.show(0.1, 20.0).state.level is Level.CRITICAL
    assert street.show(0.1, 0.25).state.level is Level.CROWDED


def test_a_time_that_no_picture_hits_has_passed_at_the_next_one() -> None:
    street = Street(every=13 * NS // 10)
    assert street.show(0.5, 3 * 1.3).state.level is Level.UNKNOWN
    assert street.show(0.5, 1.3).state.level is Level.CLEAR
    assert street.show(6.0, 3 * 1.3).state.level is Level.CLEAR
    assert street.show(6.0, 1.3).state.level is Level.CRITICAL
    assert street.show(0.1, 16 * 1.3).state.level is Level.CRITICAL
    assert street.show(0.1, 1.3).state.level is Level.CROWDED


def test_the_densities_of_the_table_are_exact() -> None:
    """At `rise` it begins; it ends below `fall`, not at it; so also when UNKNOWN ends."""
    below = nextafter(2.0, 0)
    assert Street().show(0.5, 4).show(below, 60).state.level is Level.CLEAR
    assert Street().show(0.5, 4).show(2.0, 4).state.level is Level.CAUTION
    assert Street().show(1.6, 4).show(1.6, 60).state.level is Level.CAUTION
    assert Street().show(nextafter(1.6, 0), 4).state.level is Level.CLEAR


def test_a_repeated_reading_changes_nothing_and_a_late_blind_picture_neither() -> None:
    street = Street().show(0.5, 2)
    again = Reading(9.0, 9.0, street.at)
    assert observe(BANDS, street.state, again) == (street.state, None)
    assert distrust(street.state, street.at - 1, "late") == (street.state, None)
    assert distrust(street.state, street.at, "now") == (LevelState(seen=street.at), None)


@pytest.mark.parametrize(
    "made",
    [
        BANDS[0],
        Reading(1.0, 1.0, 1),
        Transition(Level.CLEAR, Level.CAUTION, "", 1),
        LevelState(),
    ],
)
def test_nothing_changes_once_it_is_made(made: object) -> None:
    with pytest.raises(FrozenInstanceError):
        made.level = Level.CLEAR  # type: ignore[attr-defined]


def test_one_reading_below_the_band_starts_the_rise_time_anew() -> None:
    street = Street().show(0.5, 4).show(2.2, 2.75).show(1.9, 0.25).show(2.2, 2.75)
    assert street.levels == [Level.CLEAR]


def test_falls_one_level_at_a_time_twenty_seconds_each() -> None:
    street = Street().show(0.5, 4).show(6.0, 4)
    assert street.show(0.1, 19.5).state.level is Level.CRITICAL
    assert street.show(0.1, 1.5).state.level is Level.CROWDED
    assert street.show(0.1, 20.5).state.level is Level.CAUTION
    assert street.show(0.1, 20.5).state.level is Level.CLEAR


def test_doubt_delays_the_all_clear_for_ever() -> None:
    street = Street().show(0.5, 4).show(3.5, 4)
    assert street.show(0.5, 600, upper=2.6).state.level is Level.CROWDED


def test_a_wide_interval_never_raises_the_level() -> None:
    assert Street().show(0.5, 4).show(0.5, 60, upper=9.0).levels == [Level.CLEAR]


def test_inside_the_band_nothing_changes() -> None:
    street = Street().show(0.5, 4).show(2.1, 4)
    assert street.show(1.7, 300).state.level is Level.CAUTION


def test_silence_makes_unknown_after_three_seconds() -> None:
    street = Street().show(0.5, 4)
    assert street.silence(3.0).state.level is Level.CLEAR
    assert street.silence(0.5).state.level is Level.UNKNOWN
    assert street.changes[-1].reason == "no count for 3 s"


def test_an_untrusted_picture_makes_unknown_at_once() -> None:
    street = Street().show(6.0, 8)
    street.take(*distrust(street.state, street.at + 1, "picture is covered"))
    assert street.state.level is Level.UNKNOWN
    assert street.changes[-1].reason == "picture is covered"


def test_a_gap_in_readings_is_noticed_even_if_no_time_was_let_pass() -> None:
    street = Street().show(6.0, 8)
    street.wait(10).show(0.1, 0.25)
    assert street.state.level is Level.UNKNOWN


def test_a_gap_breaks_the_rise_time() -> None:
    street = Street().show(0.5, 4).show(6.0, 2.0)
    assert Level.CRITICAL not in street.wait(10).show(6.0, 2.5).levels


def test_a_transition_says_why() -> None:
    street = Street().show(0.5, 4).show(5.5, 4, upper=6.25)
    assert street.changes[-1].reason == "5.50 persons/m² (at most 6.25); 5 or more for 3 s"


def test_the_words_of_every_kind_of_transition() -> None:
    street = Street().show(0.5, 4, upper=1.0).show(2.5, 4).show(0.25, 21, upper=0.5).silence(4)
    assert [change.reason for change in street.changes] == [
        "good counts for 3 s, at most 1.00 persons/m²",
        "2.50 persons/m² (at most 2.50); 2 or more for 3 s",
        "0.25 persons/m² (at most 0.50); surely below 1.6 for 20 s",
        "no count for 3 s",
    ]


def test_one_low_count_among_high_ones_never_makes_clear() -> None:
    assert Street().show(4.0, 3.0).show(0.1, 0.25).levels == [Level.CROWDED]


@pytest.mark.parametrize(
    ("density", "upper"),
    [
        (nan, 1.0),
        (1.0, nan),
        (nan, nan),
        (inf, inf),
        (1.0, 1e308 * 10),
        (-0.1, 1.0),
        (-2.0, -1.0),
        (2, 1),
    ],
)
def test_what_cannot_be_a_count_makes_unknown_at_once(density: float, upper: float) -> None:
    street = Street().show(6.0, 8)
    street.take(*observe(BANDS, street.state, Reading(density, upper, street.at + 1)))
    assert street.state == LevelState(seen=street.at + 1)
    assert street.changes[-1].reason.startswith("this is no count: ")


def test_an_empty_and_an_exact_count_are_counts() -> None:
    assert Reading(0.0, 0.0, 1).sound
    assert Reading(2.0, 2.0, 1).sound


def test_silence_while_unknown_forgets_the_good_readings() -> None:
    """Else an old occupancy would be told, and old pictures that come late would count."""
    street = Street().show(0.5, 1)
    assert street.state.trusted_since is not None
    assert street.silence(4).state == LevelState(seen=street.at - NS * 3 // 4)
    assert street.changes == []
    assert observe(BANDS, street.state, Reading(0.5, 0.5, street.at - NS)) == (street.state, None)


def test_a_state_of_another_table_is_no_state_of_this_one() -> None:
    street = Street().show(0.5, 4)
    with pytest.raises(ValueError, match="zip"):
        observe(BANDS[:2], street.state, Reading(0.5, 0.5, street.at + 1))


def test_the_reading_after_a_gap_begins_the_good_ones() -> None:
    street = Street().show(0.5, 4).wait(10).show(6.0, 3.0)
    assert street.state.level is Level.UNKNOWN
    assert street.show(6.0, 0.25).state.level is Level.CRITICAL


def test_the_worst_zone_makes_the_level_and_unknown_is_worse_than_clear() -> None:
    zones = [Level.CLEAR, Level.UNKNOWN]
    assert worst(zones) is Level.UNKNOWN
    assert worst([*zones, Level.CAUTION]) is Level.CAUTION


@pytest.mark.parametrize("camera", list(Level))
@pytest.mark.parametrize("level", [Level.CAUTION, Level.CROWDED, Level.CRITICAL])
def test_a_hold_raises_or_keeps(camera: Level, level: Level) -> None:
    assert shown(camera, level) is max(camera, level)
    assert shown(camera, None) is camera


def test_a_warning_counts_for_one_level_more_from_the_first_level_on() -> None:
    """The warning is told in every reason, also in that of the level after UNKNOWN."""
    state, changes = LevelState(), []
    for at in range(1, 40):
        state, change = observe(BANDS, state, Reading(2.5, 2.7, at * NS // 4, "standstill"))
        changes += [change] if change else []
    (change,) = changes
    assert change.after is Level.CROWDED
    assert change.reason == (
        "good counts for 3 s, at most 3.00 persons/m² (standstill: counts for one level more)"
    )


def test_a_warning_at_critical_changes_nothing() -> None:
    state = LevelState()
    for at in range(1, 40):
        state, _ = observe(BANDS, state, Reading(6.0, 7.0, at * NS // 4, "standstill"))
    assert state.level is Level.CRITICAL
