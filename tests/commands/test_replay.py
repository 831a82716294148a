"""Replay of recordings made for the purpose: the tables' motion, and the plot of many zones."""

import csv
from pathlib import Path

import av
import pytest
from av.video.stream import VideoStream
from PIL import Image

from edge.commands.levels import COLOURS
from edge.commands.replay.plot import draw_plot
from edge.commands.replay.replay import replay_to
from edge.commands.replay.timeline import Change, Replay, Row
from edge.common.wire import Level, Occupancy
from edge.decide.motion import MEMORY_S
from edge.site import Site
from edge.site.schema import DEMO_GROUND, Zone
from edge.street.scenarios import SCENARIOS, StagedScenario
from tests.bench.motion_errors import TrueMotion

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


def test_the_timeline_tells_how_people_move(walking: Path, tmp_path: Path) -> None:
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
            colour = COLOURS[level]
            assert tuple(int(colour[i : i + 2], 16) for i in (1, 3, 5)) in strip
    assert heights[0] < heights[1] < 2 * heights[0]


def test_a_replay_of_nothing_is_drawn_too(tmp_path: Path) -> None:
    draw_plot(Replay([], []), SITE, "nothing", 3.0, tmp_path / "nothing.png")
    assert (tmp_path / "nothing.png").exists()
