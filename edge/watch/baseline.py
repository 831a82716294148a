"""Heads that are counted where nobody is: the least that is counted at a street's quietest hours.

Foliage, lights and goods that look like heads stay where they are; people go. Of each day the hour
in which fewest heads were counted is looked at, and of that hour, place by place, the minute in
which fewest were. What is left over five days in a row is reported. Nothing is taken off any count
by it: deploy/decisions/0025-counted-where-nobody-is.md says why.

Time is an argument (boot time, ns), and a day is 24 hours of running: the wall clock may be wrong.
"""

from dataclasses import dataclass, replace
from functools import cached_property

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.common.sighting import HeadMap
from edge.common.timer import Timer
from edge.common.units import nanoseconds
from edge.site.ground.region import Box
from edge.watch.view_monitor import ViewMonitor

Steps = NDArray[np.uint8]  # (rows, columns) of the grid, in steps of STEP heads
Heads = NDArray[np.float32]  # the same, in heads

CELLS = 40  # of the grid, on the longer side of the picture
STEP, MOST_STEPS = 0.02, 255  # so 5.1 heads at most in a cell
LOOK_EVERY_S, MINUTE_S, HOUR_S = 1.0, 60.0, 3600.0
MOVED_S = 60.0  # after a start the first pictures may well be doubted
LEAST_MINUTES = 30  # with a trusted picture, or an hour says nothing
DAY_HOURS = 24
# In a row: who lies in one place for a night, or for four, is not taken for a thing.
DAYS = 5
# Of a cell that belongs to a place. The network gives a little to every cell.
PLACE_ABOVE = 0.1


