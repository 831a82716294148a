"""Looks for pictures by content, wherever a unit may write."""

import base64
import io
import os
import re
import stat
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
from PIL import Image

from hil.container.box import Box
from hil.container.film import canary_row

WRITABLE = ("etc", "home", "root", "run", "srv", "tmp", "var", "dev/shm")
PASSED_OVER = (
    "run/host",
    "run/systemd/inaccessible",
    "run/systemd/propagate",
)  # nothing is written there
CHUNK, OVERLAP = 1 << 24, 1 << 12
BASE64_SLACK = 4


def _raw_canaries() -> dict[str, bytes]:
    """A row of the camera's canary as it lies in memory, for each usual form of a px."""
    row = canary_row()
    opaque = np.full((len(row), 4), 255, np.uint8)
    opaque[:, :3] = row[:, None]
    return {
        "raw grey": row.tobytes(),
        "raw RGB": np.repeat(row, 3).tobytes(),
        "raw RGBA": opaque.tobytes(),
        "raw float32": row.astype("<f4").tobytes(),
        "raw float32, 0 to 1": (row / np.float32(255)).astype("<f4").tobytes(),
    }


def _patterns() -> dict[str, re.Pattern[bytes]]:
    magic = {
        "PNG": rb"\x89PNG\r\n\x1a\n",
        "WebP": rb"RIFF....WEBP",
        "GIF": rb"GIF8[79]a",
        "TIFF": rb"\A(II\*\0|MM\0\*)",
        "array of numpy": rb"\x93NUMPY",
        "MP4": rb"\A....ftyp(isom|mp4|avc1|iso)",
    }
    found = {name: re.compile(form, re.DOTALL) for name, form in magic.items()}
    for name, raw in _raw_canaries().items():
        found[name] = re.compile(re.escape(raw))
        forms = (base64.b64encode(raw[shift:])[:-BASE64_SLACK] for shift in range(3))
        found[f"{name} in base64"] = re.compile(b"|".join(map(re.escape, forms)))
    return found


PATTERNS = _patterns()
JPEG = re.compile(rb"\xff\xd8\xff[\xdb\xe0\xe1\xee]")


def pictures_in(data: bytes) -> list[str]:
    """The kinds of pictures that are found in `data`."""
    found = [name for name, pattern in PATTERNS.items() if pattern.search(data)]
    return found + (["JPEG"] if any(map(_opens, _jpegs(data))) else [])


def _jpegs(data: bytes) -> Iterator[bytes]:
    """Whatever begins as a JPEG does; so does noise, once in a while."""
    return (data[begin.start() :] for begin in JPEG.finditer(data))


def _opens(data: bytes) -> bool:
    try:
        with Image.open(io.BytesIO(data)):
            return True
    except (OSError, SyntaxError, ValueError):
        return False


def pictures_under(folders: Iterable[Path]) -> list[str]:
    """Every file with a picture in it, with the kind."""
    found = list[str]()
    for file in _files(folders):
        kinds = {kind for chunk in _chunks(file) for kind in pictures_in(chunk)}
        found += [f"{file}: {kind}" for kind in sorted(kinds)]
    return found


def writable(box: Box) -> list[Path]:
    """All folders in which something inside may write, as this machine sees them."""
    inside = Path(f"/proc/{box.leader}/root")
    return [inside / folder for folder in WRITABLE]


def _files(folders: Iterable[Path]) -> Iterator[Path]:
    for top in folders:
        for folder, inner, names in os.walk(top):
            inner[:] = [name for name in inner if not f"{folder}/{name}".endswith(PASSED_OVER)]
            for file in (Path(folder, name) for name in names):
                try:
                    regular = stat.S_ISREG(file.lstat().st_mode)
                except FileNotFoundError:
                    continue  # gone meanwhile
                if regular:
                    yield file


def _chunks(file: Path) -> Iterator[bytes]:
    """The file's bytes; each chunk begins with the end of the one before."""
    try:
        with file.open("rb") as opened:
            before = b""
            while data := opened.read(CHUNK):
                yield before + data
                before = data[-OVERLAP:]
    except FileNotFoundError:
        return
