"""Pictures with head positions, and random training crops from them.

A set is a folder `NAME/` of pictures beside `NAME.jsonl`, one JSON object a picture:
`{"image", "width", "height", "split": "train" | "val", "heads": [[x, y], ...]}`.
"""

import json
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import click
import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from models.augment import augment
from models.network import CELL

CROP = 256
GREY = 128
NOTHING = 0.05  # counters see crowds in black or plain frames if nobody tells them better
AROUND_A_HEAD = 0.5  # or the far rows of a street, small and full, are seldom seen


@dataclass(frozen=True)
class Example:
    """A picture of shape (height, width, 3) and its heads (N, 2) in px."""

    name: str
    pixels: NDArray[np.uint8]
    heads: NDArray[np.float32]


@dataclass(frozen=True)
class Share:
    """How often a set is drawn, and between which factors its pictures are scaled."""

    name: str
    weight: float
    smallest: float
    largest: float


SHARES = (
    Share("street", 0.46, 0.42, 1.5),
    Share("station", 0.20, 0.75, 1.6),
    Share("dense", 0.14, 0.45, 1.3),
    Share("rendered", 0.06, 0.5, 1.3),
    Share("scene", 0.14, 0.6, 1.5),
)


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


class Crops(torch.utils.data.IterableDataset[tuple[torch.Tensor, torch.Tensor]]):
    """An endless stream of augmented crops: picture (3, 256, 256) from -1 to 1, heads per cell."""

    def __init__(self, sets: dict[str, list[Example]], seed: int) -> None:
        self._sets = sets
        self._shares = [share for share in SHARES if sets.get(share.name)]
        self._seed = seed

    def __iter__(self) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
        worker = torch.utils.data.get_worker_info()
        rng = np.random.default_rng([self._seed, worker.id if worker else 0])
        weights = np.array([share.weight for share in self._shares])
        weights /= weights.sum()
        while True:
            if rng.random() < NOTHING:
                pixels, heads = _nothing(rng), np.zeros((0, 2), np.float32)
            else:
                share = self._shares[rng.choice(len(weights), p=weights)]
                examples = self._sets[share.name]
                pixels, heads = _crop(examples[rng.integers(len(examples))], share, rng)
                pixels = augment(pixels, rng)
            yield _as_tensor(pixels), torch.from_numpy(cells_of(heads, CROP, CROP))


def _crop(
    example: Example, share: Share, rng: np.random.Generator
) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """A square of the picture, scaled to CROP px, sometimes mirrored; outside is grey."""
    pixels = example.pixels
    height, width, _ = pixels.shape
    scale = math.exp(rng.uniform(math.log(share.smallest), math.log(share.largest)))
    side = CROP / scale
    left, top = _corner(example, side, rng)
    x0, y0 = max(0, math.floor(left)), max(0, math.floor(top))
    x1, y1 = min(width, math.ceil(left + side)), min(height, math.ceil(top + side))
    size = (max(1, round((x1 - x0) * scale)), max(1, round((y1 - y0) * scale)))
    part = Image.fromarray(pixels[y0:y1, x0:x1]).resize(size, Image.Resampling.BILINEAR)
    canvas = np.full((CROP, CROP, 3), GREY, np.uint8)
    piece = np.asarray(part)[:CROP, :CROP]
    canvas[: piece.shape[0], : piece.shape[1]] = piece
    heads = (example.heads - np.array([x0, y0], np.float32)) * np.float32(scale)
    if rng.random() < 0.5:
        canvas = canvas[:, ::-1]
        heads = heads * np.array([-1, 1], np.float32) + np.array([CROP, 0], np.float32)
    return canvas, heads


def _corner(example: Example, side: float, rng: np.random.Generator) -> tuple[float, float]:
    """Left and top of a square anywhere in the picture, or around one of its heads."""
    height, width, _ = example.pixels.shape
    corner = (_anywhere(width - side, rng), _anywhere(height - side, rng))
    if len(example.heads) and rng.random() < AROUND_A_HEAD:
        x, y = example.heads[rng.integers(len(example.heads))]
        corner = (x - rng.uniform(0, side), y - rng.uniform(0, side))
    return _within(corner[0], width - side), _within(corner[1], height - side)


def _anywhere(room: float, rng: np.random.Generator) -> float:
    return rng.uniform(min(0.0, room), max(0.0, room))


def _within(value: float, room: float) -> float:
    """Keep a square inside the picture, or the picture inside a larger square."""
    return float(np.clip(value, min(0.0, room), max(0.0, room)))


def _nothing(rng: np.random.Generator) -> NDArray[np.uint8]:
    """Black, white, plain or noise: nobody there."""
    colour = rng.choice([(0, 0, 0), (255, 255, 255), (GREY,) * 3, rng.integers(0, 256, 3)])
    plain = np.full((CROP, CROP, 3), colour, np.float32)
    noise = rng.normal(0, rng.choice([0, 5, 30, 90]), (CROP, CROP, 3))
    return np.clip(plain + noise, 0, 255).astype(np.uint8)


def cells_of(heads: NDArray[np.float32], width: int, height: int) -> NDArray[np.float32]:
    """Heads per cell, (height / 16, width / 16), of a picture of these px; outside is left out."""
    x, y = heads[:, 0], heads[:, 1]
    inside = (x >= 0) & (y >= 0) & (x < width) & (y < height)
    cells = np.zeros((height // CELL, width // CELL), np.float32)
    rows, columns = (y[inside] // CELL).astype(int), (x[inside] // CELL).astype(int)
    np.add.at(cells, (rows, columns), 1.0)
    return cells


def _as_tensor(pixels: NDArray[np.uint8]) -> torch.Tensor:
    return torch.from_numpy(pixels.transpose(2, 0, 1).astype(np.float32) / 127.5 - 1)


def letterbox(pixels: NDArray[np.uint8], size: Sequence[int]) -> tuple[NDArray[np.uint8], float]:
    """The picture scaled to fit (width, height), at the top left on grey; and the ratio."""
    height, width, _ = pixels.shape
    ratio = min(size[0] / width, size[1] / height)
    scaled = (max(1, round(width * ratio)), max(1, round(height * ratio)))
    canvas = np.full((size[1], size[0], 3), GREY, np.uint8)
    resized = Image.fromarray(pixels).resize(scaled, Image.Resampling.BILINEAR)
    canvas[: scaled[1], : scaled[0]] = np.asarray(resized)
    return canvas, ratio
