"""Anything that FFmpeg opens as a camera: RTSP, HTTP, a USB camera, a video file."""

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import av
from av.container import InputContainer

from edge.common.clock import boottime_ns
from edge.common.errors import CameraError, PictureError
from edge.common.units import nanoseconds, seconds
from edge.site.schema import StreamOptions
from edge.watch.address import Address, address_of
from edge.watch.cameras.camera import NoFrameError
from edge.watch.frame import Frame
from edge.watch.timeline import BREAK_S
from edge.watch.video import Decoded, Reading, decode, open_file

# A reader that shows no sign of life for this long beyond its timeouts hangs in a driver, or
# in name resolution, where FFmpeg's own timeouts do not reach.
HUNG_AFTER_S = 5.0
CLOSE_WAIT_S = 1.0
# Pictures of a live stream have to be waited for. Where none was for so long, they lie in a queue
# that grows, and each would be told later than it was taken.
BEHIND_S = 3.0
WAITED_S = 0.001
# Without a guess at the frame rate, for which FFmpeg else waits for some 20 pictures.
AT_ONCE = {"fpsprobesize": "0"}


class StreamCamera:
    """Reads in a thread that keeps only the newest frame, so that no delay builds up."""

    def __init__(self, options: StreamOptions, resolve: Callable[[str], Path]) -> None:
        address = address_of(options, resolve)
        open_or_read_s = options.open_timeout_s + options.read_timeout_s + HUNG_AFTER_S
        self._newest = _Newest(address.shown, open_or_read_s)
        self._reader = _Reader(options, address, self._newest)
        self._reader.start()

    def read(self, timeout_s: float) -> Frame:
        """The newest frame, if it was not given before; else the next one."""
        return self._newest.take(timeout_s)

    def close(self) -> None:
        """End the reader. One that hangs is left to end by its own timeouts."""
        self._reader.stopping.set()
        self._reader.join(CLOSE_WAIT_S)


class _Newest:
    """Hands the newest frame from the reader to `read`, and then why there are no more."""

    def __init__(self, shown: str, open_or_read_s: float) -> None:
        self._shown = shown
        self._open_or_read_s = open_or_read_s
        self._changed = threading.Condition()
        self._frame: Frame | None = None
        self._ended: str | None = None
        self._alive_at = boottime_ns()

    def alive(self) -> None:
        """Note that the reader works."""
        self._alive_at = boottime_ns()

    def put(self, frame: Frame) -> None:
        """Replace the frame that nobody took."""
        with self._changed:
            self._frame = frame
            self._changed.notify()

    def end(self, why: str) -> None:
        """After the frame still here there are no more."""
        with self._changed:
            self._ended = why
            self._changed.notify()

    def take(self, timeout_s: float) -> Frame:
        """The newest frame; NoFrameError when none came in time, CameraError at the end."""
        with self._changed:
            self._changed.wait_for(lambda: self._frame or self._ended, timeout_s)
            frame, self._frame = self._frame, None
            if frame is not None:
                return frame
            if self._ended is not None:
                raise CameraError(f"camera stream {self._shown}: {self._ended}")
        silent_s = seconds(boottime_ns() - self._alive_at)
        if silent_s > self._open_or_read_s:
            raise CameraError(
                f"camera stream {self._shown}: hangs for {silent_s:.0f} s; "
                "check its cable and its network"
            )
        raise NoFrameError(
            f"camera stream {self._shown}: no frame within {timeout_s:g} s; "
            "check that the camera is on and its network is fast enough"
        )


class _Reader(threading.Thread):
    """Decodes until the end or until stopped. A daemon: it never holds up the program's end."""

    def __init__(self, options: StreamOptions, address: Address, newest: _Newest) -> None:
        super().__init__(name="camera-reader", daemon=True)
        self.stopping = threading.Event()
        self._options = options
        self._address = address
        self._newest = newest
        self._period = nanoseconds(1 / options.fps)
        self._due = 0

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
            # Only FFmpeg's words for the error: its whole text holds the address and password.
            self._newest.end(_explained(error, self._address))

    def _play(self) -> None:
        with self._open() as container:
            now = waited_at = boottime_ns()
            for decoded in self._paced(self._decoded(container)):
                self._newest.alive()
                now, before = boottime_ns(), now
                waited_at = now if decoded.waited_s >= WAITED_S else waited_at
                self._refuse_late(now - waited_at)
                if now >= self._due and not self._is_left_over(now - before):
                    self._due = max(self._due, now - self._period) + self._period
                    self._newest.put(Frame(decoded.pixels(), now))

    def _decoded(self, container: InputContainer) -> Iterator[Decoded]:
        live = self._address.kind != "file"
        return decode(container, live=live, how=Reading(self._options.pixel_aspect))

    def _refuse_late(self, queued: int) -> None:
        """PictureError when pictures have lain in a queue for too long (ns)."""
        if self._address.kind == "network" and queued >= nanoseconds(BEHIND_S):
            raise PictureError(
                "comes faster than this machine decodes it, so that it would be seen ever later; "
                "choose the camera's second stream, or fewer or smaller pictures"
            )

    def _is_left_over(self, silent: int) -> bool:
        """Whether a picture is as old as the silence (ns) before it.

        FFmpeg keeps a stream's newest picture until the next one begins, and hands it out when
        none has come within the read's timeout.
        """
        live = self._address.kind == "network"
        return live and silent >= nanoseconds(self._options.read_timeout_s)

    def _open(self) -> InputContainer:
        if self._address.kind == "file":
            return open_file(Path(self._address.opened))
        rtsp = self._address.opened.lower().startswith("rtsp")
        live = self._address.kind == "network"
        return av.open(
            self._address.opened,
            format="v4l2" if self._address.kind == "device" else None,
            options=({"rtsp_transport": "tcp"} if rtsp else {}) | (AT_ONCE if live else {}),
            timeout=(self._options.open_timeout_s, self._options.read_timeout_s),
        )

    def _paced(self, pictures: Iterator[Decoded]) -> Iterator[Decoded]:
        """Give a file's pictures at their own times, and a camera's as they come.

        A gap in a recording is not waited for: it would look like a camera that hangs.
        """
        start = boottime_ns()
        for decoded in pictures:
            wait_s = decoded.at_s - seconds(boottime_ns() - start)
            if wait_s > BREAK_S:
                start, wait_s = start - nanoseconds(wait_s), 0.0
            if self._address.kind == "file" and wait_s > 0:
                self.stopping.wait(wait_s)
            if self.stopping.is_set():
                return
            yield decoded

    def _ended(self) -> str:
        if self._address.kind == "file":
            return "the recording has ended; set repeat = true to play it again"
        return "the stream ended; check that the camera is on"


def _explained(error: Exception, address: Address) -> str:
    """The error in FFmpeg's words, without the address, and what to do."""
    if isinstance(error, av.error.ExitError | TimeoutError):
        return "gave nothing in time; check that the camera is on and its network"
    why = getattr(error, "strerror", None) or type(error).__name__
    remedies = {
        "network": "check its address, user and password, that the camera is on, and that this "
        "program may reach it (a service needs the drop-in network-camera.conf)",
        "device": "check its cable, and that the user of redroad is in the group video",
        "file": "check that it is a whole video file",
    }
    return f"cannot be read ({why}); {remedies[address.kind]}"
