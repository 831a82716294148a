"""What the simulated street is covered with: paving, and the shop fronts on both sides.

Textures are painted flat, so many pixels to the metre, and seen in perspective later.
"""

import colorsys
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter

Colour = tuple[int, int, int]

PX_PER_M = 36
LENGTH_M = 40.0  # of a texture along the street; repeated beyond
WALL_M = 3.9  # from the street's middle to the shop fronts
WALL_HIGH_M = 9.0
FLOOR_HALF_M = 4.2


@dataclass(frozen=True)
class Texture:
    """What a surface looks like by day, and how brightly each part shines by itself at night.

    `day` (rows, columns, 3) and `glow` (rows, columns), both 0 to 255.
    """

    day: NDArray[np.uint8]
    glow: NDArray[np.uint8]


def noise(
    rng: np.random.Generator, high: int, wide: int, coarse: int, strength: float
) -> NDArray[np.float32]:
    """Soft patches around 1 of about `coarse` px, (high, wide)."""
    shape = (max(2, high // coarse), max(2, wide // coarse))
    small = Image.fromarray(rng.normal(1, strength, shape).astype(np.float32))
    return np.asarray(small.resize((wide, high), Image.Resampling.BICUBIC), np.float32)


def vivid(rng: np.random.Generator) -> Colour:
    """A colour of a sign."""
    value = rng.uniform(0.45, 0.95)
    return rgb(float(rng.random()), float(rng.uniform(0.25, 0.75)), float(value))


def rgb(hue: float, full: float, value: float) -> Colour:
    """Hue, saturation and value from 0 to 1 as RGB from 0 to 255."""
    red, green, blue = colorsys.hsv_to_rgb(hue, full, value)
    return round(255 * red), round(255 * green), round(255 * blue)


def paving(rng: np.random.Generator) -> Texture:
    """The street from X -4.2 to 4.2 m (columns), Y from 0 (first row): slabs, red strip, kerbs."""
    wide, high = round(2 * FLOOR_HALF_M * PX_PER_M), round(LENGTH_M * PX_PER_M)
    x = (np.arange(wide) + 0.5) / PX_PER_M - FLOOR_HALF_M
    y = (np.arange(high) + 0.5) / PX_PER_M
    red = np.array([146, 74, 62]) * rng.uniform(0.85, 1.15)
    grey = np.array([138, 133, 127]) * rng.uniform(0.75, 1.1)
    inner = np.abs(x) < rng.uniform(1.4, 2.6)
    colour = np.empty((high, wide, 3), np.float32)
    colour[:] = np.where(inner[:, None], red, grey)
    colour *= _tiles(rng, x, y)[..., None]
    colour[:, np.abs(np.abs(x) - 3.15) < 0.08] = (172, 170, 163)
    colour[:, np.abs(np.abs(x) - 3.02) < 0.04] *= 0.6
    if rng.random() < 0.6:  # the yellow strip that guides blind people
        colour[:, np.abs(x - float(rng.choice([-2.8, 2.8]))) < 0.13] = (182, 150, 62)
    colour = _painted(rng, colour)
    dirt = noise(rng, high, wide, 70, 0.11) * noise(rng, high, wide, 9, 0.05)
    colour *= dirt[..., None]
    colour *= rng.normal(1, 0.03, (high, wide, 1))
    return Texture(colour.clip(0, 255).astype(np.uint8), np.zeros((high, wide), np.uint8))


def _tiles(
    rng: np.random.Generator, x: NDArray[np.float64], y: NDArray[np.float64]
) -> NDArray[np.float64]:
    """The brightness of slabs laid in bond, with their joints, (len(y), len(x))."""
    long, short = float(rng.choice([0.3, 0.4, 0.6])), float(rng.choice([0.2, 0.3, 0.4]))
    row = np.floor(y / short).astype(int)
    shifted = x[None, :] + 20 + (row % 2)[:, None] * long / 2
    column = np.floor(shifted / long).astype(int)
    shades = rng.normal(1, 0.055, (97, 89))
    bright: NDArray[np.float64] = shades[row[:, None] % 97, column % 89]
    joint = (shifted % long < 0.028) | (y % short < 0.028)[:, None]
    return np.where(joint, bright * 0.8, bright)


def _painted(rng: np.random.Generator, colour: NDArray[np.float32]) -> NDArray[np.float32]:
    """Manholes, white lettering, and spots of chewing gum, painted over."""
    canvas = Image.fromarray(colour.clip(0, 255).astype(np.uint8))
    draw = ImageDraw.Draw(canvas)
    wide, high = canvas.size
    for _ in range(int(rng.integers(2, 6))):
        x, y, r = rng.uniform(0.3, 0.7) * wide, rng.uniform(0, high), 0.32 * PX_PER_M
        draw.ellipse((x - r, y - r, x + r, y + r), (98, 94, 90), (70, 68, 66), 2)
        draw.ellipse((x - r / 2, y - r / 2, x + r / 2, y + r / 2), None, (76, 74, 72), 2)
    for _ in range(260):
        x, y, r = rng.uniform(0, wide), rng.uniform(0, high), rng.uniform(0.4, 1.5)
        tone = int(rng.integers(60, 110))
        draw.ellipse((x - r, y - r, x + r, y + r), (tone, tone, tone))
    for start in np.arange(rng.uniform(4, 9), LENGTH_M, 13.0):
        box = (0.36 * wide, start * PX_PER_M, 0.64 * wide, (start + 0.9) * PX_PER_M)
        lettering(draw, rng, box, (205, 198, 190))
    return np.asarray(canvas, np.float32)


def lettering(
    draw: ImageDraw.ImageDraw,
    rng: np.random.Generator,
    box: tuple[float, float, float, float],
    colour: Colour | int,
) -> None:
    """Strokes in blocks that look like Korean from afar and say nothing."""
    left, top, right, bottom = box
    size = bottom - top
    pen = max(1, round(size / 9))
    for x in np.arange(left, right - 0.9 * size, 1.12 * size):
        third = size / 3
        draw.line((x, top + third * 0.4, x + 1.6 * third, top + third * 0.4), colour, pen)
        if rng.random() < 0.6:
            draw.line((x, top + third * 0.4, x, top + 1.5 * third), colour, pen)
        if rng.random() < 0.6:
            draw.line((x, top + 1.5 * third, x + 1.6 * third, top + 1.5 * third), colour, pen)
        draw.line((x + 2.3 * third, top, x + 2.3 * third, top + 1.8 * third), colour, pen)
        if rng.random() < 0.7:
            draw.line((x + 2.3 * third, top + third, x + 2.9 * third, top + third), colour, pen)
        if rng.random() < 0.7:
            final = (x + third, top + 2.1 * third, x + 2.4 * third, bottom)
            draw.rectangle(final, None, colour, pen)


def shop_fronts(rng: np.random.Generator) -> Texture:
    """One side of the street: along it (columns), from the ground (last row) up."""
    wide, high = round(LENGTH_M * PX_PER_M), round(WALL_HIGH_M * PX_PER_M)
    day, glow = Image.new("RGB", (wide, high)), Image.new("L", (wide, high))
    brush = Brush(ImageDraw.Draw(day), ImageDraw.Draw(glow), rng)
    at_m = 0.0
    while at_m < LENGTH_M:
        bay_m = float(rng.uniform(3.0, 6.5))
        _shop(brush, at_m, at_m + bay_m)
        at_m += bay_m
    day = day.filter(ImageFilter.GaussianBlur(0.6))
    dirt = noise(rng, high, wide, 30, 0.08) * noise(rng, high, wide, 5, 0.04)
    colours = np.asarray(day, np.float32) * (dirt * rng.normal(1, 0.02, dirt.shape))[..., None]
    return Texture(colours.clip(0, 255).astype(np.uint8), np.asarray(glow))


@dataclass(frozen=True)
class Brush:
    """Paints rectangles in metres on a wall, by day and by their own light."""

    day: ImageDraw.ImageDraw
    glow: ImageDraw.ImageDraw
    rng: np.random.Generator
    wall: Colour = (150, 145, 140)

    def plate(
        self, *corners: float, colour: Colour, glow: int = 0
    ) -> tuple[float, float, float, float]:
        """Paint from `left`, `low` to `right`, `high`; the same in px."""
        left, low, right, high = corners
        box = (
            left * PX_PER_M,
            (WALL_HIGH_M - high) * PX_PER_M,
            max(right, left) * PX_PER_M,
            (WALL_HIGH_M - low) * PX_PER_M,
        )
        self.day.rectangle(box, colour)
        self.glow.rectangle(box, glow)
        return box


def _shop(brush: Brush, left: float, right: float) -> None:
    """One house: its wall, shop window, sign and upper floors."""
    rng = brush.rng
    bright = rng.uniform(0.3, 0.85)
    wall = rgb(float(rng.choice([0.04, 0.08, 0.1, 0.6])), float(rng.uniform(0, 0.3)), bright)
    brush = replace(brush, wall=wall)
    brush.plate(left, 0, right, WALL_HIGH_M, colour=wall)
    if rng.random() < 0.35:
        _courses(brush, left, right)
    _window(brush, left + 0.2, right - 0.2)
    _sign(brush, left + 0.1, right - 0.1)
    _upper_floor(brush, left, right)
    brush.plate(left, 0, right, 0.18, colour=(84, 82, 80))
    brush.plate(left - 0.04, 0, left + 0.04, WALL_HIGH_M, colour=(60, 58, 56))


def _courses(brush: Brush, left: float, right: float) -> None:
    """Bricks."""
    red, green, blue = brush.wall
    darker = (int(red * 0.86), int(green * 0.86), int(blue * 0.86))
    for low in np.arange(0.1, WALL_HIGH_M, 0.17):
        brush.plate(left, float(low), right, float(low) + 0.03, colour=darker)


def _window(brush: Brush, left: float, right: float) -> None:
    """A lit shop behind glass, with a door, goods and posters."""
    rng = brush.rng
    dim = int(rng.integers(28, 80))
    shine = int(rng.integers(60, 230)) if rng.random() < 0.75 else 0
    brush.plate(left, 0.25, right, 2.45, colour=(dim, dim + 4, dim + 8), glow=shine)
    for _ in range(int(14 * (right - left))):
        x, low = rng.uniform(left, right - 0.3), rng.uniform(0.3, 2.1)
        size = rng.uniform(0.06, 0.4)
        hue, full, value = rng.random(), rng.uniform(0, 0.6), rng.uniform(0.1, 0.8)
        tone = rgb(float(hue), float(full), float(value))
        glow = int(shine * rng.uniform(0.4, 1.1)) if shine else 0
        brush.plate(x, low, min(x + size, right), low + size, colour=tone, glow=min(glow, 255))
    for x in np.arange(left, right, rng.uniform(0.8, 1.6)):
        brush.plate(float(x), 0.25, float(x) + 0.06, 2.45, colour=(52, 50, 50))
    brush.plate(left, 2.38, right, 2.5, colour=(58, 56, 56))
    if rng.random() < 0.5:
        _awning(brush, left, right)


def _awning(brush: Brush, left: float, right: float) -> None:
    colour, other = vivid(brush.rng), (226, 222, 214)
    for index, x in enumerate(np.arange(left, right, 0.3)):
        stripe = colour if index % 2 else other
        brush.plate(float(x), 2.35, min(float(x) + 0.3, right), 2.72, colour=stripe)
    brush.plate(left, 2.2, right, 2.36, colour=(66, 62, 60))


def _sign(brush: Brush, left: float, right: float) -> None:
    """A board over the window, lit at night, and sometimes one that hangs down the wall."""
    rng = brush.rng
    ground = vivid(rng) if rng.random() < 0.55 else rgb(0.1, 0.05, float(rng.choice([0.12, 0.92])))
    dark = sum(ground) < 360
    ink: Colour = (240, 238, 230) if dark else vivid(rng) if rng.random() < 0.4 else (30, 28, 34)
    shine = int(rng.integers(120, 255))
    box = brush.plate(left, 2.75, right, 3.6, colour=ground, glow=shine if not dark else shine // 3)
    inside = (box[0] + 12, box[1] + 6, box[2] - 8, box[3] - 6)
    lettering(brush.day, rng, inside, ink)
    if dark:
        lettering(brush.glow, rng, inside, shine)
    if rng.random() < 0.45:
        x = float(rng.uniform(left, max(left, right - 0.8)))
        tall = brush.plate(
            x, 3.8, x + 0.75, 6.6, colour=vivid(rng), glow=int(rng.integers(100, 250))
        )
        for top in np.arange(tall[1] + 5, tall[3] - 24, 27):
            spot = (tall[0] + 2, float(top), tall[0] + 26, float(top) + 20)
            lettering(brush.day, rng, spot, (244, 242, 236))


def _upper_floor(brush: Brush, left: float, right: float) -> None:
    """Windows, air conditioners and pipes."""
    rng = brush.rng
    for low in (4.1, 7.0):
        for x in np.arange(left + 0.4, right - 1.3, rng.uniform(1.4, 2.2)):
            lit = int(rng.integers(80, 200)) if rng.random() < 0.4 else 0
            tone = rgb(0.58, 0.2, float(rng.uniform(0.2, 0.6)))
            brush.plate(
                float(x) - 0.05, low - 0.05, float(x) + 1.15, low + 1.45, colour=(190, 188, 182)
            )
            brush.plate(float(x), low, float(x) + 1.1, low + 1.4, colour=tone, glow=lit)
            brush.plate(float(x) + 0.52, low, float(x) + 0.58, low + 1.4, colour=(170, 168, 164))
    if rng.random() < 0.6:
        x = float(rng.uniform(left, max(left, right - 0.9)))
        brush.plate(x, 3.7, x + 0.8, 4.3, colour=(198, 198, 194))
        brush.plate(x + 0.1, 3.8, x + 0.5, 4.2, colour=(120, 120, 120))
