"""How old each picture of a live stream is, by its own times where it has any.

What has no times (MJPEG over HTTP) is only known to have come after the last moment at which a
picture had to be waited for: what queues on the way to here is not seen.
"""

from collections import deque
from typing import TYPE_CHECKING

from av.container import InputContainer

from edge.common.clock import boottime_ns
from edge.common.errors import PictureError
from edge.common.units import nanoseconds, seconds
from edge.watch.address import Address
from edge.watch.cameras.age import MediaClock
from edge.watch.cameras.roundtrip import round_trip_s
from edge.watch.video import Decoded, video_stream

if TYPE_CHECKING:
    import av

WAITED_S = 0.001
# After a silence of as long, pictures that are as old are not counted: newer ones lie here already.
LATE_S = 1.0
# A silence is unusual when it is longer than so many of the last intervals.
INTERVALS, OF_THE_LAST = 2.5, 3
# Pictures of a live stream have to be waited for. Where none was for so long, they lie in a queue
# that grows, and each would be reported later than it was taken.
BEHIND_S = 3.0
# A queue on the way as long as this, for as long as this, ends only with the connection.
QUEUED_S, QUEUED_FOR_S = 2.0, 2.0
UNCLEAR_S, UNCLEAR_PICTURES = 10.0, 10
MEASURE_EVERY_S = 5.0

# What the soonest picture may need: over UDP its way, over TCP, which begins slowly, and waits for
# acknowledgements and for packets sent again, more.
ROUND_TRIPS = {"udp": 1}
ROUND_TRIPS_OF_TCP = 3
# Formats whose pictures carry the camera's own times, and how many pictures FFmpeg keeps until the
# following ones begin: its parser ends a picture of H.264 or H.265 at the next one's first byte,
# and MPEG-TS a packet likewise.
TIMED = {"rtsp": 1, "rtp": 1, "sdp": 1, "mpegts": 2, "flv": 0, "live_flv": 0, "v4l2": 0}
ALONE = {"mjpeg", "rawvideo"}  # codecs whose pictures need no parser
FROM_LISTS = {"hls", "dash"}

SLOW_HERE = (
    "comes faster than this machine decodes it, so that it would be seen ever later; "
    "choose the camera's second stream, or fewer or smaller pictures"
)
SLOW_LINK = (
    f"queues on the way for more than {QUEUED_S:g} s, as the network is slower than the stream; "
    "choose the camera's second stream, or fewer or smaller pictures, or mend the network"
)
UNCLEAR = (
    "gives pictures whose times jump, so that their age is not known; "
    "set a fixed frame rate in the camera, or choose its second stream"
)
OLD_BY_DESIGN = (
    "is a list of recorded pieces (HLS or DASH), many seconds old; give the camera's RTSP address"
)


class Lateness:
    """Follows one session of a stream that is live."""

    def __init__(
        self, container: InputContainer, address: Address, transport: str | None = None
    ) -> None:
        formats = container.format.name.split(",")
        if address.kind == "network" and FROM_LISTS.intersection(formats):
            raise PictureError(OLD_BY_DESIGN)
        stream = video_stream(container)
        held = max((TIMED[name] for name in formats if name in TIMED), default=None)
        held = 0 if held and stream.codec_context.name in ALONE else held
        self._clock = None if held is None else MediaClock(held=held)
        # A server of files may give them as fast as it can, and then their times say nothing.
        self._lenient = address.is_http
        self._tick_s = float(stream.time_base or 0)
        self._port = address.port
        self._round_trips = ROUND_TRIPS.get(transport or "", ROUND_TRIPS_OF_TCP)
        self._way_s, self._measured_at = 0.0, 0
        self._began = self._waited_at = boottime_ns()
        self._before: int | None = None
        self._silences = deque[float](maxlen=OF_THE_LAST)
        self._draining = False
        self._pictures = 0
        self._queued_since: int | None = None

    def came(self, packet: "av.Packet[av.stream.Stream]") -> None:
        """Note that a picture's data has come."""
        if self._clock is not None and packet.pts is not None:
            now_s = seconds(boottime_ns())
            self._clock.came(packet.pts * self._tick_s, now_s, packet.size)

    def taken_at(self, decoded: Decoded) -> int | None:
        """Return when the picture was taken (boot time, ns); None for one that must not be counted.

        PictureError when pictures queue for so long that only a new connection helps.
        """
        now = boottime_ns()
        waited = decoded.waited_s >= WAITED_S
        if waited:
            self._waited_at = now
        here_s = seconds(now - self._waited_at)
        if here_s >= BEHIND_S:
            raise PictureError(SLOW_HERE)
        self._follow(now, waited)
        self._pictures += 1
        queued_s = self._queued_s(decoded, now, here_s)
        if queued_s is None or (queued_s > LATE_S and self._draining):
            return None
        self._refuse_queue(now)
        return now - nanoseconds(queued_s + self._soonest_s(now))

    def _follow(self, now: int, waited: bool) -> None:
        """After a silence, as of a program that was stopped, what has queued comes at once."""
        if self._before is not None:
            silent_s = seconds(now - self._before)
            unusual = silent_s >= LATE_S and self._is_unusual(silent_s)
            self._draining = unusual or (self._draining and not waited)
            self._silences.append(silent_s)
        self._before = now

    def _is_unusual(self, silent_s: float) -> bool:
        return bool(self._silences) and silent_s > INTERVALS * max(self._silences)

    def _queued_s(self, decoded: Decoded, now: int, here_s: float) -> float | None:
        if self._clock is None:
            return here_s
        media_s = decoded.picture.time
        queued_s = None if media_s is None else self._clock.queued_s(media_s, seconds(now))
        if queued_s is None and self._lenient:
            return here_s
        unclear = seconds(now - self._began) > UNCLEAR_S and self._pictures > UNCLEAR_PICTURES
        if queued_s is not None:
            self._began, self._pictures = now, 0
        elif unclear:
            raise PictureError(UNCLEAR)
        return queued_s

    def _refuse_queue(self, now: int) -> None:
        if self._clock is None or self._clock.waiting_s <= QUEUED_S:
            self._queued_since = None
        elif self._queued_since is None:
            self._queued_since = now
        elif seconds(now - self._queued_since) >= QUEUED_FOR_S:
            raise PictureError(SLOW_LINK)

    def _soonest_s(self, now: int) -> float:
        """Return what the soonest picture needed on its way: no more than this."""
        if self._clock is None:
            return 0.0
        if self._port and now - self._measured_at >= nanoseconds(MEASURE_EVERY_S):
            self._way_s = self._round_trips * round_trip_s(self._port)
            self._measured_at = now
        return self._way_s + self._clock.way_s()
