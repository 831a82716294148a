"""The simulated camera's lens and sensor."""

import io
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageChops, ImageFilter

NOISE_SIZE = 1024


@dataclass(frozen=True)
class Lens:
    """The camera's imperfections: blur in px, dimmer corners, noise, and JPEG's losses.

    `corners` (H, W, 3) as a picture to multiply with; `noise` (NOISE_SIZE, NOISE_SIZE, 3).
    """

    blur_px: float
    corners: Image.Image
    noise: NDArray[np.int8]
    quality: int

    @staticmethod
    def of(width: int, height: int, rng: np.random.Generator, *, night: bool, vary: bool) -> "Lens":
        """The demonstration's lens, or any."""
        x = np.linspace(-1, 1, width)[None, :]
        y = np.linspace(-1, 1, height)[:, None]
        gain = rng.uniform(0.8, 1.0) if vary else 0.97
        tint = rng.uniform(0.92, 1.0, 3) if vary else np.ones(3)
        corners = 255 * gain * (1 - 0.09 * (x**2 + y**2))[..., None] * tint
        noise = _noise(rng)
        strength = (4.5 if night else 2.6) * (rng.uniform(0.4, 2.0) if vary else 1.0)
        return Lens(
            blur_px=float(rng.uniform(0.2, 0.9)) if vary else 0.4,
            corners=Image.fromarray(corners.clip(0, 255).astype(np.uint8)),
            noise=np.rint(np.multiply(noise, strength, out=noise), out=noise).astype(np.int8),
            quality=int(rng.integers(55, 95)) if vary else 82,
        )

    def take(self, canvas: Image.Image, seed: int, t_s: float) -> NDArray[np.uint8]:
        """What comes out of the camera. The noise follows from the time, so pictures repeat."""
        soft = ImageChops.multiply(canvas.filter(ImageFilter.BoxBlur(self.blur_px)), self.corners)
        rng = np.random.default_rng([seed, 7, round(t_s * 1000) % 2**32])
        rows = (np.arange(soft.height) + rng.integers(NOISE_SIZE)) % NOISE_SIZE
        columns = (np.arange(soft.width) + rng.integers(NOISE_SIZE)) % NOISE_SIZE
        noisy = np.asarray(soft, np.int16) + self.noise[rows][:, columns]
        sensed = Image.fromarray(noisy.clip(0, 255).astype(np.uint8))
        stored = io.BytesIO()
        sensed.save(stored, "JPEG", quality=self.quality)
        return np.asarray(Image.open(stored))


def _noise(rng: np.random.Generator) -> NDArray[np.float32]:
    """Normal, more alike in the three colours than not; row by row, or it takes 90 MB."""
    grey = rng.normal(0, 1, (NOISE_SIZE, NOISE_SIZE, 1))
    noise = np.empty((NOISE_SIZE, NOISE_SIZE, 3), np.float32)
    for row in range(NOISE_SIZE):
        noise[row] = grey[row] + 0.5 * rng.normal(0, 1, (NOISE_SIZE, 3))
    return noise
