"""Strings of small lamps across the street and in its trees, as at the year's end."""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageChops, ImageDraw, ImageFilter

from edge.street.air import Filter
from edge.street.foliage import TREES, Tree, clumps_of, directions
from edge.street.pinhole import PinholeCamera
from edge.street.textures import WALL_M

Floats = NDArray[np.float64]
Colour = tuple[int, int, int]

STRINGS_M = (7.2, 9.4, 11.8, 14.6, 18.0)  # along the street
STRING_UP_M, SAG_M, EVERY_M = 4.1, 0.5, 0.32
LAMP_M = 0.032
IN_TREE = 90
WARM_WHITE: Colour = (255, 214, 150)
COLOURS: tuple[Colour, ...] = (WARM_WHITE, (255, 90, 70), (90, 160, 255), (120, 235, 130))
OFF: Colour = (206, 200, 186)  # a bulb by day
WIRE: Colour = (46, 46, 48)
GLOW_REACH = 0.006  # of the picture's width
CHANGES_S = 1.2  # every other coloured string then goes dark, or on again


def strung(view: PinholeCamera, seed: int, *, night: bool) -> Filter:
    """Lamps over everything, as they hang above all heads; alight at night, off by day."""
    strings = [_across(along) for along in STRINGS_M]
    if not night:
        wires, bulbs = _wires(view, strings), _bulbs(view, strings)
        return lambda canvas, _t_s: _laid(_laid(canvas, wires), bulbs)
    rng = np.random.default_rng([seed, 10])
    trees = [_in_tree(tree, rng) for tree in TREES]
    steady = _lights(view, [*strings[::2], *trees], many=False)
    other = _lights(view, strings[1::2], many=True)
    both = ImageChops.add(steady, other)
    wires = _wires(view, strings)

    def shine(canvas: Image.Image, t_s: float) -> Image.Image:
        on = int(t_s / CHANGES_S) % 2 == 0
        return ImageChops.add(_laid(canvas, wires), both if on else steady)

    return shine


def _laid(canvas: Image.Image, layer: Image.Image) -> Image.Image:
    laid = canvas.copy()
    laid.paste(layer, (0, 0), layer)
    return laid


def _across(along: float) -> Floats:
    """Lamps on a wire from wall to wall, (N, 3) metres."""
    x = np.arange(-WALL_M + EVERY_M / 2, WALL_M, EVERY_M)
    z = STRING_UP_M - SAG_M * (1 - (x / WALL_M) ** 2)
    return np.column_stack([x, np.full(len(x), along), z])


def _in_tree(tree: Tree, rng: np.random.Generator) -> Floats:
    """Lamps on a crown, on the side of it that is seen, (N, 3) metres."""
    middles, sizes = clumps_of(tree)
    which = rng.integers(len(sizes), size=IN_TREE)
    out = directions(IN_TREE, rng)
    out[:, 1] = -np.abs(out[:, 1])
    return np.asarray(middles[which] + 0.9 * sizes[which, None] * out, np.float64)


def _lights(view: PinholeCamera, groups: Sequence[Floats], *, many: bool) -> Image.Image:
    """Lamps with the light around them, on black; all warm, or of `many` colours."""
    layer = Image.new("RGB", (view.width, view.height))
    draw = ImageDraw.Draw(layer)
    for points in groups:
        for number, box in enumerate(_boxes(view, points)):
            draw.ellipse(box, COLOURS[number % len(COLOURS)] if many else WARM_WHITE)
    light = np.asarray(layer, np.float32)
    for part, times in ((1.6, 1.0), (0.9, 3.0)):
        spread = layer.filter(ImageFilter.GaussianBlur(times * GLOW_REACH * view.width))
        light = light + part * np.asarray(spread, np.float32)
    return Image.fromarray(light.clip(0, 255).astype(np.uint8))


def _bulbs(view: PinholeCamera, strings: Sequence[Floats]) -> Image.Image:
    layer = Image.new("RGBA", (view.width, view.height))
    draw = ImageDraw.Draw(layer)
    for points in strings:
        for box in _boxes(view, points):
            draw.ellipse(box, (*OFF, 255))
    return layer


def _wires(view: PinholeCamera, strings: Sequence[Floats]) -> Image.Image:
    layer = Image.new("RGBA", (view.width, view.height))
    draw = ImageDraw.Draw(layer)
    for points in strings:
        x, y, _ = view.project(points + np.array((0, 0, 0.05)))
        width = max(1, math.ceil(view.width / 900))
        draw.line(np.stack([x, y], axis=1).ravel().tolist(), (*WIRE, 200), width)
    return layer


def _boxes(view: PinholeCamera, points: Floats) -> list[tuple[float, float, float, float]]:
    """The lamps' squares in px."""
    x, y, depth = view.project(points)
    radius = np.maximum(0.8, view.focal_px / depth * LAMP_M)
    corners = np.stack([x - radius, y - radius, x + radius, y + radius], axis=1)
    return [(left, top, right, below) for left, top, right, below in corners.tolist()]
