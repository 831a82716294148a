"""How old pictures are by their own times: made up streams, no clock."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.watch.cameras.age import JUMP_S, SETTLED_S, MediaClock

EVERY_S = 0.1


def play(
    clock: MediaClock, lags_s: list[float], *, start_s: float = 1000.0, media_s: float = 0.0
) -> list[float | None]:
    """Pictures one after the other, each so late; what the clock says of each when it comes."""
    told = list[float | None]()
    for number, lag_s in enumerate(lags_s):
        taken_s = media_s + number * EVERY_S
        at_s = start_s + number * EVERY_S + lag_s
        clock.came(taken_s, at_s, 1000)
        told.append(clock.queued_s(taken_s, at_s))
    return told


def test_the_first_pictures_are_of_an_unknown_age() -> None:
    told = play(MediaClock(), [0.02] * 20)
    assert told[:5] == [None] * 5
    assert told[-1] == pytest.approx(0.0, abs=0.01)


def test_what_was_kept_and_comes_at_once_is_not_given() -> None:
    """Three seconds old, they come within a moment; only then those of now."""
    kept = [3.0 - number * EVERY_S for number in range(30)]
    told = play(MediaClock(), [*kept, *[0.0] * 20])
    assert told[:30] == [None] * 30
    assert told[-1] == pytest.approx(0.0, abs=0.01)


@given(st.lists(st.floats(0.0, 3.0), min_size=1, max_size=60))
def test_a_picture_is_said_to_be_as_old_as_it_queued(lags_s: list[float]) -> None:
    """After a while in which some came at once."""
    clock = MediaClock()
    told = play(clock, [*[0.0] * 20, *lags_s])
    assert told[20:] == pytest.approx(lags_s, abs=0.01)


def test_a_queue_that_grows_is_seen() -> None:
    told = play(MediaClock(), [*[0.0] * 20, *np.linspace(0.0, 4.0, 40)])
    assert told[-1] == pytest.approx(4.0, abs=0.01)


def test_on_a_link_that_is_too_slow_from_the_start_the_first_took_its_time_too() -> None:
    """1000 bytes every 0.1 s over 5000 a second: the first needs 0.2 s."""
    clock = MediaClock()
    play(clock, [0.2 + 0.1 * number for number in range(30)])
    assert clock.way_s() == pytest.approx(0.2, rel=0.05)


def test_on_a_link_that_keeps_up_nothing_is_added() -> None:
    clock = MediaClock()
    play(clock, [0.05] * 30)
    assert clock.way_s() == 0.0


@pytest.mark.parametrize("stray_s", [-500.0, -5.0, 5.0, 500.0])
def test_a_stray_time_is_no_old_camera(stray_s: float) -> None:
    """One picture with a time of nowhere: soon all is as before."""
    clock = MediaClock()
    play(clock, [0.0] * 20)
    clock.came(2.0 + stray_s, 1002.0, 1000)
    told = play(clock, [0.0] * 30, start_s=1002.1, media_s=2.1)
    assert [one for one in told if one is not None] == pytest.approx(
        [0.0] * sum(one is not None for one in told), abs=0.05
    )
    assert told[-1] is not None


@pytest.mark.parametrize("jump_s", [-500.0, 500.0])
def test_a_clock_that_is_set_anew_is_followed(jump_s: float) -> None:
    """And what was queued before is taken to be queued still."""
    clock = MediaClock()
    play(clock, [0.0] * 20)
    told = play(clock, [0.0] * 30, start_s=1002.0, media_s=2.0 + jump_s)
    assert told[-1] == pytest.approx(0.0, abs=EVERY_S + 0.01)


def test_what_ffmpeg_keeps_until_the_next_begins_is_that_much_older() -> None:
    """It gives each picture out when the next one comes."""
    clock = MediaClock(held=1)
    told = play(clock, [EVERY_S] * 20)
    assert told[-1] == pytest.approx(EVERY_S, abs=0.01)


def test_a_slow_quartz_is_no_queue() -> None:
    """An hour of a clock that loses 100 parts in a million, which is 0.36 s."""
    told = play(MediaClock(), [1e-4 * EVERY_S * number for number in range(36_000)])
    assert told[-1] == pytest.approx(0.0, abs=0.02)


def test_the_thresholds_leave_room_for_each_other() -> None:
    """A camera's cached pictures are shorter than what is taken for a jump, one by one."""
    assert EVERY_S < JUMP_S
    assert SETTLED_S < JUMP_S
