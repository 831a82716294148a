"""Frozen pictures under running clocks, and streets in which almost nothing moves."""

from collections.abc import Iterable
from functools import cache
from itertools import count

import numpy as np
import pytest
from numpy.typing import NDArray

from edge.common.units import nanoseconds
from edge.watch.frame import Frame, Pixels
from edge.watch.health import STILL_AFTER_S, HealthJudge
from edge.watch.scene_life import SceneLife, lives, places_of
from tests.bench.encoded import encoded
from tests.watch import overlays
from tests.watch.overlays import CORNERS, PLACES, Overlay, together
from tests.watch.quiet import Quiet, backdrop, noisy, quiet, quiet_samples

EVERY_S = 1.7
LONG_S = 340.0
# What is promised: the sign is neutral so long after the picture froze.
PROMISED_S = 330.0
OVERLAYS: dict[str, tuple[Overlay, ...]] = {
    "clock in the corner": (Overlay("", CORNERS["top left"], 16, lines=overlays.clock),),
    "large clock in the middle": (Overlay("", PLACES["middle"], 40, lines=overlays.clock),),
    "minutes alone": (Overlay("", CORNERS["top right"], 24, "serif", overlays.minutes),),
    "frame counter": (Overlay("", PLACES["inner"], 24, "mono bold", overlays.frames),),
    "name and date in turns": (Overlay("", PLACES["bottom"], 20, lines=overlays.alternating),),
    "blinking REC": (Overlay("", PLACES["inner"], 20, drawn=overlays.rec),),
    "turning logo": (Overlay("", PLACES["middle"], 64, drawn=overlays.logo),),
    "bar of the recorder": (Overlay("", PLACES["bottom"], 12, drawn=overlays.progress, wide=0),),
    "in all corners": together(),
}


@cache
def street(night: bool = True) -> Pixels:
    """Without anybody and without noise."""
    return np.rint(backdrop(night=night)).astype(np.uint8)


def drawn_on(pixels: Pixels, drawn: tuple[Overlay, ...], at_s: float) -> Pixels:
    for each in drawn:
        pixels = each.on(pixels, at_s)
    return pixels


def told_after(pictures: Iterable[Pixels], every_s: float = EVERY_S) -> float | None:
    """Seconds until the picture is called frozen, and stays so; None when it is not."""
    judge, since = HealthJudge(), None
    for at_s, pixels in zip(count(every_s, every_s), pictures, strict=False):
        frozen = judge.judge(Frame(pixels, nanoseconds(at_s))).frozen
        since = (since or at_s) if frozen else None
    return since


@pytest.mark.slow
@pytest.mark.parametrize("noise", [0.0, 3.0])
@pytest.mark.parametrize("name", OVERLAYS)
def test_a_frozen_picture_is_found_whatever_is_drawn_over_it(name: str, noise: float) -> None:
    """With noise that is new in each picture, and with an encoder's none."""
    taken = noisy(street(), noise) if noise else street
    times = np.arange(0.0, LONG_S, EVERY_S)
    told = told_after(drawn_on(taken(), OVERLAYS[name], at_s) for at_s in times)
    assert told is not None
    assert told <= PROMISED_S


@pytest.mark.parametrize("name", ["clock in the corner", "large clock in the middle"])
def test_a_frozen_picture_that_is_encoded_anew_under_a_clock_is_found(name: str) -> None:
    times = np.arange(0.0, LONG_S, EVERY_S)
    sent = [drawn_on(street(night=False), OVERLAYS[name], at_s) for at_s in times]
    told = told_after(encoded(sent))
    assert told is not None
    assert told <= PROMISED_S


def test_a_frozen_picture_under_a_counter_that_never_returns_is_found() -> None:
    """Its high digits count on: together they come back never, one by one they do."""
    counter = Overlay("", PLACES["inner"], 24, "sans", overlays.frames)
    times = np.arange(0.0, LONG_S, 2.0)
    sent = [counter.on(street(night=False), float(at_s)) for at_s in times]
    told = told_after(encoded(sent, "x264, constant quality"), 2.0)
    assert told is not None
    assert told <= PROMISED_S


@pytest.mark.slow
@pytest.mark.parametrize("clocked", [False, True])
def test_a_street_in_which_only_leaves_a_flag_and_a_sign_move_is_not_frozen(clocked: bool) -> None:
    """At 4 a.m., with the camera's clock and without."""
    drawn = OVERLAYS["clock in the corner"] if clocked else ()
    pictures = quiet(1.0, LONG_S)
    assert told_after((drawn_on(p, drawn, at) for at, p in enumerate(pictures)), 1.0) is None


def test_leaves_alone_are_life() -> None:
    """They never look the same twice."""
    assert told_after(quiet(1.0, LONG_S, Quiet(("leaves",), night=False)), 1.0) is None


def test_leaves_in_little_wind_are_life() -> None:
    """Though hardly a cell stirs."""
    life, end = SceneLife(), 0
    for second, samples in enumerate(quiet_samples(1.0, LONG_S, Quiet(("leaves",), calm=0.2)), 1):
        end = nanoseconds(float(second))
        life.see(samples, end)
    assert not life.still_for(STILL_AFTER_S, end)


def test_a_scene_that_moves_again_is_trusted_at_once() -> None:
    judge, drawn = HealthJudge(), OVERLAYS["clock in the corner"]
    for at_s in np.arange(EVERY_S, LONG_S, EVERY_S):
        frame = Frame(drawn_on(street(), drawn, at_s), nanoseconds(float(at_s)))
        frozen = judge.judge(frame).frozen
    assert frozen
    moved = drawn_on(np.roll(street(), 20, axis=1), drawn, LONG_S)
    assert not judge.judge(Frame(moved, nanoseconds(LONG_S))).frozen


def stirred(*blocks: tuple[int, int, int, int]) -> NDArray[np.bool_]:
    """First row and column, rows and columns that stirred, of a picture of 44 x 80 cells."""
    cells = np.zeros((44, 80), bool)
    for row, column, rows, columns in blocks:
        cells[row : row + rows, column : column + columns] = True
    return cells


def test_what_text_can_be_is_no_life() -> None:
    """Nothing, lines anywhere, a bar along the edge, and lines of one block."""
    assert not lives(stirred())
    assert not lives(stirred((20, 5, 5, 45)))
    assert not lives(stirred((42, 0, 2, 80)))
    assert not lives(stirred((1, 1, 3, 30), (40, 50, 3, 29)))
    assert not lives(stirred((10, 10, 2, 20), (14, 10, 2, 15), (18, 10, 2, 18)))


def test_what_no_text_can_be_is_life() -> None:
    """Somebody who walks by or comes near, and several things far apart."""
    assert lives(stirred((10, 20, 20, 4)))
    assert lives(stirred((20, 10, 8, 55)))
    assert lives(stirred((10, 10, 2, 2), (20, 40, 2, 2), (30, 70, 2, 2)))


def test_digits_of_one_line_are_one_place() -> None:
    assert len(places_of(stirred((3, 10, 2, 2), (3, 14, 2, 2)))) == 1
    assert len(places_of(stirred((3, 10, 2, 2), (9, 10, 2, 2)))) == 2
