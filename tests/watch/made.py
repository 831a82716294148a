"""Real pictures and videos, made where a test needs them."""

from pathlib import Path

import av
import numpy as np
from av.video.stream import VideoStream
from PIL import Image

from edge.watch.frame import Pixels


def noise(height: int = 96, width: int = 160, seed: int = 0) -> Pixels:
    """A picture with detail everywhere."""
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


def save_picture(path: Path, pixels: Pixels) -> Path:
    """`pixels` as a file of the kind that its suffix says."""
    Image.fromarray(pixels).save(path)
    return path


def save_video(
    path: Path, frames: int = 20, rate: int = 10, codec: str = "libx264", **options: str
) -> Path:
    """A video of 160x96 px; each frame is brighter than the one before by 2."""
    with av.open(path, "w", options=options) as container:
        stream = container.add_stream(codec, rate=rate)
        assert isinstance(stream, VideoStream)
        stream.width, stream.height, stream.pix_fmt = 160, 96, "yuv420p"
        for index in range(frames):
            pixels = (noise(seed=index) // 2 + 2 * index).astype(np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")))
        container.mux(stream.encode())
    return path


def cut(source: Path, target: Path, part: float) -> Path:
    """The first `part` of a file."""
    data = source.read_bytes()
    target.write_bytes(data[: int(len(data) * part)])
    return target
