"""Street trees in autumn: crowns whose leaves move in the wind, and the leaves they have lost.

Metres as on the street; a tree is drawn leaf by leaf through the camera that sees it.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from edge.street.background import Weather, lamp_light
from edge.street.pinhole import PinholeCamera
from edge.street.placed import NOBODY, Placed, Sprite, mask_of

Floats = NDArray[np.float64]

FINER = 2
LEAVES, CLUMPS = 2600, 11  # of a crown
LEAF_M = (0.035, 0.06)  # from its middle to its tip
STEM_UP_M, STEM_HALF_M = 2.7, 0.1
SWAY_M, SWAY_S, PHASES = 0.035, 4.0, 16  # of the crown's top; so many drawings of one sway
FALLEN = 5200
FALLEN_FROM_M, FALLEN_TO_M, FALLEN_HALF_M = 6.0, 27.0, 3.75
GINKGO, MAPLE, BROWN = (216, 172, 42), (178, 62, 34), (128, 84, 44)


@dataclass(frozen=True)
class Tree:
    """Where its stem stands (X, Y), its crown's middle (X, Y, Z) and radius, and its colour."""

    stem: tuple[float, float]
    crown: tuple[float, float, float]
    radius_m: float
    colour: tuple[int, int, int]


TREES = (
    Tree((-3.3, 13.6), (-2.9, 13.4, 4.1), 1.5, GINKGO),
    Tree((3.3, 10.4), (2.9, 10.3, 3.9), 1.4, MAPLE),
    Tree((-3.3, 8.0), (-2.8, 7.9, 3.9), 1.35, GINKGO),
    Tree((3.3, 6.0), (2.9, 5.9, 3.7), 1.3, GINKGO),
)


@dataclass(frozen=True)
class Leaves:
    """Points (N, 3) in metres, colours (N, 3), half lengths in metres and angles (N,), and how
    each moves: its part of the sway and its own moment of it (N,).
    """

    points: Floats
    colours: Floats
    half_m: Floats
    angles: Floats
    part: Floats
    moment: Floats


def clumps_of(tree: Tree) -> tuple[Floats, Floats]:
    """The middles (N, 3) and radii (N,) of the balls of leaves that make up its crown, metres."""
    rng = np.random.default_rng([round(100 * part) % 2**32 for part in tree.crown])
    out = directions(CLUMPS, rng)
    reach = tree.radius_m * 0.62 * rng.uniform(0.5, 1, (CLUMPS, 1))
    sizes = tree.radius_m * rng.uniform(0.36, 0.52, CLUMPS)
    return np.asarray(np.array(tree.crown) + reach * out), np.asarray(sizes)


def directions(count: int, rng: np.random.Generator) -> Floats:
    """Any directions in space, (N, 3), of unit length."""
    way = rng.normal(size=(count, 3))
    return np.asarray(way / np.linalg.norm(way, axis=1)[:, None], np.float64)


def crown_of(tree: Tree, weather: Weather, rng: np.random.Generator) -> Leaves:
    """Leaves on the outsides of its clumps, bright where they face the light."""
    middles, sizes = clumps_of(tree)
    which, normal = rng.integers(CLUMPS, size=LEAVES), directions(LEAVES, rng)
    depth = rng.uniform(0.55, 1.0, LEAVES)
    points = middles[which] + normal * (sizes[which] * depth)[:, None]
    high = (points[:, 2] - STEM_UP_M).clip(0.1) / (2 * tree.radius_m)
    return Leaves(
        points, _tones(tree.colour, normal, depth, weather, rng), rng.uniform(*LEAF_M, LEAVES),
        rng.uniform(0, math.pi, LEAVES), high, rng.uniform(0, 1, LEAVES),
    )  # fmt: skip


def _tones(
    colour: tuple[int, int, int],
    normal: Floats,
    depth: Floats,
    weather: Weather,
    rng: np.random.Generator,
) -> Floats:
    """Some leaves are still greenish, some brown; those inside are dark."""
    light = weather.light
    bright = light.ambient * (0.62 + 0.3 * normal[:, 2])
    bright = bright + light.direct * 0.8 * (normal @ np.array(light.towards)).clip(0)
    bright = bright * (0.25 + 0.75 * (depth - 0.55) / 0.45) * rng.uniform(0.75, 1.15, len(depth))
    turned = rng.normal(0, 1, (len(depth), 1)) * np.array((10, 26, 8))
    return np.asarray((np.array(colour) + turned).clip(20, 245) * bright[:, None], np.float64)


