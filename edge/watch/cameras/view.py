"""The pinhole camera of the simulated street."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class View:
    """A camera on a pole at (0, 0, `height_m`), looking along the street and down by `tilt`.

    Picture of `width` x `height` px, focal length in px, angles in radians.
    """

    width: int
    height: int
    height_m: float
    tilt: float
    focal_px: float
    turn: float = 0.0

    @staticmethod
    def of(width: int, height: int, height_m: float, tilt_deg: float, lens_deg: float) -> "View":
        """A camera by its horizontal field of view; a portrait picture turns the lens upright."""
        focal = max(width, height) / 2 / math.tan(math.radians(lens_deg) / 2)
        return View(width, height, height_m, math.radians(tilt_deg), focal)

    def project(self, points: NDArray[np.float64]) -> tuple[NDArray[np.float64], ...]:
        """Picture x, y in px and depth in m of points (N, 3) in metres."""
        across, along, up = points[:, 0], points[:, 1], points[:, 2] - self.height_m
        depth = along * math.cos(self.tilt) - up * math.sin(self.tilt)
        below = -along * math.sin(self.tilt) - up * math.cos(self.tilt)
        x = self.width / 2 + self.focal_px * across / depth
        y = self.height / 2 + self.focal_px * below / depth
        return x, y, depth

    def rays(self) -> tuple[NDArray[np.float64], ...]:
        """For every pixel the direction of its ray, three arrays (height, width): X, Y, Z."""
        x = (np.arange(self.width) + 0.5 - self.width / 2) / self.focal_px
        y = (np.arange(self.height) + 0.5 - self.height / 2) / self.focal_px
        right, down = np.meshgrid(x, y)
        along = math.cos(self.tilt) - down * math.sin(self.tilt)
        up = -math.sin(self.tilt) - down * math.cos(self.tilt)
        return right, along, up
