"""Decoding video with FFmpeg, for the live camera and for recordings alike."""

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

import av
import numpy as np
from av.codec.context import Flags
from av.container import InputContainer
from av.video.codeccontext import VideoCodecContext
from av.video.stream import VideoStream

from edge.common.clock import boottime_ns
from edge.common.errors import PictureError
from edge.common.units import seconds
from edge.watch.aspect import square_size, suspicion, usable_aspect
from edge.watch.depth import colours
from edge.watch.frame import Pixels
from edge.watch.frame_gap import FrameGap
from edge.watch.jpeg import STRICT
from edge.watch.slice_gap import SliceGap
from edge.watch.smear import Smear
from edge.watch.timeline import USUAL_RATE, Notes, Timeline, placed

# A file that ends before this part of its stated length was cut off.
CUT_OFF_BELOW = 0.95
# More pictures than this share without a time of their own are reported.
UNTIMED_TOLD_ABOVE = 0.5
BREAKS_TOLD = 5
FLAG_AHEAD = 2  # packets by which the flag of lost data may come too early
FASTEST_RATE = 300.0  # a second; some encoders state the ticks of their clock
# Of FFmpeg's avformat.h: a cover that is no film; formats without times, and whose clock may break.
ATTACHED_PICTURE, NO_TIMES, TIMES_BREAK = 0x0400, 0x0080, 0x0200

OnNote = Callable[[str], None]


def no_note(_text: str) -> None:
    """For who reads a live camera, or asks for nothing but pictures."""


@dataclass(frozen=True)
class Reading:
    """What a user knows of a source and the source does not say.

    `pixel_aspect` is width over height of a pixel, `rate` pictures a second where there are no
    times. None: as the file or stream says.
    """

    pixel_aspect: float | None = None
    rate: float | None = None


AS_STATED = Reading()


Packet: TypeAlias = "av.Packet[av.stream.Stream]"
Came = Callable[[Packet], None]


class Decoded(NamedTuple):
    """A decoded picture, `at_s` seconds after the first one; made RGB only when asked for.

    `waited_s` is how long its data was waited for, `aspect` width over height of its pixels.
    """

    at_s: float
    picture: av.VideoFrame
    waited_s: float
    aspect: float = 1.0

    @property
    def size(self) -> tuple[int, int]:
        """Width and height upright, in square pixels."""
        width, height = square_size(self.picture.width, self.picture.height, self.aspect)
        return (height, width) if self._quarter_turns % 2 else (width, height)

    @property
    def _quarter_turns(self) -> int:
        return round(self.picture.rotation / 90) % 4  # both count anticlockwise

    def pixels(self) -> Pixels:
        """Return the picture as RGB of shape (height, width, 3), upright, in square pixels."""
        width, height = square_size(self.picture.width, self.picture.height, self.aspect)
        deep = any(component.bits == 16 for component in self.picture.format.components)
        picture = self.picture.reformat(width, height, "rgb48le" if deep else "rgb24")
        pixels = colours(picture.to_ndarray())
        turns = self._quarter_turns
        return np.ascontiguousarray(np.rot90(pixels, turns)) if turns else pixels


def open_file(path: Path) -> InputContainer:
    """A file as FFmpeg opens it: its name is a path, never an address nor a pattern."""
    return av.open(f"file:{path}", options={"pattern_type": "none"})


def video_stream(container: InputContainer) -> VideoStream:
    """Return the pictures' stream, the best of several; PictureError when there is only sound."""
    films = [each for each in container.streams.video if not each.disposition & ATTACHED_PICTURE]
    if not films:
        raise PictureError("holds no pictures, only other streams; give a video")
    # What PyAV has no decoder for has no context, whatever its types say.
    known = [each for each in films if getattr(each, "codec_context", None) is not None]
    if not known:
        raise PictureError("is coded in a way that is not known here; give MP4 with H.264, or JPEG")
    best = container.streams.best("video")
    return best if isinstance(best, VideoStream) and best in known else known[0]


def stated_length_s(container: InputContainer) -> float | None:
    """Return how long the file says its pictures go on; None for a live stream."""
    stream = video_stream(container)
    if stream.duration is not None and stream.time_base is not None:
        return float(stream.duration * stream.time_base)
    return None if container.duration is None else container.duration / av.time_base


