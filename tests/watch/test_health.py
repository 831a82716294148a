import functools
from collections.abc import Iterable

import numpy as np
import pytest

from edge.common.sighting import HeadMap
from edge.common.units import nanoseconds
from edge.site.schema import SceneOptions
from edge.street.scene import Scene
from edge.watch.frame import Frame, Pixels
from edge.watch.health import HealthJudge
from edge.watch.pictures import read_picture
from edge.watch.view_monitor import ViewMonitor
from hil.testkit.data import CLIP, HEADS, needs
from tests.bench.degrade import Turn, dazzled, defocused, half_decoded, night, shaken, turned
from tests.bench.encoded import CODECS, encoded
from tests.watch.made import noise
from tests.watch.views import clip, view_of

STATION = HEADS / "station"


def faults(pixels: Pixels) -> tuple[str, ...]:
    """What is wrong with one picture."""
    return HealthJudge(live=False).judge(Frame(pixels, 1)).faults


def flat(grey: int, spread: float = 2.0) -> Pixels:
    """Almost one grey, with a sensor's noise."""
    noisy = np.random.default_rng(0).normal(grey, spread, (352, 640, 3))
    return np.clip(noisy, 0, 255).astype(np.uint8)


@functools.cache
def street(by_night: bool = False) -> Pixels:
    options = SceneOptions()
    return Scene(options.width, options.height, night=by_night).at(10.0).pixels


def test_a_dark_picture_is_dark() -> None:
    """At night with the lamps off, or with a dead sensor."""
    assert faults(flat(4)) == ("dark",)
    assert faults(flat(0, 0)) == ("dark",)


@pytest.mark.parametrize("grey", [40, 128, 250])
def test_a_covered_lens_is_covered(grey: int) -> None:
    """By tape, paint or a hand: flat, noise apart."""
    assert faults(flat(grey)) == ("covered",)


@pytest.mark.parametrize("by_night", [False, True])
@pytest.mark.parametrize("share", [0.0025, 0.005, 0.01, 0.02])
def test_a_street_out_of_focus_is_blurred(share: float, by_night: bool) -> None:
    """From where a third of the count is lost."""
    assert faults(defocused(street(by_night), share)) == ("blurred",)


@pytest.mark.parametrize("upright", [False, True])
def test_a_shaken_camera_s_picture_is_blurred(upright: bool) -> None:
    """Though the edges along the shaking stay sharp."""
    pixels = street()
    shaky = shaken(pixels.swapaxes(0, 1), 0.02).swapaxes(0, 1) if upright else shaken(pixels, 0.02)
    assert faults(shaky) == ("blurred",)


@pytest.mark.parametrize("part", [0.5, 0.75])
def test_a_picture_not_decoded_to_its_end_is_covered(part: float) -> None:
    """The grey that a broken stream leaves."""
    assert faults(half_decoded(street(), part)) == ("covered",)


def masked(pixels: Pixels, kind: str, grey: int) -> Pixels:
    """With a part that is blank: by law, by the lens, or because it is sky."""
    height, width = pixels.shape[:2]
    rows, columns = np.mgrid[:height, :width]
    blank = {
        "upper third": rows < height / 3,
        "left two fifths": columns < 0.4 * width,
        "letterbox": np.abs(rows - height / 2) > 0.3 * height,
        "round picture": np.hypot(rows - height / 2, columns - width / 2) > height / 2,
        "upper half": rows < height / 2,
    }[kind]
    return np.where(blank[..., None], grey, pixels).astype(np.uint8)


MASKS = ("upper third", "left two fifths", "letterbox", "round picture", "upper half")


@pytest.mark.parametrize("by_night", [False, True])
@pytest.mark.parametrize("kind", MASKS)
def test_a_privacy_mask_is_no_cover(kind: str, by_night: bool) -> None:
    """Nor are dead borders, or a plain sky."""
    for grey in (0, 16, 128, 235):
        assert faults(masked(street(by_night), kind, grey)) == ()


@pytest.mark.parametrize("kind", MASKS)
def test_beside_a_privacy_mask_everything_is_found(kind: str) -> None:
    """Its sharp edges and its black make no blurred, covered or dark picture good."""
    assert faults(masked(defocused(street(), 0.005), kind, 0)) == ("blurred",)
    assert faults(masked(flat(50), kind, 0)) == ("covered",)
    assert faults(masked(flat(4), kind, 0)) == ("dark",)


def test_a_dim_street_is_trusted() -> None:
    """At 1/16 of the light the counter still counts nine of ten right."""
    assert faults(night(street(), 1 / 16)) == ()


def test_a_dazzled_camera_is_covered() -> None:
    """By a lamp that fills a third of the picture or more with white."""
    assert faults(dazzled(street(), 0.4)) == ("covered",)


