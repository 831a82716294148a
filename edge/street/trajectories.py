"""Recorded paths of people on the simulated street, as `hil/scenarios/make.py` writes them.

A file is a compressed `.npz`: `every_s` between samples and `length_s` of the whole; of each
person the number of the `first` sample, how many `samples` there are, and the feet at the first
(`start_cm`); then, person after person, the `step_cm` from each sample to the next. Positions are
whole centimetres, X across the street and Y along it.
"""

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edge.street.crowd import FACINGS, Crowd

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

# Who moves less than this within `FACING_OVER_S` keeps looking where he looked before.
FACING_STEP_M, FACING_OVER_S = 0.35, 1.5


@dataclass(frozen=True)
class Trajectories:
    """Everybody's way over time, which begins again after `length_s`.

    Person n (of N) has samples from number `first[n]` to `last[n]`, each `every_s`; they stand in
    `feet` (M, 2), metres, and `facing` (M,) from row `row[n]` on.
    """

    every_s: float
    length_s: float
    first: Integers
    last: Integers
    row: Integers
    feet: Floats
    facing: Integers

    @staticmethod
    def load(file: Path) -> "Trajectories":
        """The paths in a file."""
        with np.load(file) as stored:
            every_s, length_s = float(stored["every_s"]), float(stored["length_s"])
            first = stored["first"].astype(np.int64)
            samples = stored["samples"].astype(np.int64)
            steps, start = stored["step_cm"].astype(np.int64), stored["start_cm"].astype(np.int64)
        row = np.cumsum(samples) - samples
        moves = np.empty((int(samples.sum()), 2), np.int64)
        is_start = np.zeros(len(moves), bool)
        is_start[row] = True
        moves[is_start], moves[~is_start] = start, steps
        along = np.cumsum(moves, axis=0)
        before = np.repeat(along[row] - start, samples, axis=0)
        feet = (along - before) / 100
        facing = _facings(feet, row, samples, round(FACING_OVER_S / every_s))
        return Trajectories(every_s, length_s, first, first + samples - 1, row, feet, facing)

    @property
    def people(self) -> int:
        """How many come in all."""
        return len(self.first)

    def at(self, t_s: float, look: Integers) -> Crowd:
        """Who is there at a time, between two samples in a straight line; `look` (N,)."""
        sample, part = divmod((t_s % self.length_s) / self.every_s, 1)
        here = np.flatnonzero((self.first <= sample) & (sample + math.ceil(part) <= self.last))
        row = self.row[here] + int(sample) - self.first[here]
        after = np.minimum(row + 1, self.row[here] + self.last[here] - self.first[here])
        feet = (1 - part) * self.feet[row] + part * self.feet[after]
        return Crowd(feet, self.facing[row], look[here])


def _facings(feet: Floats, row: Integers, samples: Integers, over: int) -> Integers:
    """Where everybody looks at each sample: the way of the last clear movement, or of the next."""
    facing = np.zeros(len(feet), np.int64)
    for start, count in zip(row.tolist(), samples.tolist(), strict=True):
        own = feet[start : start + count]
        numbers = np.arange(count)
        ahead, behind = (numbers + over).clip(0, count - 1), (numbers - over).clip(0, count - 1)
        gone = own[ahead] - own[behind]
        clear = np.flatnonzero(np.hypot(*gone.T) >= FACING_STEP_M)
        if len(clear) == 0:
            facing[start : start + count] = start % FACINGS  # who never walks looks anywhere
            continue
        latest = (np.searchsorted(clear, numbers, side="right") - 1).clip(0)
        heading = np.arctan2(-gone[:, 0], gone[:, 1])[clear[latest]]
        facing[start : start + count] = np.round((heading / math.pi + 1) * FACINGS / 2) % FACINGS
    return facing
