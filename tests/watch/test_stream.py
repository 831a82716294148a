"""Streams over real files and sockets."""

import base64
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edge.common.errors import CameraError
from edge.site.schema import StreamOptions
from edge.watch.address import address_of
from edge.watch.cameras.camera import NoFrameError
from edge.watch.cameras.stream import StreamCamera
from edge.watch.frame import Frame
from hil.testkit.data import CLIP, needs
from tests.watch.films import film, joined
from tests.watch.made import cut, save_video

PASSWORD = "pa:s/s w@rd#%?"
CANARY = ("pa:s", "pa%3A", "w@rd", "w%40rd")


@contextmanager
def opened(url: object, **options: Any) -> Iterator[StreamCamera]:
    camera = StreamCamera(StreamOptions(kind="stream", url=str(url), **options), Path)
    try:
        yield camera
    finally:
        camera.close()


def until_the_end(camera: StreamCamera, within_s: float = 10.0) -> tuple[list[Frame], str]:
    """All frames, and the words of the error that ends them."""
    frames: list[Frame] = []
    until = time.monotonic() + within_s
    while time.monotonic() < until:
        try:
            frames.append(camera.read(1.0))
        except NoFrameError:
            continue
        except CameraError as error:
            assert "\n" not in str(error)
            return frames, str(error)
    pytest.fail(f"neither ended nor failed within {within_s} s")


@pytest.mark.parametrize(
    ("name", "codec"), [("a.mp4", "libx264"), ("a.mkv", "libx264"), ("a.avi", "mpeg4")]
)
def test_a_file_plays_at_its_own_speed_and_ends(tmp_path: Path, name: str, codec: str) -> None:
    """Twenty frames at ten a second take two seconds."""
    began = time.monotonic()
    with opened(save_video(tmp_path / name, codec=codec), fps=30) as camera:
        frames, why = until_the_end(camera)
    assert 1.5 < time.monotonic() - began < 4.0
    assert 15 <= len(frames) <= 20
    assert "the recording has ended; set repeat = true" in why


def test_a_clock_that_breaks_does_not_stop_the_camera(tmp_path: Path) -> None:
    """One picture from an hour later, and then a recorder that starts again, and one with a gap."""
    starts = ((0.0, 0.1, 0.2), (3600.3,), (0.4, 0.5), (0.0, 0.1))
    parts = [film(tmp_path / f"{n}.ts", times) for n, times in enumerate(starts)]
    joined(tmp_path / "all.ts", parts)
    film(tmp_path / "gap.mkv", [0.0, 0.1, 3600.0, 3600.1])
    for name, pictures in (("all.ts", 8), ("gap.mkv", 4)):
        with opened(tmp_path / name, fps=30) as camera:
            frames, why = until_the_end(camera)
        assert len(frames) == pictures
        assert "has ended" in why


def test_pixels_of_a_camera_are_made_square(tmp_path: Path) -> None:
    """As its stream states, or as the site file says."""
    stated = film(tmp_path / "a.mp4", [0.0], size=(96, 108), aspect=Fraction(2))
    plain = film(tmp_path / "b.mp4", [0.0], size=(96, 108))
    for path, options in ((stated, {}), (plain, {"pixel_aspect": 2.0})):
        with opened(path, **options) as camera:
            assert camera.read(10.0).pixels.shape == (108, 192, 3)


def test_fps_limits_what_is_given(tmp_path: Path) -> None:
    """Of thirty frames a second, five are taken."""
    with opened(save_video(tmp_path / "a.mp4", frames=60, rate=30), fps=5) as camera:
        frames, _ = until_the_end(camera)
    assert 8 <= len(frames) <= 12


def test_a_slow_reader_gets_the_newest_frame(tmp_path: Path) -> None:
    """After a second's pause the tenth frame or so comes, not the second."""
    with opened(save_video(tmp_path / "a.mp4"), fps=30) as camera:
        first = camera.read(5.0)
        time.sleep(1.0)
        later = camera.read(1.0)
    frames_between = (np.mean(later.pixels) - np.mean(first.pixels)) / 2
    assert frames_between >= 6


@pytest.mark.parametrize("name", ["a.mp4", "a.mkv"])
def test_a_cut_off_video_plays_up_to_there(tmp_path: Path, name: str) -> None:
    """And then says that it was cut off."""
    movflags = {"movflags": "faststart"} if name.endswith("mp4") else {}
    whole = save_video(tmp_path / f"whole-{name}", frames=60, rate=30, **movflags)
    with opened(cut(whole, tmp_path / name, 0.6), fps=30) as camera:
        frames, why = until_the_end(camera)
    assert len(frames) > 3
    assert "is cut off after" in why


@pytest.mark.parametrize("content", [b"", b"no video at all" * 100])
def test_a_file_that_is_no_video_is_said_so(tmp_path: Path, content: bytes) -> None:
    """An empty file, and text."""
    (tmp_path / "a.mp4").write_bytes(content)
    with opened(tmp_path / "a.mp4") as camera:
        _, why = until_the_end(camera)
    assert "a.mp4: cannot be read" in why
    assert "whole video file" in why


def test_a_missing_usb_camera_is_said_so() -> None:
    """With the group that may open it."""
    with opened("/dev/video63") as camera:
        _, why = until_the_end(camera)
    assert "/dev/video63" in why
    assert "group video" in why


