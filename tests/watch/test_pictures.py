from datetime import datetime
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from edge.common.errors import PictureError
from edge.watch.folder import (
    DATE_TIME_ORIGINAL,
    EXIF_IFD,
    picture_time,
    pictures_in,
)
from edge.watch.pictures import read_picture
from tests.watch.made import cut, noise, save_picture


@pytest.mark.parametrize("suffix", [".png", ".bmp", ".tif", ".ppm"])
@pytest.mark.parametrize("shape", [(1, 1), (3, 200), (200, 90)])
def test_lossless_kinds_are_read_as_they_are(
    tmp_path: Path, suffix: str, shape: tuple[int, int]
) -> None:
    """Height comes first, whatever the kind, and however small."""
    pixels = noise(*shape)
    assert np.array_equal(read_picture(save_picture(tmp_path / f"a{suffix}", pixels)), pixels)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGBA", "CMYK", "YCbCr"])
def test_every_mode_becomes_rgb(tmp_path: Path, mode: str) -> None:
    """A light picture stays light in each of Pillow's modes."""
    path = tmp_path / ("a.tif" if mode in ("CMYK", "YCbCr") else "a.png")
    Image.new("RGB", (20, 10), (255, 255, 255)).convert(mode).save(path)
    pixels = read_picture(path)
    assert pixels.shape == (10, 20, 3)
    assert pixels.dtype == np.uint8
    assert pixels.min() > 250


def test_transparency_is_laid_on_grey(tmp_path: Path) -> None:
    """What cannot be seen is neither black nor white."""
    Image.new("RGBA", (4, 4), (255, 0, 0, 0)).save(tmp_path / "a.png")
    assert np.all(read_picture(tmp_path / "a.png") == 128)


def test_sixteen_bits_are_scaled_not_clipped(tmp_path: Path) -> None:
    """Half of the range stays half of the range."""
    Image.fromarray(np.full((4, 6), 32768, np.uint16)).save(tmp_path / "a.png")
    assert np.all(read_picture(tmp_path / "a.png") == 128)


def test_a_phones_rotation_is_undone(tmp_path: Path) -> None:
    """Orientation 6: the camera's left side is the top."""
    image = Image.fromarray(np.zeros((10, 20, 3), np.uint8))
    image.paste((255, 255, 255), (0, 0, 10, 10))
    exif = Image.Exif()
    exif[0x0112] = 6
    image.save(tmp_path / "a.png", exif=exif)
    pixels = read_picture(tmp_path / "a.png")
    assert pixels.shape == (20, 10, 3)
    assert pixels[:10].min() == 255 and pixels[10:].max() == 0


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("suffix", [".jpg", ".png", ".gif", ".webp", ".tif", ".bmp"])
@pytest.mark.parametrize("part", [0.0, 0.02, 0.3, 0.7])
def test_a_cut_off_picture_is_one_clear_error(tmp_path: Path, suffix: str, part: float) -> None:
    """Whatever is left of it, the error names the file in one line."""
    path = cut(save_picture(tmp_path / f"a{suffix}", noise()), tmp_path / f"b{suffix}", part)
    with pytest.raises(PictureError, match=rf"picture .*b\{suffix}: .*;") as caught:
        read_picture(path)
    assert "\n" not in str(caught.value)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("suffix", [".jpg", ".png", ".gif", ".webp", ".tif", ".bmp"])
def test_damaged_pictures_raise_nothing_else(tmp_path: Path, suffix: str) -> None:
    """Random bytes in the file: a picture or a PictureError."""
    good = save_picture(tmp_path / f"a{suffix}", noise(32, 32)).read_bytes()
    random = np.random.default_rng(1)
    for _ in range(100):
        data = bytearray(good)
        for at in random.integers(0, min(len(data), 400), 6):
            data[at] = random.integers(0, 256)
        (tmp_path / f"b{suffix}").write_bytes(data)
        try:
            read_picture(tmp_path / f"b{suffix}")
        except PictureError:
            continue


@pytest.mark.parametrize(
    ("content", "says"), [(b"", "is empty"), (b"hello, no picture", "is no picture")]
)
def test_the_error_says_what_is_wrong(tmp_path: Path, content: bytes, says: str) -> None:
    """An empty file and a foreign one have their own words."""
    (tmp_path / "a.jpg").write_bytes(content)
    with pytest.raises(PictureError, match=says):
        read_picture(tmp_path / "a.jpg")


def test_a_missing_picture_is_reported(tmp_path: Path) -> None:
    with pytest.raises(PictureError, match="does not exist"):
        read_picture(tmp_path / "a.jpg")


def test_time_comes_from_the_name(tmp_path: Path) -> None:
    """With or without separators; digits that are no time are none."""
    taken = datetime(2016, 6, 20, 9, 12, 21)
    for name in (
        "station_1-20160620091221.jpg",
        "2016-06-20_09-12-21.png",
        "x20160620T091221001.jpg",
    ):
        assert picture_time(tmp_path / name) == taken, name
    assert picture_time(tmp_path / "20169920091221.jpg") is None


def test_time_comes_from_exif(tmp_path: Path) -> None:
    """When the name says nothing."""
    exif = Image.Exif()
    exif.get_ifd(EXIF_IFD)[DATE_TIME_ORIGINAL] = "2024:12:24 18:30:05"
    Image.new("RGB", (4, 4)).save(tmp_path / "a.jpg", exif=exif)
    assert picture_time(tmp_path / "a.jpg") == datetime(2024, 12, 24, 18, 30, 5)


def test_a_folder_is_in_order_of_time_then_name(tmp_path: Path) -> None:
    """And hidden files and others are left out."""
    names = ["a-20240101000002.png", "b-20240101000001.png", "b10-20240101000003.png"]
    names.append("b9-20240101000003.png")
    for name in [*names, ".hidden.png", "notes.txt"]:
        (tmp_path / name).write_bytes(b"")
    assert [path.name for path in pictures_in(tmp_path)] == [names[1], names[0], names[3], names[2]]


def test_a_folder_without_pictures_is_an_error(tmp_path: Path) -> None:
    """So is one that does not exist."""
    with pytest.raises(PictureError, match="holds no picture"):
        pictures_in(tmp_path)
    with pytest.raises(PictureError, match="cannot be read"):
        pictures_in(tmp_path / "none")
