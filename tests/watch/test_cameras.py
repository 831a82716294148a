"""One contract for every camera, and what is special to each."""

import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest

from edge.common.clock import boottime_ns
from edge.common.errors import CameraError
from edge.common.units import seconds
from edge.site import Site
from edge.site.schema import (
    PiCameraOptions,
    PicturesOptions,
    RigCameraOptions,
    SceneOptions,
    StreamOptions,
)
from edge.street.scene import Scene
from edge.watch.cameras import scene_camera
from edge.watch.cameras.camera import Camera, NoFrameError
from edge.watch.cameras.choose import open_camera
from tests.watch.made import noise, save_picture, save_video

PATIENCE_S = 60.0  # a street is drawn before it is seen, and slowly on a busy machine


class FakePicamera2:
    """A small stand-in with picamera2's documented calls: shows our order of calls, not the Pi."""

    frames_left = 1000

    @staticmethod
    def global_camera_info() -> list[dict[str, Any]]:
        return [{"Model": "imx708"}]

    def __init__(self, number: int) -> None:
        self.config: dict[str, Any] = {}
        self.started = False

    def create_video_configuration(self, **parts: Any) -> dict[str, Any]:
        return parts

    def configure(self, config: dict[str, Any]) -> None:
        self.config = config

    def start(self) -> None:
        self.started = True

    def capture_request(self, *, wait: bool) -> str:
        assert self.started and not wait
        return "job"

    def wait(self, job: str, timeout: float) -> SimpleNamespace:
        time.sleep(1 / self.config["controls"]["FrameRate"])
        if self.frames_left <= 0:
            raise TimeoutError
        wide, high = self.config["main"]["size"]
        taken_at = boottime_ns()
        return SimpleNamespace(
            make_array=lambda name: noise(high, wide, taken_at % 1000),
            get_metadata=lambda: {"SensorTimestamp": taken_at},
            release=lambda: None,
        )

    def close(self) -> None:
        self.started = False


@pytest.fixture
def fake_picamera2(monkeypatch: pytest.MonkeyPatch) -> type[FakePicamera2]:
    module = ModuleType("picamera2")
    fake = type("Fake", (FakePicamera2,), {})
    module.Picamera2 = fake  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "picamera2", module)
    return fake


@pytest.fixture(params=["pictures", "stream", "scene", "picamera", "rig"])
def camera(
    request: pytest.FixtureRequest, tmp_path: Path, fake_picamera2: object
) -> Iterator[Camera]:
    opened = open_camera(Site(camera=_options(request.param, tmp_path)))
    yield opened
    opened.close()


def _options(kind: str, folder: Path) -> Any:
    if kind == "pictures":
        for index in range(3):
            save_picture(folder / f"{index}.png", noise(seed=index))
        return PicturesOptions(kind="pictures", folder=str(folder), every_s=0.05)
    if kind == "stream":
        video = save_video(folder / "a.mp4")
        return StreamOptions(kind="stream", url=str(video), fps=20, repeat=True)
    if kind == "rig":
        return _rig(folder)
    if kind == "scene":
        return SceneOptions(width=160, height=96, fps=4)  # drawn in less, also on a busy machine
    return PiCameraOptions(kind="picamera", width=160, height=96, fps=20)


def _rig(folder: Path) -> RigCameraOptions:
    np.save(folder / "film.npy", np.stack([noise(seed=number) for number in range(40)]))
    return RigCameraOptions(kind="rig", folder=str(folder), fps=20)


def test_frames_are_new_and_of_one_form(camera: Camera) -> None:
    """Contract: RGB uint8, and each frame later than the one before."""
    before = 0
    for _ in range(5):
        frame = camera.read(PATIENCE_S)
        assert frame.pixels.shape == (96, 160, 3)
        assert frame.pixels.dtype == np.uint8
        assert before < frame.taken_at <= boottime_ns()
        before = frame.taken_at


def test_a_read_ends_in_time(camera: Camera) -> None:
    """Contract: no new frame yet is said at once, and the camera goes on.

    Most of twenty times: some wait for a processor that others have.
    """
    camera.read(PATIENCE_S)
    took_s = []
    for _ in range(20):
        began = time.monotonic()
        try:
            camera.read(0.001)
        except NoFrameError as error:
            assert "\n" not in str(error)
        took_s.append(time.monotonic() - began)
    assert median(took_s) < 0.15
    camera.read(PATIENCE_S)


def test_closing_twice_is_harmless(camera: Camera) -> None:
    """Contract: a technician's unplugged camera is closed more than once."""
    camera.close()
    camera.close()


def _pictures(folder: Path, **options: Any) -> Camera:
    return open_camera(Site(camera=PicturesOptions(kind="pictures", folder=str(folder), **options)))


