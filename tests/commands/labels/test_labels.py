"""Labels of every tool: the same heads of each, matched to pictures wherever they lie."""

import json
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from edge.commands.labels import Labelled, Truth, read_labels
from edge.commands.labels.labelled import Point
from edge.commands.labels.match import Rightness
from edge.common.errors import LabelsError
from edge.common.sighting import Estimate
from tests.commands.labels.exports import EXPORTS, HEADS, coco, cvat, labelme


@pytest.mark.parametrize("export", EXPORTS)
def test_every_export_gives_the_same_heads(export: Callable[[Path], Path], tmp_path: Path) -> None:
    truth = Truth(read_labels(export(tmp_path)))
    people, nobody = truth.of("somewhere/else/a.jpg"), truth.of("b.jpg")
    assert people is not None and nobody is not None
    assert (people.count, nobody.count) == (2, 0)
    assert people.heads is not None
    assert sorted(people.heads) == [pytest.approx(head) for head in HEADS]
    assert truth.unused == []


def test_an_archive_is_read_as_it_was_downloaded(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "task.zip", "w") as archive:
        archive.write(cvat(tmp_path), "annotations.xml")
        archive.writestr("images/a.jpg", b"no labels")
    assert [each.count for each in read_labels(tmp_path / "task.zip")] == [2, 0]


def test_a_video_of_cvat_has_its_boxes_by_frame(tmp_path: Path) -> None:
    (tmp_path / "a.xml").write_text(
        '<annotations><track id="0" label="person">'
        '<box frame="0" xtl="1" ytl="2" xbr="5" ybr="9" outside="0" keyframe="1"/>'
        '<box frame="3" xtl="1" ytl="2" xbr="5" ybr="9" outside="1" keyframe="1"/></track>'
        '<track id="1" label="person">'
        '<box frame="0" xtl="8" ytl="2" xbr="9" ybr="9" outside="0"/></track></annotations>',
        encoding="utf-8",
    )
    (found,) = read_labels(tmp_path / "a.xml")
    assert found == Labelled("frame_000000", 2, ((3.0, 2.0), (8.5, 2.0)))


def test_a_head_s_box_has_its_head_in_the_middle(tmp_path: Path) -> None:
    text = coco(tmp_path).read_text(encoding="utf-8").replace('"person"', '"head"')
    (tmp_path / "heads.json").write_text(text, encoding="utf-8")
    first, _ = read_labels(tmp_path / "heads.json")
    assert first.heads == ((20.0, 55.0), (150.0, 70.0))


def test_counts_alone_are_a_truth_too(tmp_path: Path) -> None:
    (tmp_path / "counts.csv").write_text("picture;count\na.jpg;12\nb.jpg;0\n", encoding="utf-8")
    assert read_labels(tmp_path / "counts.csv") == [
        Labelled("a.jpg", 12, None),
        Labelled("b.jpg", 0, None),
    ]


def test_labels_that_are_no_person_must_be_named(tmp_path: Path) -> None:
    path = labelme(tmp_path) / "a.json"
    path.write_text(path.read_text(encoding="utf-8").replace('"head"', '"kopfbedeckung"'))
    with pytest.raises(LabelsError, match=r"bag, kopfbedeckung none is known.*--label"):
        read_labels(path)
    assert read_labels(path, ["Kopfbedeckung"])[0].count == 2
    with pytest.raises(LabelsError, match="'person' is not in these labels"):
        read_labels(path, ["person"])


COCO_OF_TWO = json.dumps(
    {
        "images": [{"id": 1, "file_name": "a.jpg"}],
        "annotations": [{"image_id": 1, "category_id": 1, "bbox": [1, 2]}],
    }
)
POINTLESS = json.dumps(
    {
        "imagePath": "a.jpg",
        "shapes": [{"label": "head", "shape_type": "point", "points": []}],
    }
)


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("a.csv", "", "is empty"),
        ("a.csv", "x,y\n1,2\n", "first line must be picture,x,y or picture,count"),
        ("a.csv", "picture,x,y\na.jpg,ten,3\n", "line 2: 'a.jpg,ten,3' must be picture,x,y"),
        ("a.csv", "picture,count\na.jpg,2.5\n", "line 2: 'a.jpg,2.5' must be picture,count"),
        ("a.csv", 'picture,count\na.jpg,"1,269"\n', "without separators"),
        ("a.csv", "picture,count\na.jpg,99999999999\n", "from 0 to 1000000"),
        ("a.json", COCO_OF_TWO, r"a bbox is \[1, 2\], and must be left, top, width and height"),
        ("a.json", POINTLESS, "a shape labelled 'head' has no points"),
        ("a.json", "{", "not understood"),
        ("a.json", '{"images": [{"id": 1}]}', "'annotations' is missing"),
        ("a.json", '{"a": 1}', "not understood"),
        ("a.json", "[]", "name no picture"),
        ("a.xml", "<annotations><image", "not understood"),
        ("a.xml", '<!DOCTYPE a [<!ENTITY b "c">]><annotations/>', "document type"),
        ("a.zip", "no archive", "damaged archive"),
    ],
)
def test_what_is_no_label_is_reported_in_one_line(
    name: str, content: str, told: str, tmp_path: Path
) -> None:
    (tmp_path / name).write_text(content, encoding="utf-8")
    with pytest.raises(LabelsError, match=told) as caught:
        read_labels(tmp_path / name)
    assert "\n" not in str(caught.value)
    assert name in str(caught.value)


def test_missing_labels_are_reported(tmp_path: Path) -> None:
    with pytest.raises(LabelsError, match="No such file"):
        read_labels(tmp_path / "a.csv")
    with pytest.raises(
        LabelsError, match=r"labels\.csv: No such file or directory, nor any export"
    ):
        read_labels(tmp_path)


def test_pictures_of_one_name_are_reported_apart_by_their_folders() -> None:
    truth = Truth([Labelled("day/x.jpg", 3, None), Labelled("night/x.jpg", 5, None)])
    found = truth.of("/home/me/night/x.jpg")
    assert found is not None and found.count == 5
    assert truth.unused == ["day/x.jpg"]
    with pytest.raises(LabelsError, match="both fit"):
        truth.of("elsewhere/x.jpg")
    assert truth.of("y.jpg") is None


def test_hangul_matches_however_a_system_writes_it() -> None:
    composed, parted = "\uac70\ub9ac.jpg", "\u1100\u1165\u1105\u1175.jpg"
    assert Truth([Labelled(parted, 1, None)]).of(composed) is not None


def test_rightness_is_what_its_words_say() -> None:
    found = Rightness.of([(10, Estimate(12, 9, 15)), (20, Estimate(16, 14, 18))])
    assert (found.mae, found.bias, found.coverage) == (3.0, -1.0, 0.5)
    assert found.rmse == pytest.approx(10**0.5)
    assert "MAE 3.00, RMSE 3.16, bias -1.00; 50 %" in found.as_text()


@pytest.mark.parametrize(
    ("heads", "labelled", "fits"),
    [
        ([(0.0, 0.0), (400.0, 220.0), (-3.0, 10.0)], None, True),
        ([(401.0, 300.0)], None, False),
        ([(-50.0, 10.0)], None, False),
        # Labelled in a larger copy.
        ([(700.0, 300.0)], (800, 440), True),
        ([(700.0, 300.0)], (300, 440), False),
    ],
)
def test_labels_beside_the_picture_are_of_another(
    heads: list[Point], labelled: tuple[int, int] | None, fits: bool
) -> None:
    labels = Labelled("a.jpg", len(heads), tuple(heads), labelled)
    assert (labels.misfit((400, 220)) is None) == fits
