"""The drawing of the level machine is generated, and shows the table as it is."""

from pathlib import Path
from xml.etree import ElementTree

from click.testing import CliRunner

from edge.cli import main
from edge.commands.levels import draw_levels
from edge.decide.levels import bands_of
from edge.site.bands import BandOptions, BandTable

COMMITTED = Path(__file__).parents[2] / "deploy/pictures/levels.svg"
SVG = "{http://www.w3.org/2000/svg}"


def test_the_committed_drawing_is_what_the_default_table_generates() -> None:
    """After a change of the table: redroad levels draw --out deploy/pictures/levels.svg."""
    assert COMMITTED.read_text(encoding="utf-8") == draw_levels(bands_of(BandTable()))


def test_another_table_gives_its_own_figures() -> None:
    caution = BandOptions(rise=1.75, fall=1.25, rise_after_s=4.5, fall_after_s=33.0)
    drawing = ElementTree.fromstring(draw_levels(bands_of(BandTable(caution=caution))))
    words = [text.text for text in drawing.iter(f"{SVG}text")]
    assert {"1.75", "1.25", "4.5 s", "33 s", "CLEAR", "CRITICAL", "UNKNOWN"} <= set(words)


def test_the_command_draws_a_site_s_table(tmp_path: Path) -> None:
    out = tmp_path / "levels.svg"
    site = tmp_path / "site.toml"
    site.write_text("[levels.critical]\nrise = 6.5\nfall = 5.5\n")
    done = CliRunner().invoke(main, ["levels", "draw", "--site", str(site), "--out", str(out)])
    assert done.exit_code == 0, done.output
    assert ">6.5</text>" in out.read_text(encoding="utf-8")


def test_a_place_that_cannot_be_written_is_reported_in_one_line(tmp_path: Path) -> None:
    out = tmp_path / "missing" / "levels.svg"
    done = CliRunner().invoke(main, ["levels", "draw", "--out", str(out)])
    assert done.exit_code == 2
    assert done.output.count("\n") == 1
    assert f"--out {out}: No such file or directory" in done.output
