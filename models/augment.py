"""What weather, night, lenses, sensors and compression do to a picture."""

import io

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

Picture = NDArray[np.uint8]


def augment(pixels: Picture, rng: np.random.Generator) -> Picture:
    """A random mixture of changes to a picture (height, width, 3); heads stay where they are."""
    if rng.random() < 0.75:
        pixels = _light(pixels, rng)
    if rng.random() < 0.08:
        pixels = _fog(pixels, rng)
    if rng.random() < 0.10:
        pixels = np.repeat(pixels.mean(axis=2, keepdims=True).astype(np.uint8), 3, axis=2)
    if rng.random() < 0.15:
        radius = rng.uniform(0.4, 1.4)
        blurred = Image.fromarray(np.ascontiguousarray(pixels)).filter(
            ImageFilter.GaussianBlur(radius)
        )
        pixels = np.asarray(blurred)
    if rng.random() < 0.3:
        pixels = _noise(pixels, rng)
    if rng.random() < 0.25:
        pixels = _jpeg(pixels, rng)
    return pixels


def _light(pixels: Picture, rng: np.random.Generator) -> Picture:
    """Exposure, contrast, gamma and tint; one time in six, night."""
    gamma = rng.uniform(0.65, 1.5)
    gain, lift = rng.uniform(0.75, 1.25), rng.uniform(-0.08, 0.08)
    if rng.random() < 0.17:
        gamma, gain = rng.uniform(1.3, 2.2), rng.uniform(0.35, 0.8)
    values = np.arange(256, dtype=np.float32) / 255
    tint = rng.uniform(0.88, 1.12, 3)
    table = np.clip((values[:, None] ** gamma) * gain * tint + lift, 0, 1) * 255
    table = table.astype(np.uint8)
    return np.stack([table[pixels[..., c], c] for c in range(3)], axis=-1)


def _fog(pixels: Picture, rng: np.random.Generator) -> Picture:
    """Thicker towards the top, where the street is far away."""
    thickness = np.linspace(rng.uniform(0.2, 0.7), rng.uniform(0, 0.3), pixels.shape[0])
    share = thickness[:, None, None].astype(np.float32)
    return (pixels * (1 - share) + rng.uniform(120, 230) * share).astype(np.uint8)


def _noise(pixels: Picture, rng: np.random.Generator) -> Picture:
    noise = rng.standard_normal(pixels.shape, dtype=np.float32) * np.float32(rng.uniform(2, 14))
    return np.clip(pixels + noise, 0, 255).astype(np.uint8)


def _jpeg(pixels: Picture, rng: np.random.Generator) -> Picture:
    buffer = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(pixels)).save(
        buffer, "JPEG", quality=int(rng.integers(25, 80))
    )
    return np.asarray(Image.open(buffer))
