"""Addresses that give one picture, from a real HTTP server with real logins."""

import hashlib
import io
import logging
import re
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from edge.common.clock import boottime_ns
from edge.common.units import seconds
from edge.site.schema import StreamOptions
from edge.watch.cameras.camera import NoFrameError
from edge.watch.cameras.learnt import Learnt
from edge.watch.cameras.stream import StreamCamera
from edge.watch.frame import Frame
from hil.testkit.streams import why_it_ended
from tests.watch.made import noise

USER, PASSWORD = "viewer", "pa:s w@rd"
CANARY = ("pa:s", "w@rd", "w%40rd", PASSWORD)
PATIENT_S = 15.0


class SnapshotServer(ThreadingHTTPServer):
    """Gives a picture that changes when `number` does."""

    daemon_threads = True

    def __init__(self, *, login: str = "", answer_after_s: float = 0.0, etag: bool = True) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.login, self.answer_after_s, self.etag = login, answer_after_s, etag
        self.number = 0
        self.connections = self.pictures = self.unchanged = 0
        self.status = 200
        self.location = ""
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/cgi-bin/snapshot"

    def picture(self) -> bytes:
        data = io.BytesIO()
        Image.fromarray(noise(seed=self.number)).save(data, "JPEG")
        return data.getvalue()


class _Handler(BaseHTTPRequestHandler):
    server: SnapshotServer
    protocol_version = "HTTP/1.1"

    def setup(self) -> None:
        super().setup()
        self.server.connections += 1

    def do_GET(self) -> None:
        if not self._is_let_in():
            challenge = (
                'Digest realm="cam", nonce="abc", qop="auth", algorithm=MD5'
                if self.server.login == "digest"
                else 'Basic realm="cam"'
            )
            self._answer(401, b"", {"WWW-Authenticate": challenge})
            return
        if self.server.status != 200:
            self._answer(self.server.status, b"", {"Location": self.server.location})
            return
        time.sleep(self.server.answer_after_s)
        tag = {"ETag": f'"{self.server.number}"'} if self.server.etag else {}
        if tag and self.headers.get("If-None-Match") == tag["ETag"]:
            self.server.unchanged += 1
            self._answer(304, b"", tag)
            return
        self.server.pictures += 1
        self._answer(200, self.server.picture(), {"Content-Type": "image/jpeg"} | tag)

    def _is_let_in(self) -> bool:
        given = self.headers.get("Authorization", "")
        if not self.server.login:
            return True
        if self.server.login == "basic":
            return given.startswith("Basic ")
        fields = dict(re.findall(r'(\w+)="?([^",]+)"?', given))
        if not fields:
            return False
        one = _md5(f"{USER}:cam:{PASSWORD}")
        two = _md5(f"GET:{fields['uri']}")
        middle = ":".join(fields[name] for name in ("nonce", "nc", "cnonce", "qop"))
        return bool(fields["response"] == _md5(f"{one}:{middle}:{two}"))

    def _answer(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        pass


def _md5(text: str) -> str:
    return hashlib.md5(text.encode()).hexdigest()


@pytest.fixture
def server() -> Iterator[SnapshotServer]:
    server = SnapshotServer()
    yield server
    server.shutdown()


@contextmanager
def opened(url: str, learnt: Learnt | None = None, **options: Any) -> Iterator[StreamCamera]:
    camera = StreamCamera(StreamOptions(kind="stream", url=url, **options), Path, learnt)
    try:
        yield camera
    finally:
        camera.close()


def frames(camera: StreamCamera, wanted: int) -> list[Frame]:
    taken, until = list[Frame](), time.monotonic() + PATIENT_S
    while len(taken) < wanted and time.monotonic() < until:
        try:
            taken.append(camera.read(0.5))
        except NoFrameError:
            continue
    assert len(taken) == wanted
    return taken


@contextmanager
def changing(server: SnapshotServer) -> Iterator[None]:
    """A camera whose picture changes all the time."""
    ended = threading.Event()

    def change() -> None:
        while not ended.wait(0.05):
            server.number += 1

    thread = threading.Thread(target=change, daemon=True)
    thread.start()
    yield
    ended.set()
    thread.join()


def test_an_address_of_one_picture_is_asked_again_over_one_connection(
    server: SnapshotServer,
) -> None:
    """FFmpeg finds out that it is one picture; then there is one connection for all."""
    with changing(server), opened(server.url, every_s=0.2) as camera:
        taken = frames(camera, 6)
    assert not np.array_equal(taken[0].pixels, taken[-1].pixels)
    assert server.connections <= 2


def test_it_need_not_be_said_that_it_is_one_picture(server: SnapshotServer) -> None:
    learnt = Learnt()
    with changing(server), opened(server.url, learnt) as camera:
        frames(camera, 2)
    assert learnt.single


def test_a_picture_that_has_not_changed_is_not_sent_again(server: SnapshotServer) -> None:
    with opened(server.url, every_s=0.1) as camera:
        frames(camera, 1)
        time.sleep(1.0)
        with pytest.raises(NoFrameError):
            camera.read(0.1)
        server.number += 1
        frames(camera, 1)
    assert server.unchanged >= 3
    assert server.pictures == 2


@pytest.mark.parametrize("login", ["basic", "digest"])
def test_the_login_is_as_the_camera_asks(
    login: str, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    """And stands in no log, of whatever level."""
    caplog.set_level(logging.DEBUG)
    server = SnapshotServer(login=login)
    url = server.url.replace("://", f"://{USER}:pa%3As%20w%40rd@")
    with changing(server), opened(f"{url}?password=w@rd", every_s=0.1) as camera:
        frames(camera, 3)
    server.shutdown()
    logged = "".join(capfd.readouterr()) + caplog.text
    assert not any(part in logged for part in CANARY)


@pytest.mark.parametrize("status", [401, 404, 302, 503])
def test_what_it_answers_is_said_without_a_secret(server: SnapshotServer, status: int) -> None:
    server.status, server.location = status, "https://10.9.8.7/login?password=w@rd"
    url = server.url.replace("://", f"://{USER}:pa%3As%20w%40rd@") + "?password=w@rd"
    with opened(url, every_s=0.1) as camera:
        why = why_it_ended(camera)
    assert f"answers {status}" in why
    assert "\n" not in why
    assert not any(part in why for part in CANARY)


def test_a_slow_camera_is_named_with_its_option() -> None:
    server = SnapshotServer(answer_after_s=3.0)
    with opened(server.url, every_s=0.1, read_timeout_s=0.5) as camera:
        why = why_it_ended(camera)
    server.shutdown()
    assert "raise camera.read_timeout_s" in why


def test_a_picture_is_as_old_as_the_question_for_it() -> None:
    """It may have been taken as soon as it was asked for."""
    server = SnapshotServer(answer_after_s=0.5)
    with changing(server), opened(server.url, every_s=0.1) as camera:
        frames(camera, 1)
        (frame,) = frames(camera, 1)
        age_s = seconds(boottime_ns() - frame.taken_at)
    server.shutdown()
    assert age_s >= 0.5


def test_something_else_than_a_picture_is_said_so(server: SnapshotServer) -> None:
    server.picture = lambda: b"<html>please log in</html>"  # type: ignore[method-assign]
    with opened(server.url, every_s=0.1) as camera:
        assert "is no picture" in why_it_ended(camera)
