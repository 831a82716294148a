"""Lines of `redroad check` that need no device."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from edge.commands.check.check import Finding, check_all
from edge.common.program import Paths
from edge.site.schema import DEMO_GROUND


def texts(tmp_path: Path, options: str) -> Finding:
    return line_of("texts", tmp_path, f'[sign]\npanel = "recorder"\n{options}')


def line_of(part: str, tmp_path: Path, text: str) -> Finding:
    file = tmp_path / "site.toml"
    file.write_text(text, encoding="utf-8")
    return next(
        line
        for line in check_all(file, Paths(tmp_path / "run", tmp_path / "state"))
        if line.part == part
    )


@pytest.mark.parametrize(
    ("pitch", "ok", "words"),
    [(4.0, True, "72 mm high, 50 are needed"), (2.0, False, "36 mm high, must be 50 mm")],
)
def test_letters_too_small_for_their_distance_are_a_fault(
    tmp_path: Path, pitch: float, ok: bool, words: str
) -> None:
    found = texts(tmp_path, f"pixel_pitch_mm = {pitch}\nviewing_distance_m = 20.0\n")
    assert (found.ok, words in found.text) == (ok, True)


def test_a_text_that_does_not_fit_is_named(tmp_path: Path) -> None:
    found = texts(tmp_path, 'neutral = ["aLineWithoutAnyPlaceWhereItMayBreak"]\nwidth = 64\n')
    assert not found.ok
    assert "'aLineWithoutAnyPlaceWhereItMayBreak' does not fit" in found.text


@pytest.mark.parametrize("host", ["127.0.0.1", "0.0.0.0"])
def test_a_panel_s_port_that_another_program_holds_is_reported_with_its_name(
    tmp_path: Path, host: str
) -> None:
    script = (
        "import socket, sys\n"
        f"s = socket.create_server(({host!r}, 0)); print(s.getsockname()[1], flush=True)\n"
        "sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdin is not None and other.stdout is not None
        port = int(other.stdout.readline())
        found = line_of("panel", tmp_path, f'[sign]\npanel = "emulator"\nport = {port}\n')
        other.stdin.close()
    assert not found.ok
    assert f"port {port} is held by python" in found.text
    assert f"(process {other.pid}); end that program, or choose another sign.port" in found.text


DEMO = Path(__file__).parents[2] / "deploy" / "sites" / "demo.toml"


@pytest.mark.parametrize(
    ("width", "raising", "ok", "words"),
    [
        (640, True, True, "speeds can be told"),
        (480, False, True, "no speed of street (16.6 samples per m): must be 20 at the far end"),
        (480, True, False, "draw the zones nearer, or set it to false"),
    ],
)
def test_a_zone_too_far_away_for_speeds_is_reported(
    tmp_path: Path, width: int, raising: bool, ok: bool, words: str
) -> None:
    """Of a picture of 480 px every second is a sample, as of one of 640 px."""
    ratio = width / DEMO_GROUND.picture_width
    points = [[x * ratio, y * ratio, *ground] for x, y, *ground in DEMO_GROUND.points]
    text = DEMO.read_text(encoding="utf-8").replace('panel = "emulator"', 'panel = "recorder"')
    text = text.replace("raise_level = false", f"raise_level = {str(raising).lower()}")
    text = text.replace("picture_width = 640", f"picture_width = {width}")
    text = text.replace("picture_height = 352", f"picture_height = {round(352 * ratio)}")
    text = re.sub(r"points = \[.*?\n\]", f"points = {points}", text, flags=re.DOTALL)
    found = line_of("ground", tmp_path, text)
    assert (found.ok, words in found.text) == (ok, True), found.text
