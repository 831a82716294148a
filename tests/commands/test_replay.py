"""Replay of recordings made for the purpose: the tables' motion, and the plot of many zones."""

import csv
from pathlib import Path

import av
import pytest
from av.video.stream import VideoStream
from click.testing import CliRunner
from PIL import Image

from edge.cli import main
from edge.commands.levels import CHART_COLOURS
from edge.commands.replay.plot import draw_plot
from edge.commands.replay.replay import replay_to
from edge.commands.replay.timeline import Change, Replay, Row
from edge.common.wire import Level, Occupancy
from edge.decide.motion import MEMORY_S
from edge.site import Site
from edge.site.schema import DEMO_GROUND, StreamOptions, Zone
from edge.street.scenarios import SCENARIOS, StagedScenario
from tests.bench.motion_errors import TrueMotion
from tests.watch.made import noise, save_video

RATE = 4
TIMES = [25 + number / RATE for number in range(40)]
NEAR = Zone(name="near", ground=[(-2, 8), (2, 8), (2, 12), (-2, 12)])
FAR = Zone(name="far", ground=[(-2, 12), (2, 12), (2, 16), (-2, 16)])
SITE = Site(ground=DEMO_GROUND, zone=[NEAR, FAR])


@pytest.fixture
def walking(tmp_path: Path) -> Path:
    """Ten seconds of a crowd that walks at about 1 m/s, as a video."""
    staged = StagedScenario("jam")
    file = tmp_path / "walk.mp4"
    with av.open(file, "w") as container:
        stream = container.add_stream("libx264", rate=RATE, options={"crf": "18"})
        assert isinstance(stream, VideoStream)
        stream.width, stream.height, stream.pix_fmt = 640, 352, "yuv420p"
        for at_s in TIMES:
            pixels = staged.at(at_s).pixels
            container.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")))
        container.mux(stream.encode())
    return file


