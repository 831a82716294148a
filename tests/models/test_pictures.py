"""A folder of one's own labelled pictures: what is read, and what is told when it is wrong."""

from pathlib import Path

import click
import numpy as np
import pytest
from PIL import Image

from models.pictures import letterbox, load_folder
from tests.commands.labels.exports import EXPORTS, HEADS, SIZE, coco


def write(folder: Path, table: str) -> Path:
    for name in ("a.png", "b.png"):
        Image.new("RGB", (64, 48)).save(folder / name)
    (folder / "labels.csv").write_text(table, encoding="utf-8")
    return folder


def test_heads_are_read_by_picture_and_nobody_is_reported_apart_from_unlabelled(
    tmp_path: Path,
) -> None:
    write(tmp_path, "picture,x,y\nb.png,10,20.5\nb.png,63,47\na.png,,\n")
    nobody, two = load_folder(tmp_path)
    assert (nobody.name, nobody.heads.shape) == ("a.png", (0, 2))
    assert two.heads.tolist() == [[10.0, 20.5], [63.0, 47.0]]
    assert two.pixels.shape == (48, 64, 3)


def test_every_export_teaches_the_same_heads(tmp_path: Path) -> None:
    for export in EXPORTS:
        folder = tmp_path / export.__name__
        folder.mkdir()
        for name in ("a.jpg", "b.jpg"):
            Image.new("RGB", SIZE).save(folder / name)
        export(folder)
        people, nobody = load_folder(folder)
        assert sorted(people.heads.tolist()) == [pytest.approx(head) for head in HEADS], export
        assert nobody.heads.shape == (0, 2)


def test_a_label_stays_on_its_head_in_a_picture_of_another_size(tmp_path: Path) -> None:
    Image.new("RGB", (400, 200)).save(tmp_path / "a.jpg")
    Image.new("RGB", (200, 100)).save(tmp_path / "b.jpg")
    coco(tmp_path)
    people, _ = load_folder(tmp_path)
    assert sorted(people.heads.tolist()) == [[40, 60], [300, 80]]
    Image.new("RGB", (100, 200)).save(tmp_path / "a.jpg")
    with pytest.raises(click.UsageError, match="labelled at 200x100 px, and has 100x200; is it"):
        load_folder(tmp_path)


@pytest.mark.parametrize(
    ("table", "told"),
    [
        ("x,y\n", r"first line must be picture,x,y"),
        ("", r"is empty; must be a table picture,x,y"),
        ("picture,x,y\na.png,ten,3\n", r"line 2: 'a.png,ten,3' must be picture,x,y"),
        ("picture,x,y\na.png,3\n", r"line 2: 'a.png,3' must be picture,x,y"),
        ("picture,x,y\na.png,65,3\n", r"a.png: head at 65,3 lies outside its 64x48 px"),
        ("picture,x,y\nc.png,1,1\n", r"c.png: named in labels.csv, but .*No such file"),
    ],
)
def test_a_wrong_table_is_reported_in_one_line(tmp_path: Path, table: str, told: str) -> None:
    with pytest.raises(click.UsageError, match=told) as caught:
        load_folder(write(tmp_path, table))
    assert "\n" not in caught.value.message


def test_a_missing_table_says_its_form(tmp_path: Path) -> None:
    with pytest.raises(click.UsageError, match=r"labels.csv: No such file.*picture,x,y"):
        load_folder(tmp_path)


def test_a_letterboxed_picture_keeps_its_shape() -> None:
    canvas, ratio = letterbox(np.zeros((50, 100, 3), np.uint8), (64, 64))
    assert ratio == pytest.approx(0.64)
    assert (canvas[:32] == 0).all()
    assert (canvas[32:] == 128).all()
