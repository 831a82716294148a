"""Umbrellas, autumn, lamps, infra-red: what they hide, and what they must not change."""

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import models
from edge.street.background import make_weather
from edge.street.crowd import Street
from edge.street.figures import Light, draw_figure, make_looks
from edge.street.foliage import SWAY_S, TREES, Avenue
from edge.street.placed import NOBODY, Figure
from edge.street.scenarios import SCENARIOS, StagedScenario, scene_of
from edge.street.scene import LOOKS, Scene, standard_view
from edge.street.umbrellas import PRINTS, Umbrella, draw_umbrella, make_umbrellas, over

SMALL = (320, 176)
LIGHT = Light((0.2, -0.3, 0.93), 0.15, 1.12)


def _umbrella(printed: str = "plain", *, clear: bool = False) -> Umbrella:
    colours = ((20.0, 20.0, 40.0), (240.0, 230.0, 220.0))
    return Umbrella(0.5, 1.72, (0.05, 0.1), 0.1, 0.5, colours, printed, clear)


def _hides_head(umbrella: Umbrella, elevation_deg: float, heading: float) -> bool:
    (look,) = make_looks(1, np.random.default_rng(1))
    angle = math.radians(elevation_deg)
    figure = Figure(*draw_figure(look, heading, angle, LIGHT, np.random.default_rng(2)))
    under = over(figure, draw_umbrella(umbrella, heading, angle, LIGHT))
    assert under.hides is not None
    return under.hides.getpixel((round(under.head_x), round(under.head_y))) == 255


@pytest.mark.parametrize("printed", ["plain", *PRINTS])
@pytest.mark.parametrize("heading", [0.0, 1.5, 3.0])
def test_an_umbrella_hides_its_owner_s_head_from_above(printed: str, heading: float) -> None:
    assert _hides_head(_umbrella(printed), 40.0, heading)


def test_a_clear_umbrella_hides_no_head() -> None:
    assert not _hides_head(_umbrella(clear=True), 40.0, 0.0)


def test_a_head_shows_under_the_rim_from_the_side() -> None:
    assert not _hides_head(_umbrella(), 0.0, 0.0)


@pytest.mark.parametrize("share", [0.0, 0.25, 1.0])
def test_so_many_carry_an_umbrella_as_are_asked_for(share: float) -> None:
    carried = make_umbrellas(56, share, np.random.default_rng(3))
    assert sum(umbrella is not None for umbrella in carried) == 56 * share


@pytest.mark.slow
def test_the_truth_counts_people_under_umbrellas() -> None:
    """The same people as without; in the picture most of their heads are hidden, none is lost."""
    wet, dry = StagedScenario("umbrellas", *SMALL), StagedScenario("surge", *SMALL)
    assert np.array_equal(wet.truth(40.0).feet, dry.truth(40.0).feet)
    under, open_air = wet.at(40.0), dry.at(40.0)
    assert len(under.heads) + under.hidden == len(open_air.heads) + open_air.hidden
    assert len(under.heads) < 0.4 * len(open_air.heads)
    assert np.array_equal(wet.heads(40.0), dry.heads(40.0))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "at_s"), [("umbrellas", 3.0), ("autumn", 3.0), ("illuminations", 160.0)]
)
def test_the_same_seed_and_time_give_the_same_picture(name: str, at_s: float) -> None:
    first, second = StagedScenario(name, *SMALL), StagedScenario(name, *SMALL)
    second.at(at_s - 1)  # what was looked at before does not matter
    assert np.array_equal(first.at(at_s).pixels, second.at(at_s).pixels)


def test_leaves_move_a_little_and_come_back() -> None:
    rng = np.random.default_rng(4)
    weather = make_weather(rng, night=False, sunny=True)
    avenue = Avenue(standard_view(*SMALL), weather, rng)
    still, later, again = (avenue.at(t_s) for t_s in (0.0, SWAY_S / 4, SWAY_S))
    assert [tree.owner for tree in still] == [NOBODY] * len(TREES)
    for before, moved, same in zip(still, later, again, strict=True):
        assert before.along_m == moved.along_m
        assert before.sprite.drawing.tobytes() == same.sprite.drawing.tobytes()
        assert max(abs(a - b) for a, b in zip(before.corner, moved.corner, strict=True)) <= 4
        assert before.sprite.drawing.tobytes() != moved.sprite.drawing.tobytes()


@pytest.mark.slow
def test_trees_hide_whoever_is_behind_them_and_lose_nobody() -> None:
    bare = StagedScenario("parade", *SMALL).at(20.0)
    planted = StagedScenario("illuminations", *SMALL).at(20.0)
    assert SCENARIOS["illuminations"].crowd == "parade"
    assert len(planted.heads) + planted.hidden == len(bare.heads) + bare.hidden
    assert bare.hidden < planted.hidden < 0.3 * len(bare.heads)


def test_infra_red_is_grey_and_dark_far_away() -> None:
    pixels = StagedScenario("infrared", *SMALL).at(3.0).pixels.astype(int)
    assert np.ptp(pixels, axis=2).mean() < 3
    assert pixels[:20].mean() < 0.6 * pixels[100:150].mean()


def test_lamps_shine_at_night_and_are_pale_bulbs_by_day() -> None:
    """Where a bulb hangs the picture is brighter than without lamps; at night so are its places."""
    view, people = standard_view(*SMALL), Street(((0.0, 0.0), (150.0, 0.0)), 0, LOOKS)
    for name, much in (("autumn", 0.2), ("illuminations", 3.0)):
        scenario = SCENARIOS[name]
        on, off = (
            scene_of(replace(scenario, lamps=lamps), view, people, 0).at(0.1).pixels.astype(int)
            for lamps in (True, False)
        )
        assert (on - off).mean() > much


@pytest.mark.slow
def test_the_demonstration_s_street_is_drawn_as_ever() -> None:
    """As in the picture that every unit counts at every start, but for what JPEG loses."""
    with Image.open(Path(models.__file__).with_name("golden.jpg")) as stored:
        golden = np.asarray(stored.convert("RGB"), int)
    assert np.abs(Scene().at(28.0).pixels - golden).mean() < 3
