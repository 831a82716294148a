"""Pictures with head positions: research sets, and a folder of one's own.

A set is a folder `NAME/` of pictures beside `NAME.jsonl`, one JSON object a picture:
`{"image", "width", "height", "split": "train" | "val", "heads": [[x, y], ...]}`.

One's own folder holds pictures and a table `labels.csv` with the columns `picture,x,y`: a line for
each head, in px from the top left, and a line `picture,,` for a picture with nobody in it.
"""

import csv
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import click
import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

GREY = 128
LABELS = "labels.csv"
COLUMNS = ["picture", "x", "y"]

data_option = click.option(
    "--data",
    type=click.Path(path_type=Path),
    required=True,
    envvar="REDROAD_DATA",
    help="Folder of the sets.",
)


@dataclass(frozen=True)
class Example:
    """A picture of shape (height, width, 3) and its heads (N, 2) in px."""

    name: str
    pixels: NDArray[np.uint8]
    heads: NDArray[np.float32]


def load_set(data: Path, name: str, split: str) -> list[Example]:
    """All pictures of one split of one set; a click error in one line when there is none."""
    listing = data / f"{name}.jsonl"
    if not listing.is_file():
        raise click.UsageError(f"no data set {listing}; give the folder of the sets with --data")
    entries = [json.loads(line) for line in listing.read_text(encoding="utf-8").splitlines()]
    return [
        Example(
            entry["image"],
            np.asarray(Image.open(data / name / entry["image"]).convert("RGB")),
            np.asarray(entry["heads"], np.float32).reshape(-1, 2),
        )
        for entry in entries
        if entry["split"] == split
    ]


def load_folder(folder: Path) -> list[Example]:
    """The labelled pictures of a folder of one's own, in the order of their names."""
    heads = _labels(folder / LABELS)
    return [_labelled(folder / name, found) for name, found in sorted(heads.items())]


def _labels(table: Path) -> dict[str, list[tuple[float, float]]]:
    """Heads of each picture that the table names."""
    try:
        lines = list(csv.reader(table.read_text(encoding="utf-8-sig").splitlines()))
    except OSError as error:
        raise click.UsageError(
            f"{table}: {error.strerror}; it must begin with {','.join(COLUMNS)}, then a line a head"
        ) from error
    if not lines or lines[0] != COLUMNS:
        raise click.UsageError(f"{table}: first line must be {','.join(COLUMNS)}")
    heads: dict[str, list[tuple[float, float]]] = {}
    for number, line in enumerate(lines[1:], 2):
        try:
            name, x, y = line
            known = heads.setdefault(name, [])
            if x or y:
                known.append((float(x), float(y)))
        except ValueError as error:
            raise click.UsageError(
                f"{table}, line {number}: {','.join(line)!r} must be picture,x,y with x and y in "
                "px, or picture,, for a picture with nobody in it"
            ) from error
    return heads


def _labelled(path: Path, heads: list[tuple[float, float]]) -> Example:
    try:
        pixels = np.asarray(Image.open(path).convert("RGB"))
    except (OSError, UnidentifiedImageError) as error:
        raise click.UsageError(f"{path}: named in {LABELS}, but {error}") from error
    height, width, _ = pixels.shape
    for x, y in heads:
        if not (0 <= x <= width and 0 <= y <= height):
            raise click.UsageError(
                f"{path.name}: head at {x:g},{y:g} lies outside its {width}x{height} px; "
                f"correct {LABELS}"
            )
    return Example(path.name, pixels, np.asarray(heads, np.float32).reshape(-1, 2))


def letterbox(pixels: NDArray[np.uint8], size: Sequence[int]) -> tuple[NDArray[np.uint8], float]:
    """The picture scaled to fit (width, height), at the top left on grey; and the ratio."""
    height, width, _ = pixels.shape
    ratio = min(size[0] / width, size[1] / height)
    scaled = (max(1, round(width * ratio)), max(1, round(height * ratio)))
    canvas = np.full((size[1], size[0], 3), GREY, np.uint8)
    resized = Image.fromarray(pixels).resize(scaled, Image.Resampling.BILINEAR)
    canvas[: scaled[1], : scaled[0]] = np.asarray(resized)
    return canvas, ratio
