"""`redroad count`: names, overlays, notes, and how right it was."""

import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result
from PIL import Image

from edge.cli import main
from edge.commands.check import planned
from edge.site import load_site
from edge.site.schema import DEMO_ZONE
from edge.street.scene import Scene
from tests.site.views import WIDE, site_file
from tests.watch.films import film
from tests.watch.made import noise, save_picture, save_video


def count(*arguments: object) -> Result:
    return CliRunner().invoke(main, ["count", *map(str, arguments)])


@pytest.fixture(scope="module")
def street() -> Image.Image:
    return Image.fromarray(Scene().at(30.0).pixels)


def test_files_whose_names_look_like_options_or_addresses_are_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    names = ["-x.mp4", "16:38:41.mp4", "%d.mp4", "http:x.mp4"]
    for name in names:
        save_video(tmp_path / "made.mp4", frames=2).rename(tmp_path / name)
    done = count(*names)
    assert done.exit_code == 0, done.output
    assert [line.split("/")[0] for line in done.stdout.splitlines()] == ["-x.mp4", *names[1:]]
    assert count("-y.mp4").exit_code == 2  # no such file, so no such option


def test_an_address_is_one_useful_line() -> None:
    done = count("rtsp://user:secret@camera/1")
    assert done.exit_code == 1
    assert "camera.url" in done.stderr and "secret" not in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


