from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageFilter

from edge.clock import nanoseconds
from edge.site.schema import Scene as SceneOptions
from edge.watch.cameras.scene import Scene
from edge.watch.frame import Frame, Pixels
from edge.watch.health import HealthJudge
from edge.watch.pictures import read_picture
from tests.watch.made import HEADS, needs, noise

STATION = HEADS / "station"


def faults(pixels: Pixels) -> tuple[str, ...]:
    """What is wrong with one picture."""
    return HealthJudge(live=False).judge(Frame(pixels, 1)).faults


def flat(grey: int, spread: float = 2.0) -> Pixels:
    """Almost one grey, with a sensor's noise."""
    noisy = np.random.default_rng(0).normal(grey, spread, (352, 640, 3))
    return np.clip(noisy, 0, 255).astype(np.uint8)


def street(night: bool = False) -> Pixels:
    options = SceneOptions()
    return Scene(options.width, options.height, night=night).at(10.0).pixels


def blurred(pixels: Pixels) -> Pixels:
    """As through a lens out of focus: by 2 % of the longer side."""
    radius = max(pixels.shape) * 0.02
    return np.asarray(Image.fromarray(pixels).filter(ImageFilter.GaussianBlur(radius)))


def test_a_dark_picture_is_dark() -> None:
    """At night with the lamps off, or with a dead sensor."""
    assert faults(flat(4)) == ("dark",)
    assert faults(flat(0, 0)) == ("dark",)


@pytest.mark.parametrize("grey", [40, 128, 250])
def test_a_covered_lens_is_covered(grey: int) -> None:
    """By tape, paint or a hand: flat, noise apart."""
    assert faults(flat(grey)) == ("covered",)


@pytest.mark.parametrize("night", [False, True])
def test_a_blurred_street_is_blurred(night: bool) -> None:
    """By day and by night."""
    assert "blurred" in faults(blurred(street(night)))


@pytest.mark.parametrize("night", [False, True])
def test_the_simulated_street_is_never_mistrusted(night: bool) -> None:
    """A minute of it, by day and by night."""
    scene, judge = Scene(640, 352, night=night), HealthJudge()
    for second in range(60):
        frame = Frame(scene.at(second).pixels, nanoseconds(second + 1))
        assert judge.judge(frame).faults == ()


def test_a_frame_that_stays_the_same_is_frozen_after_three_seconds() -> None:
    """And the first that differs is trusted again."""
    judge = HealthJudge()
    times_s = (1.0, 2.0, 3.9, 4.0, 60.0)
    frozen = [judge.judge(Frame(noise(), nanoseconds(at_s))).frozen for at_s in times_s]
    assert frozen == [False, False, False, True, True]
    assert not judge.judge(Frame(noise(seed=1), nanoseconds(61.0))).frozen


def test_still_pictures_are_not_frozen() -> None:
    """A recording may show one picture for long."""
    judge = HealthJudge(live=False)
    assert not any(judge.judge(Frame(noise(), nanoseconds(at))).frozen for at in range(1, 10))


@pytest.mark.parametrize("shape", [(1, 1), (2, 2), (1, 2000), (2000, 3), (700, 5)])
def test_every_shape_is_judged(shape: tuple[int, int]) -> None:
    """Thin and tiny pictures raise nothing."""
    HealthJudge().judge(Frame(noise(*shape), 1))


@needs(STATION)
def test_real_pictures_are_trusted() -> None:
    """Two fixed cameras from morning to night: fewer than one false alarm in a hundred."""
    paths = sorted(STATION.iterdir())
    wrong = [path for path in paths if faults(read_picture(path))]
    assert len(wrong) < len(paths) / 100, wrong


@needs(STATION)
def test_real_pictures_out_of_focus_are_not() -> None:
    """Each twentieth of them, blurred."""
    paths: list[Path] = sorted(STATION.iterdir())[::20]
    assert all("blurred" in faults(blurred(read_picture(path))) for path in paths)
