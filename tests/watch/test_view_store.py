from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from edge.cli import main
from edge.common.errors import ViewError
from edge.site.schema import Camera, PiCameraOptions, SceneOptions, StreamOptions
from edge.watch.view import View, edges_of
from edge.watch.view_monitor import ViewMonitor
from edge.watch.view_store import FILE, ViewStore, accept_view

CAMERA = SceneOptions()


def some_view() -> View:
    grey = np.random.default_rng(0).uniform(0, 255, (176, 320)).astype(np.float32)
    return View(edges_of(grey))


def kept(state: Path, camera: Camera = CAMERA) -> View | None:
    return ViewStore(state, camera).load()


def test_a_learnt_view_outlasts_a_restart(tmp_path: Path) -> None:
    view = some_view()
    assert ViewStore(tmp_path, CAMERA).follow(ViewMonitor(view))
    loaded = kept(tmp_path)
    assert loaded is not None
    assert np.abs(loaded.edges - view.edges).max() <= 0.5 / 127 + 1e-6
    assert loaded.is_seen_in(view.edges, 0.99)


def test_nothing_but_the_edges_is_kept(tmp_path: Path) -> None:
    """Three bytes per cell of 8 x 8 px of a picture of 640 x 352, and a line about them."""
    view = some_view()
    ViewStore(tmp_path, CAMERA).follow(ViewMonitor(view))
    assert (tmp_path / FILE).stat().st_size < view.edges.size + 150
    assert [path.name for path in tmp_path.iterdir()] == [FILE]


def test_nothing_is_kept_before_it_is_learnt(tmp_path: Path) -> None:
    assert not ViewStore(tmp_path, CAMERA).follow(ViewMonitor())
    assert kept(tmp_path) is None


def test_it_is_written_once(tmp_path: Path) -> None:
    keeper, guard = ViewStore(tmp_path, CAMERA), ViewMonitor(some_view())
    assert [keeper.follow(guard) for _ in range(3)] == [True, False, False]


def test_another_camera_has_no_view_yet(tmp_path: Path) -> None:
    ViewStore(tmp_path, CAMERA).follow(ViewMonitor(some_view()))
    assert kept(tmp_path, StreamOptions(kind="stream", url="rtsp://camera.invalid/1")) is None


@pytest.mark.parametrize(
    ("camera", "changed"),
    [
        (CAMERA, SceneOptions(fps=5.0)),
        (PiCameraOptions(kind="picamera"), PiCameraOptions(kind="picamera", width=640, height=480)),
        (
            StreamOptions(kind="stream", url="rtsp://a:o@ld@camera.invalid/1"),
            StreamOptions(
                kind="stream", url="rtsp://b@camera.invalid/1", password_file="new", fps=2.0
            ),
        ),
    ],
)
def test_the_same_camera_read_in_another_way_has_its_view(
    tmp_path: Path, camera: Camera, changed: Camera
) -> None:
    """A knocked one would be taken for right otherwise, as soon as such an option changes."""
    ViewStore(tmp_path, camera).follow(ViewMonitor(some_view()))
    assert kept(tmp_path, changed) is not None


def test_the_camera_at_another_connector_has_no_view_yet(tmp_path: Path) -> None:
    ViewStore(tmp_path, PiCameraOptions(kind="picamera")).follow(ViewMonitor(some_view()))
    assert kept(tmp_path, PiCameraOptions(kind="picamera", number=1)) is None


@pytest.mark.parametrize("restarted", [False, True])
def test_accepting_makes_a_running_guard_learn_anew(tmp_path: Path, restarted: bool) -> None:
    keeper, guard = ViewStore(tmp_path / "watch", CAMERA), ViewMonitor(some_view())
    keeper.follow(guard)
    if restarted:
        keeper = ViewStore(tmp_path / "watch", CAMERA)
        guard = ViewMonitor(keeper.load())
    result = CliRunner().invoke(main, ["view", "accept", "--state", str(tmp_path)])
    assert result.exit_code == 0, result.output
    assert "forgotten" in result.output
    keeper.follow(guard)
    assert guard.status == "learning"


def test_accepting_twice_says_so(tmp_path: Path) -> None:
    result = CliRunner().invoke(main, ["view", "accept", "--state", str(tmp_path)])
    assert result.exit_code == 0
    assert "no view is kept" in result.output


@pytest.mark.parametrize("data", [b"", b"junk", b"\x84"])
def test_a_damaged_file_is_reported_and_then_replaced(tmp_path: Path, data: bytes) -> None:
    (tmp_path / FILE).write_bytes(data)
    keeper = ViewStore(tmp_path, CAMERA)
    with pytest.raises(ViewError, match="damaged"):
        keeper.load()
    keeper.follow(ViewMonitor(some_view()))
    assert kept(tmp_path) is not None


def test_a_cut_off_file_is_damaged(tmp_path: Path) -> None:
    ViewStore(tmp_path, CAMERA).follow(ViewMonitor(some_view()))
    path = tmp_path / FILE
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(ViewError, match="damaged"):
        kept(tmp_path)


def test_a_view_that_cannot_be_written_is_not_forgotten(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    keeper, guard = ViewStore(tmp_path / "file", CAMERA), ViewMonitor(some_view())
    with pytest.raises(ViewError, match="cannot be written"):
        keeper.follow(guard)
    assert not keeper.follow(guard)
    assert guard.view is not None


def test_the_folder_is_made(tmp_path: Path) -> None:
    ViewStore(tmp_path / "a" / "b", CAMERA).follow(ViewMonitor(some_view()))
    assert kept(tmp_path / "a" / "b") is not None


def test_a_view_that_cannot_be_removed_is_reported(tmp_path: Path) -> None:
    (tmp_path / FILE).mkdir()
    with pytest.raises(ViewError, match="cannot be removed"):
        accept_view(tmp_path)
