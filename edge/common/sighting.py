"""What watch sends decide: heads per cell of the picture, and how far the picture can be trusted.

Apart from the other messages (`edge.common.wire`), because only these hold arrays:
programs that never get one do not load numpy.
"""

import math
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from edge.common.wire import Message, Wire

# A zone is covered when more than this share of what the camera should see there is hidden. People,
# shadows and night leave it below 0.32 in real pictures; a hand over three fifths of the zone, or a
# bus before it, hides 0.54 at least.
HIDDEN_MOST = 0.5
# A zone's ground is not seen when on average the zone is more unlike the view that was learnt. With
# up to 7 people in the picture it is at most 0.66 at the station, in every light; on drawn streets
# with up to 1 person per m2 at most 0.76, at night and in rain too. With 3 per m2 and more it is
# 0.87 at least, whether heads show or umbrellas.
UNLIKE_MOST = 0.8


class HeadMap(msgspec.Struct, frozen=True, eq=False):
    """Heads per cell of the picture, or of the part of it that was looked at.

    `count` and `variance` are float32 of shape (rows, columns). A picture has `width` x `height`
    px; cell (r, c) covers the square of `cell` px whose corner is c * `cell` px to the right of
    `left` and r * `cell` px below `top`. Of what is outside of all cells nothing is known.
    The 90 % interval of a sum of cells has two parts: `interval` standard deviations of what each
    cell errs by itself, and `relative` of the sum, by which all cells of a picture err together.
    """

    count: np.ndarray[Any, Any]
    variance: np.ndarray[Any, Any]
    cell: float
    width: int
    height: int
    interval: float
    relative: float = 0.0
    left: float = 0.0
    top: float = 0.0

    def total(self) -> "Estimate":
        """Heads in all that was looked at."""
        return self.weighted(np.ones_like(self.count))

    def weighted(self, weights: NDArray[np.float32]) -> "Estimate":
        """Heads in the part of the picture that `weights` (rows, columns; 0 to 1) selects."""
        people = float(np.sum(self.count * weights))
        return self.with_interval(people, float(np.sum(self.variance * weights * weights)))

    def with_interval(self, people: float, variance: float) -> "Estimate":
        """`people`, a sum of cells of this map with that variance, with its 90 % interval."""
        spread = math.hypot(self.interval * variance**0.5, self.relative * people)
        return Estimate(people, max(0.0, people - spread), people + spread)


class Estimate(msgspec.Struct, frozen=True):
    """A number of people with its 90 % interval."""

    people: float
    low: float
    high: float


class PictureHealth(msgspec.Struct, frozen=True):
    """What is wrong with a picture, so that no count is taken from it."""

    dark: bool = False
    blurred: bool = False
    covered: bool = False
    moved: bool = False
    frozen: bool = False

    @property
    def faults(self) -> tuple[str, ...]:
        """The names of all that is wrong; empty for a trusted picture."""
        return tuple(name for name in self.__struct_fields__ if getattr(self, name))


class Motion(msgspec.Struct, frozen=True, eq=False):
    """How the picture moves, for the cells of the same Sighting's head map.

    `right` and `down` are px of the picture per second, float32 of shape (rows, columns). They
    were measured in a smaller picture, of whose samples one stands for `sample` px.
    """

    right: np.ndarray[Any, Any]
    down: np.ndarray[Any, Any]
    sample: float


class Sighting(Message, frozen=True, eq=False):
    """What one frame showed. `heads` is None when the picture could not be trusted.

    `motion` is None when no trusted picture was taken shortly before this one, or the camera shook.
    `second` is what another look at the same picture counts, at another scale; None where there was
    none.
    `hidden` is the share, 0 to 1, of the camera's own view that is not seen in each cell of
    `heads`, float32 of shape (rows, columns); None where no cell is above HIDDEN_MOST, or no view
    is known yet. `unlike` is how unlike that view each cell looks, 0 to 1; None where no cell is
    above UNLIKE_MOST.
    """

    seq: int
    taken_at: int
    heads: HeadMap | None
    picture: PictureHealth
    model: str
    motion: Motion | None = None
    second: HeadMap | None = None
    hidden: np.ndarray[Any, Any] | None = None
    unlike: np.ndarray[Any, Any] | None = None


def _array_to_wire(value: object) -> object:
    if isinstance(value, np.ndarray):
        return (*value.shape, np.ascontiguousarray(value, dtype="<f4").tobytes())
    raise NotImplementedError(f"no wire form for {type(value).__name__}")


def _array_from_wire(kind: type, value: Any) -> object:
    if kind is np.ndarray or getattr(kind, "__origin__", None) is np.ndarray:
        rows, columns, data = value
        return np.frombuffer(data, dtype="<f4").reshape(rows, columns)
    raise NotImplementedError(f"no wire form for {kind}")


SIGHTINGS = Wire(Sighting, _array_to_wire, _array_from_wire, max_bytes=1 << 18)
