"""Pictures of more than eight bits: brought to eight by what is in them.

Cameras and converters put 10 or 12 bits into 16 and seldom say so; taking the upper byte, as
picture libraries do, makes such a picture black.
"""

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.common.errors import PictureError
from edge.watch.frame import Pixels

DEPTHS = (8, 10, 12, 14, 16)
# A float picture from 0 to 1 may overshoot a little by sharpening or resampling.
OVERSHOOT = 1.5
SLACK = 0.05  # of its largest value, beyond both ends: some ways of compression are not exact
# Below, 8 bits cannot be recognised in values that are no fractions: the picture would be black.
LEAST_OF_8_BITS = 64.0
GREY = 128.0
COLOURS, WITH_ALPHA = 3, 4


def eight_bits(values: NDArray[np.generic]) -> NDArray[np.uint8]:
    """Values of any number type in 0..255: integers by the least of the usual depths that holds
    them, fractions from 0 to 1 by 255.

    ValueError, as what is wrong with the picture, where no scale is sure.
    """
    if values.dtype == np.uint8:
        return values.astype(np.uint8, copy=False)
    if values.size == 0 or not np.isfinite(values).all():
        raise ValueError("holds values that are no numbers; save it with 8 bits")
    least, most = float(values.min()), float(values.max())
    whole = np.issubdtype(values.dtype, np.integer)
    slack = 0.0 if whole else SLACK
    if least < -slack * most:
        raise ValueError(f"holds values from {least:g} to {most:g}; save it with 8 bits")
    if not whole and most <= OVERSHOOT:
        return _clipped(values.astype(np.float32) * 255.0)
    if not whole and most < LEAST_OF_8_BITS:
        raise ValueError(
            f"holds values up to {most:g}, neither 0 to 1 nor 0 to 255; save it with 8 bits"
        )
    for depth in DEPTHS:
        if most < 2**depth * (1 + slack):
            return _clipped(values.astype(np.float32) / 2 ** (depth - 8))
    raise ValueError(f"holds values up to {most:g}, more than 16 bits; save it with 8 bits")


def _clipped(values: NDArray[np.generic]) -> NDArray[np.uint8]:
    return np.clip(values, 0, 255).astype(np.uint8)


def colours(values: NDArray[np.generic]) -> Pixels:
    """Any array of (height, width) or (height, width, 1 to 4), RGB and alpha, as RGB on grey."""
    pixels = values if values.ndim == COLOURS else values[..., np.newaxis]
    channels = pixels.shape[2]
    light = eight_bits(pixels if channels in (1, COLOURS) else pixels[..., : channels - 1])
    if light.shape[2] == 1:
        light = np.repeat(light, COLOURS, axis=2)
    if channels in (1, COLOURS):
        return np.ascontiguousarray(light)
    alpha = eight_bits(pixels[..., channels - 1 :]) / np.float32(255)
    return _clipped(light * alpha + GREY * (1 - alpha))


def read_deep(path: Path, page: int) -> Pixels:
    """One page of a picture that Pillow reads with eight bits, or not at all, by OpenCV.

    PictureError when OpenCV cannot read it either; ValueError as of `eight_bits`.
    """
    try:
        found, pages = cv2.imreadmulti(str(path), page, 1, flags=cv2.IMREAD_UNCHANGED)
    except cv2.error:
        found, pages = False, ()
    if not found or not pages:
        raise PictureError(
            f"picture {path}: is of a kind that cannot be read; save it as PNG or JPEG with 8 bits"
        )
    values = np.asarray(pages[0])
    if values.ndim == COLOURS and values.shape[2] >= COLOURS:  # OpenCV has blue first
        order = [2, 1, 0, 3][: values.shape[2]]
        values = values[..., order]
    return colours(values)
