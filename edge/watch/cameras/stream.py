"""Anything that FFmpeg opens as a camera: RTSP, HTTP, a USB camera, a video file."""

import threading
from collections import deque
from collections.abc import Callable, Iterator
from pathlib import Path

import av
from av.container import InputContainer

from edge.common.clock import boottime_ns
from edge.common.errors import PictureError
from edge.common.units import nanoseconds, seconds
from edge.site.schema import StreamOptions
from edge.watch.address import Address, address_of
from edge.watch.cameras.lateness import BEHIND_S, INTERVALS, LATE_S, OF_THE_LAST, Lateness
from edge.watch.cameras.learnt import Learnt
from edge.watch.cameras.newest import Newest
from edge.watch.cameras.opening import LATE, open_stream, timeouts_s, usb_options
from edge.watch.frame import Frame
from edge.watch.timeline import BREAK_S
from edge.watch.video import Decoded, Reading, decode, video_stream

__all__ = ["BEHIND_S", "StreamCamera"]

# A reader that shows no sign of life for this long beyond its timeouts hangs in a driver, or
# in name resolution, where FFmpeg's own timeouts do not reach.
HUNG_AFTER_S = 5.0
CLOSE_WAIT_S = 1.0
# Formats of FFmpeg that hold one picture.
SINGLE = ("image2", "_pipe")


class StreamCamera:
    """Reads in a thread that keeps only the newest frame, so that no delay builds up.

    What is `learnt` of the camera is there for the next time that it is opened.
    """

    def __init__(
        self, options: StreamOptions, resolve: Callable[[str], Path], learnt: Learnt | None = None
    ) -> None:
        address = address_of(options, resolve)
        learnt = learnt or Learnt()
        # Another transport may be tried, too.
        patience_s = 2 * sum(timeouts_s(options, learnt)) + HUNG_AFTER_S
        if address.kind != "network":
            patience_s = options.open_timeout_s + options.read_timeout_s + HUNG_AFTER_S
        self._newest = Newest(address.shown, patience_s)
        self._reader = _Reader(options, address, self._newest, learnt)
        self._reader.start()

    def read(self, timeout_s: float) -> Frame:
        """Return the newest frame, if it was not given before; else the next one."""
        return self._newest.take(timeout_s)

    def close(self) -> None:
        """End the reader. One that hangs is left to end by its own timeouts."""
        self._reader.stopping.set()
        self._reader.join(CLOSE_WAIT_S)


