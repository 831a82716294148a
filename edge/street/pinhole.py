"""The pinhole camera of the simulated street."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class PinholeCamera:
    """A camera on a pole at (`across_m`, 0, `height_m`), looking along the street and down.

    Picture of `width` x `height` px, focal length in px; `tilt` downward and `turn` to the right
    in radians.
    """

    width: int
    height: int
    height_m: float
    tilt: float
    focal_px: float
    turn: float = 0.0
    across_m: float = 0.0

    @staticmethod
    def of(
        width: int,
        height: int,
        height_m: float,
        tilt_deg: float,
        lens_deg: float,
        *,
        turn_deg: float = 0.0,
        across_m: float = 0.0,
    ) -> "PinholeCamera":
        """A camera by its horizontal field of view; a portrait picture turns the lens upright."""
        focal = max(width, height) / 2 / math.tan(math.radians(lens_deg) / 2)
        tilt, turn = math.radians(tilt_deg), math.radians(turn_deg)
        return PinholeCamera(width, height, height_m, tilt, focal, turn, across_m)

    def project(self, points: NDArray[np.float64]) -> tuple[NDArray[np.float64], ...]:
        """Picture x, y in px and depth in m of points (N, 3) in metres."""
        aside, up = points[:, 0] - self.across_m, points[:, 2] - self.height_m
        across = aside * math.cos(self.turn) - points[:, 1] * math.sin(self.turn)
        along = aside * math.sin(self.turn) + points[:, 1] * math.cos(self.turn)
        depth = along * math.cos(self.tilt) - up * math.sin(self.tilt)
        below = -along * math.sin(self.tilt) - up * math.cos(self.tilt)
        x = self.width / 2 + self.focal_px * across / depth
        y = self.height / 2 + self.focal_px * below / depth
        return x, y, depth

    def rays(self, rows: range, finer: int = 1) -> tuple[NDArray[np.float64], ...]:
        """For pixels of some rows the direction of their rays: X, Y, Z, each (rows, columns).

        `finer` parts each way to a pixel.
        """
        across_px = np.arange(self.width * finer)
        down_px = np.arange(rows.start * finer, rows.stop * finer)
        x = ((across_px + 0.5) / finer - self.width / 2) / self.focal_px
        y = ((down_px + 0.5) / finer - self.height / 2) / self.focal_px
        right, down = np.meshgrid(x, y)
        ahead = math.cos(self.tilt) - down * math.sin(self.tilt)
        up = -math.sin(self.tilt) - down * math.cos(self.tilt)
        across = right * math.cos(self.turn) + ahead * math.sin(self.turn)
        along = ahead * math.cos(self.turn) - right * math.sin(self.turn)
        return across, along, up

    def elevation(self, along_m: NDArray[np.float64], up_m: float) -> NDArray[np.float64]:
        """By how much the camera looks down on something `along_m` away and `up_m` high."""
        return np.asarray(np.arctan2(self.height_m - up_m, np.maximum(along_m, 0.1)), np.float64)

    def farthest_m(self, up_m: float) -> float:
        """How far along the street the picture's upper edge sees at a height; inf for ever."""
        angle = self.tilt - math.atan(self.height / 2 / self.focal_px)
        return (self.height_m - up_m) / math.tan(angle) if angle > 0 else math.inf
