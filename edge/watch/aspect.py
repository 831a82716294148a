"""Pixels that are not square: made square, and suspected by a frame's shape.

Recorders keep a 16:9 street in 960x1080 or 720x576 px. Heads then come out too slim, and a third
of them is missed: all pictures are brought to square pixels before anything looks at them.
"""

import numpy as np
from PIL import Image

from edge.site.schema import Camera
from edge.watch.frame import Pixels

# Outside, a stated aspect ratio is a mistake; within a hundredth of 1 pixels are taken as square.
NARROWEST, WIDEST = 0.25, 4.0
SQUARE_WITHIN = 0.01
# Shapes in which recorders and analogue standards keep pictures, by ITU-R BT.601 and its halves,
# with the shapes of the street (width over height) that they usually show.
_BOTH, _WIDE = ((16, 9), (4, 3)), ((16, 9),)
SUSPECT_SHAPES = {
    **dict.fromkeys(
        [
            (width, height)
            for width in (352, 360, 480, 528, 544, 704, 720)
            for height in (240, 288, 480, 576)
        ],
        _BOTH,
    ),
    (960, 480): _BOTH,
    (960, 576): _BOTH,
    (640, 720): _WIDE,
    (960, 1080): _WIDE,
    (1280, 1080): _WIDE,
    (1440, 1080): _WIDE,
}


def usable_aspect(stated: float | None) -> float:
    """Width over height of a pixel as stated by a file; 1.0 where that says nothing."""
    if stated is None or not NARROWEST <= stated <= WIDEST or abs(stated - 1) < SQUARE_WITHIN:
        return 1.0
    return stated


def square_size(width: int, height: int, aspect: float) -> tuple[int, int]:
    """Width and height with square pixels; the shorter way is stretched, so nothing is lost."""
    if aspect >= 1:
        return max(1, round(width * aspect)), height
    return width, max(1, round(height / aspect))


def squared(pixels: Pixels, aspect: float) -> Pixels:
    """A picture (height, width, 3) whose pixels are `aspect` times as wide as high, in square
    ones.
    """
    height, width, _ = pixels.shape
    size = square_size(width, height, aspect)
    if size == (width, height):
        return pixels
    return np.asarray(Image.fromarray(pixels).resize(size, Image.Resampling.BILINEAR))


def suspicion(width: int, height: int) -> str | None:
    """Return what to say of a frame whose shape seldom has square pixels; None for other shapes."""
    shapes = SUSPECT_SHAPES.get((width, height))
    if shapes is None:
        return None
    options = " or ".join(
        f"{wide / high * height / width:.3g} (a {wide}:{high} street)" for wide, high in shapes
    )
    return (
        f"pixels are seldom square in pictures of {width}x{height} px, and nothing says their "
        f"aspect ratio: if people look too slim or too wide, give {options}"
    )


def doubt_of(camera: Camera, width: int, height: int) -> str | None:
    """The suspicion against a camera's frames; None where the site file says their pixels."""
    if not hasattr(camera, "pixel_aspect") or camera.pixel_aspect is not None:
        return None
    doubt = suspicion(width, height)
    return None if doubt is None else f"{doubt} as camera.pixel_aspect"
