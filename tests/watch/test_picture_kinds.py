"""Pictures as phones, scanners and industrial cameras make them: depth, several in one, large."""

import io
import resource
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pillow_heif
import pytest
from numpy.typing import NDArray
from PIL import Image

from edge.common.errors import PictureError
from edge.watch import pictures
from edge.watch.depth import eight_bits
from edge.watch.frame import Pixels
from edge.watch.pictures import pictures_of, read_picture
from edge.watch.recording import SMALL, TimedFrame, frames_of
from tests.watch.made import noise


def smooth(height: int = 96, width: int = 160) -> Pixels:
    """A picture that lossy codecs keep: slopes of every colour."""
    y, x = np.mgrid[0:height, 0:width]
    return np.dstack([255 * x // width, 255 * y // height, 255 - 255 * x // width]).astype(np.uint8)


@pytest.mark.parametrize("bits", [10, 12, 14, 16])
@pytest.mark.parametrize("suffix", [".png", ".tif"])
@pytest.mark.parametrize("grey", [False, True])
def test_every_depth_in_sixteen_bits_keeps_its_light(
    tmp_path: Path, bits: int, suffix: str, grey: bool
) -> None:
    light = smooth()
    deep = light.astype(np.uint16) << (bits - 8)
    deep[0, 0] = 2**bits - 1
    path = tmp_path / f"a{suffix}"
    cv2.imwrite(str(path), deep[..., 1] if grey else deep[..., ::-1])
    found = read_picture(path)
    wanted = np.repeat(light[..., 1:2], 3, axis=2) if grey else light
    assert np.array_equal(found[1:], wanted[1:])


@pytest.mark.parametrize("most", [1.0, 255.0, 4095.0])
@pytest.mark.parametrize("grey", [False, True])
@pytest.mark.parametrize("packed", [False, True])
def test_a_float_tiff_keeps_its_light(
    tmp_path: Path, most: float, grey: bool, packed: bool
) -> None:
    """Packed, OpenCV keeps colours as logarithms, which are not exact."""
    light = smooth()
    light[0, 0] = 255
    values = (light / np.float32(255) * np.float32(most)).astype(np.float32)
    path = tmp_path / "a.tif"
    kind = [] if packed else [cv2.IMWRITE_TIFF_COMPRESSION, 1]
    cv2.imwrite(str(path), values[..., 1] if grey else values[..., ::-1], kind)
    wanted = np.repeat(light[..., 1:2], 3, axis=2) if grey else light
    assert np.abs(read_picture(path).astype(int) - wanted).mean() < (3 if packed else 0.6)


def test_transparency_of_sixteen_bits_is_laid_on_grey(tmp_path: Path) -> None:
    values = np.full((4, 4, 4), 65535, np.uint16)
    values[..., 3] = 0
    cv2.imwrite(str(tmp_path / "a.png"), values)
    assert np.all(read_picture(tmp_path / "a.png") == 128)


@pytest.mark.parametrize(
    ("values", "told"),
    [
        (np.array([[0.0, 12.0]]), "up to 12, neither 0 to 1 nor 0 to 255"),
        (np.array([[np.nan, 1.0]]), "no numbers"),
        (np.array([[-3.0, 1.0]]), "from -3 to 1"),
        (np.array([[-3, 1]]), "from -3 to 1"),
        (np.array([[0, 1 << 20]]), "more than 16 bits"),
    ],
)
def test_values_of_no_sure_scale_are_refused(values: NDArray[np.generic], told: str) -> None:
    with pytest.raises(ValueError, match=told):
        eight_bits(values)


def test_a_refused_depth_is_one_line(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "a.tif"), np.full((4, 4), 12, np.float32))
    with pytest.raises(PictureError, match=r"picture .*a\.tif: holds values up to 12"):
        read_picture(tmp_path / "a.tif")


@pytest.mark.parametrize("suffix", [".heic", ".avif"])
@pytest.mark.parametrize("turned", [False, True])
def test_pictures_of_phones_are_read_whole(tmp_path: Path, suffix: str, turned: bool) -> None:
    path = tmp_path / f"a{suffix}"
    image = Image.fromarray(smooth())
    exif = Image.Exif()
    exif[0x0112] = 6 if turned else 1
    if suffix == ".heic":
        pillow_heif.from_pillow(image).save(path, quality=90, exif=exif.tobytes())
    else:
        image.save(path, quality=90, exif=exif)
    wanted = np.rot90(smooth(), -1) if turned else smooth()
    found = read_picture(path)
    assert found.shape == wanted.shape
    assert np.abs(found.astype(int) - wanted).mean() < 4


def test_a_heic_without_its_reader_is_reported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pillow_heif.from_pillow(Image.fromarray(smooth())).save(tmp_path / "a.heic")
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    monkeypatch.delitem(Image.OPEN, "HEIF", raising=False)
    with pytest.raises(PictureError, match="is HEIC, which needs pillow-heif; pip install"):
        read_picture(tmp_path / "a.heic")


def frames(path: Path) -> tuple[list[TimedFrame], list[str]]:
    notes: list[str] = []

    def refuse(_: Path, error: PictureError) -> None:
        raise error

    note: Callable[[Path, str], None] = lambda _, text: notes.append(text)  # noqa: E731
    return list(frames_of(path, every_s=1.0, on_bad=refuse, on_note=note)), notes


@pytest.mark.parametrize("suffix", [".gif", ".webp", ".png", ".avif"])
def test_an_animation_is_read_picture_by_picture(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"a{suffix}"
    first, *rest = (Image.fromarray(np.full((48, 64, 3), v, np.uint8)) for v in (40, 120, 200))
    first.save(path, save_all=True, append_images=rest, duration=500, loop=0)
    found, _ = frames(path)
    assert [frame.at_s for frame in found] == pytest.approx([0.0, 0.5, 1.0])
    assert [frame.pixels.mean() for frame in found] == pytest.approx([40, 120, 200], abs=4)
    assert len({frame.name for frame in found}) == 3


@pytest.mark.parametrize("suffix", [".tif", ".mpo", ".heic"])
def test_pages_are_read_one_by_one(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"a{suffix}"
    pages = [Image.fromarray(np.full((48, 64, 3), v, np.uint8)) for v in (40, 120, 200)]
    if suffix == ".heic":
        heif = pillow_heif.from_pillow(pages[0])
        for page in pages[1:]:
            heif.add_from_pillow(page)
        heif.save(path)
    else:
        pages[0].save(path, save_all=True, append_images=pages[1:])
    found, notes = frames(path)
    assert [frame.pixels.mean() for frame in found] == pytest.approx([40, 120, 200], abs=4)
    assert [frame.name for frame in found] == [path.name, f"{path.name}#2", f"{path.name}#3"]
    assert [frame.at_s for frame in found] == [0.0, 1.0, 2.0]
    assert notes == [f"pictures of 64x48 px are small: {SMALL}"]


def test_deep_pages_are_read_one_by_one(tmp_path: Path) -> None:
    pages = [np.full((4, 6, 3), value << 4, np.uint16) for value in (100, 200)]
    for page in pages:
        page[0, 0] = 4095
    cv2.imwritemulti(str(tmp_path / "a.tif"), pages)
    assert [p.pixels[1:].mean() for p in pictures_of(tmp_path / "a.tif")] == [100, 200]


def test_a_phone_s_map_of_light_is_no_picture_and_is_noted(tmp_path: Path) -> None:
    """An Ultra HDR picture is an MPO whose second picture is a small grey one."""
    whole, small = Image.fromarray(smooth()), Image.fromarray(smooth(24, 40)[..., 0])
    whole.save(tmp_path / "a.jpg", format="MPO", save_all=True, append_images=[small])
    found, notes = frames(tmp_path / "a.jpg")
    assert len(found) == 1
    assert notes == [
        "1 previews, masks or maps of light beside the picture are not counted",
        f"pictures of 160x96 px are small: {SMALL}",
    ]


def test_a_file_that_breaks_midway_gives_what_there_is(tmp_path: Path) -> None:
    pages = [Image.fromarray(noise(seed=n)) for n in range(3)]
    pages[0].save(tmp_path / "a.gif", save_all=True, append_images=pages[1:])
    data = (tmp_path / "a.gif").read_bytes()
    (tmp_path / "b.gif").write_bytes(data[: int(len(data) * 0.9)])
    bad: list[str] = []
    found = list(
        frames_of(tmp_path / "b.gif", every_s=None, on_bad=lambda _, e: bad.append(str(e)))
    )
    assert 1 <= len(found) < 3
    assert len(bad) == 1 and "after" in bad[0] and "b.gif" in bad[0]


# Reads a picture and prints its shape, its size and by how much memory grew at most (MB).
_READ = """
import resource, sys
from pathlib import Path
import numpy as np
from edge.watch.pictures import first_picture
peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
before = peak()
picture = first_picture(Path(sys.argv[1]))
print(*picture.pixels.shape, *picture.size, peak() - before)
"""


@pytest.mark.parametrize(("suffix", "at_most_mb"), [(".jpg", 200), (".png", 420)])
def test_fifty_megapixels_take_bounded_memory(tmp_path: Path, suffix: str, at_most_mb: int) -> None:
    """8160x6144 px, as phones make them: kept at half the size, with the size that it has."""
    path = tmp_path / f"a{suffix}"
    Image.new("RGB", (8160, 6144), (90, 120, 150)).save(path)
    done = subprocess.run(
        [sys.executable, "-c", _READ, path], capture_output=True, check=True, text=True
    )
    height, width, depth, *size, grown_mb = map(int, done.stdout.split())
    assert (height, width, depth) == (3072, 4080, 3)
    assert size == [8160, 6144]
    assert grown_mb < at_most_mb


def test_a_picture_of_too_much_memory_is_refused_before_it_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pictures, "MOST_BYTES", 1_000_000)
    Image.new("RGB", (1000, 900)).save(tmp_path / "a.png")
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(PictureError, match="1000x900 px take 4 MB to read, at most 1 are allowed"):
        read_picture(tmp_path / "a.png")
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 20_000
    Image.new("RGB", (1000, 900)).save(tmp_path / "a.jpg")
    assert read_picture(tmp_path / "a.jpg").shape == (900, 1000, 3)


@pytest.mark.slow
def test_a_claimed_size_is_not_believed_with_memory(tmp_path: Path) -> None:
    """A few bytes that claim 60,000 x 60,000 px."""
    small = io.BytesIO()
    Image.new("1", (60_000, 60_000)).save(small, "png")
    (tmp_path / "a.png").write_bytes(small.getvalue())
    with pytest.raises(PictureError, match="take 3600 MB"):
        read_picture(tmp_path / "a.png")