def decode(
    container: InputContainer,
    *,
    live: bool = False,
    how: Reading = AS_STATED,
    on_note: OnNote = no_note,
    came: Came | None = None,
) -> Iterator[Decoded]:
    """All pictures that can be decoded, in square pixels, each later than the one before.

    A `live` stream's pictures are given at once, a recording's when the next one is known. What
    had to be assumed goes to `on_note`; `came` is called with each picture's data as it comes,
    which may be long before it is decoded. PictureError when there is no picture in it, and, after
    those that there are, when some are damaged, smeared or missing; av.FFmpegError when reading
    fails.
    """
    stream = video_stream(container)
    rate = how.rate or stated_rate(stream) or USUAL_RATE
    may_break = live or _may_break(container)
    timeline = Timeline(1 / rate, may_break=may_break)
    demuxed = _Demuxed()
    # What FFmpeg gives as times of a raw stream it has made up from the rate.
    raw = _has_no_times(container) and not live
    pictures = _timed(_pictures(container, stream, live, demuxed, came), raw)
    timed = placed(pictures, timeline, at_once=live)
    aspect: float | None = None
    for at_s, (picture, waited_s) in timed:
        if aspect is None:
            aspect = _aspect(picture, stream, how, on_note)
        yield Decoded(at_s, picture, waited_s, aspect)
    if aspect is None:
        raise PictureError("holds no picture that can be decoded; record it anew")
    if not live:
        _report_assumptions(timeline.notes, rate, on_note)
        _refuse_incomplete(container, demuxed, timeline.notes)


def _may_break(container: InputContainer) -> bool:
    """Return whether the format's clock may start again, as that of MPEG-TS."""
    return bool(container.format.flags & TIMES_BREAK)


def _has_no_times(container: InputContainer) -> bool:
    """Return whether it is but one coded picture after the other."""
    single = container.format.name.endswith("_pipe")
    return single or bool(container.format.flags & NO_TIMES)


def stated_rate(stream: VideoStream) -> float | None:
    """Pictures a second by the encoder's own word, else by the file's."""
    for rate in (stream.codec_context.framerate, stream.average_rate):
        if rate and rate <= FASTEST_RATE:
            return float(rate)
    return None


def _timed(
    pictures: Iterator[tuple[av.VideoFrame, float]], raw: bool
) -> Iterator[tuple[float | None, tuple[av.VideoFrame, float]]]:
    for picture, waited_s in pictures:
        yield None if raw else picture.time, (picture, waited_s)


def _aspect(picture: av.VideoFrame, stream: VideoStream, how: Reading, on_note: OnNote) -> float:
    """Width over height of the pixels: as the user says, as the stream says, or square."""
    stated = stream.sample_aspect_ratio or stream.codec_context.sample_aspect_ratio
    if how.pixel_aspect is not None:
        return how.pixel_aspect
    if not stated and (doubt := suspicion(picture.width, picture.height)) is not None:
        on_note(f"{doubt} as --pixel-aspect")
    return usable_aspect(float(stated) if stated else None)


def _report_assumptions(notes: Notes, rate: float, on_note: OnNote) -> None:
    if notes.untimed > UNTIMED_TOLD_ABOVE * notes.pictures:
        on_note(f"says no times of its pictures: {rate:g} a second are assumed (--rate)")
    if notes.breaks_s:
        places = ", ".join(f"{at_s:.1f}" for at_s in notes.breaks_s[:BREAKS_TOLD])
        more = f" and {len(notes.breaks_s) - BREAKS_TOLD} more" * (
            len(notes.breaks_s) > BREAKS_TOLD
        )
        on_note(f"its time starts again or jumps after {places} s{more}: the parts are joined")
    if notes.strays:
        on_note(f"{notes.strays} of its pictures have a time that fits no other's and is not used")


@dataclass
class _Demuxed:
    """What the packets showed: when the last ends by its times, how many could not be decoded."""

    end_s: float | None = None
    first_s: float | None = None
    damaged: int = 0
    smear: Smear = field(default_factory=Smear)

    def see(self, packet: Packet) -> None:
        if packet.pts is None or packet.time_base is None:
            return
        began_s = float(packet.pts * packet.time_base)
        ends_s = began_s + float((packet.duration or 0) * packet.time_base)
        self.first_s = began_s if self.first_s is None else min(self.first_s, began_s)
        self.end_s = ends_s if self.end_s is None else max(self.end_s, ends_s)


