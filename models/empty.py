"""Pictures in which nobody is, and what a counter finds in them all the same."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from models.families import KEPT_OUT, drawn
from models.pictures import Example
from models.scoring import Counts

MANY = 20  # heads; as many in an empty street would raise its level
DRAWN_EACH, DRAWN_SEED, DRAWN_SIDE = 8, 7, 640
CASES = Path("../../cases/phantoms")  # beside the folder of the sets


@dataclass(frozen=True)
class Phantoms:
    """Heads counted in pictures of nobody."""

    found: NDArray[np.float64]

    @property
    def median(self) -> float:
        """Heads."""
        return float(np.median(self.found))

    @property
    def share_of_many(self) -> float:
        """Share of the pictures in which MANY heads or more are counted."""
        return float((self.found >= MANY).mean())

    @property
    def most(self) -> float:
        """Heads in the worst picture."""
        return float(self.found.max())


def phantoms(counter: Counts, pictures: Sequence[Example]) -> Phantoms:
    """Count pictures of nobody."""
    maps = [counter.count(picture.pixels) for picture in pictures]
    return Phantoms(np.array([float(heads.count.sum()) for heads in maps]))


def empty_sets(data: Path, real: list[Example]) -> Mapping[str, list[Example]]:
    """Pictures of nobody that no training saw: real ones, drawn families kept out, and cases."""
    sets = {
        "nobody": real,
        "drawn, families kept out": drawn(KEPT_OUT, DRAWN_EACH, DRAWN_SEED, DRAWN_SIDE),
    }
    cases = sorted((data / CASES).glob("*.jpg"))
    if cases:
        sets["cases"] = [_nobody_in(path) for path in cases]
    return sets


def _nobody_in(path: Path) -> Example:
    pixels = np.asarray(Image.open(path).convert("RGB"))
    return Example(path.stem, pixels, np.zeros((0, 2), np.float32))
