"""Commands that MQTT 3.1.1 does not mark as retained wait until the broker was asked. Pure."""

from dataclasses import replace

from edge.report.requests import LONGEST_PAYLOAD, Received
from edge.report.retained_check import COMES_BACK_WITHIN, RetainedCheck

HOLD, MUTE = Received("hold", b"h"), Received("mute", b"m")
KEPT = replace(HOLD, retained=True)


def connected() -> RetainedCheck:
    check = RetainedCheck()
    check.connected()
    check.asked()
    check.answered(0)
    return check


def test_what_comes_back_is_retained_and_the_rest_is_not() -> None:
    check = connected()
    assert check.take(HOLD, is_marked=False) == check.take(MUTE, is_marked=False) == []
    assert check.cleared(10 * COMES_BACK_WITHIN) == []
    assert check.wants_to_ask
    check.asked()
    assert not check.wants_to_ask
    check.answered(0)
    assert check.take(KEPT, is_marked=False) == [KEPT]
    assert check.cleared(COMES_BACK_WITHIN - 1) == []
    assert check.cleared(COMES_BACK_WITHIN) == [MUTE]
    assert check.cleared(COMES_BACK_WITHIN) == []


def test_what_comes_while_it_is_asked_waits_for_the_next_time() -> None:
    check = connected()
    check.take(HOLD, is_marked=False)
    check.asked()
    check.take(MUTE, is_marked=False)
    check.answered(0)
    assert check.cleared(COMES_BACK_WITHIN) == [HOLD]
    assert check.wants_to_ask
    check.asked()
    assert check.cleared(COMES_BACK_WITHIN) == []
    check.answered(COMES_BACK_WITHIN)
    assert check.cleared(2 * COMES_BACK_WITHIN) == [MUTE]


def test_what_was_retained_before_is_judged_once_on_each_connection() -> None:
    check = connected()
    assert check.take(KEPT, is_marked=False) == [KEPT]
    check.take(MUTE, is_marked=False)
    check.asked()
    assert check.take(KEPT, is_marked=False) == []
    check.connected()
    check.asked()
    assert check.take(KEPT, is_marked=False) == [KEPT]


def test_a_lost_connection_loses_none_that_waits() -> None:
    check = connected()
    check.take(HOLD, is_marked=False)
    check.asked()
    check.take(MUTE, is_marked=False)
    check.connected()
    assert not check.wants_to_ask  # its first subscription does
    check.asked()
    check.answered(0)
    assert check.take(KEPT, is_marked=False) == [KEPT]
    assert check.cleared(COMES_BACK_WITHIN) == [MUTE]


def test_where_the_mark_is_sure_or_all_else_is_wrong_nothing_waits() -> None:
    check = connected()
    assert check.take(HOLD, is_marked=True) == [HOLD]
    large = Received("text", b"x" * (LONGEST_PAYLOAD + 1))
    assert check.take(large, is_marked=False) == [large]
    assert not check.wants_to_ask
