"""What is counted where nobody is, on disk, so that it outlasts a restart: few bytes a cell, and no
picture. It belongs to the view that is kept beside it, and goes with it.
"""

from pathlib import Path
from typing import Annotated, Literal

import msgspec
import numpy as np

from edge.common.errors import ViewError
from edge.watch.baseline import DAY_HOURS, DAYS, Baseline, Days, Grid, Quiet, Steps
from edge.watch.state_file import read_state, remove_state, write_state

FILE = "baseline"

_Px = Annotated[int, msgspec.Meta(ge=1, le=1 << 16)]
_Hours = Annotated[int, msgspec.Meta(ge=0, lt=DAY_HOURS)]
_Heads = Annotated[float, msgspec.Meta(ge=0)]
_Before = Annotated[tuple[bytes, ...], msgspec.Meta(max_length=DAYS)]


class _Stored(msgspec.Struct, frozen=True):
    """`least` and each of `before` are uint8 of the grid's shape; `heads` and `least` are of the
    quietest hour of the day that runs, and None before it has one.
    """

    version: Literal[1]
    width: _Px
    height: _Px
    hours: _Hours
    heads: _Heads | None
    least: bytes | None
    before: _Before

    @classmethod
    def of(cls, days: Days) -> "_Stored":
        quietest = days.quietest
        return cls(
            version=1,
            width=days.grid.width,
            height=days.grid.height,
            hours=days.hours,
            heads=None if quietest is None else quietest.heads,
            least=None if quietest is None else quietest.least.tobytes(),
            before=tuple(cells.tobytes() for cells in days.before),
        )

    def days(self) -> Days:
        """ValueError when the cells are not those of a picture of that size."""
        grid = Grid(self.width, self.height)
        quietest = None
        if self.heads is not None and self.least is not None:
            quietest = Quiet(self.heads, _cells(self.least, grid))
        before = tuple(_cells(each, grid) for each in self.before)
        return Days(grid, self.hours, quietest, before)


def _cells(data: bytes, grid: Grid) -> Steps:
    return np.frombuffer(data, np.uint8).reshape(grid.shape)


class BaselineStore:
    """Keeps what is known of one camera's view."""

    def __init__(self, state: Path) -> None:
        self._path = state / FILE
        self._kept: Days | None = None
        self._on_disk = True  # or so it may be

    def load(self) -> Days | None:
        """What was kept, or None; ViewError when it is unreadable."""
        data = read_state(self._path, "use sudo, or repair that disk")
        if data is None:
            return None
        try:
            self._kept = msgspec.msgpack.decode(data, type=_Stored).days()
        except (msgspec.MsgspecError, ValueError) as error:
            raise ViewError(
                f"{self._path} is damaged ({error}); a running unit learns anew what it counts "
                "where nobody is"
            ) from error
        return self._kept

    def follow(self, baseline: Baseline) -> bool:
        """Keep what was learnt, once an hour; remove what was forgotten. True when the disk has it.

        ViewError when it does not take it: then it lasts until the next restart.
        """
        days = baseline.days
        if days is self._kept and (days is not None or not self._on_disk):
            return False
        self._kept, self._on_disk = days, days is not None
        if days is None:
            forget_baseline(self._path.parent)
        else:
            write_state(self._path, msgspec.msgpack.encode(_Stored.of(days)))
        return True


def forget_baseline(state: Path) -> None:
    """Forget what is kept, if anything is; ViewError when the disk refuses."""
    remove_state(state / FILE)
