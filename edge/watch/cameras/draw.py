"""The drawing of the simulated street: shop fronts, paving, people and their shadows."""

import colorsys
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter

from edge.watch.cameras.view import View

SKIN = ((236, 200, 172), (224, 182, 150), (205, 160, 128), (170, 120, 90))
HAIR = ((22, 18, 18), (34, 27, 24), (58, 40, 30), (90, 62, 40), (150, 110, 60), (120, 118, 118))
SPRITE_PX = 168  # height of a drawn person of 1.7 m, before scaling
SPRITE_WIDTH_PX = 84
HEAD_TOP_PX = 4
HEAD_CENTRE_PX = 17
WALL_M = 3.9


@dataclass(frozen=True)
class Look:
    """A person as drawn from the front and from behind, with its stature in metres."""

    front: Image.Image
    back: Image.Image
    stature_m: float


def make_looks(count: int, rng: np.random.Generator) -> list[Look]:
    """Different people."""
    return [_make_look(rng) for _ in range(count)]


def _make_look(rng: np.random.Generator) -> Look:
    coat, legs = _cloth(rng), tuple(int(v) for v in rng.integers(20, 110, 3))
    skin, hair = SKIN[rng.integers(len(SKIN))], HAIR[rng.integers(len(HAIR))]
    covered = rng.random()
    extras = (rng.random() < 0.3, covered < 0.12, rng.random() < 0.4)
    front = _draw_person(coat, legs, skin, hair, extras, front=True)
    back = _draw_person(coat, legs, skin, hair, extras, front=False)
    return Look(front, back, float(np.clip(rng.normal(1.68, 0.07), 1.5, 1.88)))


def _cloth(rng: np.random.Generator) -> tuple[int, ...]:
    """Mostly dark and dull, sometimes bright or white, as coats are."""
    value = rng.choice([rng.uniform(0.08, 0.35), rng.uniform(0.4, 0.95)], p=[0.6, 0.4])
    colour = colorsys.hsv_to_rgb(rng.random(), rng.uniform(0, 0.65), float(value))
    return tuple(int(255 * part) for part in colour)


def _shade(colour: tuple[int, ...], factor: float) -> tuple[int, ...]:
    return tuple(int(min(255, part * factor)) for part in colour)


def _draw_person(
    coat: tuple[int, ...],
    legs: tuple[int, ...],
    skin: tuple[int, ...],
    hair: tuple[int, ...],
    extras: tuple[bool, bool, bool],
    *,
    front: bool,
) -> Image.Image:
    """One person on a transparent ground, at three times the size and then smoothed."""
    k = 3
    picture = Image.new("RGBA", (SPRITE_WIDTH_PX * k, SPRITE_PX * k), (0, 0, 0, 0))
    draw = ImageDraw.Draw(picture)
    bag, cap, long_hair = extras

    def oval(box: tuple[float, ...], colour: tuple[int, ...]) -> None:
        draw.ellipse([v * k for v in box], fill=colour)

    def plate(box: tuple[float, ...], colour: tuple[int, ...], radius: float) -> None:
        draw.rounded_rectangle([v * k for v in box], radius * k, fill=colour)

    for left in (29, 44):
        plate((left, 92, left + 12, 158), legs, 5)
        oval((left - 1, 152, left + 13, 164), (25, 25, 28))
    for left in (16, 58):
        plate((left, 38, left + 10, 96), _shade(coat, 0.8), 5)
        oval((left, 88, left + 10, 100), skin)
    plate((24, 34, 60, 104), coat, 10)
    plate((24, 64, 60, 104), _shade(coat, 0.88), 8)
    oval((16, 27, 68, 52), _shade(coat, 1.12))  # shoulders, seen from above
    if bag and not front:
        plate((28, 42, 56, 82), _shade(coat, 0.5), 8)
    plate((37, 22, 47, 36), _shade(skin, 0.85), 4)
    head = (31, HEAD_TOP_PX, 53, HEAD_TOP_PX + 26)
    if long_hair:
        plate((30, 12, 54, 42 if not front else 36), hair, 7)
    oval(head, skin if front else hair)
    if front:
        draw.pieslice([v * k for v in (31, HEAD_TOP_PX, 53, 28)], 180, 360, fill=hair)
        oval((32, 3, 52, 17), hair)
        for eye in (37, 45):
            oval((eye, 19, eye + 2, 21), (30, 25, 25))
    if cap:
        oval((30, 2, 54, 19), coat)
    oval((36, 6, 44, 11), _shade(coat if cap else hair, 1.5))  # a gleam of light
    return picture.resize((SPRITE_WIDTH_PX, SPRITE_PX), Image.Resampling.LANCZOS)


def draw_background(view: View, rng: np.random.Generator) -> NDArray[np.float32]:
    """Paving and shop fronts as the camera sees them, float32 (height, width, 3), 0 to 255."""
    right, along, up = view.rays()
    to_ground = -view.height_m / np.minimum(up, -1e-3)
    x, y = right * to_ground, along * to_ground
    to_wall = WALL_M / np.maximum(np.abs(right), 1e-6)
    wall = np.abs(x) > WALL_M
    picture = _paving(x, y, rng)
    fronts = _shop_fronts(along * to_wall, view.height_m + up * to_wall, np.sign(right), rng)
    picture[wall] = fronts[wall]
    return picture