class Avenue:
    """The trees as one camera sees them, in the sway of a light wind."""

    def __init__(self, view: PinholeCamera, weather: Weather, rng: np.random.Generator) -> None:
        self._view, self._weather = view, weather
        trees = sorted(TREES, key=lambda tree: -tree.stem[1])
        self._trees = [(tree, crown_of(tree, weather, rng)) for tree in trees]
        self._sprite = lru_cache(len(trees) * PHASES)(self._draw)

    def at(self, t_s: float) -> Sequence[Placed]:
        """The trees at a time in seconds, far ones first."""
        phase = int(t_s / SWAY_S * PHASES) % PHASES
        return [
            Placed(tree.stem[1], NOBODY, *self._sprite(number, phase))
            for number, (tree, _) in enumerate(self._trees)
        ]

    def _draw(self, number: int, phase: int) -> tuple[Sprite, tuple[int, int]]:
        tree, leaves = self._trees[number]
        x, y, depth = self._view.project(_swayed(leaves, phase))
        half = self._view.focal_px / depth * leaves.half_m
        stem = _stem(tree, self._view)
        left, top = int(min(x.min(), stem[:, 0].min())) - 8, int(min(y.min(), 0)) - 8
        right, below = int(max(x.max(), stem[:, 0].max())) + 8, int(max(y.max(), stem[:, 1].max()))
        corner = np.array((left, top))
        size = (FINER * (right - left), FINER * (min(below, self._view.height) + 8 - top))
        canvas = Image.new("RGBA", size)
        draw = ImageDraw.Draw(canvas)
        level = self._level(tree)
        bark = tuple(round(value * level) for value in (74, 62, 52))
        draw.polygon((FINER * (stem - corner)).ravel().tolist(), (*bark, 255))
        order = np.argsort(-depth)
        outlines = _blades(
            np.column_stack([x, y])[order] - corner, half[order], leaves.angles[order]
        )
        colours = (leaves.colours[order] * level).clip(0, 255).astype(int).tolist()
        for outline, colour in zip(outlines.tolist(), colours, strict=True):
            draw.polygon(outline, (*colour, 255))
        drawing = canvas.convert("RGBa").reduce(FINER).convert("RGBA")
        return Sprite(drawing, mask_of(drawing.getchannel("A")), 0, 0), (left, top)

    def _level(self, tree: Tree) -> float:
        """The lamps' light on it by night."""
        if not self._weather.night:
            return 1.0
        x, y = (np.array(value) for value in tree.stem)
        return 0.55 * float(lamp_light(self._weather, x, y))


def _swayed(leaves: Leaves, phase: int) -> Floats:
    """Where the leaves are in a phase of the sway: all lean together, and each trembles."""
    turn = 2 * math.pi * phase / PHASES
    lean = math.sin(turn) + 0.5 * np.sin(2 * turn + 2 * math.pi * leaves.moment)
    moved = SWAY_M * leaves.part * lean
    return np.asarray(leaves.points + moved[:, None] * np.array((1.0, 0.4, 0.25)), np.float64)


def _stem(tree: Tree, view: PinholeCamera) -> Floats:
    """The outline of its stem and of two boughs, (N, 2) px."""
    (x, y), (crown_x, crown_y, crown_z) = tree.stem, tree.crown
    foot, fork, top = STEM_HALF_M, 0.7 * STEM_HALF_M, 0.3 * STEM_HALF_M
    outline = np.array([
        (x - foot, y, 0.0), (x - fork, y, STEM_UP_M), (crown_x - top, crown_y, crown_z),
        (crown_x + top, crown_y, crown_z), (x + fork, y, STEM_UP_M), (x + foot, y, 0.0),
    ])  # fmt: skip
    px, py, _ = view.project(outline)
    return np.column_stack([px, py])


def _blades(middles: Floats, half: Floats, angles: Floats) -> Floats:
    """Leaves as polygons of six corners, (N, 12) px of the finer drawing."""
    corner = np.array([(1, 0), (0.3, 0.5), (-0.5, 0.45), (-1, 0), (-0.5, -0.45), (0.3, -0.5)])
    cos, sin = np.cos(angles)[:, None], np.sin(angles)[:, None]
    across = corner[:, 0] * cos - corner[:, 1] * sin
    down = corner[:, 0] * sin + corner[:, 1] * cos
    outline = middles[:, None] + half[:, None, None] * np.stack([across, down], axis=-1)
    return np.asarray((FINER * outline).reshape(len(middles), 12), np.float64)


def strew(
    picture: Image.Image, view: PinholeCamera, weather: Weather, rng: np.random.Generator
) -> Image.Image:
    """The street with fallen leaves: most along the kerbs and under the trees."""
    x = FALLEN_HALF_M * np.sign(rng.uniform(-1, 1, FALLEN)) * rng.uniform(0, 1, FALLEN) ** 0.45
    y = rng.uniform(FALLEN_FROM_M, FALLEN_TO_M, FALLEN)
    near_tree = rng.random(FALLEN) < 0.35
    under = np.array([tree.crown[:2] for tree in TREES])[rng.integers(len(TREES), size=FALLEN)]
    spots = np.where(
        near_tree[:, None], under + rng.normal(0, 0.9, (FALLEN, 2)), np.stack([x, y], 1)
    )
    spots[:, 0] = spots[:, 0].clip(-FALLEN_HALF_M, FALLEN_HALF_M)
    colours = np.array((GINKGO, MAPLE, BROWN))[rng.choice(3, FALLEN, p=(0.6, 0.15, 0.25))]
    colours = colours * rng.uniform(0.6, 1.05, (FALLEN, 1))
    if weather.night:
        colours = colours * lamp_light(weather, *spots.T)[:, None]
    outlines = _lying(view, spots, rng)
    fine = picture.resize((FINER * view.width, FINER * view.height), Image.Resampling.NEAREST)
    draw = ImageDraw.Draw(fine)
    for outline, colour in zip(outlines.tolist(), colours.astype(int).tolist(), strict=True):
        draw.polygon(outline, tuple(colour))
    return fine.reduce(FINER)


def _lying(view: PinholeCamera, spots: Floats, rng: np.random.Generator) -> Floats:
    """Outlines (N, 8) of leaves flat on the ground, in px of the finer drawing."""
    turn, half = rng.uniform(0, math.pi, len(spots)), rng.uniform(*LEAF_M, len(spots)) * 0.9
    along = half[:, None] * np.column_stack([np.cos(turn), np.sin(turn)])
    across = 0.6 * np.column_stack([-along[:, 1], along[:, 0]])
    corners = np.stack([spots + along, spots + across, spots - along, spots - across], axis=1)
    flat = corners.reshape(-1, 2)
    x, y, _ = view.project(np.column_stack([flat, np.zeros(len(flat))]))
    return np.asarray(FINER * np.stack([x, y], axis=1).reshape(len(spots), 8), np.float64)
