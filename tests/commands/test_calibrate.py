"""`redroad calibrate`: points in, the site file's section and an overlay out."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from edge.cli import main
from edge.commands.calibrate.survey_points import parse_point, read_points
from edge.common.errors import GroundError
from edge.site import load_site
from edge.site.schema import DEMO_GROUND
from edge.street.scene import Scene
from tests.watch.made import save_video

POINTS = [f"{x},{y}={a},{b}" for x, y, a, b in DEMO_GROUND.points]


@pytest.fixture(scope="module")
def street(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("street") / "street.png"
    Image.fromarray(Scene().at(5.0).pixels).save(path)
    return path


def calibrate(*arguments: object) -> tuple[int, str]:
    result = CliRunner().invoke(main, ["calibrate", *map(str, arguments)])
    return result.exit_code, result.output


def with_points(points: list[str]) -> list[str]:
    return [part for point in points for part in ("--point", point)]


def test_points_become_a_site_file_that_loads(street: Path, tmp_path: Path) -> None:
    site, overlay = tmp_path / "site.toml", tmp_path / "overlay.png"
    site.write_text('# mine\n[site]\nname = "ours"\n', encoding="utf-8")
    code, told = calibrate(
        street, *with_points(POINTS), "--camera-height", 8.5, "--site", site, "--overlay", overlay
    )
    assert code == 0, told
    assert site.read_text(encoding="utf-8").startswith("# mine\n")
    loaded = load_site(site)
    assert loaded.ground == DEMO_GROUND
    assert loaded.zone[0].area == pytest.approx(5 * 7)
    assert told.count("m off") == 6
    assert "heads in the zones are" in told and "640x352 px from 0,0, the whole picture" in told
    for word in ("a metre is", "heads can be counted up to", "10 cm of camera height"):
        assert word in told
    changed = np.asarray(Image.open(overlay)) != np.asarray(Image.open(street))
    assert 0.01 < changed.any(axis=2).mean() < 0.5
    assert calibrate(street, "--site", site)[0] == 0


def test_a_bad_point_is_reported_and_nothing_is_written(street: Path, tmp_path: Path) -> None:
    site = tmp_path / "site.toml"
    bad = [*POINTS[:5], "191.7,206.4=2.5,15"]
    code, told = calibrate(street, *with_points(bad), "--camera-height", 8.5, "--site", site)
    assert code == 2
    assert "Traceback" not in told
    assert "point 6 (191.7, 206.4 px)" in told
    assert not site.exists()


def test_without_points_a_ruler_is_drawn(street: Path, tmp_path: Path) -> None:
    code, told = calibrate(street, "--overlay", tmp_path / "ruler.png")
    assert code == 0
    assert "ruler" in told
    assert Image.open(tmp_path / "ruler.png").size == (640, 352)


def test_a_site_file_without_ground_gets_a_ruler_and_no_other_streets_grid(
    street: Path, tmp_path: Path
) -> None:
    """Such as the one a unit is installed with, as soon as its camera is named."""
    site = tmp_path / "site.toml"
    site.write_text('[camera]\nkind = "picamera"\n', encoding="utf-8")
    code, told = calibrate(street, "--site", site, "--overlay", tmp_path / "ruler.png")
    assert code == 0
    assert "ruler" in told
    code, _ = calibrate(street, *with_points(POINTS), "--camera-height", 8.5, "--site", site)
    assert code == 0
    assert load_site(site).has_own_zone


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (with_points(POINTS), "--camera-height is missing"),
        ([*with_points(POINTS), "--camera-height", "85"], "camera_height_m = 85.0 must be at most"),
        ([*with_points(POINTS[:3]), "--camera-height", "8.5"], "3 points are given, must be at le"),
        ([*with_points(POINTS * 3), "--camera-height", "8.5"], "18 points are given, must be at m"),
        (["--point", "1,2=3,1e6", "--camera-height", "8.5", *with_points(POINTS)], "point 1: 1000"),
        (["--point", "1,2,3"], "write px and metres as x,y=X,Y"),
        (["--point", "1,nan=3,4"], "write px and metres as x,y=X,Y"),
        (["--points", "missing.csv"], "cannot be read (No such file or directory); check the path"),
        ([], "add --point"),
    ],
)
def test_mistakes_are_reported_in_one_line(street: Path, arguments: list[str], line: str) -> None:
    code, told = calibrate(street, *arguments)
    assert code == 2
    assert line in told
    assert len(told.splitlines()) == 1


def test_a_first_zone_ends_where_heads_can_no_longer_be_counted(
    street: Path, tmp_path: Path
) -> None:
    """Points whose heads are above the picture serve for the ground, not for the zone."""
    site = tmp_path / "site.toml"
    view = Scene().view
    far = np.array([(-2.5, 22.0), (2.5, 22.0)])
    x, y, _ = view.project(np.column_stack([far, np.zeros(2)]))
    points = [*POINTS[:4], *(f"{a},{b}={c},{d}" for a, b, (c, d) in zip(x, y, far, strict=True))]
    code, told = calibrate(street, *with_points(points), "--camera-height", 8.5, "--site", site)
    assert code == 0, told
    assert "farther ones are above the picture's edge" in told
    outline = np.array(load_site(site).zone[0].ground)
    assert 18 < outline[:, 1].max() < 22
    assert calibrate(street, "--site", site)[0] == 0


def test_points_too_close_for_a_first_zone_are_reported_in_one_line(
    street: Path, tmp_path: Path
) -> None:
    site, view = tmp_path / "site.toml", Scene().view
    close = np.array([(0.0, 12.0), (0.6, 12.0), (0.6, 12.7), (0.0, 12.7)])
    x, y, _ = view.project(np.column_stack([close, np.zeros(4)]))
    points = [f"{a},{b}={c},{d}" for a, b, (c, d) in zip(x, y, close, strict=True)]
    code, told = calibrate(street, *with_points(points), "--camera-height", 8.5, "--site", site)
    assert code == 2
    assert "span too little ground" in told.splitlines()[-1]
    assert not site.exists()


def test_mirrored_metres_are_reported(street: Path) -> None:
    """Left and right exchanged in every point: densities are the same, the zones are not."""
    mirrored = [f"{x},{y}={-a},{b}" for x, y, a, b in DEMO_GROUND.points]
    for points, told in ((mirrored, True), (POINTS, False)):
        code, output = calibrate(street, *with_points(points), "--camera-height", 8.5)
        assert code == 0
        assert ("the metres run mirrored" in output) == told


def test_points_come_from_tables_too(tmp_path: Path) -> None:
    table, document = tmp_path / "p.csv", tmp_path / "p.toml"
    table.write_text("x,y,X,Y\n# the lamp\n10,20,1.5,-2\n", encoding="utf-8")
    document.write_text("points = [[10, 20, 1.5, -2]]\n", encoding="utf-8")
    assert read_points(table) == read_points(document) == [parse_point("10,20=1.5,-2")]
    table.write_text("10,20,1.5\n", encoding="utf-8")
    with pytest.raises(GroundError, match="must have a row"):
        read_points(table)


@pytest.mark.parametrize(
    "content",
    [
        "\ufeffx,y,X,Y\n{rows}",
        "\ufeffx;y;X;Y\r\n{semicolons}",
        "sep=;\r\nx;y;X;Y;;\r\n{semicolons}",
        "X px;Y px;X m;Y m\n{semicolons}",
    ],
)
def test_points_are_read_as_excel_writes_them(street: Path, tmp_path: Path, content: str) -> None:
    rows = [",".join(map(str, point)) for point in DEMO_GROUND.points]
    german = [row.replace(",", ";").replace(".", ",") for row in rows]
    text = content.format(rows="\n".join(rows), semicolons="\r\n".join(german))
    (tmp_path / "points.csv").write_text(text, encoding="utf-8", newline="")
    code, told = calibrate(street, "--points", tmp_path / "points.csv", "--camera-height", 8.5)
    assert code == 0, told
    assert told.count("m off") == 6


def test_a_line_of_points_that_is_too_short_is_quoted(street: Path, tmp_path: Path) -> None:
    (tmp_path / "points.csv").write_text("x,y,X,Y\n165,314,-2.5\n")
    code, told = calibrate(street, "--points", tmp_path / "points.csv", "--camera-height", 8.5)
    assert code == 2
    assert "'165,314,-2.5' has 3 values and not 4; must have a row x,y,X,Y" in told


def squeezed(points: Sequence[str], by: float) -> list[str]:
    """The marks in a picture whose pixels are `by` times as wide as high."""
    pairs = [point.split(",", 1) for point in points]
    return [f"{float(x) / by:g},{rest}" for x, rest in pairs]


def test_pixels_that_are_not_square_are_noticed_and_made_square(
    street: Path, tmp_path: Path
) -> None:
    """A recorder keeps the street at half its width; people look slim, and the points say so."""
    with Image.open(street) as image:
        image.resize((320, 352)).save(tmp_path / "dvr.png")
    slim = with_points(squeezed(POINTS, 2.0))
    code, told = calibrate(tmp_path / "dvr.png", *slim, "--camera-height", 8.5)
    assert "do people look too slim?" in told and "pixel_aspect = 2 " in told, (code, told)
    square = [*with_points(POINTS), "--pixel-aspect", 2.0, "--camera-height", 8.5]
    code, told = calibrate(tmp_path / "dvr.png", *square)
    assert code == 0, told
    assert "px are those of the picture with square pixels, 640x352" in told
    assert "slim" not in told


def test_a_large_picture_is_marked_in_its_own_px(street: Path, tmp_path: Path) -> None:
    """It is read at a smaller size; points, ruler and site file keep the px of the file."""
    with Image.open(street) as image:
        image.resize((5120, 2816)).save(tmp_path / "large.jpg")
    large = [f"{8 * x},{8 * y}={a},{b}" for x, y, a, b in DEMO_GROUND.points]
    site, overlay = tmp_path / "site.toml", tmp_path / "over.png"
    code, told = calibrate(
        tmp_path / "large.jpg", *with_points(large), "--camera-height", 8.5, "--site", site,
        "--overlay", overlay,
    )  # fmt: skip
    assert code == 0, told
    ground = load_site(site).ground
    assert ground is not None and ground.picture_width == 5120


def test_a_film_serves_for_a_picture(street: Path, tmp_path: Path) -> None:
    clip = save_video(tmp_path / "clip.mp4", frames=2)
    assert calibrate(clip, "--overlay", tmp_path / "ruler.png")[0] in {0, 2}
    with Image.open(tmp_path / "ruler.png") as ruler:
        assert ruler.size == (160, 96)
