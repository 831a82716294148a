"""Picture files: any usual kind as RGB, upright, picture by picture, within a bound on memory."""

import contextlib
import io
import struct
import warnings
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, UnidentifiedImageError
from PIL.JpegImagePlugin import JpegImageFile

from edge.common.errors import PictureError
from edge.watch.aspect import square_size, squared
from edge.watch.depth import colours, read_deep
from edge.watch.frame import Pixels
from edge.watch.jpeg import refuse_damaged

SUFFIXES = (
    ".jpg", ".jpeg", ".jpe", ".jfif", ".mpo", ".png", ".apng", ".bmp", ".webp", ".tif", ".tiff",
    ".gif", ".ppm", ".pgm", ".jp2", ".heic", ".heif", ".hif", ".avif",
)  # fmt: skip
# More is read at a half, a third, ... of its size: the counter's largest input is below 1 MP.
KEPT_PX = 16_000_000
# What one picture may take while it is read, before it is made smaller.
MOST_BYTES = 600_000_000
# Bytes of memory for each px, of the whole picture: decoders of video code keep planes beside it.
_BYTES_OF_MODE = {"1": 1, "L": 1, "P": 1, "I;16": 2, "I;16B": 2, "LA": 4, "I": 4, "F": 4}
_BYTES_OF_CODED = 8  # HEIF and AVIF
_BYTES_PROGRESSIVE = 3  # of a JPEG that has to be kept whole until its last scan
# Stands behind transparent parts: neither light nor dark for the counter.
BEHIND = (128, 128, 128, 255)
_ORIENTATION = 0x0112
_UPRIGHT: dict[int, Callable[[Pixels], Pixels]] = {
    2: np.fliplr,
    3: lambda pixels: np.rot90(pixels, 2),
    4: np.flipud,
    5: lambda pixels: pixels.swapaxes(0, 1),
    6: lambda pixels: np.rot90(pixels, -1),
    7: lambda pixels: np.rot90(pixels.swapaxes(0, 1), 2),
    8: np.rot90,
}
_ANIMATED = ("GIF", "WEBP", "PNG", "AVIF")
_SHORTEST_MS, _USUAL_MS = 11, 100  # as browsers show animations that ask for no time
_TIFF_BITS, _TIFF_KIND, _TIFF_PREVIEW_OR_MASK = 258, 254, 0b101
_MPO_ENTRIES, _MPO_FURTHER = 0xB002, "Multi-Frame Image"

# What Pillow raises for damaged files, seen by damaging files of each kind.
DAMAGE = (
    OSError,
    SyntaxError,
    ValueError,
    EOFError,
    IndexError,
    KeyError,
    TypeError,
    OverflowError,
    MemoryError,
    RuntimeError,
    struct.error,
    zlib.error,
)

# Our own bound holds instead, which asks for memory and not for a nominal size.
Image.MAX_IMAGE_PIXELS = None


@dataclass(frozen=True, eq=False)
class Picture:
    """One picture of a file: `pixels` of shape (height, width, 3), RGB, upright, in square pixels.

    `size` is its width and height in the file's own px, upright: more than `pixels` has where it
    was too large to be kept whole. `at_s` is when an animation shows it; None of all else.
    """

    pixels: Pixels
    size: tuple[int, int]
    at_s: float | None = None


def read_picture(path: Path) -> Pixels:
    """Return the pixels of a file's first picture; PictureError when it is none."""
    return first_picture(path).pixels


def first_picture(path: Path) -> Picture:
    """A file's first picture; PictureError when it is none."""
    return next(pictures_of(path))


def pictures_of(
    path: Path, aspect: float | None = None, on_note: Callable[[str], None] = lambda _text: None
) -> Iterator[Picture]:
    """Every picture of a file: of an animation, the pages of a TIFF, both eyes of an MPO.

    Previews, masks and maps of light beside a picture are none, and are noted. `aspect` is width
    over height of a pixel where they are not square. PictureError, after those that there are,
    for a file that is damaged, no picture, or too large for the memory it may take.
    """
    good = 0
    try:
        with opened(path) as image:
            for page, at_s in _frames(image, on_note):
                yield _picture(path, image, page, at_s, aspect)
                good += 1
    except PictureError:
        raise
    except UnidentifiedImageError as error:
        if not _is_tiff(path):
            raise PictureError(f"picture {path}: {_why(path, error)}") from error
        yield from _unknown_tiff(path, aspect)
    except DAMAGE as error:
        after = f" after {good} pictures" if good else ""
        raise PictureError(f"picture {path}: {_why(path, error)}{after}") from error


