"""Streams that lost data on their way, and what a decoder makes up for it."""

from pathlib import Path

import av
import numpy as np
import pytest
from av.video.stream import VideoStream
from numpy.typing import NDArray

from edge.common.errors import PictureError
from edge.watch.video import decode
from tests.watch.quiet import Quiet, quiet

RATE, EVERY = 10, 20  # a picture that stands by itself, in pictures
PACKET = 188  # bytes, of MPEG-TS


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Six seconds of a street, in MPEG-TS."""
    path = tmp_path_factory.mktemp("smear") / "film.ts"
    options = {"g": str(EVERY), "bf": "0", "preset": "ultrafast", "sc_threshold": "0"}
    with av.open(path, "w") as container:
        stream = container.add_stream("libx264", rate=RATE, options=options)
        assert isinstance(stream, VideoStream)
        stream.pix_fmt, stream.width, stream.height = "yuv420p", 640, 352
        for pixels in quiet(1 / RATE, 6.0, Quiet(night=False)):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")))
        container.mux(stream.encode())
    return path


def with_loss(film: Path, at: float, packets: int = 7) -> Path:
    """As it arrives when so many packets of the network were lost in one place."""
    data = film.read_bytes()
    first = int(at * len(data) / PACKET) * PACKET
    lossy = film.with_name("lossy.ts")
    lossy.write_bytes(data[:first] + data[first + packets * PACKET :])
    return lossy


def read(path: Path) -> tuple[list[float], list[NDArray[np.uint8]], str]:
    """Times (s) and pictures, and what is said in the end."""
    times, pictures = [], []
    with av.open(path) as container:
        try:
            for each in decode(container):
                times.append(round(each.at_s, 2))
                pictures.append(each.pixels())
        except PictureError as error:
            return times, pictures, str(error)
    return times, pictures, ""


def test_a_whole_film_is_given_whole(film: Path) -> None:
    times, _, said = read(film)
    assert len(times) == 6 * RATE
    assert not said


@pytest.mark.parametrize("at", [0.3, 0.55, 0.8])
def test_no_smeared_picture_is_given(film: Path, at: float) -> None:
    """From the loss on until the next picture that stands by itself."""
    whole = dict(zip(*read(film)[:2], strict=True))
    times, pictures, said = read(with_loss(film, at))
    assert len(whole) - EVERY <= len(times) < len(whole)
    assert "are smeared" in said
    for time_s, pixels in zip(times, pictures, strict=True):
        assert np.array_equal(pixels, whole[time_s])
