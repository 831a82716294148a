"""The small picture that health, view and motion share."""

import numpy as np
import pytest

from edge.watch.frame import Frame
from edge.watch.thumbnail import Thumbnail
from tests.watch.made import noise


@pytest.mark.parametrize(("height", "width"), [(90, 160), (352, 640), (540, 960), (719, 1281)])
def test_a_mean_is_that_of_all_px_of_its_square(height: int, width: int) -> None:
    pixels = noise(height, width)
    small = Thumbnail.of(pixels)
    rows, columns = height // small.step, width // small.step
    green = pixels[: rows * small.step, : columns * small.step, 1].astype(float)
    squares = green.reshape(rows, small.step, columns, small.step).mean(axis=(1, 3))
    assert small.means.shape == small.samples.shape == (rows, columns)
    assert np.abs(small.means - squares).max() <= 0.5


def test_it_is_made_once_for_a_frame() -> None:
    frame = Frame(noise(), 1)
    assert frame.thumbnail is frame.thumbnail
    assert frame.thumbnail.samples is frame.thumbnail.samples


@pytest.mark.parametrize("shape", [(1, 1), (1, 2000), (2000, 3), (700, 5)])
def test_every_shape_has_one(shape: tuple[int, int]) -> None:
    small = Thumbnail.of(noise(*shape))
    assert small.means.shape == small.samples.shape
    assert small.means.size
