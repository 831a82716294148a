"""The rig's network camera, as the product's own sees it."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from typing import Literal

import numpy as np
import pytest

from edge.common.errors import CameraError
from edge.common.units import seconds
from edge.site.schema import StreamOptions
from edge.watch.cameras.camera import NoFrameError
from edge.watch.cameras.learnt import Learnt
from edge.watch.cameras.stream import BEHIND_S, StreamCamera
from edge.watch.frame import Frame
from hil.container.rtsp import RtspCamera
from hil.testkit.streams import why_it_ended

pytestmark = pytest.mark.processes

FPS = 10.0
TIMEOUT_S = 2.0


@pytest.fixture
def served(tmp_path: Path) -> Iterator[RtspCamera]:
    film = np.random.default_rng(1).integers(0, 255, (20, 96, 128, 3), np.uint8)
    np.save(tmp_path / "film.npy", film)
    camera = RtspCamera("127.0.0.1", tmp_path / "film.npy", FPS)
    yield camera
    camera.end()


@contextmanager
def opened(
    served: RtspCamera,
    transport: Literal["auto", "tcp", "udp"] = "auto",
    learnt: Learnt | None = None,
) -> Iterator[StreamCamera]:
    options = StreamOptions(
        kind="stream", url=served.url, fps=FPS, read_timeout_s=TIMEOUT_S, transport=transport
    )
    camera = StreamCamera(options, Path, learnt)
    try:
        yield camera
    finally:
        camera.close()


def frames(camera: StreamCamera, wanted: int) -> list[Frame]:
    """So many, or as many as come before the stream ends."""
    taken = list[Frame]()
    while len(taken) < wanted:
        try:
            taken.append(camera.read(1.0))
        except NoFrameError:
            continue
        except CameraError:
            break
    return taken


def test_it_plays(served: RtspCamera) -> None:
    with opened(served) as camera:
        one, *_, other = frames(camera, 5)
    assert one.pixels.shape == (96, 128, 3)
    assert not np.array_equal(one.pixels, other.pixels)


def test_one_that_falls_silent_gives_no_old_picture_as_a_new_one(served: RtspCamera) -> None:
    with opened(served) as camera:
        before = frames(camera, 5)
        served.fail("hung")
        after = frames(camera, 100)
    moments = [seconds(frame.taken_at) for frame in (*before, *after)]
    assert len(moments) < 100
    assert max(late - early for early, late in pairwise(moments)) < TIMEOUT_S


def test_one_that_comes_faster_than_it_is_decoded_is_reported_and_not_shown_late(
    served: RtspCamera, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A queue would grow, and each of its pictures pass for one of now."""
    with opened(served) as camera:
        frames(camera, 5)
        put = camera._newest.put

        def slowly(frame: Frame) -> None:
            time.sleep(1.5 / FPS)
            put(frame)

        monkeypatch.setattr(camera._newest, "put", slowly)
        began = time.monotonic()
        with pytest.raises(CameraError, match="comes faster than this machine decodes it"):
            while time.monotonic() < began + 10 * BEHIND_S:
                camera.read(1.0)
    assert time.monotonic() - began > BEHIND_S


def test_one_that_keeps_up_is_read_on(served: RtspCamera) -> None:
    with opened(served) as camera:
        assert len(frames(camera, round(3 * BEHIND_S * FPS))) == round(3 * BEHIND_S * FPS)


def test_frozen_it_sends_one_picture_for_ever(served: RtspCamera) -> None:
    with opened(served) as camera:
        frames(camera, 5)
        served.fail("frozen")
        *_, one, other = frames(camera, 10)
    assert np.array_equal(one.pixels, other.pixels)


def test_one_that_was_away_plays_again(served: RtspCamera) -> None:
    with opened(served) as camera:
        frames(camera, 5)
        served.fail("away")
        assert len(frames(camera, 100)) < 100
    served.mend("away")
    with opened(served) as camera:
        assert len(frames(camera, 5)) == 5


@contextmanager
def offering(tmp_path: Path, *offers: str, silent: str = "") -> Iterator[RtspCamera]:
    film = np.random.default_rng(1).integers(0, 255, (20, 96, 128, 3), np.uint8)
    np.save(tmp_path / "film.npy", film)
    camera = RtspCamera(
        "127.0.0.1", tmp_path / "film.npy", FPS, frozenset(offers), silent=frozenset({silent})
    )
    yield camera
    camera.end()


@pytest.mark.parametrize("offers", ["tcp", "udp"])
def test_what_the_camera_offers_is_found_and_remembered(tmp_path: Path, offers: str) -> None:
    """TCP is tried first; at the next opening what worked."""
    with offering(tmp_path, offers) as served:
        learnt = Learnt()
        with opened(served, learnt=learnt) as camera:
            assert len(frames(camera, 5)) == 5
        assert learnt.transport == offers
        assert served.asked_for == ["tcp", "udp"][: ["tcp", "udp"].index(offers) + 1]
        served.asked_for.clear()
        with opened(served, learnt=learnt) as camera:
            assert len(frames(camera, 5)) == 5
        assert served.asked_for == [offers]


def test_a_camera_that_takes_tcp_and_sends_nothing_is_asked_for_udp_next(tmp_path: Path) -> None:
    with offering(tmp_path, "tcp", "udp", silent="tcp") as served:
        learnt = Learnt()
        with opened(served, learnt=learnt) as camera:
            assert "gave nothing in time" in why_it_ended(camera)
        with opened(served, learnt=learnt) as camera:
            assert len(frames(camera, 5)) == 5
        assert learnt.transport == "udp"


@pytest.mark.parametrize(("wanted", "offered"), [("tcp", "udp"), ("udp", "tcp")])
def test_one_that_does_not_offer_it_is_said_to_offer_the_other(
    tmp_path: Path, wanted: Literal["tcp", "udp"], offered: str
) -> None:
    with offering(tmp_path, offered) as served, opened(served, wanted) as camera:
        why = why_it_ended(camera)
    assert f"not over {wanted.upper()}, but over {offered.upper()}" in why
    assert f'set camera.transport = "{offered}" or "auto"' in why


@pytest.mark.parametrize(
    ("offers", "says"), [((), "nor over any other transport"), (("multicast",), "over multicast")]
)
def test_one_that_offers_neither_is_said_so(
    tmp_path: Path, offers: tuple[str, ...], says: str
) -> None:
    with offering(tmp_path, *offers) as served, opened(served) as camera:
        why = why_it_ended(camera)
    assert "neither over TCP nor UDP" in why
    assert says in why


@pytest.mark.parametrize(("transport", "doubted"), [("tcp", False), ("udp", True)])
def test_h265_over_udp_is_doubted(
    transport: Literal["tcp", "udp"], doubted: bool, tmp_path: Path
) -> None:
    """FFmpeg does not tell what is lost of it."""
    film = np.random.default_rng(1).integers(0, 255, (20, 96, 128, 3), np.uint8)
    np.save(tmp_path / "film.npy", film)
    served, learnt = RtspCamera("127.0.0.1", tmp_path / "film.npy", FPS, codec="H265"), Learnt()
    try:
        with opened(served, transport, learnt) as camera:
            assert frames(camera, 1)
    finally:
        served.end()
    assert learnt.codec == "hevc"
    assert (learnt.doubt is not None and "H.265 over UDP" in learnt.doubt) == doubted
