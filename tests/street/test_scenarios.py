"""Scenarios: everybody walks as people do, and the truth is what the picture shows."""

import re
from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from numpy.typing import NDArray

from edge.cli import main
from edge.common.errors import PictureError, SiteError
from edge.site.load import load_site
from edge.site.scenarios import SCENARIOS as NAMES
from edge.site.schema import SceneOptions
from edge.street.crowd import ZONE_FAR_M, ZONE_HALF_M, ZONE_NEAR_M
from edge.street.scenarios import SCENARIOS, StagedScenario, load_crowd
from edge.street.trajectories import Trajectories
from edge.street.truth import STRETCH, Truth, area_m2
from edge.watch.recording import frames_of, length

CROWDS = sorted({scenario.crowd for scenario in SCENARIOS.values()})
FASTEST_M_S = 2.5
MARGIN_M = 1.5  # nobody may begin or end nearer to the counted stretch
SMALL = (320, 176)


@pytest.fixture(params=CROWDS)
def saved_paths(request: pytest.FixtureRequest) -> Trajectories:
    return load_crowd(request.param)


def _positions(saved_paths: Trajectories, person: int) -> NDArray[np.float64]:
    start, count = saved_paths.row[person], saved_paths.last[person] - saved_paths.first[person] + 1
    return saved_paths.feet[start : start + count]


def test_the_site_file_knows_every_scenario() -> None:
    assert tuple(SCENARIOS) == NAMES


def test_the_help_of_replay_names_every_scenario() -> None:
    told = CliRunner().invoke(main, ["replay", "--help"]).output
    assert set(NAMES) <= set(re.findall(r"[a-z]+", told))


def test_nobody_is_faster_than_a_runner(saved_paths: Trajectories) -> None:
    for person in range(saved_paths.people):
        steps = np.diff(_positions(saved_paths, person), axis=0)
        assert np.hypot(*steps.T).max() / saved_paths.every_s < FASTEST_M_S


def test_nobody_appears_or_vanishes_near_the_stretch(saved_paths: Trajectories) -> None:
    """But for those who are there when the record begins or ends."""
    end = int(saved_paths.length_s / saved_paths.every_s)
    for person in range(saved_paths.people):
        y = _positions(saved_paths, person)[:, 1]
        low, high = ZONE_NEAR_M - MARGIN_M, ZONE_FAR_M + MARGIN_M
        assert saved_paths.first[person] == 0 or not low < y[0] < high
        assert saved_paths.last[person] == end or not low < y[-1] < high


def test_people_move_in_a_straight_line_between_samples(saved_paths: Trajectories) -> None:
    look = np.arange(saved_paths.people)
    at_s = saved_paths.length_s // 2
    before, middle, after = (
        saved_paths.at(at_s + part * saved_paths.every_s, look) for part in (0, 0.5, 1)
    )
    both = np.intersect1d(np.intersect1d(before.look, after.look), middle.look)
    assert len(both) > 0
    for person in both[:20]:
        paths = [c.feet[c.look == person][0] for c in (before, middle, after)]
        assert paths[1] == pytest.approx((paths[0] + paths[2]) / 2)


def test_the_truth_is_the_feet_on_the_stretch(saved_paths: Trajectories) -> None:
    """Counted in another way, the street's own; who stands on the outline may count or not."""
    for at_s in np.arange(0.25, saved_paths.length_s, 10.0):
        crowd = saved_paths.at(float(at_s), np.zeros(saved_paths.people, np.int64))
        truth = Truth(crowd.feet)
        x, y = crowd.feet.T
        on_line = np.isclose(np.abs(x), ZONE_HALF_M) | np.isclose(y, ZONE_NEAR_M)
        on_line |= np.isclose(y, ZONE_FAR_M)
        assert abs(truth.people() - crowd.in_zone()) <= on_line.sum()
        assert truth.density() == truth.people() / area_m2(STRETCH)
        # Twelve squares of 4 m2 cover the stretch, so one holds at least a twelfth.
        assert truth.worst_patch() >= truth.people() / 12 / 4