def _refuse_incomplete(container: InputContainer, demuxed: _Demuxed, notes: Notes) -> None:
    """PictureError when the file ends before it says, or some of it could not be decoded."""
    lost = []
    if demuxed.smear.pictures:
        lost.append(
            f"{demuxed.smear.pictures} of its pictures are smeared, as data was lost before them, "
            "and left out"
        )
    if demuxed.damaged:
        lost.append(f"{demuxed.damaged} of its pictures are damaged and left out")
    # What such formats "state" FFmpeg has estimated, from the file's size or its last time.
    estimated = _may_break(container) or _has_no_times(container)
    length_s = None if estimated or notes.breaks_s else stated_length_s(container)
    if length_s is not None and demuxed.end_s is not None and demuxed.first_s is not None:
        # Times may begin anywhere: whichever way of counting comes farther.
        reached_s = max(demuxed.end_s, demuxed.end_s - demuxed.first_s)
        if reached_s < CUT_OFF_BELOW * length_s:
            raise PictureError(
                f"is cut off after {reached_s:.1f} s of {length_s:.1f} s; copy it again"
            )
    if lost:
        raise PictureError(f"{'; '.join(lost)}; copy it again, or record it over a better network")


def _pictures(
    container: InputContainer,
    stream: VideoStream,
    live: bool,
    demuxed: _Demuxed,
    came: Came | None,
) -> Iterator[tuple[av.VideoFrame, float]]:
    """Each picture with how long it was waited for (s)."""
    decoder = stream.codec_context
    _ask_for_faults(decoder)
    gap = FrameGap(decoder.extradata) if decoder.name == "h264" else None
    slices = SliceGap(decoder.extradata) if decoder.name == "hevc" else None
    smear, waited_s = demuxed.smear, 0.0
    packets = _of_stream(container, stream, live, demuxed)
    for number, (packet, wait_s, beside_key) in enumerate(_beside_key(packets, live)):
        waited_s += wait_s
        packet.opaque = number
        if gap is not None and gap.is_before(bytes(packet)):
            smear.damaged(number - 1)
        if slices is not None and packet.size and slices.is_in(bytes(packet)):
            smear.damaged(number)
        # A flag says that the numbers of a transport stream's packets do not follow one another
        # in this picture or one of the next two (of which FFmpeg's parser has read some by then).
        # Where recordings are joined they do not either, and nothing is lost. There a key frame
        # begins: what the decoder finds decides.
        if packet.is_corrupt and not beside_key:
            smear.damaged(number)
        if came is not None:
            came(packet)
        try:
            for frame in packet.decode():
                if isinstance(frame, av.VideoFrame) and not smear.is_on(frame):
                    yield frame, waited_s
                    waited_s = 0.0
        except av.InvalidDataError:
            # A stream joined midway begins with some of these, and a cut one ends so.
            demuxed.damaged += 1
            smear.damaged(number)


def _ask_for_faults(decoder: VideoCodecContext) -> None:
    """Let FFmpeg report what it could not decode, and of which packet each picture is."""
    decoder.flags |= Flags.copy_opaque
    if decoder.name == "h264":
        # It looks for missing blocks only where slices are not decoded side by side.
        decoder.thread_count = 1
    elif decoder.name == "hevc":  # which else shows what it could not decode
        decoder.options = {"err_detect": "explode+crccheck"}
    elif decoder.name == "mjpeg":
        decoder.options = STRICT


def _of_stream(
    container: InputContainer, stream: VideoStream, live: bool, demuxed: _Demuxed
) -> Iterator[tuple[Packet, float]]:
    """The packets of the pictures, each with how long it was waited for (s).

    Of a recording all streams are read: where only the whole file states a length, it ends with
    the longest of them.
    """
    waited_s = 0.0
    whole = stream.duration is not None or live
    for packet, wait_s in _awaited(container.demux(stream) if whole else container.demux()):
        waited_s += wait_s
        demuxed.see(packet)
        if packet.stream_index == stream.index:
            yield packet, waited_s
            waited_s = 0.0


def _beside_key(
    packets: Iterator[tuple[Packet, float]], live: bool
) -> Iterator[tuple[Packet, float, bool]]:
    """Each packet with whether it, or in a recording one of the next two, stands by itself.

    The next ones of a live stream are not waited for.
    """
    ahead = deque[tuple[Packet, float]]()
    for each in packets:
        ahead.append(each)
        if live or len(ahead) > FLAG_AHEAD:
            yield *ahead[0], any(packet.is_keyframe for packet, _ in ahead)
            ahead.popleft()
    while ahead:
        yield *ahead[0], any(packet.is_keyframe for packet, _ in ahead)
        ahead.popleft()


def _awaited(packets: Iterator[Any]) -> Iterator[tuple[Packet, float]]:
    """Each packet with the time that it took to come (s)."""
    while True:
        began = boottime_ns()
        packet = next(packets, None)
        if packet is None:
            return
        yield packet, seconds(boottime_ns() - began)
