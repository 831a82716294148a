"""Crops in which nobody is, and things laid over crops where somebody is.

A counter that has only seen its own streets takes spots, leaves, stones and lamps for crowds.
"""

import math
from collections.abc import Callable, Sequence
from itertools import pairwise

import cv2
import numpy as np
from numpy.typing import NDArray

from models.pictures import Example
from models.textures import soft

Picture = NDArray[np.uint8]
Heads = NDArray[np.float32]
Mask = NDArray[np.float32]

GREY_CHROMA = 4.0  # mean distance of the colours of a picture that is called grey
TINTED = 0.6  # of grey pictures, or grey alone would tell that nobody is there
TILED = 0.3
TILE_CUTS = (0.25, 0.75)
SCALES = (0.45, 4.5)  # small pictures are enlarged to the model's input when they are counted
HIDDEN = 0.5  # a head whose place is covered by more than this is taken out


def empty_crop(examples: Sequence[Example], side: int, rng: np.random.Generator) -> Picture:
    """A square full of one picture, or of several as tiles."""
    if rng.random() >= TILED:
        return piece(examples, side, side, rng)
    canvas = np.empty((side, side, 3), np.uint8)
    columns, rows = (_cuts(side, rng) for _ in range(2))
    for top, bottom in pairwise(rows):
        for left, right in pairwise(columns):
            tile = piece(examples, right - left, bottom - top, rng)
            canvas[top:bottom, left:right] = tile
    return canvas


def piece(examples: Sequence[Example], wide: int, high: int, rng: np.random.Generator) -> Picture:
    """So many px of a picture at a random scale; one that is too small is continued mirrored."""
    pixels = examples[rng.integers(len(examples))].pixels
    scale = math.exp(rng.uniform(math.log(SCALES[0]), math.log(SCALES[1])))
    height, width, _ = pixels.shape
    across, down = min(width, math.ceil(wide / scale)), min(height, math.ceil(high / scale))
    x, y = rng.integers(width - across + 1), rng.integers(height - down + 1)
    size = (min(wide, max(1, round(across * scale))), min(high, max(1, round(down * scale))))
    how = cv2.INTER_AREA if scale < 1 else (cv2.INTER_LINEAR, cv2.INTER_CUBIC)[rng.integers(2)]
    scaled = cv2.resize(pixels[y : y + down, x : x + across], size, interpolation=how)
    if rng.random() < 0.5:
        scaled = scaled[:, ::-1]
    right, below = wide - scaled.shape[1], high - scaled.shape[0]
    filled = cv2.copyMakeBorder(scaled, 0, below, 0, right, cv2.BORDER_REFLECT)
    return tinted(np.asarray(filled, np.uint8), rng)


def tinted(pixels: Picture, rng: np.random.Generator) -> Picture:
    """Some of the grey pictures in colour: dark, middle and light parts each get a hue."""
    spread = np.ptp(pixels[::4, ::4].astype(np.int16), axis=-1).mean()
    if spread > GREY_CHROMA or rng.random() > TINTED:
        return pixels
    level = np.arange(256, dtype=np.float32)
    stops = np.array([0, rng.uniform(70, 180), 255], np.float32)
    hues = stops[:, None] + rng.normal(0, (10, 35, 12), (3, 3)).T
    table = np.stack([np.interp(level, stops, channel) for channel in hues.T], axis=-1)
    return np.asarray(cv2.LUT(pixels, np.clip(table, 0, 255).astype(np.uint8)[:, None]), np.uint8)


def cover(
    pixels: Picture, heads: Heads, examples: Sequence[Example], rng: np.random.Generator
) -> tuple[Picture, Heads]:
    """Lay one to four things over a crop; the heads that they hide are taken out."""
    height, width, _ = pixels.shape
    covered = np.zeros((height, width), np.float32)
    canvas = pixels.astype(np.float32)
    for _ in range(rng.integers(1, 5)):
        mask = SHAPES[rng.integers(len(SHAPES))](rng, width, height)
        if rng.random() < 0.5:
            mask = cv2.GaussianBlur(mask, (0, 0), float(rng.uniform(0.5, 3)))
        thing = piece(examples, width, height, rng).astype(np.float32) * _lit(pixels, rng)
        canvas += (np.clip(thing, 0, 255) - canvas) * mask[..., None]
        covered += (1 - covered) * mask
    x, y = np.clip(heads.astype(int), 0, (width - 1, height - 1)).T
    return canvas.astype(np.uint8), heads[covered[y, x] <= HIDDEN]


