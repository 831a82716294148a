"""The commands, as a technician types them."""

import csv
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import get_args

import numpy as np
import pytest
from PIL import Image

from edge.commands.check.check import check_all
from edge.commands.run import where_to_look
from edge.common.program import Paths
from edge.site import Site
from edge.site.outputs import Sign
from edge.site.schema import DEMO_ZONE, SceneOptions
from edge.street.scene import Scene
from hil.testkit.apart import apart
from hil.testkit.appliance import ZONE
from hil.testkit.data import CLIP, needs
from hil.testkit.mosquitto import Mosquitto, free_port

pytestmark = pytest.mark.processes

DEMO = Path(__file__).parents[2] / "deploy" / "sites" / "demo.toml"


def redroad(*arguments: object, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "edge", *map(str, arguments)],
        capture_output=True,
        text=True,
        cwd=cwd,
        timeout=150,
        check=False,
    )


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A morning of pictures, half a minute apart, named by their time: rising and falling."""
    folder = tmp_path_factory.mktemp("pictures")
    scene = Scene()
    for number, moment in enumerate([2, 6, 22, 30, 36, 50, 52, 56, 70, 90, 100, 120, 130, 140]):
        seconds = 30 * number
        name = (
            f"street-20261031{20 + seconds // 3600:02d}{seconds // 60 % 60:02d}{seconds % 60:02d}"
        )
        Image.fromarray(scene.at(float(moment)).pixels).save(folder / f"{name}.jpg", quality=92)
    return folder


def test_count_reports_heads_in_json_lines(pictures: Path, tmp_path: Path) -> None:
    files = sorted(pictures.iterdir())[:3]
    result = redroad("count", *files, "--json", "--overlay", tmp_path / "over")
    assert result.returncode == 0
    lines = [json.loads(line) for line in result.stdout.splitlines()]
    assert [line["file"] for line in lines] == [str(file) for file in files]
    for line in lines:
        assert set(line) == {"file", "count", "low", "high", "seconds", "picture", "overlay"}
        assert 0 <= line["low"] <= line["count"] <= line["high"]
    assert lines[2]["count"] > 2 * lines[0]["count"]
    overlay = np.asarray(Image.open(tmp_path / "over" / f"{files[2].stem}.overlay.png"))
    assert overlay.shape == np.asarray(Image.open(files[2])).shape


def test_count_goes_on_after_bad_files(pictures: Path, tmp_path: Path) -> None:
    empty, text = tmp_path / "empty.jpg", tmp_path / "text.jpg"
    empty.write_bytes(b"")
    text.write_text("no picture")
    (tmp_path / "cut.jpg").write_bytes(next(pictures.iterdir()).read_bytes()[:4000])
    result = redroad(
        "count", empty, text, tmp_path / "cut.jpg", tmp_path / "absent.jpg", *pictures.iterdir()
    )
    assert result.returncode == 1
    assert len(result.stderr.splitlines()) - result.stderr.count("INFO:") == 4
    assert "Traceback" not in result.stderr
    assert len(result.stdout.splitlines()) == len(list(pictures.iterdir()))


def test_replay_of_a_folder_writes_tables_and_a_plot(pictures: Path, tmp_path: Path) -> None:
    result = redroad("replay", pictures, "--site", DEMO, "--out", tmp_path)
    assert result.returncode == 0, result.stderr
    with (tmp_path / "timeline.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 14
    assert rows[1]["clock"] == "2026-10-31 20:00:30"
    assert float(rows[5]["density"]) == pytest.approx(
        float(rows[5]["people"]) / DEMO_ZONE.area, abs=0.01
    )
    with (tmp_path / "transitions.csv").open(encoding="utf-8") as file:
        changes = list(csv.DictReader(file))
    assert changes[0]["before"] == "UNKNOWN"
    assert "CRITICAL" in {change["after"] for change in changes}
    assert all(change["reason"] for change in changes)
    picture = Image.open(tmp_path / "timeline.png")
    assert picture.width > 1000
    assert len(set(picture.convert("RGB").resize((60, 40)).getdata())) > 50


def test_replay_lets_a_picture_stand_only_for_its_hold(pictures: Path, tmp_path: Path) -> None:
    result = redroad(
        "replay", pictures, "--site", DEMO, "--out", tmp_path, "--hold", "10", "--no-plot"
    )
    assert result.returncode == 0, result.stderr
    text = (tmp_path / "transitions.csv").read_text(encoding="utf-8")
    assert text.count("no count for 3 s") >= 13
    assert not (tmp_path / "timeline.png").exists()


@needs(CLIP)
def test_replay_of_the_real_clip(tmp_path: Path) -> None:
    site = tmp_path / "site.toml"
    site.write_text(
        '[[zone]]\nname = "floor"\narea_m2 = 30\npolygon = [[0, 0], [1, 0], [1, 1], [0, 1]]\n'
    )
    result = redroad("replay", CLIP, "--site", site, "--out", tmp_path / "out", "--every", "1")
    assert result.returncode == 0, result.stderr
    with (tmp_path / "out" / "timeline.csv").open(encoding="utf-8") as file:
        people = [float(row["people"]) for row in csv.DictReader(file)]
    assert len(people) > 40
    assert max(people) < 12  # a handful of people walk there
    assert max(people) > 1


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (("replay", "absent.mp4", "--out", "out"), "absent.mp4"),
        (("replay", ".", "--out", "out"), "holds no picture"),
        (("count", "absent.jpg"), "picture absent.jpg: does not exist; check the path"),
        (("count", "absent.jpg", "--model", "big"), "option counter.model = 'big' is unknown"),
        pytest.param(
            ("watch", "--site", "absent.toml"),
            "site file absent.toml: cannot be read",
            marks=pytest.mark.processes,
        ),
    ],
)
def test_bad_arguments_give_one_clear_line(
    tmp_path: Path, arguments: tuple[str, ...], line: str
) -> None:
    result = redroad(*arguments, cwd=tmp_path)
    told = [text for text in result.stderr.splitlines() if not text.startswith("INFO:")]
    assert result.returncode in {1, 2}
    assert len(told) == 1, told
    assert line in told[0]


def test_an_output_that_is_full_is_one_line(pictures: Path) -> None:
    with Path("/dev/full").open("w", encoding="utf-8") as full:
        done = subprocess.run(
            [sys.executable, "-m", "edge", "count", str(pictures)],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            timeout=150,
            check=False,
        )
    assert done.returncode == 2
    told = [text for text in done.stderr.splitlines() if not text.startswith("INFO:")]
    assert told == ["redroad: the output cannot be written (No space left on device)"]


def check(tmp_path: Path, site: str, *parts: str) -> tuple[int, dict[str, tuple[bool, str]]]:
    """These findings of `redroad check`, by the functions behind it; 1 where one is a fault."""
    file, errors = tmp_path / "site.toml", tmp_path / "errors"
    file.write_text(f'[sign]\npanel = "recorder"\n{site}', encoding="utf-8")
    paths = Paths(tmp_path / "run", tmp_path / "state")
    findings = apart(check_all, file, paths, parts, errors=errors)
    assert "Traceback" not in errors.read_text(encoding="utf-8")
    return int(not all(f.ok for f in findings)), {f.part: (f.ok, f.text) for f in findings}


def check_command(tmp_path: Path, site: str) -> tuple[int, dict[str, tuple[bool, str]]]:
    """All findings of the command itself, by part, and its exit code."""
    file = tmp_path / "site.toml"
    file.write_text(f'[sign]\npanel = "recorder"\n{site}', encoding="utf-8")
    places = ("--runtime", tmp_path / "run", "--state", tmp_path / "state")
    result = redroad("check", "--site", file, *places, "--json")
    findings = json.loads(result.stdout)
    return result.returncode, {f["part"]: (f["ok"], f["text"]) for f in findings}


def test_check_of_a_good_unit_is_all_ok(tmp_path: Path) -> None:
    assert redroad("voice", "build", "--state", tmp_path / "state").returncode == 0
    code, findings = check_command(tmp_path, "")
    assert [part for part, (ok, _) in findings.items() if not ok] == []
    assert code == 0
    paths = ("--runtime", tmp_path / "run", "--state", tmp_path / "state")
    text = redroad("check", "--site", tmp_path / "site.toml", *paths).stdout
    assert text.count("OK   ") == len(findings) == 22
    assert text.endswith("This unit is fit for service.\n")


@pytest.mark.parametrize(
    ("site", "part", "text"),
    [
        ("", "clips", "run: redroad voice build"),
        (f'[camera]\nkind = "stream"\nurl = "rtsp://127.0.0.1:9/x"\n{ZONE}', "camera", "127.0.0.1"),
        ('[camera]\nkind = "pictures"\nfolder = "absent"\n', "camera", "absent"),
        (f'[camera]\nkind = "picamera"\n{ZONE}', "camera", "picamera2"),
        ('[counter]\nmodel = "big"\n', "models", "'big' is unknown"),
        ('[counter]\nmanifest = "absent.toml"\n', "models", "absent.toml"),
        ('[beacon]\noutput = "gpio"\n', "beacon", ""),
        ('[voice]\noutput = "aplay"\ncard = "absent"\n', "sound", "absent"),
    ],
)
def test_check_names_what_is_broken(tmp_path: Path, site: str, part: str, text: str) -> None:
    if part == "beacon" and list(Path("/dev").glob("gpiochip*")):
        pytest.skip("this machine has a GPIO chip")
    code, findings = check(tmp_path, site, part)
    ok, told = findings[part]
    assert code == 1
    assert not ok
    assert text in told


def test_check_names_a_text_that_does_not_fit(tmp_path: Path) -> None:
    site = 'width = 32\nheight = 16\nneutral = ["아주아주 긴 한국어 안내문"]\n'
    _, findings = check(tmp_path, site, "texts")
    ok, told = findings["texts"]
    assert not ok
    assert "32 x 16" in told


def test_check_reaches_a_real_broker_and_reports_of_an_absent_one(tmp_path: Path) -> None:
    mosquitto = Mosquitto(tmp_path)
    mosquitto.start()
    upstream = '[upstream]\nhost = "127.0.0.1"\nport = {}\n'
    _, findings = check(tmp_path, upstream.format(mosquitto.port), "broker")
    assert findings["broker"][0], findings["broker"]
    mosquitto.kill()
    _, findings = check(tmp_path, upstream.format(free_port()), "broker")
    assert not findings["broker"][0]
    assert "nothing listens there" in findings["broker"][1]


@pytest.mark.skipif(os.geteuid() != 0, reason="a small disk can only be mounted by root")
def test_check_reports_of_a_full_disk(tmp_path: Path) -> None:
    state = tmp_path / "state"
    state.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", state], check=True)
    try:
        with pytest.raises(OSError, match="No space"):
            (state / "filler").write_bytes(b"x" * 100_000)
        _, findings = check(tmp_path, "", "disk")
        assert not findings["disk"][0]
    finally:
        subprocess.run(["umount", "-l", state], check=True)


@pytest.mark.parametrize("panel", get_args(Sign.model_fields["panel"].annotation))
def test_run_says_where_to_look_whatever_the_panel(panel: str, tmp_path: Path) -> None:
    site = Site(camera=SceneOptions(), sign=Sign.model_validate({"panel": panel}))
    told = where_to_look(site, Paths(tmp_path, tmp_path))
    assert sum(line.startswith("sign ") for line in told) == 1


def test_check_of_a_wrong_site_file_lists_its_mistakes(tmp_path: Path) -> None:
    code, findings = check_command(tmp_path, "heigth = 3\n")
    assert code == 1
    assert "did you mean 'height'?" in findings["site"][1]


def test_help_names_every_command() -> None:
    text = redroad("--help").stdout
    for word in (
        "run",
        "watch",
        "decide",
        "show",
        "report",
        "check",
        "support-bundle",
        "count",
        "replay",
        "calibrate",
        "voice",
    ):
        assert f"\n  {word} " in text
