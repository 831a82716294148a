"""Where the edges of the camera's view lie.

A `View` holds no picture. Per cell of 4 x 4 samples (about 80 cells on the longer side of any
picture) it has three numbers, averaged over minutes: how much of the cell is edge, and which way
the edges run. Brightness, colour and everything finer than a cell are gone, and anyone who passes
is averaged away: a head in the street is one to three cells.
"""

from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np
from numpy.typing import NDArray

Samples = NDArray[np.float32]  # (rows, columns), brightness 0..255
Edges = NDArray[np.float32]  # (3, rows, columns) of cells: amount 0..1, and direction (cos, sin)

CELL = 4
# Steps of brightness over two samples: smaller ones are noise, larger ones all count as one.
# Both shrink with the light.
STEP, STEP_SHARE = 4.0, 0.08
SMALLEST = CELL + 2  # samples, of which a cell can be made
REACH = 8  # cells, within which a shifted view is looked for
GONE = 0.25  # an edge has vanished when less than this share of it is left
AROUND = (7, 7)  # cells, over which what is hidden is averaged
FEW = 0.2  # of the mean of the view: edges that say nothing


def edges_of(grey: Samples) -> Edges:
    """Return the edges of a picture of at least 6 x 6 samples, cell by cell.

    The direction is that of the doubled angle (as in the structure tensor, Bigun and Granlund
    1987), so that an edge counts the same whichever of its sides is bright; and every edge counts
    about the same whatever its contrast, so that day and night look alike.
    """
    across = grey[1:-1, 2:] - grey[1:-1, :-2]
    down = grey[2:, 1:-1] - grey[:-2, 1:-1]
    noise = STEP + STEP_SHARE * float(grey.mean())
    both = 2 * across * down
    across *= across
    down *= down
    power = across + down
    across -= down
    scale = 1 / (power + noise * noise)
    return np.stack([pooled(part * scale, CELL) for part in (power, across, both)])


def pooled(values: Samples, size: int) -> Samples:
    """The mean of each square of `size` x `size`; what is left over at the ends is left out."""
    rows, columns = (length // size for length in values.shape)
    if not rows or not columns:
        return np.zeros((rows, columns), np.float32)
    squares = np.ascontiguousarray(values[: rows * size, : columns * size])
    means = cv2.resize(squares, (columns, rows), interpolation=cv2.INTER_AREA)
    return np.asarray(means, np.float32)


@dataclass(frozen=True, eq=False)
class _Spectrum:
    """The two-dimensional Fourier transform of directions without their mean, and their norm."""

    values: NDArray[np.complex128]
    norm: float

    @classmethod
    def of(cls, directions: Edges) -> "_Spectrum":
        centred = directions - directions.mean(axis=(1, 2), keepdims=True)
        values = np.fft.rfft2(centred, _padded(directions))
        return cls(values, float(np.sqrt(np.vdot(centred, centred))))


@dataclass(frozen=True)
class Match:
    """How the edges of now lie against a view's.

    `shift` is how far they are displaced, in cells; `likeness` their correlation there, 0 to 1.
    """

    shift: float
    likeness: float


@dataclass(frozen=True, eq=False)
class View:
    """What stays of many pictures of one view: the mean of their edges."""

    edges: Edges

    def match(self, now: Edges) -> Match:
        """Compare with the edges of now; nothing is alike when their shapes differ."""
        if now.shape != self.edges.shape:
            return Match(0.0, 0.0)
        scores = self._correlation(now[1:])
        row, column = np.unravel_index(int(scores.argmax()), scores.shape)
        shift = float(np.hypot(row - REACH, column - REACH))
        return Match(shift, float(scores[row, column]))

    def is_seen_in(self, now: Edges, least: float) -> bool:
        """Return whether the edges are where they were, with at least this likeness."""
        match = self.match(now)
        return match.shift < 1 and match.likeness >= least

    def vanished(self, now: Edges) -> float:
        """Return the share of the view's edges that are not there now, 0 to 1."""
        before, amount = self.edges[0], now[0]
        if amount.shape != before.shape:
            return 0.0
        gone = np.where(amount < GONE * before, before, 0)
        return float(gone.sum() / max(float(before.sum()), 1e-6))

    def hidden(self, now: Edges) -> Samples:
        """For each cell the share, 0 to 1, of the view's edges around it that are not there now.

        Where the view has hardly any, the share of the whole picture: nothing better is known.
        """
        before, amount = self.edges[0], now[0]
        if amount.shape != before.shape:
            return np.zeros(before.shape, np.float32)
        gone = np.where(amount < GONE * before, before, np.float32(0))
        lost, had = (cv2.blur(each, AROUND) for each in (gone, before))
        whole = gone.sum() / max(float(before.sum()), 1e-6)
        share = np.where(had > FEW * had.mean(), lost / np.maximum(had, 1e-6), whole)
        return share.astype(np.float32)

    def unlike(self, now: Edges) -> Samples:
        """For each cell how unlike the view it looks, 0 to 1: all of what is around it is other.

        The correlation of the edges' directions shows it, so that what hides the view by edges of
        its own is found, too. Where the view has hardly any, 0: nothing is known.
        """
        own, other = self.edges[1:], now[1:]
        if own.shape != other.shape:
            return np.zeros(self.edges.shape[1:], np.float32)
        both, had, has = (
            cv2.blur((a * b).sum(axis=0), AROUND)
            for a, b in ((own, other), (own, own), (other, other))
        )
        alike = both / np.sqrt(np.maximum(had * has, 1e-12))
        known = had > FEW**2 * had.mean()
        return np.where(known, 1 - alike.clip(0, 1), 0).astype(np.float32)

    @cached_property
    def _own(self) -> _Spectrum:
        return _Spectrum.of(self.edges[1:])

    def _correlation(self, directions: Edges) -> NDArray[np.float64]:
        """Normalised cross-correlation for shifts of up to REACH cells; (2 REACH + 1) squared."""
        own, other = self._own, _Spectrum.of(directions)
        product = (other.values * own.values.conj()).sum(axis=0)
        found = np.fft.irfft2(product, _padded(directions))
        near = np.roll(found, (REACH, REACH), axis=(0, 1))[: 2 * REACH + 1, : 2 * REACH + 1]
        return near / max(own.norm * other.norm, 1e-6)


def _padded(directions: Edges) -> list[int]:
    """Room for a shift by REACH; multiples of 8 are quick to transform."""
    return [-(-max(length + REACH, 2 * REACH + 1) // 8) * 8 for length in directions.shape[1:]]