def _lit(pixels: Picture, rng: np.random.Generator) -> float:
    """What is laid over a dark picture is dark too, as a rule."""
    if rng.random() < 0.25:
        return 1.0
    return float(np.clip(pixels[::8, ::8].mean() / 110 * rng.uniform(0.6, 1.4), 0.15, 1.4))


def _cuts(side: int, rng: np.random.Generator) -> list[int]:
    inner = rng.uniform(*TILE_CUTS, rng.integers(0, 3))
    return [0, *sorted({int(value * side) for value in inner}), side]


def _polygon(points: NDArray[np.float64], width: int, height: int) -> Mask:
    mask = np.zeros((height, width), np.float32)
    cv2.fillPoly(mask, [points.round().astype(np.int32)], 1.0, cv2.LINE_AA)
    return mask


def _place(rng: np.random.Generator, width: int, height: int) -> tuple[NDArray[np.float64], float]:
    """Somewhere in the crop, and the size of a thing, of any."""
    size = math.exp(rng.uniform(math.log(10), math.log(0.6 * width)))
    return rng.uniform(0, (width, height)), size


def _umbrella(rng: np.random.Generator, width: int, height: int) -> Mask:
    """A dome seen from the side or from above."""
    at, size = _place(rng, width, height)
    mask = np.zeros((height, width), np.float32)
    axes = (round(size / 2) + 1, round(size * rng.uniform(0.2, 0.5)) + 1)
    ends = (180, 360) if rng.random() < 0.5 else (0, 360)
    cv2.ellipse(mask, at.astype(int).tolist(), axes, rng.uniform(-25, 25), *ends, 1.0, -1)
    return mask


def _coat(rng: np.random.Generator, width: int, height: int) -> Mask:
    """Shoulders that widen downwards: a coat, a bag, a car, a stall."""
    at, size = _place(rng, width, height)
    top, long = rng.uniform(0.2, 0.5), rng.uniform(0.8, 2.2)
    corners = np.array([(-top, 0), (top, 0), (0.5, 0.4), (0.5, long), (-0.5, long), (-0.5, 0.4)])
    return _polygon(at + 0.6 * size * corners, width, height)


def _banner(rng: np.random.Generator, width: int, height: int) -> Mask:
    """A slanted rectangle of any proportions: a sign, a window, a shelf."""
    at, size = _place(rng, width, height)
    turn, thin = rng.normal(0, 0.2), rng.uniform(0.2, 1.2)
    corners = np.array([(-0.5, -0.5), (0.5, -0.5), (0.5, 0.5), (-0.5, 0.5)]) * (1, thin)
    rotation = np.array([(math.cos(turn), -math.sin(turn)), (math.sin(turn), math.cos(turn))])
    return _polygon(at + size * corners @ rotation.T, width, height)


def _wall(rng: np.random.Generator, width: int, height: int) -> Mask:
    """All of the crop on one side of a line: a wall, the ground, a roof."""
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    angle = rng.choice([0, 0.5, 1, 1.5]) * math.pi + rng.normal(0, 0.3)
    along = (x / width - 0.5) * math.cos(angle) + (y / height - 0.5) * math.sin(angle)
    return np.asarray(along > rng.uniform(-0.1, 0.4), np.float32)


def _tree(rng: np.random.Generator, width: int, height: int) -> Mask:
    """A crown with a ragged edge and holes."""
    at, size = _place(rng, width, height)
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    away = np.hypot(x - at[0], y - at[1]) / size
    ragged = soft(rng, max(width, height), max(4.0, size / 6))[:height, :width]
    return np.asarray(away + 0.15 * ragged < 0.6, np.float32)


SHAPES: tuple[Callable[[np.random.Generator, int, int], Mask], ...] = (
    _umbrella,
    _coat,
    _banner,
    _wall,
    _tree,
)