class _Reader(threading.Thread):
    """Decodes until the end or until stopped. A daemon: it never holds up the program's end."""

    def __init__(
        self, options: StreamOptions, address: Address, newest: Newest, learnt: Learnt
    ) -> None:
        super().__init__(name="camera-reader", daemon=True)
        self.stopping = threading.Event()
        self._options = options
        self._address = address
        self._newest = newest
        self._learnt = learnt
        self._how = Reading(options.pixel_aspect)
        self._period = nanoseconds(1 / options.fps)
        self._due = self._given = 0
        self._transport: str | None = None  # over which no picture came yet

    def run(self) -> None:
        """Play once, or again and again; say why it ended."""
        try:
            self._play()
            while self._options.repeat and not self.stopping.is_set():
                self._play()
            self._newest.end(self._ended())
        except PictureError as error:
            self._newest.end(str(error))
        except (av.FFmpegError, OSError, ValueError) as error:
            if isinstance(error, LATE):
                self._learnt.gave_nothing(self._transport)
            # Only FFmpeg's words for the error: its whole text holds the address and password.
            self._newest.end(_explained(error, self._address, self._options))

    def _play(self) -> None:
        if self._address.is_http and self._is_single():
            self._poll()
            return
        opened = open_stream(self._options, self._address, self._learnt)
        self._transport = opened.transport
        with opened.container as container:
            if self._address.is_http and _gives_one(container):
                self._learnt.single = True
                self._poll()
            elif self._address.kind == "file":
                self._play_file(container)
            else:
                self._play_live(container, opened.transport)

    def _play_file(self, container: InputContainer) -> None:
        for decoded in self._paced(decode(container, how=self._how)):
            self._newest.alive()
            self._give(decoded, boottime_ns())

    def _play_live(self, container: InputContainer, transport: str | None) -> None:
        lateness = Lateness(container, self._address, transport)
        self._learnt.codec = video_stream(container).codec_context.name
        before: int | None = None
        intervals = deque[float](maxlen=OF_THE_LAST)
        longest_s = timeouts_s(self._options, self._learnt)[1]
        for decoded in decode(container, live=True, how=self._how, came=lateness.came):
            if self.stopping.is_set():
                return
            now = boottime_ns()
            self._learnt.transport, self._transport = transport, None
            silent_s = 0.0 if before is None else seconds(now - before)
            before = now
            # FFmpeg keeps a stream's newest picture until the next one begins, and hands it out
            # when none has come within the read's timeout, as old as that; what follows has no
            # times any more.
            if silent_s >= longest_s:
                raise TimeoutError
            # Others wait while this program is stopped.
            taken_at = lateness.taken_at(decoded)
            usual_s = max(LATE_S, INTERVALS * max(intervals, default=silent_s))
            if taken_at is not None and silent_s < usual_s:
                self._give(decoded, taken_at)
            if silent_s:
                intervals.append(silent_s)
            self._newest.alive(self._follow(intervals))

    def _follow(self, intervals: deque[float]) -> float | None:
        """Return for how long (s) this stream may be silent; None until that is known."""
        if len(intervals) < OF_THE_LAST:
            return None
        within_s = max(self._options.read_timeout_s, INTERVALS * max(intervals))
        self._learnt.patience = within_s / self._options.read_timeout_s
        return within_s

    def _give(self, decoded: Decoded, taken_at: int) -> None:
        now = boottime_ns()
        if now >= self._due and taken_at > self._given:
            self._due = max(self._due, now - self._period) + self._period
            self._given = taken_at
            self._newest.put(Frame(decoded.pixels(), taken_at))

    def _is_single(self) -> bool:
        return self._learnt.single or "every_s" in self._options.model_fields_set

    def _poll(self) -> None:
        """Ask for one picture after the other."""
        # Loaded only here: no other camera needs HTTP of its own.
        from edge.watch.cameras.snapshot import Poller  # noqa: PLC0415

        poller = Poller(self._options, self._address)
        try:
            while not self.stopping.is_set():
                began = boottime_ns()
                self._newest.alive()
                snapshot = poller.ask()
                if snapshot is not None:
                    self._newest.put(Frame(snapshot, began))
                self.stopping.wait(self._options.every_s - seconds(boottime_ns() - began))
        finally:
            poller.close()

    def _paced(self, pictures: Iterator[Decoded]) -> Iterator[Decoded]:
        """A file's pictures at their own times.

        A gap in a recording is not waited for: it would look like a camera that hangs.
        """
        start = boottime_ns()
        for decoded in pictures:
            wait_s = decoded.at_s - seconds(boottime_ns() - start)
            if wait_s > BREAK_S:
                start, wait_s = start - nanoseconds(wait_s), 0.0
            if wait_s > 0:
                self.stopping.wait(wait_s)
            if self.stopping.is_set():
                return
            yield decoded

    def _ended(self) -> str:
        if self._address.kind == "file":
            return "the recording has ended; set repeat = true to play it again"
        return "the stream ended; check that the camera is on"


def _gives_one(container: InputContainer) -> bool:
    """Return whether the address gives one picture, and no stream."""
    return any(name.endswith(SINGLE) for name in container.format.name.split(","))


def _explained(error: Exception, address: Address, options: StreamOptions) -> str:
    """Return the error in FFmpeg's words, without the address, and what to do."""
    if isinstance(error, av.error.ExitError | TimeoutError):
        return "gave nothing in time; check that the camera is on and its network"
    why = getattr(error, "strerror", None) or type(error).__name__
    asked = ""
    if usb_options(options):
        asked = "; and that it has that input_format, size and rate: v4l2-ctl --list-formats-ext"
    remedies = {
        "network": "check its address, user and password, that the camera is on, and that this "
        "program may reach it (a service needs the drop-in network-camera.conf)",
        "device": f"check its cable, and that the user of redroad is in the group video{asked}",
        "file": "check that it is a whole video file",
    }
    return f"cannot be read ({why}); {remedies[address.kind]}"