def test_a_moved_camera_is_moved() -> None:
    """Given the view that it should have; the guard's own tests tell when."""
    guard = ViewMonitor(view_of([street()]))
    judge = HealthJudge(guard=guard)
    away = turned(street(), Turn(right=0.2))
    seen = [street(), *(defocused(away, 1e-5 * at) for at in range(1, 30))]
    found = [judge.judge(Frame(pixels, nanoseconds(at))).faults for at, pixels in enumerate(seen)]
    assert found[0] == ()
    assert found[-1] == ("moved",)


def test_what_is_hidden_lies_at_the_same_place_where_a_part_is_looked_at() -> None:
    judge = HealthJudge(guard=ViewMonitor(view_of([street()])))
    pixels = street().copy()
    height, width, _ = pixels.shape
    pixels[:, : width // 4] = 90
    for at in range(30):
        moving = np.roll(pixels, at % 2, axis=0)
        judge.judge(Frame(moving, nanoseconds(float(at))))
    cells = np.zeros((height // 16, width // 16), np.float32)
    everything = HeadMap(cells, cells, 16.0, width, height, 0.0)
    part = HeadMap(cells[5:, 3:20], cells[5:, 3:20], 16.0, width, height, 0.0, left=48.0, top=80.0)
    hidden = judge.hidden(everything, 0.5)
    assert hidden is not None
    assert hidden[:, : width // 64].mean() > 0.5 > hidden[:, width // 32 :].mean()
    seen = judge.hidden(part, 0.5)
    assert seen is not None
    np.testing.assert_allclose(seen, hidden[5:, 3:20], atol=1e-4)


@pytest.mark.slow
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


def test_a_picture_that_repeats_is_as_old_as_its_first() -> None:
    judge = HealthJudge()
    seen = []
    for at_s, seed in ((1.0, 0), (2.0, 0), (3.9, 0), (4.5, 1), (5.0, 1)):
        judge.judge(Frame(noise(seed=seed), nanoseconds(at_s)))
        seen.append(judge.first_seen)
    assert seen == [nanoseconds(at_s) for at_s in (1.0, 1.0, 1.0, 4.5, 4.5)]


@pytest.mark.parametrize("codec", CODECS)
def test_a_frozen_picture_that_is_encoded_anew_is_found(codec: str) -> None:
    """A network camera whose sensor stands and whose encoder goes on."""
    assert all(frozen_in(encoded([street()] * 70, codec))[61:])


def test_a_picture_in_which_nothing_moves_is_frozen_after_five_minutes() -> None:
    """Though its noise is new each time; the first that moves is trusted at once."""
    rng = np.random.default_rng(0)
    noisy = [
        np.clip(street() + rng.normal(0, 3, street().shape), 0, 255).astype(np.uint8)
        for _ in range(71)
    ]
    noisy[-1] = turned(noisy[-1], Turn(right=0.02))
    assert frozen_in(noisy) == [*(60 * [False]), *(10 * [True]), False]


@pytest.mark.slow
@pytest.mark.parametrize("by_night", [False, True])
def test_a_quiet_simulated_street_is_not_frozen(by_night: bool) -> None:
    """A few people, through a codec that keeps little of them."""
    scene = Scene(night=by_night)
    assert not any(frozen_in(encoded([scene.at(5.0 * n).pixels for n in range(70)])))


@needs(CLIP)
def test_a_passage_in_which_few_people_pass_is_not_frozen() -> None:
    assert not any(frozen_in(encoded(clip()[::4])))


def frozen_in(pictures: Iterable[Pixels]) -> list[bool]:
    """Whether each is frozen, 5 s apart, to a camera's judge."""
    judge = HealthJudge()
    timed = enumerate(pictures, 1)
    return [judge.judge(Frame(pixels, nanoseconds(5.0 * at))).frozen for at, pixels in timed]


def test_still_pictures_are_not_frozen() -> None:
    """A recording may show one picture for long, and each time it is a new one."""
    judge = HealthJudge(live=False)
    for at in range(1, 10):
        assert not judge.judge(Frame(noise(), nanoseconds(at))).frozen
        assert judge.first_seen == nanoseconds(at)


@pytest.mark.parametrize("shape", [(1, 1), (2, 2), (1, 2000), (2000, 3), (700, 5)])
def test_every_shape_is_judged(shape: tuple[int, int]) -> None:
    """Thin and tiny pictures raise nothing."""
    HealthJudge().judge(Frame(noise(*shape), 1))


@needs(STATION)
def test_real_pictures_are_trusted() -> None:
    """Two fixed cameras from morning to night: fewer than one false alarm in a hundred."""
    paths = sorted(STATION.iterdir())[::5]
    wrong = [path for path in paths if faults(read_picture(path))]
    assert len(wrong) < len(paths) / 100, wrong


@needs(STATION)
def test_real_pictures_out_of_focus_are_not() -> None:
    """Each fortieth of them, blurred by half a percent of its longer side."""
    paths = sorted(STATION.iterdir())[::40]
    assert all("blurred" in faults(defocused(read_picture(path), 0.005)) for path in paths)
