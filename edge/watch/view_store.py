"""The camera's view on disk, so that it outlasts a restart. Once the file is gone, what is seen
then is the right view, and is learnt anew.
"""

import hashlib
from pathlib import Path

import msgspec
import numpy as np

from edge.common.errors import ViewError
from edge.site.schema import Camera, StreamOptions
from edge.watch.address import without_login
from edge.watch.state_file import read_state, remove_state, write_state
from edge.watch.view import View
from edge.watch.view_monitor import ViewMonitor

FILE = "view"
# What distinguishes one camera from another. How its pictures are taken does not: after a change
# of that a knocked camera must not be taken for right.
NAMING = {"kind", "folder", "number", "url", "seed", "scenario"}
# Largest value of each number on disk.
FULL = 127


class _Stored(msgspec.Struct, frozen=True):
    """`edges` are int8 of shape (3, rows, columns); `camera` says whose view it is."""

    camera: str
    rows: int
    columns: int
    edges: bytes


class ViewStore:
    """Keeps the view of one camera, as the site file describes it; another camera has none yet."""

    def __init__(self, state: Path, camera: Camera) -> None:
        self._path = state / FILE
        self._camera = hashlib.sha256(_name_of(camera).encode()).hexdigest()
        self._kept: View | None = None
        self._on_disk = False

    def load(self) -> View | None:
        """The view that was kept for this camera, or None; ViewError when it is unreadable."""
        data = read_state(self._path, "repair that disk")
        if data is None:
            return None
        try:
            stored = msgspec.msgpack.decode(data, type=_Stored)
            edges = np.frombuffer(stored.edges, np.int8).reshape(3, stored.rows, stored.columns)
        except (msgspec.MsgspecError, ValueError) as error:
            raise ViewError(
                f"{self._path} is damaged ({error}); the view is learnt anew: "
                "check where the camera looks"
            ) from error
        if stored.camera != self._camera:
            return None
        self._kept, self._on_disk = View(edges.astype(np.float32) / FULL), True
        return self._kept

    def follow(self, guard: ViewMonitor) -> bool:
        """Keep what the guard has learnt; make it forget a view whose file is gone.

        True when a view was written. ViewError when it cannot be: then it lasts until the next
        restart.
        """
        if guard.view is not None and guard.view is not self._kept:
            self._kept, self._on_disk = guard.view, False
            self._save(guard.view)
            self._on_disk = True
            return True
        if self._on_disk and self._gone():
            self._on_disk = False
            guard.forget()
        return False

    def _gone(self) -> bool:
        """A disk that answers with an error has not accepted a new view."""
        try:
            self._path.stat()
        except FileNotFoundError:
            return True
        except OSError:
            return False
        return False

    def _save(self, view: View) -> None:
        _, rows, columns = view.edges.shape
        edges = np.rint(np.clip(view.edges, -1, 1) * FULL).astype(np.int8).tobytes()
        stored = _Stored(self._camera, rows, columns, edges)
        write_state(self._path, msgspec.msgpack.encode(stored))


def _name_of(camera: Camera) -> str:
    if isinstance(camera, StreamOptions):
        camera = camera.model_copy(update={"url": without_login(camera.url)})
    return camera.model_dump_json(include=NAMING)


def accept_view(state: Path) -> bool:
    """Forget the kept view, so that the present one is learnt; False when none was kept."""
    return remove_state(state / FILE)
