"""The measure of levels against the truth, on courses made by hand."""

import numpy as np

from edge.common.wire import Level
from tests.bench.course import LOW, Moment, Seen, delays, held, longest

BLACK = np.zeros((1, 1, 3), np.uint8)
LETTERS = {"?": Level.UNKNOWN, "0": Level.CLEAR, "1": Level.CAUTION, "2": Level.CROWDED}
LETTERS["3"] = Level.CRITICAL


def moments(truth: str, camera: str) -> list[Moment]:
    pairs = enumerate(zip(truth, camera, strict=True))
    return [Moment(at, 0, 0, LETTERS[true], None, LETTERS[seen]) for at, (true, seen) in pairs]


def test_the_longest_time_that_the_camera_reports_less() -> None:
    assert longest(moments("0333333332", "0110001233"), LOW) == 6.0
    assert longest(moments("0333333330", "0??1??0022"), LOW) == 2.0
    assert longest(moments("0122220000", "0000000000"), LOW) == 0.0


def test_the_delay_of_each_rise_late_early_and_never() -> None:
    seen = moments("0011100111001100", "0000111110000000")
    assert delays(seen, Level.CAUTION) == [2.0, -3.0, None]
    assert delays(seen, Level.CROWDED) == []
    assert delays(moments("0033", "0022"), Level.CRITICAL) == [None]
    assert delays(moments("0011", "1111"), Level.CAUTION) == [-2.0]


def test_a_picture_stands_until_the_next_or_the_end_of_its_hold() -> None:
    pictures = [Seen(at_s, BLACK, at_s, at_s) for at_s in (0.0, 2.0, 9.0)]
    shown = [(seen.at_s, seen.density) for seen in held(pictures, 3.0)]
    assert shown == [(0, 0), (1, 0), (2, 2), (3, 2), (4, 2), (9, 9), (10, 9), (11, 9)]