def test_a_bad_picture_does_not_stop_the_folder(tmp_path: Path) -> None:
    """It is a read without a frame; the next one goes on."""
    for index in range(3):
        save_picture(tmp_path / f"{index}-2024010100000{index}.png", noise(seed=index))
    (tmp_path / "1-20240101000001.png").write_bytes(b"")
    camera = _pictures(tmp_path, every_s=0.01)
    camera.read(1.0)
    with pytest.raises(NoFrameError, match="is empty"):
        camera.read(1.0)
    assert np.array_equal(camera.read(1.0).pixels, noise(seed=2))
    assert np.array_equal(camera.read(1.0).pixels, noise(seed=0))


def test_a_folder_shown_once_ends(tmp_path: Path) -> None:
    """With the option that would repeat it."""
    save_picture(tmp_path / "a.png", noise())
    camera = _pictures(tmp_path, every_s=0.01, repeat=False)
    camera.read(1.0)
    with pytest.raises(CameraError, match="set repeat = true") as caught:
        camera.read(1.0)
    assert not isinstance(caught.value, NoFrameError)


def test_an_empty_folder_cannot_be_opened(tmp_path: Path) -> None:
    """Nor one that is missing."""
    for folder in (tmp_path, tmp_path / "none"):
        with pytest.raises(CameraError, match="folder"):
            _pictures(folder)


def _ribbon(**options: Any) -> Camera:
    return open_camera(
        Site(camera=PiCameraOptions(kind="picamera", width=160, height=96, **options))
    )


def test_without_picamera2_the_remedy_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """Outside a Pi the library is not there."""
    monkeypatch.setitem(sys.modules, "picamera2", None)
    with pytest.raises(CameraError, match="apt install python3-picamera2"):
        _ribbon()


def test_a_pi_without_a_camera_says_so(
    fake_picamera2: type[FakePicamera2], monkeypatch: pytest.MonkeyPatch
) -> None:
    """And where to look."""
    monkeypatch.setattr(fake_picamera2, "global_camera_info", list)
    with pytest.raises(CameraError, match="0 found; check the ribbon cable"):
        _ribbon()


def test_a_silent_camera_is_first_waited_for_then_broken(
    fake_picamera2: type[FakePicamera2], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A loose cable: missed frames, then an error that has it opened anew."""
    monkeypatch.setattr("edge.watch.cameras.picamera.WEDGED_AFTER_S", 60.0)
    fake_picamera2.frames_left = 0
    camera = _ribbon(fps=20)
    with pytest.raises(NoFrameError):
        camera.read(0.05)
    monkeypatch.setattr("edge.watch.cameras.picamera.WEDGED_AFTER_S", 0.0)
    with pytest.raises(CameraError, match="gave no frame for") as caught:
        camera.read(0.05)
    assert not isinstance(caught.value, NoFrameError)


def rigged(folder: Path) -> Camera:
    return open_camera(Site(camera=_rig(folder)))


def test_a_rig_commands_what_befalls_its_camera(tmp_path: Path) -> None:
    """Frozen, away and back; the film's time runs since boot, whoever opens the camera."""
    camera = rigged(tmp_path)
    camera.read(5.0)
    (tmp_path / "frozen").touch()
    assert np.array_equal(camera.read(5.0).pixels, camera.read(5.0).pixels)
    (tmp_path / "frozen").rename(tmp_path / "away")
    with pytest.raises(CameraError, match="it is away, as the rig commands"):
        camera.read(5.0)
    (tmp_path / "away").unlink()
    frame = rigged(tmp_path).read(5.0)
    seen = noise(seed=int(seconds(frame.taken_at) * 20) % 40)
    assert np.array_equal(frame.pixels, seen)


def test_a_rig_s_camera_that_hangs_reads_on_once_it_may(tmp_path: Path) -> None:
    camera = rigged(tmp_path)
    (tmp_path / "hung").touch()
    threading.Timer(1.5, (tmp_path / "hung").unlink).start()
    began = time.monotonic()
    camera.read(0.2)
    assert time.monotonic() - began >= 1.4


def test_a_rig_without_a_film_says_so(tmp_path: Path) -> None:
    with pytest.raises(CameraError, match="cannot be played"):
        open_camera(Site(camera=RigCameraOptions(kind="rig", folder=str(tmp_path))))


def test_a_street_that_is_slow_to_draw_holds_nobody_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """The watchdog asks for a sign of life, also while a slow machine still draws."""
    drawn = threading.Event()

    def slowly(options: SceneOptions, _t_s: float) -> Scene:
        drawn.wait(10.0)
        return Scene(options.width, options.height)

    monkeypatch.setattr(scene_camera, "_drawn", slowly)
    began = time.monotonic()
    camera = open_camera(Site(camera=SceneOptions(width=160, height=96)))
    with pytest.raises(NoFrameError, match="still being drawn"):
        camera.read(0.2)
    assert time.monotonic() - began < 5.0
    drawn.set()
    assert camera.read(10.0).pixels.shape == (96, 160, 3)
