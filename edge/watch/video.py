"""Decoding video with FFmpeg, for the live camera and for recordings alike."""

from collections.abc import Iterator
from typing import NamedTuple

import av
import numpy as np
from av.container import InputContainer
from av.video.stream import VideoStream

from edge.common.clock import boottime_ns
from edge.common.errors import PictureError
from edge.common.units import seconds
from edge.watch.frame import Pixels
from edge.watch.smear import Smear

# A file whose last picture comes before this part of its stated length was cut off.
CUT_OFF_BELOW = 0.95


class Decoded(NamedTuple):
    """A decoded picture, `at_s` seconds after the first one; made RGB only when asked for.

    `waited_s` is how long its data was waited for.
    """

    at_s: float
    picture: av.VideoFrame
    waited_s: float

    def pixels(self) -> Pixels:
        """The picture as RGB of shape (height, width, 3), upright."""
        pixels = self.picture.to_ndarray(format="rgb24").astype(np.uint8, copy=False)
        quarter_turns = round(self.picture.rotation / 90) % 4  # both count anticlockwise
        return np.ascontiguousarray(np.rot90(pixels, quarter_turns)) if quarter_turns else pixels


def decode(container: InputContainer) -> Iterator[Decoded]:
    """All pictures that can be decoded; what is damaged or smeared between them is left out.

    PictureError when there is no picture in it, and, after those that there are, when some were
    smeared; av.FFmpegError when reading fails.
    """
    stream = video_stream(container)
    smear = Smear()
    start_s: float | None = None
    at_s = 0.0
    for picture, waited_s in _pictures(container, stream, smear):
        time_s = at_s if picture.time is None else picture.time
        start_s = time_s if start_s is None else start_s
        at_s = max(at_s, time_s - start_s)
        yield Decoded(at_s, picture, waited_s)
    if start_s is None:
        raise PictureError("holds no picture that can be decoded; record it anew")
    if smear.pictures:
        raise PictureError(
            f"{smear.pictures} of its pictures are smeared, as data was lost before them, and left "
            "out; copy it again, or record it over a better network"
        )
    length_s = stated_length_s(container)
    frame_s = 1 / stream.average_rate if stream.average_rate else 0
    if length_s is not None and at_s + frame_s < CUT_OFF_BELOW * length_s:
        raise PictureError(f"is cut off after {at_s:.1f} s of {length_s:.1f} s; copy it again")


def video_stream(container: InputContainer) -> VideoStream:
    """The pictures' stream; PictureError when there is only sound."""
    if not container.streams.video:
        raise PictureError("holds no pictures, only other streams; give a video")
    return container.streams.video[0]


def stated_length_s(container: InputContainer) -> float | None:
    """How long the file says it is; None for a live stream."""
    stream = video_stream(container)
    if stream.duration is not None and stream.time_base is not None:
        return float(stream.duration * stream.time_base)
    return None if container.duration is None else container.duration / av.time_base


def _pictures(
    container: InputContainer, stream: VideoStream, smear: Smear
) -> Iterator[tuple[av.VideoFrame, float]]:
    waited_s = 0.0
    if stream.codec_context.name == "hevc":  # which else shows what it could not decode
        stream.codec_context.options = {"err_detect": "explode"}
    for packet, wait_s in _awaited(container.demux(stream)):
        waited_s += wait_s
        if packet.is_corrupt:
            smear.damaged(packet)
        try:
            for frame in packet.decode():
                if isinstance(frame, av.VideoFrame) and not smear.is_on(frame):
                    yield frame, waited_s
                    waited_s = 0.0
        except av.InvalidDataError:
            # A stream joined midway begins with some of these, and a cut one ends so.
            smear.damaged(packet)


def _awaited(
    packets: "Iterator[av.Packet[VideoStream]]",
) -> "Iterator[tuple[av.Packet[VideoStream], float]]":
    """Each packet with the time that it took to come (s)."""
    while True:
        began = boottime_ns()
        packet = next(packets, None)
        if packet is None:
            return
        yield packet, seconds(boottime_ns() - began)
