"""Pictures with head positions: research sets, and a folder of one's own.

A set is a folder `NAME/` of pictures beside `NAME.jsonl`, one JSON object a picture:
`{"image", "width", "height", "split": "train" | "val", "heads": [[x, y], ...]}`.

One's own folder holds pictures and a table `labels.csv` with the columns `picture,x,y`: a line for
each head, in px from the top left, and a line `picture,,` for a picture with nobody in it. Or, in
its place, an export of COCO, CVAT, labelme or Label Studio (`edge.commands.labels`), as
`redroad count --truth` reads them.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import click
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from edge.commands.labels import Labelled, Truth, read_labels
from edge.commands.labels.read import TABLE
from edge.common.errors import RedRoadError
from edge.watch.folder import is_video, pictures_in
from edge.watch.pictures import Picture, first_picture

GREY = 128
SAME_SHAPE = 0.02  # by which part a labelled picture's shape may differ
# Of the street's val split: its 209 labels are another picture's, and lie where nobody is.
MISLABELLED = frozenset({"street_108.jpg"})

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
    """All rightly labelled pictures of one split of one set; a click error when there is none."""
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
        if entry["split"] == split and entry["image"] not in MISLABELLED
    ]


def load_folder(folder: Path, only: Sequence[str] = ()) -> list[Example]:
    """The labelled pictures of a folder of one's own, in the order of their names.

    `only` are the labels that are heads or people. A click error in one line for what is wrong.
    """
    try:
        truth = Truth(read_labels(folder, only))
        pictures = [path for path in pictures_in(folder) if not is_video(path)]
        found = [(path, truth.of(path.name)) for path in sorted(pictures)]
        missing = truth.unused
        if missing:
            raise click.UsageError(
                f"{folder / missing[0]}: named in {_name_of_labels(folder)}, but No such file; "
                "put the pictures beside their labels"
            )
        return [_labelled(path, labels) for path, labels in found if labels is not None]
    except RedRoadError as error:
        raise click.UsageError(str(error)) from error


def _name_of_labels(folder: Path) -> str:
    return TABLE if (folder / TABLE).exists() else "the labels"


def _labelled(path: Path, labels: Labelled) -> Example:
    """The picture upright, and its heads in its px, whatever size it was labelled in."""
    if labels.heads is None:
        raise click.UsageError(
            f"{path.name}: its labels are a count; to learn from it needs the place of each head"
        )
    picture = first_picture(path)
    heads = np.asarray(labels.heads, np.float32).reshape(-1, 2)
    width, height = _labelled_size(path, labels, picture)
    outside = (heads < 0).any(axis=1) | (heads > (width, height)).any(axis=1)
    if outside.any():
        x, y = heads[outside.argmax()]
        raise click.UsageError(
            f"{path.name}: head at {x:g},{y:g} lies outside its {width}x{height} px; "
            "correct its labels"
        )
    kept_height, kept_width, _ = picture.pixels.shape
    scale = np.array((kept_width / width, kept_height / height), np.float32)
    return Example(path.name, picture.pixels, heads * scale)


def _labelled_size(path: Path, labels: Labelled, picture: Picture) -> tuple[int, int]:
    """Width and height of the picture in which the labels' px count."""
    size = labels.size or picture.size
    if abs(size[0] * picture.size[1] / (size[1] * picture.size[0]) - 1) > SAME_SHAPE:
        raise click.UsageError(
            f"{path.name}: was labelled at {size[0]}x{size[1]} px, and has {picture.size[0]}x"
            f"{picture.size[1]}; is it turned, or another picture?"
        )
    return size


def letterbox(pixels: NDArray[np.uint8], size: Sequence[int]) -> tuple[NDArray[np.uint8], float]:
    """The picture scaled to fit (width, height), at the top left on grey; and the ratio."""
    height, width, _ = pixels.shape
    ratio = min(size[0] / width, size[1] / height)
    scaled = (max(1, round(width * ratio)), max(1, round(height * ratio)))
    canvas = np.full((size[1], size[0], 3), GREY, np.uint8)
    resized = Image.fromarray(pixels).resize(scaled, Image.Resampling.BILINEAR)
    canvas[: scaled[1], : scaled[0]] = np.asarray(resized)
    return canvas, ratio
