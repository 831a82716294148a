"""Pictures as a network camera sends them: each encoded anew, and decoded again."""

import io
from collections.abc import Iterator, Mapping, Sequence

import av
from av.video.stream import VideoStream

from edge.watch.frame import Pixels
from edge.watch.video import decode

RATE = 15
# As cameras are set: a picture by itself every two seconds, bits rationed or not, at little delay.
_RATIONED = {"preset": "veryfast", "g": "30", "maxrate": "300k", "bufsize": "300k", "b": "300k"}
CODECS: dict[str, tuple[str, Mapping[str, str]]] = {
    "x264, 300 kbit/s": ("libx264", _RATIONED),
    "x264, 1 Mbit/s, constant": (
        "libx264",
        {
            "preset": "veryfast", "tune": "zerolatency", "g": "30", "nal-hrd": "cbr",
            "b": "1000k", "maxrate": "1000k", "bufsize": "500k",
        },
    ),
    "x264, 500 kbit/s, intra refresh": (
        "libx264",
        {
            "preset": "veryfast", "tune": "zerolatency", "g": "30", "intra-refresh": "1",
            "b": "500k", "maxrate": "500k", "bufsize": "250k",
        },
    ),
    "x264, constant quality": ("libx264", {"preset": "veryfast", "g": "30", "crf": "28"}),
    "MPEG-4, 1 Mbit/s": ("mpeg4", {"g": "30", "b": "1000k"}),
    "x265, 300 kbit/s": (
        "libx265",
        {
            "preset": "superfast", "b": "300k",
            "x265-params": "log-level=none:keyint=30:vbv-maxrate=300:vbv-bufsize=300:pools=none",
        },
    ),
    "MJPEG, quality 8": ("mjpeg", {"qmin": "8", "qmax": "8"}),
}  # fmt: skip


def encoded(pictures: Sequence[Pixels], codec: str = "x264, 300 kbit/s") -> Iterator[Pixels]:
    """The same number of pictures, of even width and height, as they arrive."""
    name, options = CODECS[codec]
    sent = io.BytesIO()
    with av.open(sent, "w", format="matroska") as container:
        stream = container.add_stream(name, rate=RATE, options=dict(options))
        assert isinstance(stream, VideoStream)
        stream.pix_fmt = "yuvj420p" if name == "mjpeg" else "yuv420p"
        stream.height, stream.width = pictures[0].shape[:2]
        for pixels in pictures:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")))
        container.mux(stream.encode())
    sent.seek(0)
    with av.open(sent, "r") as received:
        for each in decode(received):
            yield each.pixels()