@contextlib.contextmanager
def opened(path: Path) -> Iterator[Image.Image]:
    """Any kind of file by Pillow, HEIC included; one of DAMAGE, or PictureError, when it is none.

    Pillow's own warnings are on stderr and of no use: what is wrong comes as an error.
    """
    _know_heif(path)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with Image.open(path) as image:
            yield image


def picture_of(data: bytes) -> Pixels:
    """The picture in `data`, a JPEG or the like, as RGB of shape (height, width, 3), upright.

    PictureError, without the name of its source, when it is none, damaged or too large.
    """
    source = Path("snapshot")
    try:
        with Image.open(io.BytesIO(data)) as image:
            return _picture(source, image, 0, None, None).pixels
    except UnidentifiedImageError:
        raise PictureError("is no picture; give the address of a JPEG") from None
    except PictureError as error:
        raise PictureError(str(error).removeprefix(f"picture {source}: ")) from None
    except DAMAGE:
        raise PictureError("is a damaged picture; check the network to it") from None


def _know_heif(path: Path) -> None:
    """Let Pillow read HEIC, with libheif; PictureError where that is not installed."""
    try:
        with path.open("rb") as file:
            head = file.read(12)
    except OSError:
        return  # Pillow says why
    if head[4:8] != b"ftyp" or "HEIF" in Image.OPEN:
        return
    try:
        from pillow_heif import register_heif_opener  # noqa: PLC0415  (large, and seldom asked for)
    except ImportError:
        if head[8:12] in {b"avif", b"avis"}:
            return  # Pillow's own
        raise PictureError(
            f"picture {path}: is HEIC, which needs pillow-heif; pip install pillow-heif, or save "
            "it as JPEG"
        ) from None
    register_heif_opener(thumbnails=False)


def _why(path: Path, error: Exception) -> str:
    if isinstance(error, FileNotFoundError):
        return "does not exist; check the path"
    if isinstance(error, OSError) and error.strerror:
        return f"cannot be read ({error.strerror}); check the path and its permissions"
    if path.stat().st_size == 0:
        return "is empty (0 bytes); copy it again"
    if isinstance(error, UnidentifiedImageError):
        return "is no picture; use JPEG, PNG, WebP, TIFF, HEIC, AVIF or BMP"
    if isinstance(error, ValueError) and str(error).startswith("holds values"):
        return str(error)
    return f"is damaged or cut off ({error}); copy it again"


def _frames(
    image: Image.Image, on_note: Callable[[str], None]
) -> Iterator[tuple[int, float | None]]:
    """Seeks each picture of the file: its page, and its time (s) in an animation."""
    kind = image.format or ""
    if kind in _ANIMATED and getattr(image, "is_animated", False):
        yield from _animation(image)
    elif kind in {"TIFF", "MPO", "HEIF"} and getattr(image, "n_frames", 1) > 1:
        yield from _pages(image, on_note)
    else:
        yield 0, None


def _animation(image: Image.Image) -> Iterator[tuple[int, float]]:
    ends_ms = 0.0
    for page in count():
        try:
            image.seek(page)
        except EOFError:
            return
        yield page, ends_ms / 1000
        shown_ms = float(image.info.get("duration") or 0)
        ends_ms += shown_ms if shown_ms >= _SHORTEST_MS else _USUAL_MS


def _pages(image: Image.Image, on_note: Callable[[str], None]) -> Iterator[tuple[int, None]]:
    size, aside = image.size, 0
    for page in range(getattr(image, "n_frames", 1)):
        image.seek(page)
        if page == 0 or _is_picture_of_its_own(image, page, size):
            yield page, None
        else:
            aside += 1
    if aside:
        on_note(f"{aside} previews, masks or maps of light beside the picture are not counted")


