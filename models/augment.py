"""What weather, night, lenses, sensors and compression do to a picture.

Everything works on crops of a few hundred px, uint8 RGB, and is quick enough that one core keeps
up with the training on another.
"""

from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray

Picture = NDArray[np.uint8]
Heads = NDArray[np.float32]
Change = Callable[[Picture, np.random.Generator], Picture]

NIGHT = 0.17
DARK = 70.0  # mean level
UMBRELLAS = 0.06
UNDER_AN_UMBRELLA = 0.4
HEAD_OF_SPACING = 0.45  # a head's width by the distance to the nearest neighbours, roughly
HEAD_PX = (5.0, 40.0)


def augment(pixels: Picture, heads: Heads, rng: np.random.Generator) -> Picture:
    """A random mixture of changes to a picture (height, width, 3); heads (N, 2) stay as they are.

    Whoever stands under an umbrella still counts: the sign is for people, not for hair.
    """
    if len(heads) and rng.random() < UMBRELLAS:
        pixels = _umbrellas(pixels, heads, rng)
    for chance, change in CHANGES:
        if rng.random() < chance:
            pixels = change(pixels, rng)
    return pixels


def _umbrellas(pixels: Picture, heads: Heads, rng: np.random.Generator) -> Picture:
    """Domes over some of the heads, as large as heads nearby are far apart."""
    apart = np.linalg.norm(heads[:, None] - heads[None], axis=-1)
    nearest = np.sort(apart, axis=1)[:, 1:4]
    usual = np.median(nearest) if nearest.size else HEAD_PX[1]
    canvas = np.ascontiguousarray(pixels).copy()
    for index in np.flatnonzero(rng.random(len(heads)) < UNDER_AN_UMBRELLA):
        near = float(nearest[index].mean()) if nearest.size else float(usual)
        head = float(np.clip(HEAD_OF_SPACING * near, *HEAD_PX))
        x, y = (float(value) for value in heads[index])
        colour = [int(value) for value in rng.integers(0, 256, 3)]
        wide, high = round(head * rng.uniform(1.8, 2.8)), round(head * rng.uniform(0.7, 1.3))
        centre = (round(x), round(y + 0.3 * head))
        cv2.ellipse(canvas, centre, (wide, high), 0, 180, 360, colour, -1, cv2.LINE_AA)
        dark = [value // 2 for value in colour]
        cv2.ellipse(canvas, centre, (wide // 2, high), 0, 180, 360, dark, 1, cv2.LINE_AA)
    return canvas


def _light(pixels: Picture, rng: np.random.Generator) -> Picture:
    """Exposure, contrast, gamma and tint; at times night."""
    gamma = rng.uniform(0.65, 1.5)
    gain, lift = rng.uniform(0.75, 1.25), rng.uniform(-0.08, 0.08)
    if rng.random() < NIGHT:
        gamma, gain = rng.uniform(1.3, 2.2), rng.uniform(0.35, 0.8)
    values = np.arange(256, dtype=np.float32) / 255
    tint = rng.uniform(0.88, 1.12, 3)
    table = np.clip((values[:, None] ** gamma) * gain * tint + lift, 0, 1) * 255
    return _picture(cv2.LUT(pixels, table.astype(np.uint8)[:, None, :]))


def lamps(pixels: Picture, rng: np.random.Generator) -> Picture:
    """A street at night: dark but for the pools of some lamps, in the lamps' colour, and grainy.

    What is dark already stays as it is, or heads that count would be invisible.
    """
    if pixels.mean() < DARK:
        return pixels
    height, width, _ = pixels.shape
    y, x = np.mgrid[0:height:8, 0:width:8].astype(np.float32)
    light = np.full(x.shape, rng.uniform(0.2, 0.5), np.float32)
    for _ in range(rng.integers(0, 4)):
        away = np.hypot(x - rng.uniform(-60, width + 60), y - rng.uniform(-60, height + 60))
        light += rng.uniform(0.2, 1.0) * np.exp(-((away / rng.uniform(40, 160)) ** 2))
    gamma = rng.uniform(0.9, 1.3)
    colour = np.array([1, rng.uniform(0.75, 1.0), rng.uniform(0.5, 1.1)], np.float32)
    whole = cv2.resize(light, (width, height), interpolation=cv2.INTER_LINEAR)[..., None]
    dark = 255 * (pixels / np.float32(255)) ** np.float32(gamma) * np.minimum(whole, 1.3) * colour
    return _noise(np.clip(dark, 0, 255).astype(np.uint8), rng)


def infrared(pixels: Picture, rng: np.random.Generator) -> Picture:
    """Lit by the camera's own lamp: grey, cloth of any colour pale, bright in the middle."""
    height, width, _ = pixels.shape
    grey = pixels @ rng.dirichlet((2, 1.5, 0.7)).astype(np.float32)
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    away = np.hypot(x / width - rng.uniform(0.2, 0.8), y / height - rng.uniform(0.2, 0.9))
    lit = np.clip(rng.uniform(0.7, 1.3) - rng.uniform(0.2, 1.1) * away, 0.08, 1.3)
    value = 255 * (grey / 255) ** np.float32(rng.uniform(0.6, 1.2)) * lit
    return _picture(cv2.cvtColor(np.clip(value, 0, 255).astype(np.uint8), cv2.COLOR_GRAY2RGB))


def _glare(pixels: Picture, rng: np.random.Generator) -> Picture:
    """One or two LED signs: a bright panel in one colour and the halo it throws."""
    height, width, _ = pixels.shape
    light = np.zeros((height // 4, width // 4, 3), np.float32)
    for _ in range(rng.integers(1, 3)):
        x, y = rng.integers(0, width // 4), rng.integers(0, height // 4)
        colour = [float(value) for value in rng.uniform(40, 255, 3)]
        corner = (int(x + rng.integers(3, 16)), int(y + rng.integers(2, 12)))
        cv2.rectangle(light, (int(x), int(y)), corner, colour, -1)
    halo = cv2.GaussianBlur(light, (0, 0), float(rng.uniform(5, 16))) * rng.uniform(1.0, 3.0)
    whole = cv2.resize(light + halo, (width, height), interpolation=cv2.INTER_LINEAR)
    return _picture(cv2.add(pixels, np.clip(whole, 0, 255).astype(np.uint8)))


def _fog(pixels: Picture, rng: np.random.Generator) -> Picture:
    """Thicker towards the top, where the street is far away."""
    thickness = np.linspace(rng.uniform(0.2, 0.7), rng.uniform(0, 0.3), pixels.shape[0])
    share = thickness[:, None, None].astype(np.float32)
    return _picture(pixels * (1 - share) + np.float32(rng.uniform(120, 230)) * share)


def _rain(pixels: Picture, rng: np.random.Generator) -> Picture:
    """Streaks that all slant the same way, over a picture that has lost some contrast."""
    height, width, _ = pixels.shape
    drops = np.zeros((height, width), np.uint8)
    slant, length = rng.uniform(-0.4, 0.4), rng.uniform(6, 26)
    for x, y in rng.uniform(0, (width, height), (rng.integers(60, 260), 2)):
        end = (round(x + slant * length), round(y + length))
        cv2.line(drops, (round(x), round(y)), end, int(rng.integers(30, 110)), 1, cv2.LINE_AA)
    dull = cv2.convertScaleAbs(pixels, alpha=rng.uniform(0.7, 0.95), beta=rng.uniform(5, 30))
    return _picture(cv2.add(dull, cv2.cvtColor(drops, cv2.COLOR_GRAY2RGB)))


def _grey(pixels: Picture, _rng: np.random.Generator) -> Picture:
    return _picture(cv2.cvtColor(cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB))


def _blur(pixels: Picture, rng: np.random.Generator) -> Picture:
    """Out of focus, or moved while the shutter was open."""
    if rng.random() < 0.6:
        return _picture(cv2.GaussianBlur(pixels, (0, 0), float(rng.uniform(0.4, 1.4))))
    length = int(rng.integers(2, 6))
    across, down = ((length, 1), (1, length))[rng.integers(2)]
    return _picture(cv2.blur(pixels, (across, down)))


def _noise(pixels: Picture, rng: np.random.Generator) -> Picture:
    """Sensor noise, whose grains may be larger than a pixel."""
    strength = rng.uniform(2, 14)
    grain = np.empty(pixels.shape, np.int16)
    cv2.setRNGSeed(int(rng.integers(1 << 31)))
    cv2.randn(grain, (0, 0, 0), (strength, strength, strength))
    return _picture(cv2.add(pixels, grain, dtype=cv2.CV_8U))


def _jpeg(pixels: Picture, rng: np.random.Generator) -> Picture:
    quality = [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(25, 80))]
    return _picture(cv2.imdecode(cv2.imencode(".jpg", pixels, quality)[1], cv2.IMREAD_COLOR))


def _picture(pixels: object) -> Picture:
    return np.asarray(pixels, np.uint8)


# In the order in which they befall a picture: light, air, lens, sensor, codec.
CHANGES: tuple[tuple[float, Change], ...] = (
    (0.75, _light),
    (0.10, lamps),
    (0.04, infrared),
    (0.05, _glare),
    (0.06, _fog),
    (0.05, _rain),
    (0.10, _grey),
    (0.18, _blur),
    (0.30, _noise),
    (0.25, _jpeg),
)