def _paving(
    x: NDArray[np.float64], y: NDArray[np.float64], rng: np.random.Generator
) -> NDArray[np.float32]:
    """A red strip down the middle, grey slabs beside it, kerbs; worn and stained."""
    red = np.array([150, 72, 62]) * rng.uniform(0.8, 1.15)
    grey = np.array([128, 124, 120]) * rng.uniform(0.75, 1.15)
    strip = np.abs(x) < rng.uniform(1.2, 2.4)
    colour = np.where(strip[..., None], red, grey)
    tile_m = rng.choice([0.3, 0.4, 0.6])
    joint = (np.mod(x, tile_m) < 0.025) | (np.mod(y + 0.5 * tile_m, tile_m) < 0.03)
    kerb = np.abs(np.abs(x) - 3.1) < 0.09
    tiles = rng.normal(1, 0.06, (64, 64))
    worn = tiles[np.floor(x / tile_m).astype(int) % 64, np.floor(y / tile_m).astype(int) % 64]
    colour = colour * worn[..., None]
    colour[joint] *= 0.82
    colour[kerb] = (170, 168, 160)
    return np.asarray(colour * _stains(x.shape, rng)[..., None], np.float32)


def _stains(shape: tuple[int, ...], rng: np.random.Generator) -> NDArray[np.float64]:
    """Soft light and dark patches around 1."""
    small = rng.normal(128, 26, (max(2, shape[0] // 24), max(2, shape[1] // 24)))
    soft = Image.fromarray(small.clip(0, 255).astype(np.uint8)).resize(
        (shape[1], shape[0]), Image.Resampling.BICUBIC
    )
    return np.asarray(soft, np.float64) / 128


def _shop_fronts(
    along: NDArray[np.float64],
    high: NDArray[np.float64],
    side: NDArray[np.float64],
    rng: np.random.Generator,
) -> NDArray[np.float32]:
    """Bays of four metres: a door or window, an awning, a sign, and wall above."""
    bay = np.floor(along / 4).astype(int) % 16 + np.where(side > 0, 16, 0)
    within = np.mod(along, 4) / 4
    walls = rng.uniform(70, 190, (32, 1)) * rng.uniform(0.85, 1.1, (32, 3))
    signs = np.array([_vivid(rng) for _ in range(32)])
    glass = rng.uniform(25, 120, (32, 1)) * np.array([0.9, 1.0, 1.1])
    colour = walls[bay]
    window = (high < 2.4) & (within > 0.08) & (within < 0.92)
    colour = np.where(window[..., None], glass[bay], colour)
    bars = window & (np.mod(within * 6, 1) < 0.06)
    colour = np.where(bars[..., None], 60, colour)
    awning = (high > 2.4) & (high < 2.8)
    stripes = np.where(np.mod(within * 8, 1) < 0.5, 1.0, 0.7)
    colour = np.where(awning[..., None], signs[bay] * 0.7 * stripes[..., None], colour)
    sign = (high > 2.9) & (high < 3.7) & (within > 0.05) & (within < 0.95)
    letters = sign & (high > 3.1) & (high < 3.5) & (np.mod(within * 9, 1) < 0.55)
    colour = np.where(sign[..., None], signs[bay], colour)
    colour = np.where(letters[..., None], 240, colour)
    colour = np.where((high < 0.2)[..., None], 80, colour)
    return colour.astype(np.float32)


def _vivid(rng: np.random.Generator) -> tuple[float, ...]:
    colour = colorsys.hsv_to_rgb(rng.random(), rng.uniform(0.4, 0.9), rng.uniform(0.5, 0.95))
    return tuple(255 * part for part in colour)


def night_light(view: View, rng: np.random.Generator) -> NDArray[np.float32]:
    """How much light falls where at night: pools under lamps, (height, width, 3), 0 to about 1."""
    right, along, up = view.rays()
    to_ground = -view.height_m / np.minimum(up, -1e-3)
    x, y = right * to_ground, along * to_ground
    light = np.full(x.shape, 0.16)
    for lamp in np.arange(rng.uniform(2, 6), 26, 7.0):
        side = 3.0 if rng.random() < 0.5 else -3.0
        light += 0.55 * np.exp(-((x - side) ** 2 + (y - lamp) ** 2) / (2 * 3.2**2))
    light += np.where(np.abs(x) > WALL_M, 0.25, 0.0)
    tint = np.array([1.05, 0.95, 0.82])
    return np.asarray(light.clip(0, 1)[..., None] * tint, np.float32)


def soften(picture: Image.Image, radius: float) -> Image.Image:
    """What a lens does."""
    return picture.filter(ImageFilter.GaussianBlur(radius))


def as_picture(values: NDArray[np.float32]) -> Image.Image:
    """An array (height, width, 3), 0 to 255, as a picture."""
    return Image.fromarray(values.clip(0, 255).astype(np.uint8))
