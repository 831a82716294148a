"""The messages between the programs: small, typed, frozen, each with its time.

`Sighting` goes from watch to decide, `Order` from decide to show, `State`, `Event` and `Health` go
to report, and `Command` comes down from it. Times named `at` or `_at`, `since` or `until` are
CLOCK_BOOTTIME nanoseconds.
"""

import enum
import math
from typing import Any, Literal

import msgspec
import numpy as np
from numpy.typing import NDArray

from edge.errors import LinkError


class Level(enum.IntEnum):
    """How crowded: the values grow with what the sign must make people do.

    UNKNOWN stands above CLEAR: of two zones, one clear and one unknown, the street is unknown.
    """

    CLEAR = 0
    UNKNOWN = 1
    CAUTION = 2
    CROWDED = 3
    CRITICAL = 4


class HeadMap(msgspec.Struct, frozen=True, eq=False):
    """Heads per cell of the picture.

    `count` and `variance` are float32 of shape (rows, columns); cell (r, c) covers the square
    from (c, r) * `cell` to (c + 1, r + 1) * `cell` px of a picture of `width` x `height` px.
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

    def total(self) -> "Estimate":
        """Heads in the whole picture."""
        return self.weighted(np.ones_like(self.count))

    def weighted(self, weights: NDArray[np.float32]) -> "Estimate":
        """Heads in the part of the picture that `weights` (rows, columns; 0 to 1) selects."""
        people = float(np.sum(self.count * weights))
        return self.estimate(people, float(np.sum(self.variance * weights * weights)))

    def estimate(self, people: float, variance: float) -> "Estimate":
        """A sum of cells of this map, with the variance of that sum."""
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


class Sighting(msgspec.Struct, frozen=True, tag=True, eq=False):
    """What one frame showed. `heads` is None when the picture could not be trusted.

    `motion` is None when no trusted picture was taken shortly before this one, or the camera shook.
    """

    seq: int
    taken_at: int
    heads: HeadMap | None
    picture: PictureHealth
    model: str
    motion: Motion | None = None


class Occupancy(msgspec.Struct, frozen=True):
    """People in one zone: 90 % interval low..high, area in m2, density and peak in persons/m2.

    `speed` is the people's mean in m/s, `speed_variance` that of their velocities in m2/s2, and
    `pressure` the crowd pressure on the worst patch in 1/s2; None where they are not known.
    """

    zone: str
    people: float
    low: float
    high: float
    area: float
    density: float
    peak: float
    taken_at: int
    speed: float | None = None
    speed_variance: float | None = None
    pressure: float | None = None


class Page(msgspec.Struct, frozen=True):
    """One page of the sign: lines of text in one colour ("#rrggbb"), shown for `seconds`."""

    lines: tuple[str, ...]
    colour: str
    seconds: float = 3.0


class Order(msgspec.Struct, frozen=True, tag=True):
    """What the sign shall say from `issued_at` on, for `lifetime_s` and not a moment longer.

    `until` is when an operator's text ends (boot-time ns); None for the sign's own messages.
    `taken_at` is when the newest picture that decide had then seen was taken; None before any.
    """

    message: str
    level: Level
    pages: tuple[Page, ...]
    clips: tuple[str, ...]
    beacon: str
    priority: int
    issued_at: int
    lifetime_s: float
    until: int | None = None
    taken_at: int | None = None


class ZoneState(msgspec.Struct, frozen=True):
    """A zone's level, and its occupancy while the camera can be trusted.

    `warning` says in words what is dangerous in how people move; empty when nothing is known to be.
    """

    zone: str
    level: Level
    occupancy: Occupancy | None
    warning: str = ""


class State(msgspec.Struct, frozen=True, tag=True):
    """How things stand, told once a second. `frame_age_s` is None before the first frame.

    `beyond` is how many heads are seen too far away to be of any place, and so in no zone.
    `commands` are the ids of the commands in force.
    """

    at: int
    level: Level
    message: str
    because: str
    zones: tuple[ZoneState, ...]
    frame_age_s: float | None
    picture_faults: tuple[str, ...]
    model: str
    beyond: float | None = None
    commands: tuple[str, ...] = ()


class Event(msgspec.Struct, frozen=True, tag=True):
    """Something that happened and must not be lost.

    Its `kind` is "transition", "fault", "recovery", "input", "command", "start" or "stop".
    """

    id: str
    kind: str
    source: str
    at: int
    because: str
    zone: str | None = None
    before: str | None = None
    after: str | None = None


class Health(msgspec.Struct, frozen=True, tag=True):
    """How one program is: what it measured of itself, and its open faults by name."""

    program: str
    at: int
    faults: dict[str, str]
    fault_count: int
    facts: dict[str, float | str]


Action = Literal["hold", "text", "mute", "test", "release", "log"]
Verbosity = Literal["DEBUG", "INFO", "WARNING", "ERROR"]


class Command(msgspec.Struct, frozen=True, tag=True):
    """What a control room wants, from `since` until just before `until`; repeated while it stands.

    "hold" is of a `level`, "text" of the sign's `lines`, "log" of all programs' `verbosity`;
    "release" ends what is held, shown and muted.
    """

    id: str
    action: Action
    by: str
    since: int
    until: int
    level: Level | None = None
    lines: tuple[str, ...] = ()
    verbosity: Verbosity = "INFO"


Message = Sighting | Order | State | Event | Health | Command


def encode(message: Message) -> bytes:
    """One message as bytes for the wire."""
    return _encoder.encode(message)


def decode(data: bytes) -> Message:
    """The message in `data`; LinkError when it is none of ours."""
    try:
        return _decoder.decode(data)
    except (msgspec.MsgspecError, ValueError, TypeError) as error:
        raise LinkError(f"a message of {len(data)} bytes is not understood: {error}") from error


def _array_to_wire(value: object) -> object:
    if isinstance(value, np.ndarray):
        return (*value.shape, np.ascontiguousarray(value, dtype="<f4").tobytes())
    raise NotImplementedError(f"no wire form for {type(value).__name__}")


def _array_from_wire(kind: type, value: Any) -> object:
    if kind is np.ndarray or getattr(kind, "__origin__", None) is np.ndarray:
        rows, columns, data = value
        return np.frombuffer(data, dtype="<f4").reshape(rows, columns)
    raise NotImplementedError(f"no wire form for {kind}")


_encoder = msgspec.msgpack.Encoder(enc_hook=_array_to_wire)
_decoder: msgspec.msgpack.Decoder[Message] = msgspec.msgpack.Decoder(
    Message, dec_hook=_array_from_wire
)