def _is_picture_of_its_own(image: Any, page: int, first: tuple[int, int]) -> bool:
    """No preview, mask or map of light beside the first: phones and scanners add such."""
    if image.format == "TIFF":
        return not image.tag_v2.get(_TIFF_KIND, 0) & _TIFF_PREVIEW_OR_MASK
    if image.format == "MPO":
        kind = str(image.mpinfo[_MPO_ENTRIES][page]["Attribute"]["MPType"])
        of_its_own = kind.startswith(_MPO_FURTHER) or kind == "Undefined"
        return of_its_own and image.size == first
    return True


def _picture(
    path: Path, image: Image.Image, page: int, at_s: float | None, aspect: float | None
) -> Picture:
    size = image.size
    _make_smaller(path, image)
    if isinstance(image, JpegImageFile):
        refuse_damaged(image)
    deep = _is_deep(image)  # asked first: reading the EXIF may load the picture
    orientation = int(image.getexif().get(_ORIENTATION, 1))
    pixels = read_deep(path, page) if deep else _as_rgb(image)
    return _finished(pixels, size, orientation, at_s, aspect)


def _finished(
    pixels: Pixels,
    size: tuple[int, int],
    orientation: int,
    at_s: float | None,
    aspect: float | None,
) -> Picture:
    """Shrunk to what is kept, in square pixels and upright."""
    height, width, _ = pixels.shape
    factor = _shrinking(width * height)
    if factor > 1:
        pixels = np.asarray(Image.fromarray(pixels).reduce(factor))
    pixels = squared(pixels, aspect or 1.0)
    if orientation in _UPRIGHT:
        pixels = np.ascontiguousarray(_UPRIGHT[orientation](pixels))
    width, height = square_size(*size, aspect or 1.0)
    turned = orientation in {5, 6, 7, 8}
    return Picture(pixels, (height, width) if turned else (width, height), at_s)


def _make_smaller(path: Path, image: Image.Image) -> None:
    """Let a JPEG decode to a half, a quarter or an eighth; PictureError where none is enough."""
    needed = _bytes_needed(image)
    if needed > MOST_BYTES:
        raise PictureError(
            f"picture {path}: {image.width}x{image.height} px take {needed / 1e6:.0f} MB to read, "
            f"at most {MOST_BYTES / 1e6:.0f} are allowed; make it smaller, or save it as JPEG"
        )
    factor = _shrinking(image.width * image.height)
    if factor > 1 and isinstance(image, JpegImageFile):
        image.draft(None, (image.width // factor, image.height // factor))


def _shrinking(px: int) -> int:
    """By how much, in width and height, a picture of so many px is made smaller."""
    return next(factor for factor in count(1) if px <= KEPT_PX * factor * factor)


def _bytes_needed(image: Image.Image) -> int:
    px = image.width * image.height
    if isinstance(image, JpegImageFile):
        return px * _BYTES_PROGRESSIVE if image.info.get("progressive") else 0
    if image.format in {"HEIF", "AVIF"}:
        return px * _BYTES_OF_CODED
    return px * _BYTES_OF_MODE.get(image.mode, 4) * (2 if _is_deep(image) else 1)


def _is_deep(image: Any) -> bool:
    """Return whether Pillow would take the upper eight of 16 bits of each colour."""
    if image.mode not in {"RGB", "RGBA", "LA", "RGBX"}:
        return False
    if image.format == "TIFF":
        return bool(max(image.tag_v2.get(_TIFF_BITS, (8,))) > 8)
    return image.format == "PNG" and any(";16" in str(tile.args) for tile in image.tile)


def _as_rgb(image: Image.Image) -> Pixels:
    if image.mode.startswith(("I", "F")):  # Pillow would clip at 255
        return colours(np.asarray(image))
    if image.has_transparency_data:
        image = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", image.size, BEHIND), image)
    return np.asarray(image if image.mode == "RGB" else image.convert("RGB"))


def _is_tiff(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(4) in {b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"}


def _unknown_tiff(path: Path, aspect: float | None) -> Iterator[Picture]:
    """The pages of a TIFF that Pillow does not know, such as colours as fractions."""
    for page in count():
        try:
            pixels = read_deep(path, page)
        except ValueError as error:
            if page and isinstance(error, PictureError):
                return  # that was the last one
            message = error if isinstance(error, PictureError) else f"picture {path}: {error}"
            raise PictureError(str(message)) from error
        height, width, _ = pixels.shape
        yield _finished(pixels, (width, height), 1, None, aspect)
