"""Films with the faults of real recorders: their times, pixels, sound and names."""

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.audio.stream import AudioStream
from av.video.stream import VideoStream

from tests.watch.made import noise

TIME_BASE = Fraction(1, 90_000)


def film(
    path: Path,
    times_s: Sequence[float],
    *,
    size: tuple[int, int] = (160, 96),
    aspect: Fraction | None = None,
    sound_s: float = 0.0,
    form: str | None = None,
) -> Path:
    """A film whose pictures have these times, each brighter than the last; perhaps with sound."""
    with av.open(str(path), "w", format=form) as container:
        stream = container.add_stream("libx264", rate=10, options={"g": "10", "bf": "0"})
        assert isinstance(stream, VideoStream)
        stream.width, stream.height = size
        stream.pix_fmt, stream.time_base = "yuv420p", TIME_BASE
        stream.codec_context.time_base = TIME_BASE
        if aspect is not None:
            stream.codec_context.sample_aspect_ratio = aspect
        sound = container.add_stream("aac", rate=8000, layout="mono") if sound_s else None
        for index, time_s in enumerate(times_s):
            pixels = (noise(size[1], size[0], seed=index) // 2 + 2 * index).astype(np.uint8)
            picture = av.VideoFrame.from_ndarray(pixels, format="rgb24")
            picture.pts, picture.time_base = round(time_s / TIME_BASE), TIME_BASE
            container.mux(stream.encode(picture))
        container.mux(stream.encode())
        if isinstance(sound, AudioStream):
            _silence(container, sound, sound_s)
    return path


def _silence(container: av.container.OutputContainer, sound: AudioStream, length_s: float) -> None:
    for start in range(0, round(8000 * length_s), 1024):
        samples = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.int16), "s16", "mono")
        samples.sample_rate, samples.pts = 8000, start
        container.mux(sound.encode(samples))
    container.mux(sound.encode())


def joined(path: Path, parts: Sequence[Path]) -> Path:
    """Files one after the other, as a recorder that was restarted leaves them."""
    path.write_bytes(b"".join(part.read_bytes() for part in parts))
    return path
