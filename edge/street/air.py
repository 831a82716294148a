"""What comes between the simulated street and the lens: fog, rain, glare, infra-red, a cover."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageChops, ImageDraw, ImageFilter

from edge.street.pinhole import PinholeCamera
from edge.street.textures import WALL_M

Filter = Callable[[Image.Image, float], Image.Image]
Colour = tuple[int, int, int]

FOG, RAIN_HAZE = (196, 200, 204), (96, 100, 112)
RAIN_SIGHT_M = 70.0
DROPS = 420
IR_SEES = (0.5, 0.3, 0.2)  # of red, green and blue
IR_PALE = 0.75  # an exponent of brightness: dyes reflect infra-red
IR_BEAM = 0.42  # of the picture's sides
IR_BRIGHT_AT_M = 13.0
IR_NOISE = 4.0
COVER: Colour = (58, 54, 50)
# LED signs on the walls: side, from and to along the street, their lower and upper edges, metres.
SIGNS = ((-1, 9.0, 13.0, 2.3, 4.2), (1, 13.5, 17.0, 2.0, 4.0), (1, 7.0, 9.5, 2.6, 4.4))
SIGN_COLOURS: tuple[Colour, ...] = ((255, 250, 235), (255, 60, 120), (80, 200, 255), (255, 190, 40))
SIGN_HOLDS_S = 2.5  # then the advertisement changes


def foggy(view: PinholeCamera, sight_m: float, colour: Colour = FOG) -> Filter:
    """Fog that leaves 1/e of the contrast after `sight_m` (Koschmieder, 1924)."""
    veil = 255 * (1 - np.exp(-_distance(view) / sight_m))
    mask = Image.fromarray(veil.astype(np.uint8))
    air = Image.new("RGB", (view.width, view.height), colour)
    return lambda canvas, _t_s: Image.composite(air, canvas, mask)


def _distance(view: PinholeCamera) -> NDArray[np.float64]:
    """How far ground and walls are along each pixel's ray, (H, W) metres."""
    across, along, up = view.rays(range(view.height))
    to_ground = -view.height_m / np.minimum(up, -1e-3)
    to_wall = WALL_M / np.maximum(np.abs(across), 1e-3)
    length = np.sqrt(across**2 + along**2 + up**2)
    return np.asarray(np.minimum(to_ground, to_wall) * length, np.float64)


def infrared(view: PinholeCamera, seed: int) -> Filter:
    """By the camera's own infra-red lamp: grey, cloth of any colour pale, and dark far away.

    The lamp's beam is narrower than the picture, and its light falls with the square of the way.
    """
    x = (np.arange(view.width) + 0.5) / view.width - 0.5
    y = (np.arange(view.height) + 0.5) / view.height - 0.5
    beam = np.exp(-(x[None, :] ** 2 + 0.7 * y[:, None] ** 2) / (2 * IR_BEAM**2))
    lamp = (beam * (IR_BRIGHT_AT_M / _distance(view)) ** 2).clip(0.05, 1.25)

    def lit(canvas: Image.Image, t_s: float) -> Image.Image:
        rng = np.random.default_rng([seed, 11, round(t_s * 1000) % 2**32])
        grey = np.asarray(canvas, np.float32) @ np.array(IR_SEES, np.float32)
        shown = 255 * (grey / 255) ** IR_PALE * lamp + rng.normal(0, IR_NOISE, grey.shape)
        return Image.fromarray(shown.clip(0, 255).astype(np.uint8)).convert("RGB")

    return lit


def rainy(view: PinholeCamera, seed: int) -> Filter:
    """Streaks of rain, anew in every picture, and haze."""
    haze = foggy(view, RAIN_SIGHT_M, RAIN_HAZE)

    def rain(canvas: Image.Image, t_s: float) -> Image.Image:
        rng = np.random.default_rng([seed, 6, round(t_s * 1000) % 2**32])
        streaks = Image.new("L", canvas.size, 0)
        draw = ImageDraw.Draw(streaks)
        for x, y, near in rng.random((DROPS, 3)):
            long = view.height * (0.02 + 0.07 * near**3)
            start = (x * view.width, y * view.height)
            draw.line([start, (start[0] - 0.12 * long, start[1] + long)], int(30 + 55 * near))
        soft = streaks.filter(ImageFilter.GaussianBlur(0.7))
        return ImageChops.add(haze(canvas, t_s), Image.merge("RGB", [soft] * 3))

    return rain


def glaring(view: PinholeCamera) -> Filter:
    """LED signs so bright that their light spreads through the lens; they change over time."""
    lights = [_signs(view, change) for change in range(len(SIGN_COLOURS))]
    return lambda canvas, t_s: ImageChops.add(canvas, lights[int(t_s / SIGN_HOLDS_S) % len(lights)])


def _signs(view: PinholeCamera, change: int) -> Image.Image:
    """The signs and the light around them, on black."""
    layer = Image.new("RGB", (view.width, view.height))
    draw = ImageDraw.Draw(layer)
    for index, (side, start, end, low, high) in enumerate(SIGNS):
        edge = [(start, low), (end, low), (end, high), (start, high)]
        corners = np.array([(side * (WALL_M - 0.1), y, z) for y, z in edge])
        x, y, depth = view.project(corners)
        if depth.min() > 1:
            colour = SIGN_COLOURS[(index + change) % len(SIGN_COLOURS)]
            draw.polygon(list(zip(x.tolist(), y.tolist(), strict=True)), colour)
    light = np.asarray(layer, np.float32)
    for part, reach in ((0.7, 0.015), (0.6, 0.06), (0.5, 0.2)):
        spread = layer.filter(ImageFilter.GaussianBlur(reach * max(layer.size)))
        light = light + part * np.asarray(spread, np.float32)
    return Image.fromarray((light + 5).clip(0, 255).astype(np.uint8))


@dataclass(frozen=True)
class Cover:
    """Something lies over the lens between two times, in seconds."""

    from_s: float
    until_s: float

    def at(self, t_s: float) -> bool:
        """Whether it is there."""
        return self.from_s <= t_s < self.until_s

    def filter(self, canvas: Image.Image, t_s: float) -> Image.Image:
        """The picture, or what little light comes through."""
        if not self.at(t_s):
            return canvas
        gradient = (
            Image.linear_gradient("L").resize(canvas.size).point([4 + v // 32 for v in range(256)])
        )
        plain = Image.new("RGB", canvas.size, COVER)
        return ImageChops.add(plain, Image.merge("RGB", [gradient] * 3))
