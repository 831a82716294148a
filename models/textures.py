"""What drawn textures are made of: noise, colours, grids, round things, shading."""

from collections.abc import Iterator

import cv2
import numpy as np
from numpy.typing import NDArray

Picture = NDArray[np.uint8]
Field = NDArray[np.float32]
Colour = tuple[float, ...]
Point = NDArray[np.float64]


def soft(rng: np.random.Generator, side: int, coarse: float) -> Field:
    """Smooth noise around 0 whose patches are about `coarse` px."""
    few = max(2, round(side / coarse) + 1)
    small = rng.normal(0, 1, (few, few)).astype(np.float32)
    return np.asarray(cv2.resize(small, (side, side), interpolation=cv2.INTER_CUBIC), np.float32)


def colour_of(rng: np.random.Generator, low: float = 0, high: float = 255) -> Colour:
    """A colour that is often dull, as most things are."""
    grey = rng.uniform(low, high)
    tint = rng.normal(0, rng.choice([6, 25, 60]), 3)
    return tuple(np.clip(grey + tint, 0, 255).tolist())


def pair(rng: np.random.Generator) -> tuple[Colour, Colour]:
    """Two colours that can be told apart, either the darker one first or the lighter."""
    dark, light = colour_of(rng, 5, 110), colour_of(rng, 120, 250)
    return (dark, light) if rng.random() < 0.5 else (light, dark)


def plain(colour: Colour, side: int) -> Picture:
    """One colour all over."""
    return np.full((side, side, 3), colour, np.uint8)


def mixed(first: Colour, second: Colour, share: Field) -> Picture:
    """`first` where share is 0, `second` where it is 1."""
    part = np.clip(share, 0, 1)[..., None]
    ends = np.array([first, second], np.float32)
    return np.asarray(ends[0] * (1 - part) + ends[1] * part, np.uint8)


def shaded(picture: Picture, light: Field) -> Picture:
    """The picture lit by so much at each px."""
    return np.clip(picture * light[..., None], 0, 255).astype(np.uint8)


def grid(rng: np.random.Generator, side: int, step: float, jitter: float) -> Iterator[Point]:
    """Points of a grid, every second row shifted at times, each moved by some of the step."""
    shift = rng.choice([0.0, 0.5])
    for row in range(-1, int(side / step) + 2):
        for column in range(-1, int(side / step) + 2):
            at = np.array([column + shift * (row % 2), row]) + rng.uniform(-jitter, jitter, 2)
            yield at * step


def corners(at: Point, wide: float, high: float) -> tuple[tuple[int, int], tuple[int, int]]:
    """Of a rectangle around a point, half as wide and half as high as it is."""
    reach = np.array([wide, high])
    (left, top), (right, below) = (at - reach).astype(int), (at + reach).astype(int)
    return (int(left), int(top)), (int(right), int(below))


def ellipse(  # noqa: PLR0917, what OpenCV draws has as many sizes
    canvas: Picture, at: Point, axes: tuple[float, float], angle: float, colour: Colour,
    width: int = -1,
) -> None:  # fmt: skip
    """An ellipse, filled where it has no width of line."""
    centre = (round(float(at[0])), round(float(at[1])))
    size = (max(1, round(axes[0])), max(1, round(axes[1])))
    cv2.ellipse(canvas, centre, size, angle, 0, 360, colour, width, cv2.LINE_AA)


def ball(canvas: Picture, at: Point, radius: float, colour: Colour) -> None:
    """A round thing lit from above: dark rim, body, light spot."""
    dark = tuple(0.55 * value for value in colour)
    light = tuple(min(255.0, 1.3 * value + 20) for value in colour)
    ellipse(canvas, at, (radius, radius), 0, dark)
    ellipse(canvas, at - 0.08 * radius, (0.85 * radius,) * 2, 0, colour)
    ellipse(canvas, at - 0.3 * radius, (0.35 * radius,) * 2, 0, light)


def cells(rng: np.random.Generator, side: int, step: float) -> tuple[Field, NDArray[np.int32]]:
    """Distance to the nearest border between random cells, and the cell of each px."""
    seeds = np.full((side, side), 255, np.uint8)
    points = np.array(list(grid(rng, side, step, 0.4)))
    inside = points[((points >= 0) & (points < side)).all(axis=1)].astype(int)
    seeds[inside[:, 1], inside[:, 0]] = 0
    _, labels = cv2.distanceTransformWithLabels(
        seeds, cv2.DIST_L2, cv2.DIST_MASK_5, labelType=cv2.DIST_LABEL_PIXEL
    )
    edges = np.ones((side, side), np.uint8)
    edges[:, 1:][labels[:, 1:] != labels[:, :-1]] = 0
    edges[1:][labels[1:] != labels[:-1]] = 0
    border = cv2.distanceTransform(edges, cv2.DIST_L2, cv2.DIST_MASK_5)
    return np.asarray(border, np.float32), np.asarray(labels, np.int32)
