"""Cameras of the simulated street with their ground planes, exact."""

from pathlib import Path

import numpy as np
import tomlkit

from edge.site.schema import Ground, Zone
from edge.street.pinhole import PinholeCamera

# A wide lens: the demonstration's stretch fills a fifth of its picture.
WIDE = PinholeCamera.of(1280, 704, 8.5, 28.0, 95.0)


def ground_of(camera: PinholeCamera) -> Ground:
    """The ground plane, from marks spread over the lower part of the camera's picture."""
    x, y = (part.ravel() for part in np.meshgrid((0.25, 0.5, 0.75), (0.5, 0.9)))
    rays = np.column_stack(
        [
            (x - 0.5) * camera.width / camera.focal_px,
            (y - 0.5) * camera.height / camera.focal_px,
            np.ones(6),
        ]
    )
    cos, sin = np.cos(camera.tilt), np.sin(camera.tilt)
    along = rays[:, 2] * cos - rays[:, 1] * sin
    down = rays[:, 2] * sin + rays[:, 1] * cos
    reach = camera.height_m / down
    across, along = rays[:, 0] * reach, along * reach
    aside = across * np.cos(camera.turn) + along * np.sin(camera.turn) + camera.across_m
    ahead = along * np.cos(camera.turn) - across * np.sin(camera.turn)
    marks = zip(x * camera.width, y * camera.height, aside, ahead, strict=True)
    return Ground(
        picture_width=camera.width,
        picture_height=camera.height,
        points=[(float(a), float(b), float(c), float(d)) for a, b, c, d in marks],
        camera_height_m=camera.height_m,
    )


def site_file(path: Path, camera: PinholeCamera, zone: Zone, extra: str = "") -> Path:
    """Write a site file of this camera's ground with one zone on it."""
    document = {
        "ground": ground_of(camera).model_dump(exclude_none=True),
        "zone": [zone.model_dump(include={"name", "ground"})],
    }
    path.write_text(extra + tomlkit.dumps(document), encoding="utf-8")
    return path
