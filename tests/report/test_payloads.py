"""Payloads: a state grows old, and says so."""

import pytest

from edge.common.wire import Health, Level, Occupancy, State, ZoneState
from edge.report.aggregate import STANDS_FOR
from edge.report.machine import Machine
from edge.report.payloads import Condition, Stamp, as_of, health_fields, unknown_state

NOW = 1_000_000_000_000


def clear() -> State:
    seen = Occupancy("street", 9.0, 8.0, 10.0, 40.0, 0.2, 0.3, NOW)
    street = ZoneState("street", Level.CLEAR, seen)
    return State(NOW, Level.CLEAR, "clear", "few people", (street,), 0.5, (), "m")


def test_a_fresh_state_stands_and_its_frame_grows_older() -> None:
    later = as_of(clear(), NOW + STANDS_FOR)
    assert later.level is Level.CLEAR
    assert later.zones == clear().zones
    assert later.frame_age_s == pytest.approx(3.5)
    assert later.at == NOW + STANDS_FOR


def test_a_silent_decide_leaves_nothing_known() -> None:
    later = as_of(clear(), NOW + STANDS_FOR + 1)
    assert later.level is Level.UNKNOWN
    assert later.zones == (ZoneState("street", Level.UNKNOWN, None),)
    assert later.frame_age_s == pytest.approx(3.5)
    assert later.message == "unknown"


def test_a_state_of_this_very_moment_is_not_younger_than_now() -> None:
    assert as_of(clear(), NOW - 5).level is Level.CLEAR


@pytest.mark.parametrize(("silent_s", "proof"), [(29, "proven"), (31, "unknown")])
def test_a_proof_lasts_as_long_as_the_word_of_who_gave_it(silent_s: int, proof: str) -> None:
    show = Health("show", NOW, {}, 0, {"sign_proof": "proven"})
    condition = Condition(Machine(None, None, None, None, None), 0, 0, {}, (), None)
    stamp = Stamp("boot", NOW + silent_s * 1_000_000_000, 1.8e9, time_valid=True)
    assert health_fields({"show": show}, stamp, condition)["sign_proof"] == proof


def test_without_any_frame_there_is_no_age() -> None:
    start = unknown_state(["street"], NOW, "just started")
    assert as_of(start, NOW + 1).frame_age_s is None