def test_the_timeline_reports_how_people_move(walking: Path, tmp_path: Path) -> None:
    out, truth = tmp_path / "out", TrueMotion(SCENARIOS["jam"].crowd)
    list(replay_to(walking, Site(), out, every_s=None, hold_s=None, plot=False))
    with (out / "timeline.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == len(TIMES)
    for row, at_s in zip(rows, TIMES, strict=True):
        true = truth.see(at_s)
        # Two pictures make the first motion, and then it takes as long as the memory.
        known = float(row["time_s"]) >= 1 / RATE + MEMORY_S
        figures = [row[name] for name in ("speed_m_s", "speed_variance_m2_s2", "pressure_s2")]
        assert all(figures) == any(figures) == known
        assert float(row["peak"]) >= float(row["density"])
        if known:
            assert true is not None
            assert 0.6 < true.speed < 1.5
            assert float(row["speed_m_s"]) == pytest.approx(true.speed, rel=0.2)


def made_up(transitions: int) -> Replay:
    """Two zones whose level goes up and down every other second."""
    rows, changes = [], []
    for second in range(2 * transitions):
        for zone in (NEAR, FAR):
            seen = Occupancy(zone.name, 16, 8, 24, 16, 1, 2, second, 0.5, 0.1, 0.2)
            rows.append(Row(second, None, "", zone.name, seen, Level.CLEAR))
            if second % 2:
                levels = (Level.CLEAR, Level.CRITICAL)
                before, after = levels if second % 4 == 1 else levels[::-1]
                reason = "a long reason " * 30
                changes.append(Change(second, None, zone.name, before, after, reason))
    return Replay(rows, changes)


def test_the_plot_grows_with_its_zones_and_reasons(tmp_path: Path) -> None:
    heights = []
    for transitions in (3, 100):
        file = tmp_path / f"{transitions}.png"
        draw_plot(made_up(transitions), SITE, "made up", 3.0, file)
        with Image.open(file) as picture:
            heights.append(picture.height)
            assert picture.width == 1320
            strip = {value for _, value in picture.convert("RGB").getcolors(1 << 24) or []}
        for level in (Level.CLEAR, Level.CRITICAL):
            colour = CHART_COLOURS[level]
            assert tuple(int(colour[i : i + 2], 16) for i in (1, 3, 5)) in strip
    assert heights[0] < heights[1] < 2 * heights[0]


def test_a_replay_of_nothing_is_drawn_too(tmp_path: Path) -> None:
    draw_plot(Replay([], []), SITE, "nothing", 3.0, tmp_path / "nothing.png")
    assert (tmp_path / "nothing.png").exists()


def table(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize("with_site", [False, True])
def test_a_first_replay_counts_people_and_says_why_there_is_no_density(
    tmp_path: Path, with_site: bool
) -> None:
    """Of any real clip, without a site, and with the demonstration's as the README has it."""
    clip = save_video(tmp_path / "clip.mp4", frames=3)
    site = ["--site", "deploy/sites/demo.toml"] if with_site else []
    done = CliRunner().invoke(main, ["replay", str(clip), *site, "--out", str(tmp_path / "out")])
    assert done.exit_code == 0, done.output
    why = "calibrated at 640x352 px" if with_site else "no site file is given"
    told = " ".join(done.output.split())
    assert why in told and "redroad calibrate PICTURE --site" in told
    rows = table(tmp_path / "out/timeline.csv")
    assert [row["zone"] for row in rows] == ["picture"] * 3
    assert all(float(row["low"]) <= float(row["people"]) <= float(row["high"]) for row in rows)
    assert {(row["density"], row["level"]) for row in rows} == {("", "UNKNOWN")}
    (change,) = table(tmp_path / "out/transitions.csv")
    assert (change["before"], change["after"]) == ("UNKNOWN", "UNKNOWN")
    assert why in change["reason"] and "redroad calibrate" in change["reason"]
    with Image.open(tmp_path / "out/timeline.png") as plot:
        blue = {value for _, value in plot.convert("RGB").getcolors(1 << 24) or []}
    assert (0x1F, 0x4E, 0x8C) in blue  # people are drawn


def test_pictures_that_are_not_trusted_are_reported(tmp_path: Path) -> None:
    black = tmp_path / "black"
    black.mkdir()
    for number in range(3):
        Image.new("RGB", (640, 352)).save(black / f"{number}.png")
    told = list(replay_to(black, Site(), tmp_path / "out", every_s=None, hold_s=None, plot=True))
    assert any(
        "no density in 3 of 3 pictures: picture is dark; record with" in line for line in told
    )
    changes = table(tmp_path / "out/transitions.csv")
    assert [change["reason"] for change in changes] == ["picture is dark"]


def test_the_demonstration_s_ground_is_reported_where_it_fits_by_chance(tmp_path: Path) -> None:
    Image.fromarray(noise(352, 640)).save(tmp_path / "a.png")
    told = list(
        replay_to(
            tmp_path / "a.png", Site(), tmp_path / "out", every_s=None, hold_s=None, plot=False
        )
    )
    assert any("ground plane of the simulated street" in line for line in told)


def test_a_replay_uses_the_pixels_that_its_site_states(tmp_path: Path) -> None:
    clip = save_video(tmp_path / "clip.mp4", frames=2)  # 160x96
    options = StreamOptions(kind="stream", url="rtsp://camera/", pixel_aspect=2.0)
    zone = Zone(name="all", polygon=[(0, 0), (1, 0), (1, 1), (0, 1)], area_m2=100.0)
    site = Site(camera=options, zone=[zone], ground=None)
    told = list(replay_to(clip, site, tmp_path / "out", every_s=None, hold_s=None, plot=False))
    assert not [line for line in told if line.startswith("redroad: note: no density")]
    rows = table(tmp_path / "out/timeline.csv")
    assert all(row["density"] for row in rows)


@pytest.mark.parametrize("taken", ["timeline.csv", "transitions.csv", "timeline.png"])
def test_a_folder_that_takes_no_file_is_one_line(taken: str, tmp_path: Path) -> None:
    (tmp_path / "out" / taken).mkdir(parents=True)
    film = str(save_video(tmp_path / "a.mp4", frames=2))
    done = CliRunner().invoke(main, ["replay", film, "--out", str(tmp_path / "out")])
    assert done.exit_code == 2
    assert "out: Is a directory; choose a folder to write in" in done.stderr.splitlines()[-1]
