"""What shops put out on tables: fruit, flowers, and printed cloth."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from edge.street.background import WARM, Weather, lamp_light
from edge.street.pinhole import PinholeCamera

Floats = NDArray[np.float64]
Colour = tuple[float, float, float]

FINER = 2
TABLE_UP_M, FRONT_M, BACK_M = 0.72, 3.28, 3.86  # height; how far from the street's middle
FRUIT_M, FLOWER_M = 0.05, 0.08  # radii
FRUITS: tuple[Colour, ...] = ((226, 122, 28), (176, 28, 34), (222, 196, 62), (122, 150, 52))
FLOWERS: tuple[Colour, ...] = ((232, 224, 226), (206, 62, 110), (238, 190, 40), (128, 74, 168))
CLOTHS: tuple[tuple[Colour, Colour], ...] = (
    ((42, 54, 96), (230, 226, 214)), ((150, 32, 40), (236, 220, 190)),
    ((226, 220, 206), (40, 96, 84)),
)  # fmt: skip


@dataclass(frozen=True)
class Table:
    """On which side of the street (-1 or 1), from where to where along it, and its goods."""

    side: int
    from_m: float
    until_m: float
    goods: str


TABLES = (
    Table(-1, 15.6, 17.6, "cloth"),
    Table(1, 14.2, 16.2, "fruit"),
    Table(-1, 10.6, 12.4, "flowers"),
    Table(1, 7.6, 9.2, "cloth"),
)


def put_out(
    picture: Image.Image, view: PinholeCamera, weather: Weather, rng: np.random.Generator
) -> Image.Image:
    """The street with its tables, far ones first."""
    fine = picture.resize((FINER * view.width, FINER * view.height), Image.Resampling.NEAREST)
    easel = _Easel(ImageDraw.Draw(fine), view, weather)
    for table in sorted(TABLES, key=lambda table: -table.from_m):
        _table(easel, table, rng)
    return fine.reduce(FINER)


@dataclass(frozen=True)
class _Easel:
    """Paints flat things and balls in metres, in the light of the place."""

    draw: ImageDraw.ImageDraw
    view: PinholeCamera
    weather: Weather

    def flat(
        self, corners: Sequence[tuple[float, float, float]], colour: Colour, light: float
    ) -> None:
        x, y, _ = self.view.project(np.array(corners))
        outline = (FINER * np.stack([x, y], axis=1)).ravel().tolist()
        self.draw.polygon(outline, self._lit(colour, corners[0], light))

    def ball(self, middle: tuple[float, float, float], radius_m: float, colour: Colour) -> None:
        """Dark below, light above."""
        x, y, depth = (float(value[0]) for value in self.view.project(np.array([middle])))
        radius = FINER * self.view.focal_px / depth * radius_m
        for part, light in ((1.0, 0.55), (0.82, 0.95), (0.4, 1.25)):
            size, up = part * radius, (1 - part) * 0.6 * radius
            box = (FINER * x - size, FINER * y - size - up, FINER * x + size, FINER * y + size - up)
            self.draw.ellipse(box, self._lit(colour, middle, light))

    def _lit(
        self, colour: Colour, place: tuple[float, float, float], light: float
    ) -> tuple[int, int, int]:
        tint = np.ones(3)
        if self.weather.night:
            level = float(lamp_light(self.weather, np.array(place[0]), np.array(place[1])))
            tint = 1.2 * level * np.array(WARM)
        red, green, blue = (np.array(colour) * light * tint).clip(0, 255).astype(int).tolist()
        return red, green, blue


def _table(easel: _Easel, table: Table, rng: np.random.Generator) -> None:
    front, back, up = table.side * FRONT_M, table.side * BACK_M, TABLE_UP_M
    near, far = table.from_m, table.until_m
    cloth = CLOTHS[int(rng.integers(len(CLOTHS)))]
    shade = [(front - table.side * 0.12, near - 0.1, 0), (front - table.side * 0.12, far, 0),
             (back, far, 0), (back, near - 0.1, 0)]  # fmt: skip
    easel.flat(shade, (62, 58, 56), 1.0)
    easel.flat([(front, near, up), (front, far, up), (back, far, up), (back, near, up)],
               (136, 112, 84), 1.0)  # fmt: skip
    easel.flat([(front, near, 0), (back, near, 0), (back, near, up), (front, near, up)],
               cloth[0], 0.65)  # fmt: skip
    _front_cloth(easel, table, cloth)
    if table.goods == "cloth":
        _piles(easel, table, rng)
        return
    palette, radius = (FRUITS, FRUIT_M) if table.goods == "fruit" else (FLOWERS, FLOWER_M)
    for x, y in _rows(table, 2 * radius):
        kind = int((y - near) / 0.45) % len(palette)
        moved = rng.uniform(-0.15, 0.15, 3) * radius
        high = up + radius + (0.5 * radius * rng.random() if table.goods == "fruit" else 0.16)
        colour = tuple(np.array(palette[kind]) * rng.uniform(0.8, 1.05))
        easel.ball((x + moved[0], y + moved[1], high), radius, colour)


def _rows(table: Table, step: float) -> Iterator[tuple[float, float]]:
    """Places on a table, far ones first."""
    for y in np.arange(table.until_m - step / 2, table.from_m, -step).tolist():
        for x in np.arange(BACK_M - step / 2, FRONT_M + step / 4, -step).tolist():
            yield table.side * x, y


def _front_cloth(easel: _Easel, table: Table, colours: tuple[Colour, Colour]) -> None:
    """The cloth that hangs down towards the street, in squares."""
    front, step = table.side * FRONT_M, 0.09
    for row, low in enumerate(np.arange(0.06, TABLE_UP_M - step / 2, step).tolist()):
        for column, y in enumerate(np.arange(table.from_m, table.until_m - step, step).tolist()):
            square = _upright((front, y), (front, y + step), low, low + step)
            easel.flat(square, colours[(row + column) % 2], 0.8)


def _piles(easel: _Easel, table: Table, rng: np.random.Generator) -> None:
    """Folded cloth in piles, the upper side with dots."""
    long, deep = 0.36, BACK_M - FRONT_M - 0.06
    for y in np.arange(table.until_m - long, table.from_m, -long).tolist():
        ground, dot = CLOTHS[int(rng.integers(len(CLOTHS)))]
        up = TABLE_UP_M + float(rng.uniform(0.06, 0.2))
        near, far, front = y + 0.03, y + long - 0.03, table.side * (FRONT_M + 0.03)
        back = front + table.side * deep
        top = [(front, near, up), (front, far, up), (back, far, up), (back, near, up)]
        easel.flat([(x, yy, z) for x, yy, z in top], ground, 1.05)
        easel.flat(_upright((front, near), (front, far), TABLE_UP_M, up), ground, 0.75)
        easel.flat(_upright((front, near), (back, near), TABLE_UP_M, up), ground, 0.65)
        for x in np.arange(FRONT_M + 0.09, BACK_M - 0.04, 0.11).tolist():
            for along in (near + 0.08, near + 0.2):
                _dot(easel, (table.side * x, along, up), dot)


def _upright(
    one: tuple[float, float], other: tuple[float, float], low: float, up: float
) -> list[tuple[float, float, float]]:
    """The corners of what stands between two places (X, Y), from a height to another, metres."""
    return [(*one, low), (*other, low), (*other, up), (*one, up)]


def _dot(easel: _Easel, middle: tuple[float, float, float], colour: Colour) -> None:
    x, y, z = middle
    around = np.linspace(0, 2 * np.pi, 8, endpoint=False)
    ring = [(x + 0.035 * float(np.cos(a)), y + 0.035 * float(np.sin(a)), z) for a in around]
    easel.flat(ring, colour, 1.0)