def test_a_refused_camera_fails_at_once() -> None:
    """Nothing listens on the port."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    began = time.monotonic()
    with opened(f"rtsp://user:{CANARY[0]}@127.0.0.1:{port}/live?password=w@rd") as camera:
        _, why = until_the_end(camera)
    assert time.monotonic() - began < 2.0
    assert "Connection refused" in why
    assert not any(part in why for part in CANARY)


@pytest.mark.parametrize("scheme", ["rtsp", "http"])
def test_a_camera_that_says_nothing_is_given_up(scheme: str) -> None:
    """It takes the connection and stays silent: each read ends in time, then the opening."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"{scheme}://user:{CANARY[0]}@127.0.0.1:{server.getsockname()[1]}/live"
        began = time.monotonic()
        with opened(url, open_timeout_s=0.6, read_timeout_s=0.5) as camera:
            with pytest.raises(NoFrameError) as missed:
                camera.read(0.2)
            assert time.monotonic() - began < 2.0
            _, why = until_the_end(camera)
    assert time.monotonic() - began < 3.0
    assert not any(part in why + str(missed.value) for part in CANARY)


class _VideoServer(ThreadingHTTPServer):
    """An HTTP camera that wants a password; sends the start of its video, then stalls or ends."""

    def __init__(self, video: bytes, *, stall: bool) -> None:
        super().__init__(("127.0.0.1", 0), _VideoHandler)
        self.video = video
        self.stalling = threading.Event()
        self.logins: list[str] = []
        if not stall:
            self.stalling.set()
        threading.Thread(target=self.serve_forever, daemon=True).start()


class _VideoHandler(BaseHTTPRequestHandler):
    server: _VideoServer

    def do_GET(self) -> None:
        login = self.headers.get("Authorization", "")
        self.server.logins.append(base64.b64decode(login.removeprefix("Basic ")).decode())
        self.send_response(200 if login else 401)
        if not login:
            self.send_header("WWW-Authenticate", 'Basic realm="camera"')
        self.end_headers()
        if login:
            self.wfile.write(self.server.video)
            self.wfile.flush()
            self.server.stalling.wait(10.0)

    def log_message(self, format: str, *args: object) -> None:
        pass


def test_the_password_arrives_and_is_never_reported(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """Signs that mean something in a URL reach the camera unchanged, and no text of ours."""
    (tmp_path / "password").write_text(PASSWORD + "\n")
    server = _VideoServer(save_video(tmp_path / "a.ts").read_bytes(), stall=False)
    url = f"http://user@127.0.0.1:{server.server_port}/live"
    with opened(url, password_file=str(tmp_path / "password")) as camera:
        frames, why = until_the_end(camera)
    server.shutdown()
    assert frames
    assert f"user:{PASSWORD}" in server.logins
    told = why + "".join(capfd.readouterr())
    assert not any(part in told for part in CANARY)


def test_a_stream_that_stalls_is_an_error_within_its_timeout(tmp_path: Path) -> None:
    """The connection stays open and nothing comes any more."""
    server = _VideoServer(save_video(tmp_path / "a.ts").read_bytes(), stall=True)
    url = f"http://user:x@127.0.0.1:{server.server_port}/live"
    with opened(url, read_timeout_s=0.5, open_timeout_s=3.0) as camera:
        began = time.monotonic()
        _, why = until_the_end(camera)
        assert time.monotonic() - began < 5.0
    server.stalling.set()
    server.shutdown()
    assert "stream" in why


def test_the_password_file_has_to_be_there_and_the_user_named(tmp_path: Path) -> None:
    """Both mistakes are made on a ladder."""
    for url, says in (
        ("rtsp://user@host/live", "password_file .* cannot be read"),
        ("rtsp://host/live", "rtsp://USER@host"),
    ):
        options = StreamOptions(kind="stream", url=url, password_file=str(tmp_path / "none"))
        with pytest.raises(CameraError, match=says):
            address_of(options, Path)


def test_a_byte_order_mark_is_no_part_of_the_password(tmp_path: Path) -> None:
    (tmp_path / "password").write_text("secret", encoding="utf-8-sig")
    options = StreamOptions(kind="stream", url="rtsp://u@host/live", password_file="password")
    with pytest.raises(CameraError, match="begins with a byte order mark"):
        address_of(options, lambda name: tmp_path / name)


@pytest.mark.parametrize(
    "url",
    [
        "rtsp://admin:pa:s@10.0.0.5:554/live",
        "rtsp://10.0.0.5:554/user=admin&password=pa:s",
        "rtsp://admin:pa:s/w@rd@10.0.0.5:554/live",
        "rtsp://10.0.0.5:554?user=admin&password=pa:s",
    ],
)
def test_of_an_address_only_scheme_and_host_are_shown(url: str) -> None:
    """Cameras take passwords in the login, the path and the query."""
    address = address_of(StreamOptions(kind="stream", url=url), Path)
    assert address.shown == "rtsp://10.0.0.5:554"
    assert not any(part in repr(address) for part in CANARY)


def test_many_cuts_leave_no_threads(tmp_path: Path) -> None:
    """A camera that comes and goes for years."""
    video = save_video(tmp_path / "a.mp4")
    before = threading.active_count()
    for _ in range(20):
        with opened(video) as camera:
            camera.read(5.0)
    assert threading.active_count() <= before


@needs(CLIP)
def test_a_real_clip_plays() -> None:
    """People walking before a fixed camera, 768x432 at ten a second."""
    with opened(CLIP, fps=30) as camera:
        frames = [camera.read(5.0) for _ in range(5)]
    assert {frame.pixels.shape for frame in frames} == {(432, 768, 3)}
