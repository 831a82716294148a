"""Pictures that come late or too seldom: reported once, by the program's own account."""

import time
from pathlib import Path

import pytest

from edge.common.clock import boottime_ns
from edge.common.errors import CameraError
from edge.common.program import Paths, Program
from edge.common.units import nanoseconds
from edge.site import Site
from edge.site.schema import Camera, PiCameraOptions, PicturesOptions, StreamOptions
from edge.watch.cameras.choose import remedy_if_slow
from edge.watch.cameras.reconnecting import LATE, ReconnectingCamera
from edge.watch.frame import Frame
from tests.watch.made import noise


class _Given:
    """A camera that gives pictures of these times (s from now), then fails."""

    def __init__(self, taken_s: list[float]) -> None:
        now = boottime_ns()
        self._taken = [now + nanoseconds(one) for one in taken_s]

    def read(self, timeout_s: float) -> Frame:
        if not self._taken:
            raise CameraError("camera: away")
        return Frame(noise(8, 8), self._taken.pop(0))

    def close(self) -> None:
        pass


@pytest.fixture
def program(tmp_path: Path) -> Program:
    return Program("watch", Paths(tmp_path, tmp_path))


def test_a_late_picture_is_reported_once(program: Program) -> None:
    camera = ReconnectingCamera(lambda: _Given([-1.8, -1.6, -1.4, 0.0]), program)
    for _ in range(4):
        assert camera.read() is not None
    assert program.faults == {"camera": LATE}
    assert program.fault_count == 1


def test_a_slow_camera_is_reported_once_with_the_option_that_matters(program: Program) -> None:
    """A picture in four seconds; each one still counts."""
    camera = ReconnectingCamera(
        lambda: _Given([0.0, 4.0, 8.1, 12.0]), program, "camera.every_s is 4, set it to 1 or less"
    )
    for _ in range(4):
        assert camera.read() is not None
    assert program.fault_count == 1
    assert "needs a new one within 3 s; camera.every_s" in program.faults["camera"]


def test_one_in_two_seconds_is_no_fault(program: Program) -> None:
    camera = ReconnectingCamera(lambda: _Given([0.0, 2.0, 4.0, 6.5]), program)
    for _ in range(4):
        camera.read()
    assert program.fault_count == 0


def test_a_camera_that_was_away_is_not_slow(program: Program) -> None:
    """Its fault is that it was away, and ends with the first picture."""
    given = [_Given([0.0]), _Given([0.0, 0.1])]
    camera = ReconnectingCamera(lambda: given.pop(0), program)
    assert camera.read() is not None
    assert camera.read() is None
    assert program.faults == {"camera": "camera: away"}
    until = time.monotonic() + 10.0
    while camera.read() is None:
        assert time.monotonic() < until
    assert program.faults == {}


@pytest.mark.parametrize(
    ("camera", "option"),
    [
        (PicturesOptions(kind="pictures", folder="x", every_s=5.0), "camera.every_s is 5"),
        (
            StreamOptions(kind="stream", url="http://10.0.0.5/snap.jpg", every_s=5.0),
            "camera.every_s is 5",
        ),
        (StreamOptions(kind="stream", url="rtsp://10.0.0.5/live", fps=0.2), "camera.fps is 0.2"),
        (PiCameraOptions(kind="picamera", fps=0.2), "camera.fps is 0.2"),
    ],
)
def test_each_kind_has_its_remedy(camera: Camera, option: str) -> None:
    assert option in remedy_if_slow(Site(camera=camera))
