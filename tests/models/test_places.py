"""Places, lights and pictures of nobody: how they are told apart, and what is said of them."""

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from edge.common.sighting import HeadMap
from models.bars import Once, empty_rows, place_rows
from models.empty import Phantoms, phantoms
from models.pictures import MISLABELLED, Example, load_set
from models.places import at_night, by_set, left_out_coverage, place_of, set_of
from models.scenes import kept
from models.scoring import Interval, Score


def example(name: str, colour: tuple[int, int, int] = (90, 90, 90)) -> Example:
    return Example(name, np.full((24, 32, 3), colour, np.uint8), np.zeros((0, 2), np.float32))


def score(seed: int, wrong: float, pictures: int = 60) -> Score:
    rng = np.random.default_rng(seed)
    truth = rng.uniform(5, 50, pictures)
    found = truth * (1 + rng.normal(0, wrong, pictures))
    return Score(truth, found, truth.copy(), Interval(1.0, 0.0))


class Always:
    """Counts the same in every picture."""

    def count(self, pixels: NDArray[np.uint8]) -> HeadMap:
        height, width, _ = pixels.shape
        cells = np.full((2, 2), 6.0, np.float32)
        return HeadMap(cells, cells, 16, width, height, 1.0)


def test_a_station_s_places_are_its_cameras_and_days() -> None:
    assert place_of("station", example("station_2-20170507160000.jpg")) == (
        "station, camera 2, 20170507"
    )
    with pytest.raises(ValueError, match=r"platform.jpg: must be named station_CAMERA"):
        place_of("station", example("platform.jpg"))


def test_pictures_of_nobody_are_reported_apart_by_their_colour() -> None:
    assert place_of("nobody", example("forest")) == "nobody, grey"
    assert place_of("nobody", example("leopard", (200, 140, 40))) == "nobody, colour"


def test_scores_of_places_add_up_to_those_of_their_sets() -> None:
    scores = {"station, camera 1, a": score(1, 0.1, 5), "station, camera 2, a": score(2, 0.1, 7)}
    sets = by_set(scores | {"street": score(3, 0.1, 4)})
    assert {name: len(one.truth) for name, one in sets.items()} == {"station": 12, "street": 4}
    assert set_of("street") == "street"


def test_a_place_unlike_all_others_shows_when_it_is_left_out() -> None:
    scores = {"a": score(1, 0.05), "b": score(2, 0.05), "odd": score(3, 0.8)}
    left_out = left_out_coverage(scores)
    assert left_out["odd"] < 0.7
    assert left_out["a"] > 0.95


def test_the_night_that_is_made_is_dark_and_the_same_each_time() -> None:
    bright = [Example("street", np.full((64, 64, 3), 200, np.uint8), np.zeros((1, 2), np.float32))]
    (first,), (second,), (grey,) = (
        at_night(bright),
        at_night(bright),
        at_night(bright, infra_red=True),
    )
    assert first.pixels.mean() < 150
    assert np.array_equal(first.pixels, second.pixels)
    assert np.ptp(grey.pixels, axis=-1).max() == 0
    assert len(first.heads) == 1


def test_phantoms_are_reported_by_their_median_and_by_how_often_they_are_many() -> None:
    found = Phantoms(np.array([0.0, 0.5, 1.0, 20.0, 300.0]))
    assert (found.median, found.share_of_many, found.most) == (1.0, 0.4, 300.0)
    assert phantoms(Always(), [example("a"), example("b")]).found.tolist() == [24.0, 24.0]
    assert list(empty_rows("m", {"nobody": found})) == [
        "| m | nobody | 5 | 1.00 | 40.0 % | 300.0 |"
    ]


def test_places_are_listed_with_what_holds_when_they_are_left_out() -> None:
    rows = list(place_rows("m", {"a": score(1, 0.05), "b": score(2, 0.05)}))
    assert [row.split("|")[2].strip() for row in rows] == ["a", "b"]
    assert all(row.count("%") == 2 for row in rows)


def test_a_picture_with_another_s_labels_takes_no_part(tmp_path: Path) -> None:
    (wrong,) = MISLABELLED
    (tmp_path / "street").mkdir()
    lines = []
    for name in (wrong, "street_1.jpg"):
        Image.new("RGB", (16, 16)).save(tmp_path / "street" / name)
        lines.append(f'{{"image": "{name}", "split": "val", "heads": [[1, 2]]}}')
    (tmp_path / "street.jsonl").write_text("\n".join(lines), encoding="utf-8")
    assert [found.name for found in load_set(tmp_path, "street", "val")] == ["street_1.jpg"]


def test_what_is_drawn_for_measuring_is_drawn_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("models.scenes.KEPT", tmp_path / "runs")
    drawn = [example("a"), example("b", (1, 2, 3))]
    first = kept("few", lambda: drawn)
    again = kept("few", lambda: pytest.fail("drawn twice"))
    for one, two, three in zip(drawn, first, again, strict=True):
        assert np.array_equal(one.pixels, two.pixels)
        assert np.array_equal(one.pixels, three.pixels)


def test_a_picture_is_counted_once_for_all_tables() -> None:
    counter, asked = Once(Always()), example("a").pixels
    assert counter.count(asked) is counter.count(asked)
    assert counter.count(asked) is not counter.count(example("b").pixels)
