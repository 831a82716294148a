"""Pictures degraded on purpose, each as a fault in the street does it."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from edge.watch.frame import Pixels

GAMMA = 2.2


def _noisy(values: NDArray[Any], spread: float) -> Pixels:
    """With a sensor's noise, the same each time."""
    noise = np.random.default_rng(0).normal(0, spread, values.shape[:2])
    level: Pixels = np.clip(np.rint(values + noise[..., None]), 0, 255).astype(np.uint8)
    return level


def night(pixels: Pixels, light: float) -> Pixels:
    """With this share of the light, and the noise that comes with it."""
    return _noisy(255 * ((pixels / 255) ** GAMMA * light) ** (1 / GAMMA), 1.5)


def defocused(pixels: Pixels, share: float) -> Pixels:
    """Blurred by a Gaussian of this share of the longer side, then read by a noisy sensor."""
    radius = share * max(pixels.shape)
    return _noisy(np.asarray(Image.fromarray(pixels).filter(ImageFilter.GaussianBlur(radius))), 1.0)


def shaken(pixels: Pixels, share: float) -> Pixels:
    """Smeared sideways over this share of the longer side."""
    length = max(1, round(share * max(pixels.shape)))
    wide = np.pad(pixels, ((0, 0), (0, length), (0, 0)), mode="edge").astype(np.float32)
    sums = np.cumsum(wide, axis=1)
    return _noisy((sums[:, length:] - sums[:, :-length]) / length, 1.0)


def covered(pixels: Pixels, part: float) -> Pixels:
    """A hand or tape before this part of the lens, from the left, with a soft edge."""
    width = pixels.shape[1]
    edge = 0.05 * width
    veil = np.clip((part * (width + edge) - np.arange(width)) / edge, 0, 1)[None, :, None]
    shade = np.linspace(50, 70, pixels.shape[0])[:, None, None] * np.array([1.0, 0.8, 0.7])
    return _noisy(pixels * (1 - veil) + shade * veil, 2.0)


def rained_on(pixels: Pixels, part: float) -> Pixels:
    """Drops or dirt over this part of the lens: behind each all is blurred and paler."""
    height, width = pixels.shape[:2]
    rng = np.random.default_rng(1)
    rows, columns = np.mgrid[:height, :width]
    wet = np.zeros((height, width), bool)
    while wet.mean() < part:
        row, column = rng.uniform(0, height), rng.uniform(0, width)
        radius = rng.uniform(0.02, 0.08) * max(height, width)
        wet |= (rows - row) ** 2 + (columns - column) ** 2 < radius**2
    mask = Image.fromarray(wet).convert("L").filter(ImageFilter.GaussianBlur(2))
    share = np.asarray(mask, np.float32)[..., None] / 255
    behind = 0.8 * defocused(pixels, 0.03) + 30
    return _noisy(pixels * (1 - share) + behind * share, 0.5)


def dazzled(pixels: Pixels, reach: float) -> Pixels:
    """A lamp shines into the lens: white to this share of the longer side, paling outwards."""
    height, width = pixels.shape[:2]
    rows, columns = np.mgrid[:height, :width]
    away = np.hypot(rows - 0.4 * height, columns - 0.6 * width) / max(height, width)
    glare = 255 * np.exp(-((away / max(reach, 1e-6)) ** 2) + 1)
    return _noisy(pixels + glare[..., None], 1.0)


def half_decoded(pixels: Pixels, part: float) -> Pixels:
    """A broken stream: the lower part was never decoded, and is grey."""
    broken = pixels.copy()
    broken[round((1 - part) * len(pixels)) :] = 128
    return broken


@dataclass(frozen=True)
class Turn:
    """How the camera has moved: sideways and down in shares of the picture's width, a roll in
    degrees, and a zoom.
    """

    right: float = 0.0
    down: float = 0.0
    roll: float = 0.0
    zoom: float = 1.0


def turned(pixels: Pixels, turn: Turn) -> Pixels:
    """The inner 80 % of the picture, as a camera sees it that was moved so."""
    height, width = pixels.shape[:2]
    wide, high = round(0.8 * width), round(0.8 * height)
    angle = np.radians(turn.roll)
    cos, sin = np.cos(angle) / turn.zoom, np.sin(angle) / turn.zoom
    # By whole pixels, so that a mere shift blurs nothing.
    x, y = width / 2 + round(turn.right * wide), height / 2 + round(turn.down * wide)
    x -= cos * wide / 2 - sin * high / 2
    y -= sin * wide / 2 + cos * high / 2
    if turn.roll == 0 and turn.zoom == 1:
        x, y = round(x), round(y)
    rotation = (cos, -sin, x, sin, cos, y)
    image = Image.fromarray(pixels).transform(
        (wide, high), Image.Transform.AFFINE, rotation, Image.Resampling.BICUBIC
    )
    return np.asarray(image)


def hidden(pixels: Pixels, part: float) -> Pixels:
    """A bus stands before the lower part of the picture: bright and dark, with windows and rows."""
    height, width = pixels.shape[:2]
    top = round((1 - part) * height)
    bus = np.full((height - top, width), 150.0)
    window = max(4, width // 6)
    bus[height // 20 :: height // 4] = 30
    bus[:, ::window] = 230
    bus[len(bus) // 4 : len(bus) // 2, window // 4 :: window] = 20
    standing = pixels.copy()
    standing[top:] = _noisy(np.repeat(bus[..., None], 3, axis=2), 2.0)
    return standing