def test_an_empty_name_is_not_this_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As from a script whose variable is not set."""
    monkeypatch.chdir(save_picture(tmp_path / "a.png", noise()).parent)
    refused = count("")
    assert refused.exit_code == 2
    assert "the name of a file is empty" in refused.stderr


@pytest.mark.parametrize("option", ["--rate", "--pixel-aspect"])
def test_what_is_no_number_is_refused(option: str, tmp_path: Path) -> None:
    refused = count(save_video(tmp_path / "a.mp4", frames=2), option, "nan")
    assert refused.exit_code == 2
    assert "nan is no number" in refused.stderr


def test_a_picture_that_no_decoder_knows_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "a.svg").write_text('<svg xmlns="http://www.w3.org/2000/svg" width="9"/>')
    done = count(tmp_path / "a.svg")
    assert done.exit_code == 1
    (line,) = done.stderr.strip().splitlines()
    assert "a.svg: is coded in a way that is not known here" in line


def test_a_very_long_name_has_an_overlay(tmp_path: Path) -> None:
    """Up to 255 bytes are allowed, and Hangul takes three each."""
    long = save_picture(tmp_path / f"{'길' * 83}.png", noise())
    done = count(long, "--overlay", tmp_path / "out")
    assert done.exit_code == 0, done.output
    (drawn,) = (tmp_path / "out").iterdir()
    assert drawn.name.startswith("길" * 60) and drawn.name.endswith(".overlay.png")


def test_every_picture_keeps_its_own_overlay(tmp_path: Path) -> None:
    for folder, value in (("a", 10), ("b", 200)):
        (tmp_path / folder).mkdir()
        save_picture(tmp_path / folder / "x.png", np.full((96, 160, 3), value, np.uint8))
    save_picture(tmp_path / "a" / "x.jpg", noise())
    save_video(tmp_path / "c.mp4", frames=15)
    out = tmp_path / "out"
    done = count(
        tmp_path / "a/x.png", tmp_path / "b/x.png", tmp_path / "a/x.jpg", tmp_path / "c.mp4",
        "--overlay", out, "--json",
    )  # fmt: skip
    results = [json.loads(line) for line in done.stdout.splitlines()]
    overlays = [Path(result["overlay"]) for result in results]
    assert len(set(overlays)) == len(results) == 5
    assert all(path.is_file() for path in overlays)
    assert overlays[0] == out / "x.overlay.png"
    assert np.asarray(Image.open(overlays[1]))[-1, -1].min() > 150


def test_a_note_of_many_files_is_reported_once(tmp_path: Path) -> None:
    for number in range(3):
        save_picture(tmp_path / f"{number}.png", noise(576, 720))
    done = count(tmp_path)
    assert done.exit_code == 0
    first, more = done.stderr.strip().splitlines()
    assert "0.png: pixels are seldom square" in first and "--pixel-aspect" in first
    assert "the same of 2 more files" in more


def test_a_street_of_slim_pixels_has_all_its_heads(tmp_path: Path, street: Image.Image) -> None:
    """Kept at half its width: as many heads with the aspect as in the whole picture."""
    street.save(tmp_path / "whole.png")
    street.resize((320, 352), Image.Resampling.LANCZOS).save(tmp_path / "half.png")

    def heads(*arguments: object) -> float:
        return float(json.loads(count(*arguments, "--json").stdout)["count"])

    whole = heads(tmp_path / "whole.png")
    square = heads(tmp_path / "half.png", "--pixel-aspect", 2)
    assert square == pytest.approx(whole, rel=0.12)
    assert heads(tmp_path / "half.png") < 0.85 * whole


def test_truth_reports_how_right_it_was(tmp_path: Path) -> None:
    for name in ("a", "b", "c"):
        save_picture(tmp_path / f"{name}.png", np.full((96, 160, 3), 90, np.uint8))
    labels = tmp_path / "labels.csv"
    labels.write_text("picture;count\na.png;0\nb.png;30\nd.png;1\n", encoding="utf-8")
    pictures = [tmp_path / f"{name}.png" for name in ("a", "b", "c")]
    done = count(*pictures, "--truth", labels, "--json")
    assert done.exit_code == 0, done.output
    *results, verdict = [json.loads(line) for line in done.stdout.splitlines()]
    assert [result.get("truth") for result in results] == [0, 30, None]
    errors = np.array([results[0]["count"], results[1]["count"] - 30])
    truth = verdict["truth"]
    assert truth["pictures"] == 2
    assert truth["mae"] == pytest.approx(np.abs(errors).mean(), abs=0.01)
    assert truth["rmse"] == pytest.approx((errors**2).mean() ** 0.5, abs=0.01)
    assert truth["bias"] == pytest.approx(errors.mean(), abs=0.01)
    assert 0 <= truth["coverage"] <= 1
    assert "1 pictures have no labels" in done.stderr
    assert "1 labelled pictures were not given, first d.png" in done.stderr
    assert (
        "truth: 2 pictures, 15.0 heads in the mean: MAE"
        in count(*pictures, "--truth", labels).stdout
    )


def test_labels_beside_the_picture_are_told(tmp_path: Path) -> None:
    save_picture(tmp_path / "a.png", noise(200, 400))
    (tmp_path / "labels.csv").write_text("picture,x,y\na.png,300,100\na.png,900,100\n")
    done = count(tmp_path / "a.png", "--truth", tmp_path / "labels.csv")
    assert done.exit_code == 0
    assert "a.png: 1 of its labels lie beside the picture of 400x200 px, first at 900" in (
        done.stderr
    )


def test_truth_of_other_pictures_is_one_line(tmp_path: Path) -> None:
    save_picture(tmp_path / "a.png", noise())
    (tmp_path / "labels.csv").write_text("picture,x,y\nb.png,1,1\n", encoding="utf-8")
    done = count(tmp_path / "a.png", "--truth", tmp_path / "labels.csv")
    assert done.exit_code == 2
    assert "no picture that was counted has labels" in done.stderr


def test_a_line_a_second_whatever_the_clock(tmp_path: Path) -> None:
    """Three seconds of a film twice over: six lines, and what was assumed."""
    part = film(tmp_path / "a.ts", [n / 5 for n in range(15)])
    (tmp_path / "b.ts").write_bytes(2 * part.read_bytes())
    done = count(tmp_path / "b.ts")
    assert done.exit_code == 0
    assert len(done.stdout.splitlines()) == 6
    assert "its time starts again or jumps after 3.0 s" in done.stderr


def test_a_site_counts_the_part_of_the_picture_with_its_zones(tmp_path: Path) -> None:
    """As its unit does, which `check` says, too; labels of whole pictures are refused beside it."""
    picture = tmp_path / "street.png"
    Image.fromarray(Scene(WIDE.width, WIDE.height, view=WIDE).at(30.0).pixels).save(picture)
    site = site_file(tmp_path / "site.toml", WIDE, DEMO_ZONE)
    (whole,) = (json.loads(line) for line in count(picture, "--json").stdout.splitlines())
    done = count(picture, "--json", "--site", site, "--overlay", tmp_path)
    assert done.exit_code == 0, done.output
    part = json.loads(done.stdout)
    assert part["looks_at"].startswith(("640x352 px from ", "384x544 px from "))
    assert 10 < part["count"] < whole["count"]
    assert f" in {part['looks_at']}" in count(picture, "--site", site).stdout
    labels = tmp_path / "labels.csv"
    labels.write_text("picture,x,y\nstreet.png,,\n", encoding="utf-8")
    refused = count(picture, "--site", site, "--truth", labels)
    assert refused.exit_code == 2
    assert "leave one" in refused.stderr
    px = planned.ground(load_site(site))
    assert "heads in the zones are 7.5 to 13.0 px wide" in px
    assert "(of the whole picture 3.8 to 6.5 px for street-640x352)" in px
