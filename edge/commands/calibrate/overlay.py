"""The picture of a calibration: grid, zones and figures over the street, marks, a ruler of px."""

import itertools
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from edge.site.ground.plane import GroundPlane
from edge.site.ground.region import HEAD_M
from edge.site.schema import Ground, Zone
from edge.watch.frame import Pixels

Floats = NDArray[np.float64]
Font = ImageFont.FreeTypeFont | ImageFont.ImageFont

FIGURE_M = 1.7
GRID, FIGURE, ZONE, MARK = (80, 220, 255), (255, 255, 255), (255, 200, 40), (255, 60, 60)
LIMIT = (120, 255, 120)


def draw_overlay(
    pixels: Pixels, plane: GroundPlane, zones: Sequence[Zone], farthest: float
) -> Image.Image:
    """Return the picture with the metre grid, the zones at people's feet, and standing figures.

    An arc on the ground shows the `farthest` metres at which heads can be counted.
    """
    image = Image.fromarray(pixels)
    draw = ImageDraw.Draw(image, "RGBA")
    low, high = _visible(plane, zones)
    for axis in (0, 1):
        for metre in range(int(low[axis]), int(high[axis]) + 1):
            ends = np.linspace(low, high, 60)
            ends[:, axis] = metre
            _line(draw, plane.picture(ends), (*GRID, 210 if metre % 5 == 0 else 90))
    for zone in zones:
        corners = np.array([*(zone.ground or ()), *(zone.ground or ())[:1]])
        if len(corners):
            _line(draw, plane.picture(_dense(corners)), (*ZONE, 255), width=3)
    font = ImageFont.load_default(size=max(11, plane.height // 32))
    _arc(draw, plane, farthest, font)
    for place in _places(zones):
        _figure(draw, plane, place, font)
    return image


def _arc(draw: ImageDraw.ImageDraw, plane: GroundPlane, radius: float, font: Font) -> None:
    """So far from the camera's foot, over all the ground that is seen."""
    around = np.linspace(0, 2 * np.pi, 721)
    circle = plane.foot + radius * np.column_stack([np.cos(around), np.sin(around)])
    seen = plane.picture(circle)
    seen = seen[plane.shows(seen)]
    seen = seen[np.argsort(seen[:, 0])]
    _line(draw, seen, (*LIMIT, 255), width=2)
    if len(seen):
        x, y = seen[0]
        text = f"heads counted up to {radius:.0f} m"
        draw.text((x + 4, y + 3), text, fill=LIMIT, font=font, stroke_width=2, stroke_fill="black")


def _visible(plane: GroundPlane, zones: Sequence[Zone]) -> tuple[Floats, Floats]:
    """Whole metres around the zones, with two metres to spare."""
    corners = np.array([corner for zone in zones for corner in zone.ground or ()] or [(0.0, 0.0)])
    return np.floor(corners.min(axis=0)) - 2, np.ceil(corners.max(axis=0)) + 2


def _dense(corners: Floats) -> Floats:
    parts = np.linspace(0, 1, 20)[:, None]
    return np.concatenate([a + (b - a) * parts for a, b in itertools.pairwise(corners)])


def _line(
    draw: ImageDraw.ImageDraw, picture: Floats, colour: tuple[int, ...], width: int = 1
) -> None:
    seen = [(float(x), float(y)) for x, y in picture[np.isfinite(picture).all(axis=1)]]
    if len(seen) > 1:
        draw.line(seen, fill=colour, width=width)


def _places(zones: Sequence[Zone]) -> list[Floats]:
    """Nine places over the zones, three by three."""
    corners = np.array([corner for zone in zones for corner in zone.ground or ()] or [(0.0, 0.0)])
    low, high = corners.min(axis=0), corners.max(axis=0)
    parts = (0.1, 0.5, 0.9)
    return [low + (high - low) * (across, along) for along in parts[::-1] for across in parts]


def _figure(draw: ImageDraw.ImageDraw, plane: GroundPlane, place: Floats, font: Font) -> None:
    """A person of 1.7 m: feet, body and head, and where they stand."""
    heights = np.array([0.0, FIGURE_M - HEAD_M, FIGURE_M - HEAD_M / 2, FIGURE_M])
    feet, neck, head, _ = (plane.picture(place, float(up)) for up in heights)
    if not (plane.shows(feet) and plane.shows(head)):
        return
    radius = max(1.5, float(plane.px_per_m(place)) * HEAD_M / 2)
    draw.line([*feet.tolist(), *neck.tolist()], fill=FIGURE, width=max(2, round(radius / 2)))
    draw.ellipse([*(head - radius).tolist(), *(head + radius).tolist()], outline=FIGURE, width=2)
    text = "{:.1f}, {:.1f}".format(*(place.round(1) + 0.0))  # + 0.0 makes -0 plain
    draw.text(
        (feet[0] + 4, feet[1] - 4),
        text,
        fill=FIGURE,
        font=font,
        stroke_width=2,
        stroke_fill="black",
    )


def draw_marks(image: Image.Image, ground: Ground) -> None:
    """The marked points with their numbers."""
    draw = ImageDraw.Draw(image)
    font = ImageFont.load_default(size=max(12, image.height // 26))
    ratio = image.width / ground.picture_width
    for number_, (x_px, y_px, _, _) in enumerate(ground.points, 1):
        x, y = x_px * ratio, y_px * ratio
        draw.line([x - 6, y, x + 6, y], fill=MARK, width=2)
        draw.line([x, y - 6, x, y + 6], fill=MARK, width=2)
        draw.text(
            (x + 5, y + 2), str(number_), fill=MARK, font=font, stroke_width=2, stroke_fill="white"
        )


def draw_ruler(pixels: Pixels, scale: float = 1.0) -> Image.Image:
    """Return the picture with lines to read px of points from, every 50 px or a multiple.

    `scale` is px of the camera's picture for one of `pixels`, where it was made smaller.
    """
    image = Image.fromarray(pixels)
    draw = ImageDraw.Draw(image, "RGBA")
    step = 50 * max(1, round(image.width * scale / 1000))
    for x_px in range(0, round(image.width * scale), step):
        x = x_px / scale
        draw.line([x, 0, x, image.height], fill=(255, 255, 255, 110))
        draw.text((x + 2, 1), str(x_px), fill="white", stroke_width=2, stroke_fill="black")
    for y_px in range(0, round(image.height * scale), step):
        y = y_px / scale
        draw.line([0, y, image.width, y], fill=(255, 255, 255, 110))
        draw.text((1, y + 1), str(y_px), fill="white", stroke_width=2, stroke_fill="black")
    return image