@dataclass(frozen=True)
class Grid:
    """The cells of a whole picture of `width` x `height` px, whatever part of it is looked at."""

    width: int
    height: int

    @property
    def cell(self) -> float:
        """Px of a cell's side."""
        return max(self.width, self.height) / CELLS

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns; the last ones may reach beyond the picture."""
        return _cells(self.height, self.cell), _cells(self.width, self.cell)

    def laid(self, heads: HeadMap) -> Heads:
        """The heads of a map of this picture, spread evenly over the px of its cells.

        Where it has none nothing was counted: 0.
        """
        rows, columns = heads.count.shape
        down = self._shares(heads.top, rows, heads.cell, self.height)
        across = self._shares(heads.left, columns, heads.cell, self.width)
        return np.asarray(down @ heads.count @ across.T, np.float32)

    def head_map(self, steps: Steps) -> HeadMap:
        """As a head map of the whole picture; it claims no interval."""
        count = steps * np.float32(STEP)
        return HeadMap(count, np.zeros_like(count), self.cell, self.width, self.height, 0.0)

    def _shares(self, begin: float, cells: int, cell: float, length: int) -> Heads:
        """Along one side: the part of each of the map's `cells` that lies in each of the grid's."""
        theirs = np.minimum(begin + cell * np.arange(cells + 1), length)
        ours = np.minimum(self.cell * np.arange(_cells(length, self.cell) + 1), length)
        common = np.minimum.outer(ours[1:], theirs[1:]) - np.maximum.outer(ours[:-1], theirs[:-1])
        sides = np.maximum(np.diff(theirs), 1e-6)  # a cell beyond the picture has none
        return np.asarray(np.maximum(common, 0) / sides, np.float32)


def _cells(length: int, cell: float) -> int:
    return int(np.ceil(length / cell - 1e-6))


@dataclass(frozen=True, eq=False)
class Quiet:
    """An hour: the heads in the mean picture, and the least of its minutes in each cell."""

    heads: float
    least: Steps

    @classmethod
    def of(cls, minutes: list[Heads]) -> "Quiet | None":
        """From the means of its minutes; None when too few had a trusted picture."""
        if len(minutes) < LEAST_MINUTES:
            return None
        least = np.clip(np.min(minutes, axis=0) / STEP, 0, MOST_STEPS)  # rounded down
        return cls(float(np.sum(minutes)) / len(minutes), least.astype(np.uint8))


@dataclass(frozen=True, eq=False)
class Days:
    """What is known of one view: the quietest hours of up to DAYS days, and of the day that runs.

    `hours` of that day are over, `quietest` is the quietest of them; `before` are the cells of the
    days before it, the oldest first.
    """

    grid: Grid
    hours: int = 0
    quietest: Quiet | None = None
    before: tuple[Steps, ...] = ()

    def with_hour(self, hour: Quiet | None) -> "Days":
        """The same an hour later; a day without a usable hour is no day."""
        usable = [each for each in (self.quietest, hour) if each is not None]
        quietest = min(usable, key=lambda each: each.heads, default=None)
        if self.hours + 1 < DAY_HOURS:
            return replace(self, hours=self.hours + 1, quietest=quietest)
        day = () if quietest is None else (quietest.least,)
        return Days(self.grid, before=(*self.before, *day)[-DAYS:])

    @cached_property
    def nobody(self) -> HeadMap | None:
        """The heads counted where nobody is, over the whole picture; None before DAYS days."""
        if len(self.before) < DAYS:
            return None
        return self.grid.head_map(np.min(self.before, axis=0))


class Baseline:
    """Learns, while the camera is known to look where it looked, what is counted there at least.

    It forgets with `guard`'s view, and when the camera stays moved.
    """

    def __init__(self, guard: ViewMonitor, days: Days | None = None) -> None:
        self._guard = guard
        self._begin(days)

    def _begin(self, days: Days | None) -> None:
        self.days = days
        self._look_timer, self._minute_timer = Timer(LOOK_EVERY_S), Timer(MINUTE_S)
        self._looks: list[Heads] = []
        self._minutes: list[Heads] = []
        self._hour_began: int | None = None
        self._in_place_at: int | None = None

    @property
    def nobody(self) -> HeadMap | None:
        """The heads counted where nobody is; None before that is known, and of a moved camera."""
        return self.days.nobody if self.days and self._guard.status == "kept" else None

    def see(self, heads: HeadMap | None, at: int) -> None:
        """Take what was counted in a picture taken `at`; None for one that is not trusted."""
        if self._guard.status != "moved" or self._in_place_at is None:
            self._in_place_at = at
        moved = at - self._in_place_at >= nanoseconds(MOVED_S)
        if moved or self._guard.status == "learning":
            self._begin(None)
            return
        self._pass_time(at)
        if heads is not None:
            self._look(heads, at)

    def _pass_time(self, at: int) -> None:
        if self._looks and self._minute_timer.due(at):
            self._minutes.append(np.mean(self._looks, axis=0))
            self._looks = []
        if self._hour_began is None:
            self._hour_began = at
        elif self.days is not None and at - self._hour_began >= nanoseconds(HOUR_S):
            self.days = self.days.with_hour(Quiet.of(self._minutes))
            self._minutes, self._hour_began = [], at

    def _look(self, heads: HeadMap, at: int) -> None:
        grid = Grid(heads.width, heads.height)
        if self.days is None or self.days.grid != grid:
            self._begin(Days(grid))
        if not self._looks:
            self._minute_timer.restart(at)
        if self._look_timer.restart_if_due(at):
            self._looks.append(grid.laid(heads))


@dataclass(frozen=True)
class Place:
    """A connected part of the picture in which so many heads are counted."""

    heads: float
    box: Box


def places(nobody: HeadMap) -> list[Place]:
    """Where heads are counted though nobody is there, the place with most of them first."""
    found, labels = cv2.connectedComponents((nobody.count > PLACE_ABOVE).astype(np.uint8))
    each = (_place(nobody, labels == number) for number in range(1, found))
    return sorted(each, key=lambda place: -place.heads)


def _place(nobody: HeadMap, cells: NDArray[np.bool_]) -> Place:
    rows, columns = np.nonzero(cells)
    left, top, right, bottom = (
        round(nobody.cell * int(line))
        for line in (columns.min(), rows.min(), columns.max() + 1, rows.max() + 1)
    )
    box = Box(left, top, min(right, nobody.width), min(bottom, nobody.height))
    return Place(float(nobody.count[cells].sum()), box)
