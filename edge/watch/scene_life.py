"""Does the scene still live, whatever a camera or a recorder draws into its picture?

A camera that has frozen may go on drawing its clock. What is drawn over a picture stays where it
is and is small, and what it shows comes back: digits, a lamp, a logo that turns. So what has
stirred lately is gathered into places, and only what no overlay can be is a proof of life: a place
taller or wider than a line of text, several places far apart that are not at the upper or lower
edge, or one that never looks the same twice, as leaves in the wind. In doubt there is none.
deploy/decisions/0005-picture-health.md has what this finds and misses.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.common.timer import Timer
from edge.common.units import nanoseconds
from edge.watch.view import CELL, Samples, pooled

# A cell has stirred when it differs from what it was when it stirred last by this multiple of what
# 95 of 100 cells stay below, which is noise of sensor and encoder; bounds are multiples of the
# cells' standard deviation over the picture. One picture encoded anew each time stays below both.
NOISE_OF, NOISE_TIMES = 0.95, 6.0
STIRRED_LEAST, STIRRED_MOST = 0.25, 0.8
# Shares of the picture's longer side, of which a picture has about 80 cells: no block of text is so
# tall; none is so wide, nor, as a share of all cells, so large, but for a recorder's bar or running
# text at the upper or lower edge; and no two lines of one block are so far apart.
TALL, WIDE, LARGE, APART = 0.15, 0.62, 0.08, 0.15
# Texts begin this near to the edge (share of the height), and lines there are at most so tall.
EDGE, LINE = 0.1, 0.08
# Texts are broken by blanks, and digits that change by digits that do not.
REACH = np.ones((3, 5), np.uint8)
AROUND = np.ones((7, 7), np.uint8)  # what a codec may disturb beside what has stirred
PLACES = 3
# Each second's samples are remembered, for less long than a picture may stand still: then all that
# is remembered of a frozen one is frozen.
REMEMBER_EVERY_S, REMEMBERED, REMEMBERED_LEAST = 1.0, 256, 96
# Leaves in little wind stir no cell, yet vary, over about so many looks, by this multiple of the
# standard deviation that 90 of 100 cells stay below, which is noise: by the least at least, and by
# no more than the most (brightness). Single cells of one picture encoded anew vary by up to 3.9
# times that, and by up to 2.3, and come back.
VARIES_OVER = 128
FAINT_OF, FAINT_TIMES, FAINT_LEAST, FAINT_MOST = 0.9, 1.7, 0.5, 2.0
# The latest looks of a cell are looked up among those before: how much the nearest one differs, as
# a share of how much they differ at all. A cell is about one letter, so that counters come back,
# too: overlays within 0.1, a flag within 0.1, leaves within 0.18 at least.
LATEST, JUST_BEFORE = 32, 3
NEW_ABOVE, NEW_CELLS, CELLS_TRIED = 0.14, 5, 16
JUDGE_EVERY_S = 10.0


@dataclass(frozen=True)
class Place:
    """Cells (row, column) that stirred, near to one another, and the rectangle around them."""

    row: int
    column: int
    rows: int
    columns: int
    cells: tuple[tuple[int, int], ...]

    @property
    def middle(self) -> tuple[float, float]:
        """Row and column."""
        return self.row + self.rows / 2, self.column + self.columns / 2

    def at_edge(self, shape: tuple[int, ...]) -> bool:
        """Whether it reaches into where texts mostly stand: at the upper or the lower edge."""
        reach = EDGE * shape[0]
        return self.row < reach or self.row + self.rows > shape[0] - reach

    def is_line_at_edge(self, shape: tuple[int, ...]) -> bool:
        """Return whether it may be text that runs through along the edge, and never comes back."""
        return self.at_edge(shape) and self.rows <= LINE * max(shape)


class SceneLife:
    """Remembers when each cell (4 x 4 samples) of the picture has stirred last."""

    def __init__(self) -> None:
        self._begin(np.zeros((0, 0), np.float32), 0)

    def _begin(self, cells: Samples, at: int) -> None:
        self._cells = cells.copy()
        self._stirred_at = np.full(cells.shape, at, np.int64)
        self._past = _Past(cells.shape)
        self._judge_timer = Timer(JUDGE_EVERY_S)
        self._is_new = False

    def see(self, grey: Samples, at: int) -> None:
        """Note what has changed in a picture taken at `at` ns."""
        cells = pooled(grey, CELL)
        if self._cells.shape != cells.shape:
            self._begin(cells, at)
        if not cells.size:
            return
        stirred = _stirred(self._cells, cells)
        self._cells[stirred] = cells[stirred]
        self._stirred_at[stirred] = at
        self._past.add(grey, cells, at)

    def still_for(self, seconds: float, at: int) -> bool:
        """Return whether there has been no proof of life for so long."""
        stirred = self._stirred_at > at - nanoseconds(seconds)
        if stirred.all() or lives(stirred):
            return False
        if self._judge_timer.restart_if_due(at):
            self._is_new = self._past.is_new(stirred)
        return not self._is_new


class _Past:
    """The samples of the last minutes, a second apart, in a ring; and how much each cell varies."""

    def __init__(self, shape: tuple[int, ...]) -> None:
        self._ring = np.zeros((REMEMBERED, *(CELL * length for length in shape)), np.uint8)
        self._mean, self._variance = np.zeros(shape, np.float32), np.zeros(shape, np.float32)
        self._count = 0
        self._add_timer = Timer(REMEMBER_EVERY_S)

    def add(self, grey: Samples, cells: Samples, at: int) -> None:
        """Remember these, if it is time."""
        if not self._add_timer.restart_if_due(at):
            return
        rows, columns = self._ring.shape[1:]
        self._ring[self._count % REMEMBERED] = grey[:rows, :columns] + np.float32(0.5)
        self._count += 1
        share = np.float32(1 / min(self._count, VARIES_OVER))
        apart = cells - self._mean
        self._mean += share * apart
        self._variance = (1 - share) * (self._variance + share * apart * apart)

    def is_new(self, stirred: NDArray[np.bool_]) -> bool:
        """Return whether what is seen at some places was hardly ever seen there before."""
        around = cv2.dilate(stirred.astype(np.uint8), AROUND) > 0
        # Near to what has stirred, codecs make others vary.
        faint = ~around & (self._variance > self._faint_from() ** 2)
        quiet = np.argwhere(~around & ~faint)
        if self._count < REMEMBERED_LEAST or not len(quiet):
            return False
        order = np.arange(max(0, self._count - REMEMBERED), self._count) % REMEMBERED
        noise = max(self._nearest(order, *cell)[0] for cell in _some(quiet))
        tried = [
            place
            for place in places_of(stirred) + places_of(faint)
            if not place.is_line_at_edge(stirred.shape)
        ]
        new = [place for place in tried if self._newness(order, place, noise) > NEW_ABOVE]
        return sum(len(place.cells) for place in new) >= NEW_CELLS

    def _faint_from(self) -> float:
        """The standard deviation above which a cell varies by more than noise (brightness)."""
        noise = float(np.quantile(self._variance, FAINT_OF)) ** 0.5
        return float(min(max(FAINT_TIMES * noise, FAINT_LEAST), FAINT_MOST))

    def _newness(self, order: NDArray[np.int64], place: "Place", noise: float) -> float:
        """How unlike all before the latest looks of its cells are, beyond the noise: 0 to 1."""
        found = [self._nearest(order, *cell) for cell in _some(np.array(place.cells))]
        beyond = [max(near**2 - noise**2, 0.0) ** 0.5 / max(usual, 1e-6) for near, usual in found]
        return float(np.median(beyond))

    def _nearest(self, order: NDArray[np.int64], row: int, column: int) -> tuple[float, float]:
        """How far the latest looks of a cell are from the nearest before, and how far looks usually
        are from each other (brightness).
        """
        rows, columns = (slice(CELL * first, CELL * (first + 1)) for first in (row, column))
        looks = self._ring[:, rows, columns][order].reshape(len(order), -1).astype(np.float32)
        latest, squares = looks[-LATEST:], (looks * looks).sum(axis=1)
        apart = squares[-LATEST:, None] + squares[None] - 2 * latest @ looks.T
        distance = np.sqrt(np.maximum(apart, 0) / looks.shape[1])
        number = np.arange(len(looks))
        before = number[None] <= number[-LATEST:, None] - JUST_BEFORE
        nearest = np.where(before, distance, np.inf).min(axis=1)
        return float(np.quantile(nearest, 0.75)), float(np.quantile(distance, 0.9))


def _some(cells: NDArray[np.int64]) -> NDArray[np.int64]:
    """At most CELLS_TRIED of them, evenly."""
    return cells[:: -(-len(cells) // CELLS_TRIED)]


def _stirred(before: Samples, now: Samples) -> NDArray[np.bool_]:
    """Return the cells that differ by more than an encoder makes them."""
    apart = np.abs(now - before)
    noise = np.partition(apart, int(NOISE_OF * (apart.size - 1)), axis=None)
    spread = float(now.std())
    limit = NOISE_TIMES * float(noise[int(NOISE_OF * (apart.size - 1))])
    bounded = min(max(limit, STIRRED_LEAST * spread), STIRRED_MOST * spread)
    stirred: NDArray[np.bool_] = apart > np.float32(bounded)
    return stirred


def lives(stirred: NDArray[np.bool_]) -> bool:
    """Return whether these cells (rows, columns) are more than an overlay can be."""
    places = places_of(stirred)
    return any(_too_large(place, stirred.shape) for place in places) or _scattered(
        places, stirred.shape
    )


def _too_large(place: Place, shape: tuple[int, ...]) -> bool:
    longer = max(shape)
    if place.rows > TALL * longer:
        return True
    size = len(place.cells) / (shape[0] * shape[1])
    return not place.at_edge(shape) and (place.columns > WIDE * longer or size > LARGE)


def places_of(stirred: NDArray[np.bool_]) -> list[Place]:
    """The connected groups of stirred cells; gaps of two cells to a side, one up or down, count."""
    near = cv2.dilate(stirred.astype(np.uint8), REACH)
    number, labels = cv2.connectedComponents(near)
    labels = np.where(stirred, labels, 0)
    return [_place(labels == each) for each in range(1, number)]


def _place(stirred: NDArray[np.bool_]) -> Place:
    cells = np.argwhere(stirred)
    (row, column), (rows, columns) = cells.min(axis=0).tolist(), np.ptp(cells, axis=0).tolist()
    return Place(row, column, rows + 1, columns + 1, tuple(map(tuple, cells.tolist())))


def _scattered(places: list[Place], shape: tuple[int, ...]) -> bool:
    """Return whether several lie in the inner part of the picture, far apart and not in a line."""
    inner: list[Place] = []
    for place in places:
        if place.at_edge(shape) or len(place.cells) == 1:
            continue
        if all(_apart(place, other, max(shape)) for other in inner):
            inner.append(place)
    return len(inner) >= PLACES


def _apart(one: Place, other: Place, longer: int) -> bool:
    down, across = np.abs(np.subtract(one.middle, other.middle)) / longer
    return bool(np.hypot(down, across) > APART and min(down, across) > 0.05)