def test_the_worst_patch_is_where_they_stand() -> None:
    """Nine on 4 m2, in the corner of an L whose other arm is empty; one outside counts nowhere."""
    grid = np.stack(np.meshgrid([0.2, 1.0, 1.8], [0.2, 1.0, 1.8]), axis=-1).reshape(-1, 2)
    truth = Truth(np.vstack([grid, [(3.5, 3.5)]]))
    corner = [(0.0, 0.0), (4.0, 0.0), (4.0, 2.0), (2.0, 2.0), (2.0, 4.0), (0.0, 4.0)]
    assert area_m2(corner) == 12.0
    assert truth.people(corner) == 9
    assert truth.worst_patch(corner) == 9 / 4


def test_the_files_are_small() -> None:
    folder = files("edge.street") / "crowds"
    sizes = {file.name: len(file.read_bytes()) for file in folder.iterdir()}
    assert set(sizes) == {f"{crowd}.npz" for crowd in CROWDS}
    assert max(sizes.values()) <= 300_000
    assert sum(sizes.values()) <= 2_000_000


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_the_picture_shows_the_truth(name: str) -> None:
    """At three moments: whoever is seen on the stretch truly stands there."""
    staged = StagedScenario(name, *SMALL)
    for part in (0.1, 0.3, 0.7):
        at_s = part * staged.length_s
        picture, truth = staged.at(at_s), staged.truth(at_s)
        assert picture.pixels.shape == (SMALL[1], SMALL[0], 3)
        x, y = picture.ground.T
        shown = (np.abs(x) < ZONE_HALF_M - 0.001) & (y > ZONE_NEAR_M + 0.001)
        shown &= y < ZONE_FAR_M - 0.001
        assert shown.sum() <= truth.people()
        feet = truth.feet.astype(np.float32)
        assert {tuple(p) for p in picture.ground.tolist()} <= {tuple(p) for p in feet.tolist()}


def test_a_covered_lens_shows_nobody_and_hides_no_truth() -> None:
    staged = StagedScenario("covered", *SMALL)
    before, under = staged.at(39.9), staged.at(40.1)
    assert len(before.heads) > 0
    assert len(under.heads) == 0
    assert under.hidden > 0
    assert under.pixels.std() < 0.2 * before.pixels.std()
    assert staged.truth(40.1).people() > 0


def test_a_knock_moves_the_picture_but_not_the_people() -> None:
    knocked, steady = StagedScenario("knocked", *SMALL), StagedScenario("surge", *SMALL)
    assert np.array_equal(knocked.at(35.9).pixels, steady.at(35.9).pixels)
    moved = np.abs(knocked.at(36.1).pixels.astype(int) - steady.at(36.1).pixels).mean()
    noise = np.abs(steady.at(36.0).pixels.astype(int) - steady.at(36.1).pixels).mean()
    assert moved > 2 * noise
    assert np.array_equal(knocked.truth(50.0).feet, steady.truth(50.0).feet)


def test_an_unknown_scenario_is_one_line_with_the_nearest(tmp_path: Path) -> None:
    site = tmp_path / "site.toml"
    site.write_text('[camera]\nkind = "scene"\nscenario = "surg"\n', encoding="utf-8")
    with pytest.raises(SiteError, match=r"camera\.scenario.*'surg'.*did you mean 'surge'\?$"):
        load_site(site)
    with pytest.raises(PictureError, match=r"did you mean 'surge'\?$"):
        length(Path("scene:surg"), every_s=None)


def test_a_site_file_chooses_a_scenario(tmp_path: Path) -> None:
    site = tmp_path / "site.toml"
    site.write_text('[camera]\nkind = "scene"\nscenario = "jam"\n', encoding="utf-8")
    assert load_site(site).camera == SceneOptions(scenario="jam")


def test_a_scenario_is_a_recording() -> None:
    source = Path("scene:morning")
    frames = frames_of(source, every_s=40.0, on_bad=lambda path, error: pytest.fail(str(error)))
    times = [frame.at_s for frame in frames]
    assert times == [0.0, 40.0, 80.0]
    assert length(source, every_s=40.0) == len(times)
