"""Random training crops from pictures with head positions."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from models.augment import augment
from models.negatives import cover, empty_crop
from models.network import BLOCK
from models.pictures import GREY, Example

CROP = 256
NOTHING = 0.02  # counters see crowds in black or plain frames if nobody tells them better
AROUND_A_HEAD = 0.5  # or the far rows of a street, small and full, are seldom seen
NOBODY = np.zeros((0, 2), np.float32)
EMPTY_SETS = ("nobody", "drawn")
COVERED = 0.3  # of the crops of other sets have things from the empty ones laid over them


@dataclass(frozen=True)
class Share:
    """How often a set is drawn, and between which factors its pictures are scaled."""

    name: str
    weight: float
    smallest: float
    largest: float


SHARES = (
    Share("street", 0.46, 0.4, 1.7),
    Share("station", 0.15, 0.5, 1.6),
    Share("dense", 0.07, 0.5, 1.5),
    Share("rendered", 0.02, 0.5, 1.3),
    Share("scene", 0.09, 0.55, 1.5),
    Share("nobody", 0.14, 1.0, 1.0),  # at the scales of `negatives`
    Share("drawn", 0.10, 1.0, 1.0),
)


class Crops(torch.utils.data.IterableDataset[tuple[torch.Tensor, torch.Tensor]]):
    """An endless stream of augmented crops: uint8 picture (256, 256, 3), heads per block."""

    def __init__(
        self, sets: dict[str, list[Example]], seed: int, shares: Sequence[Share] = SHARES
    ) -> None:
        self._sets = sets
        self._shares = [share for share in shares if sets.get(share.name)]
        self._things = [example for name in EMPTY_SETS for example in sets.get(name, [])]
        self._seed = seed

    def __iter__(self) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
        worker = torch.utils.data.get_worker_info()
        rng = np.random.default_rng([self._seed, worker.id if worker else 0])
        cv2.setNumThreads(0)
        weights = np.array([share.weight for share in self._shares])
        weights /= weights.sum()
        while True:
            if rng.random() < NOTHING:
                pixels, heads = _nothing(rng), NOBODY
            else:
                pixels, heads = self._drawn(self._shares[rng.choice(len(weights), p=weights)], rng)
                pixels = augment(pixels, heads, rng)
            yield torch.from_numpy(pixels), torch.from_numpy(blocks_of(heads, CROP, CROP))

    def _drawn(
        self, share: Share, rng: np.random.Generator
    ) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
        """A crop of one set, as it is before weather and lens."""
        examples = self._sets[share.name]
        if share.name in EMPTY_SETS:
            return empty_crop(examples, CROP, rng), NOBODY
        pixels, heads = _crop(examples[rng.integers(len(examples))], share, rng)
        if self._things and rng.random() < COVERED:
            pixels, heads = cover(pixels, heads, self._things, rng)
        return pixels, heads


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
    shrinks = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    piece = cv2.resize(pixels[y0:y1, x0:x1], size, interpolation=shrinks)[:CROP, :CROP]
    canvas = np.full((CROP, CROP, 3), GREY, np.uint8)
    canvas[: piece.shape[0], : piece.shape[1]] = piece
    heads = (example.heads - np.array([x0, y0], np.float32)) * np.float32(scale)
    if rng.random() < 0.5:
        canvas = np.ascontiguousarray(canvas[:, ::-1])
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


def blocks_of(heads: NDArray[np.float32], width: int, height: int) -> NDArray[np.float32]:
    """Heads per block, (height / 8, width / 8), of a picture of these px; outside is left out."""
    x, y = heads[:, 0], heads[:, 1]
    inside = (x >= 0) & (y >= 0) & (x < width) & (y < height)
    blocks = np.zeros((height // BLOCK, width // BLOCK), np.float32)
    rows, columns = (y[inside] // BLOCK).astype(int), (x[inside] // BLOCK).astype(int)
    np.add.at(blocks, (rows, columns), 1.0)
    return blocks


def as_input(pixels: torch.Tensor) -> torch.Tensor:
    """uint8 pictures (N, H, W, 3) as the network's input, (N, 3, H, W) from -1 to 1."""
    return pixels.permute(0, 3, 1, 2).float() / 127.5 - 1
