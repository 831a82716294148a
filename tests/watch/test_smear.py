"""Streams that lost data on their way, and what a decoder makes up for it."""

import re
from collections.abc import Callable
from fractions import Fraction
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


HEVC = f"log-level=none:keyint={EVERY}:min-keyint={EVERY}:scenecut=0:bframes=0:frame-threads=1"
CODED = {
    "H.264, one slice": ("libx264", {"slices": "1"}),
    "H.264, four slices": ("libx264", {"slices": "4"}),
    "H.264, refreshed by stripes": ("libx264", {"slices": "1", "intra-refresh": "1"}),
    "HEVC, one slice": ("libx265", {"x265-params": f"{HEVC}:pools=none"}),
    "HEVC, wavefront": ("libx265", {"x265-params": f"{HEVC}:pools=2:wpp=1"}),
    "HEVC, four slices": ("libx265", {"x265-params": f"{HEVC}:pools=2:wpp=1:slices=4"}),
}
Damage = Callable[[list[bytes]], list[bytes]]  # to the slices of one picture


def coded(name: str) -> list[list[bytes]]:
    """The NAL units of each of 50 pictures, as a camera sends them."""
    codec, how = CODED[name]
    options = {
        "g": str(EVERY),
        "bf": "0",
        "preset": "ultrafast",
        "threads": "1",
        "sc_threshold": "0",
    }
    context = av.CodecContext.create(codec, "w")
    assert isinstance(context, av.VideoCodecContext)
    context.options = (options if codec == "libx264" else {"preset": "ultrafast"}) | how
    context.pix_fmt, context.width, context.height = "yuv420p", 640, 352
    context.framerate = Fraction(RATE)
    sent = []
    for pixels in quiet(1 / RATE, 5.0, Quiet(night=False)):
        sent += context.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24"))
    sent += context.encode(None)
    return [[unit for unit in re.split(rb"\x00?\x00\x00\x01", bytes(p)) if unit] for p in sent]


def stored(path: Path, pictures: list[list[bytes]]) -> Path:
    """As a raw stream."""
    path.write_bytes(b"".join(b"\0\0\0\1" + unit for units in pictures for unit in units))
    return path


def whole_picture(_slices: list[bytes]) -> list[bytes]:
    return []


def last_slice(slices: list[bytes]) -> list[bytes]:
    return slices[:-1]


def end_of_a_slice(slices: list[bytes]) -> list[bytes]:
    return [*slices[:-1], slices[-1][: len(slices[-1]) // 2]]


def middle_of_a_slice(slices: list[bytes]) -> list[bytes]:
    length = len(slices[-1])
    return [*slices[:-1], slices[-1][: length // 3] + slices[-1][2 * length // 3 :]]


LOST = [
    *[("H.264, one slice", how) for how in (whole_picture, end_of_a_slice, middle_of_a_slice)],
    *[("H.264, four slices", how) for how in (whole_picture, last_slice, middle_of_a_slice)],
    *[("H.264, refreshed by stripes", how) for how in (whole_picture, end_of_a_slice)],
    ("HEVC, one slice", whole_picture),
    *[("HEVC, wavefront", how) for how in (whole_picture, end_of_a_slice, middle_of_a_slice)],
    *[("HEVC, four slices", how) for how in (whole_picture, last_slice)],
]


@pytest.mark.parametrize(("name", "how"), LOST)
def test_what_is_lost_of_a_picture_smears_those_after_it(
    name: str, how: Damage, tmp_path: Path
) -> None:
    """A whole picture, slices of it, and parts of slices: none built on it is given."""
    pictures, at = coded(name), EVERY + 5
    suffix = "hevc" if name.startswith("HEVC") else "h264"
    _, whole, said = read(stored(tmp_path / f"whole.{suffix}", pictures))
    assert len(whole) == len(pictures)
    assert not said
    kept = how(pictures[at][-4:] if "four" in name else pictures[at][-1:])
    broken = [*pictures[:at], *([kept] if kept else []), *pictures[at + 1 :]]
    _, given, said = read(stored(tmp_path / f"broken.{suffix}", broken))
    assert "left out" in said
    assert len(given) < len(whole)
    left = iter(whole)
    assert all(any(np.array_equal(pixels, each) for each in left) for pixels in given)


@pytest.mark.parametrize("name", CODED)
def test_recordings_joined_one_after_the_other_are_whole(name: str, tmp_path: Path) -> None:
    """Though the counters of their transport streams do not follow one another."""
    pictures = coded(name)
    suffix = "hevc" if name.startswith("HEVC") else "h264"
    one = stored(tmp_path / f"one.{suffix}", pictures)
    part = tmp_path / "part.ts"
    with av.open(one) as source, av.open(part, "w") as target:
        stream = target.add_stream_from_template(source.streams.video[0])
        for number, packet in enumerate(source.demux(video=0)):
            if packet.size:
                packet.pts, packet.dts = 9000 * number, 9000 * number
                packet.time_base, packet.stream = Fraction(1, 90_000), stream
                target.mux(packet)
    joined_up = tmp_path / "joined.ts"
    joined_up.write_bytes(2 * part.read_bytes())
    _, given, said = read(joined_up)
    assert len(given) == 2 * len(pictures)
    assert not said
