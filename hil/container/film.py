"""The street outside: a scenario drawn ahead of time, with a pattern to know it by anywhere."""

import hashlib
import multiprocessing
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edge.street.scenarios import StagedScenario
from edge.watch.frame import Pixels

SCENARIO, FPS = "surge", 2.0
STREET = Path(__file__).parents[2] / "edge/street"

# 16 squares of 8 px, dark and bright, in the upper left corner: a row of them is found in raw
# pixels. Whoever finds them outside of watch has found a picture.
CANARY = (1, 0, 1, 1, 0, 0, 1, 1, 1, 0, 0, 0, 1, 0, 1, 1)
SQUARE_PX = 8


def canary_row() -> NDArray[np.uint8]:
    """One row of the pattern, a byte for each px: 0 and 255."""
    return np.repeat(np.array(CANARY, np.uint8) * np.uint8(255), SQUARE_PX)


def frame(number: int) -> Pixels:
    """One picture of the film."""
    pixels = _staged().at(number / FPS).pixels.copy()
    pixels[:SQUARE_PX, : len(CANARY) * SQUARE_PX] = canary_row()[None, :, None]
    return pixels


def make_film(folder: Path) -> Path:
    """The whole scenario as uint8 (pictures, height, width, 3); made once (two minutes)."""
    digest = hashlib.sha256()
    for file in (*sorted(STREET.glob("*.py")), *sorted(STREET.glob("crowds/*")), Path(__file__)):
        digest.update(file.read_bytes())
    film = folder / f"film-{digest.hexdigest()[:12]}.npy"
    if not film.exists():
        draft = film.with_suffix(".draft.npy")
        numbers = range(int(_staged().length_s * FPS))
        with multiprocessing.get_context("fork").Pool() as painters:
            np.save(draft, np.stack(painters.map(frame, numbers, chunksize=20)))
        draft.rename(film)
    return film


@cache
def _staged() -> StagedScenario:
    return StagedScenario(SCENARIO)
