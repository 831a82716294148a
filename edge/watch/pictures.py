"""Picture files: reading any usual kind as RGB, and their order in time."""

import io
import re
import struct
import zlib
from datetime import datetime
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from edge.common.errors import PictureError
from edge.watch.frame import Pixels

LARGEST_PX = 50_000_000
SUFFIXES = (".jpg", ".jpeg", ".png", ".bmp", ".webp", ".tif", ".tiff", ".gif", ".ppm", ".pgm")
# Stands behind transparent parts: neither light nor dark for the counter.
BEHIND = (128, 128, 128, 255)
EXIF_IFD, DATE_TIME_ORIGINAL = 0x8769, 0x9003

# What Pillow raises for damaged files, seen by damaging files of each kind.
_DAMAGE = (
    OSError,
    SyntaxError,
    ValueError,
    EOFError,
    IndexError,
    KeyError,
    TypeError,
    OverflowError,
    MemoryError,
    struct.error,
    zlib.error,
)
_TIME_IN_NAME = re.compile(
    r"(?<!\d)((?:19|20)\d\d)[-_.]?(\d\d)[-_.]?(\d\d)[-_.T ]?(\d\d)[-_.h]?(\d\d)[-_.m]?(\d\d)"
)


def read_picture(path: Path) -> Pixels:
    """The picture as RGB of shape (height, width, 3), upright; PictureError when it is none."""
    try:
        with Image.open(path) as image:
            _refuse_huge(path, image.width * image.height)
            return _as_rgb(ImageOps.exif_transpose(image))
    except PictureError:
        raise
    except Image.DecompressionBombError as error:
        raise _too_large(path) from error
    except _DAMAGE as error:
        raise PictureError(f"picture {path}: {_why(path, error)}") from error


def picture_of(data: bytes) -> Pixels:
    """The same of a picture that lies in memory."""
    try:
        with Image.open(io.BytesIO(data)) as image:
            if image.width * image.height > LARGEST_PX:
                raise PictureError(f"is larger than {LARGEST_PX // 1_000_000} megapixels")
            return _as_rgb(ImageOps.exif_transpose(image))
    except UnidentifiedImageError:
        raise PictureError("is no picture; give the address of a JPEG") from None
    except (Image.DecompressionBombError, *_DAMAGE) as error:
        if isinstance(error, PictureError):
            raise
        raise PictureError("is a damaged picture; check the network to it") from None


def _refuse_huge(path: Path, size_px: int) -> None:
    if size_px > LARGEST_PX:
        raise _too_large(path)


def _too_large(path: Path) -> PictureError:
    return PictureError(
        f"picture {path}: is larger than {LARGEST_PX // 1_000_000} megapixels; make it smaller"
    )


def _why(path: Path, error: Exception) -> str:
    if isinstance(error, FileNotFoundError):
        return "does not exist; check the path"
    if isinstance(error, OSError) and error.strerror:
        return f"cannot be read ({error.strerror}); check the path and its permissions"
    if path.stat().st_size == 0:
        return "is empty (0 bytes); copy it again"
    if isinstance(error, UnidentifiedImageError):
        return "is no picture; use JPEG, PNG, WebP, TIFF or BMP"
    return f"is damaged or cut off ({error}); copy it again"


def _as_rgb(image: Image.Image) -> Pixels:
    if image.mode.startswith("I"):  # Pillow would clip 16 bits at 255
        deep = np.asarray(image)
        grey = np.clip(deep >> 8 if deep.max() > 255 else deep, 0, 255).astype(np.uint8)
        image = Image.fromarray(grey)
    if image.has_transparency_data:
        image = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", image.size, BEHIND), image)
    return np.asarray(image.convert("RGB"))


def picture_time(path: Path) -> datetime | None:
    """When the picture was taken, local time: by its name (YYYYMMDDhhmmss), else by its EXIF."""
    for match in _TIME_IN_NAME.finditer(path.name):
        taken = _time_of(*match.groups())
        if taken is not None:
            return taken
    return _exif_time(path)


def _exif_time(path: Path) -> datetime | None:
    try:
        with Image.open(path) as image:
            text = image.getexif().get_ifd(EXIF_IFD).get(DATE_TIME_ORIGINAL, "")
    except (*_DAMAGE, Image.DecompressionBombError):
        return None
    digits = re.findall(r"\d+", str(text))
    return _time_of(*digits) if len(digits) == 6 else None


def _time_of(*parts: str) -> datetime | None:
    year, month, day, hour, minute, second = (int(part) for part in parts)
    try:
        return datetime(year, month, day, hour, minute, second)
    except ValueError:
        return None


def pictures_in(folder: Path) -> list[Path]:
    """The pictures in `folder` by time (that of the file where none is known), then by name."""
    try:
        files = [path for path in folder.iterdir() if _looks_like_picture(path)]
    except OSError as error:
        raise PictureError(
            f"folder {folder}: cannot be read ({error.strerror}); check the path"
        ) from error
    if not files:
        raise PictureError(
            f"folder {folder}: holds no picture; put JPEG, PNG, WebP, TIFF or BMP files into it"
        )
    return sorted(files, key=lambda path: (_time_or_mtime(path), _natural(path.name)))


def _looks_like_picture(path: Path) -> bool:
    return path.suffix.lower() in SUFFIXES and not path.name.startswith(".")


def _time_or_mtime(path: Path) -> datetime:
    return picture_time(path) or datetime.fromtimestamp(_mtime(path))


def _mtime(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:  # a link to nowhere: reading it will say so
        return 0.0


def _natural(name: str) -> list[tuple[int, int, str]]:
    """Sorts "2.jpg" before "10.jpg"."""
    return [
        (0, int(part), "") if part.isdecimal() else (1, 0, part)
        for part in re.split(r"(\d+)", name)
        if part
    ]
