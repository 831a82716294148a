"""Crops of nobody, and things laid over crops of somebody."""

import numpy as np
import pytest
from numpy.typing import NDArray

from models.families import COMPOSED, KEPT_OUT, TRAINED, drawn
from models.negatives import SHAPES, cover, empty_crop, tinted
from models.pictures import Example

SIDE = 128


def plain(colour: tuple[int, int, int], width: int = 60, height: int = 40) -> Example:
    pixels = np.full((height, width, 3), colour, np.uint8)
    return Example("plain", pixels, np.zeros((0, 2), np.float32))


def crowd(spacing: int = 8) -> NDArray[np.float32]:
    grid = np.mgrid[spacing // 2 : SIDE : spacing, spacing // 2 : SIDE : spacing]
    return grid.reshape(2, -1).T.astype(np.float32)


@pytest.mark.parametrize("name", sorted(TRAINED | COMPOSED | KEPT_OUT))
def test_each_family_draws_a_full_picture_of_its_own(name: str) -> None:
    draw = (TRAINED | COMPOSED | KEPT_OUT)[name]
    first, same, other = (draw(np.random.default_rng(seed), SIDE) for seed in (1, 1, 2))
    assert first.shape == (SIDE, SIDE, 3)
    assert first.dtype == np.uint8
    assert np.array_equal(first, same)
    assert not np.array_equal(first, other)
    assert first.std() > 3


def test_no_family_that_is_measured_on_is_trained_on() -> None:
    assert not set(TRAINED | COMPOSED) & set(KEPT_OUT)


def test_drawn_pictures_hold_nobody_and_come_from_each_family() -> None:
    pictures = drawn(KEPT_OUT, 2, seed=3, side=64)
    assert len(pictures) == 2 * len(KEPT_OUT)
    assert len({picture.name for picture in pictures}) == len(pictures)
    assert all(len(picture.heads) == 0 for picture in pictures)


def test_an_empty_crop_is_full_of_its_pictures_whatever_their_size() -> None:
    colours = {(200, 10, 10), (10, 10, 200)}
    sources = [plain((200, 10, 10)), plain((10, 10, 200), 20, 300)]
    for seed in range(200):
        crop = empty_crop(sources, SIDE, np.random.default_rng(seed))
        assert crop.shape == (SIDE, SIDE, 3)
        assert {tuple(px) for px in crop.reshape(-1, 3).tolist()} <= colours


def test_grey_pictures_are_tinted_at_times_and_coloured_ones_never() -> None:
    grey, red = plain((90, 90, 90)).pixels, plain((200, 10, 10)).pixels
    rng = np.random.default_rng(0)
    assert 0 < sum(np.ptp(tinted(grey, rng)[0, 0]) > 0 for _ in range(50)) < 50
    assert all(np.array_equal(tinted(red, rng), red) for _ in range(50))


def test_what_is_laid_over_a_crop_takes_the_hidden_heads_out_and_no_other() -> None:
    """Every head left stands where the crop is as it was, and the others where it is not."""
    before = np.full((SIDE, SIDE, 3), 255, np.uint8)
    taken = 0
    for seed in range(60):
        rng = np.random.default_rng(seed)
        after, left = cover(before, crowd(), [plain((0, 0, 0))], rng)
        kept = {(x, y) for x, y in left.tolist()}
        for x, y in crowd().tolist():
            light = after[int(y), int(x), 0]
            if abs(int(light) - 128) > 4:
                assert ((x, y) in kept) == (light > 128)
        taken += len(crowd()) - len(left)
    assert taken > 0


def test_a_crop_of_nobody_can_be_covered() -> None:
    nobody = np.zeros((0, 2), np.float32)
    pixels = np.zeros((SIDE, SIDE, 3), np.uint8)
    _, heads = cover(pixels, nobody, [plain((9, 9, 9))], np.random.default_rng(0))
    assert heads.shape == (0, 2)


@pytest.mark.parametrize("shape", SHAPES)
def test_shapes_cover_some_of_a_crop_and_seldom_all(shape: object) -> None:
    assert callable(shape)
    parts = [float(shape(np.random.default_rng(seed), SIDE, SIDE).mean()) for seed in range(60)]
    assert 0.005 < float(np.mean(parts)) < 0.6
    assert all(0 <= part <= 1 for part in parts)
