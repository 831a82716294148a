"""Motion: pictures that are moved by a known way, at known times, and scenarios' truth."""

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from edge.common.sighting import HeadMap, Motion
from edge.common.units import NS_PER_S
from edge.street.scenarios import StagedScenario
from edge.watch.frame import Frame, Pixels
from edge.watch.motion import MotionMeter

GOLDEN = Path(__file__).parents[2] / "models" / "golden.jpg"
QUARTER = NS_PER_S // 4


def street(width: int = 640, height: int = 352) -> Pixels:
    """A real picture of a crowd."""
    with Image.open(GOLDEN) as picture:
        return np.asarray(picture.convert("RGB").resize((width, height)))


def crowd(width: int = 640, height: int = 352, cell: float = 16.0, each: float = 1.0) -> HeadMap:
    """The same number of heads in every cell, so that nothing is known to stand still."""
    count = np.full((round(height / cell + 0.49), round(width / cell)), each, np.float32)
    return HeadMap(count, count, cell, width, height, 1.645)


def moved(pixels: Pixels, right: int, down: int) -> Pixels:
    return np.roll(pixels, (down, right), axis=(0, 1))


def inner(cells: NDArray[np.float32]) -> NDArray[np.float32]:
    """Without the cells into which something new came."""
    return cells[2:-2, 2:-2]


@pytest.mark.parametrize(("right", "down"), [(6, 0), (0, -4), (-10, 6), (2, 2)])
def test_a_shift_is_measured_in_px_a_second(right: int, down: int) -> None:
    meter, picture = MotionMeter(), street()
    assert meter.see(Frame(picture, NS_PER_S), crowd()) is None
    motion = meter.see(Frame(moved(picture, right, down), NS_PER_S + QUARTER), crowd())
    assert motion is not None
    assert motion.right.shape == motion.down.shape == crowd().count.shape
    assert np.median(inner(motion.right)) == pytest.approx(4 * right, abs=0.8)
    assert np.median(inner(motion.down)) == pytest.approx(4 * down, abs=0.8)


@pytest.mark.parametrize(
    ("width", "height", "cell", "sample"),
    [(640, 352, 16.0, 2), (1280, 720, 32.0, 4), (960, 540, 16.0, 3), (320, 240, 8.0, 1)],
)
def test_every_size_of_picture_is_measured_in_its_own_px(
    width: int, height: int, cell: float, sample: int
) -> None:
    meter, picture, heads = MotionMeter(), street(width, height), crowd(width, height, cell)
    meter.see(Frame(picture, NS_PER_S), heads)
    motion = meter.see(Frame(moved(picture, 2 * sample, 0), NS_PER_S + QUARTER), heads)
    assert motion is not None
    assert motion.sample == sample
    assert motion.right.shape == heads.count.shape
    assert np.median(inner(motion.right)) == pytest.approx(8 * sample, rel=0.1)


def test_what_stands_still_has_no_speed_though_the_sensor_is_noisy() -> None:
    meter, picture, rng = MotionMeter(), street(), np.random.default_rng(1)
    for number in range(4):
        noisy = np.clip(picture + rng.normal(0, 4, picture.shape), 0, 255).astype(np.uint8)
        motion = meter.see(Frame(noisy, NS_PER_S + number * QUARTER), crowd())
    assert motion is not None
    assert np.hypot(motion.right, motion.down).mean() < 1.0  # px a second


def test_a_cell_moves_as_it_does_itself() -> None:
    """The left half walks to the right, the right half stands."""
    meter, picture = MotionMeter(), street()
    later = picture.copy()
    later[:, :320] = moved(picture[:, :320], 4, 0)
    meter.see(Frame(picture, NS_PER_S), crowd())
    motion = meter.see(Frame(later, NS_PER_S + QUARTER), crowd())
    assert motion is not None
    assert np.median(motion.right[2:-2, 2:17]) == pytest.approx(16, abs=1.5)
    assert np.median(motion.right[2:-2, 23:-2]) == pytest.approx(0, abs=0.2)


def seen(meter: MotionMeter, at_s: float, picture: Pixels) -> Motion | None:
    return meter.see(Frame(picture, round(at_s * NS_PER_S)), crowd())


def test_pictures_far_apart_tell_nothing() -> None:
    meter, picture = MotionMeter(), street()
    assert seen(meter, 1.0, picture) is None
    assert seen(meter, 2.0, picture) is not None
    assert seen(meter, 3.2, picture) is not None
    assert seen(meter, 4.401, picture) is None
    assert seen(meter, 4.65, picture) is not None


def test_a_fast_camera_is_compared_with_what_was_a_tenth_of_a_second_ago() -> None:
    """Thirty pictures a second, moving by 1 px each: 30 px a second, from the third picture on."""
    meter, picture = MotionMeter(), street()
    for number in range(40):
        motion = seen(meter, 1 + number / 30, moved(picture, number, 0))
        assert (motion is None) == (number < 3)
        if motion is not None:
            assert np.median(inner(motion.right)) == pytest.approx(30, rel=0.1)
    assert len(meter._seen) <= 5


def test_nothing_is_compared_across_a_picture_that_was_not_trusted() -> None:
    meter, picture = MotionMeter(), street()
    seen(meter, 1.0, picture)
    meter.forget()
    assert seen(meter, 1.25, picture) is None
    assert seen(meter, 1.5, picture) is not None


def test_pictures_of_another_size_are_not_compared() -> None:
    meter = MotionMeter()
    meter.see(Frame(street(), NS_PER_S), crowd())
    other = Frame(street(1280, 720), NS_PER_S + QUARTER)
    assert meter.see(other, crowd(1280, 720, 32.0)) is None


def test_a_tiny_picture_reports_nothing() -> None:
    meter, picture = MotionMeter(), street(64, 24)
    for number in range(3):
        assert meter.see(Frame(picture, NS_PER_S + number * QUARTER), crowd(64, 24, 8.0)) is None


def test_a_camera_that_shakes_reports_nothing() -> None:
    """Where nobody is the ground moved: so did the camera."""
    meter, picture, nobody = MotionMeter(), street(), crowd(each=0.0)
    meter.see(Frame(picture, NS_PER_S), nobody)
    assert meter.see(Frame(moved(picture, 4, 0), NS_PER_S + QUARTER), nobody) is None
    still = meter.see(Frame(moved(picture, 4, 0), NS_PER_S + 2 * QUARTER), nobody)
    assert still is not None


def test_the_knock_of_a_camera_is_no_motion_of_the_crowd() -> None:
    staged, meter = StagedScenario("knocked"), MotionMeter()
    told = []
    for at_s in (35.5, 35.75, 36.0, 36.25):
        picture = staged.at(at_s)
        count = np.zeros((22, 40), np.float32)
        for column, row in (picture.heads // 16).astype(int):
            count[row, column] += 1
        heads = HeadMap(count, count, 16.0, 640, 352, 1.645)
        frame = Frame(picture.pixels, round((1 + at_s) * NS_PER_S))
        told.append(meter.see(frame, heads) is not None)
    assert told == [False, True, False, True]
