"""The messages between the programs: small, typed, frozen, each with its time.

`Order` goes from decide to show, `State`, `Event` and `Health` go to report, and `Command` and
`Ack` come down from it; what watch sends decide stands in `edge.common.sighting`, whose
arrays the others need not load. Times named `at` or `_at`, `since` or `until` are
CLOCK_BOOTTIME nanoseconds.
"""

import enum
from collections.abc import Callable
from typing import Annotated, Any, Literal

import msgspec

from edge.common.errors import LinkError

# Of an Order or a Command: no text of ours is nearly so long, and a flood of them is soon read.
MAX_BYTES = 1 << 14


class Message(msgspec.Struct, frozen=True, tag=True):
    """A message from one program to another."""

    @property
    def sender(self) -> str | None:
        """The program it claims to come from; None where only one can send it."""
        return None


class Level(enum.IntEnum):
    """How crowded: the values grow with what the sign must make people do.

    UNKNOWN stands above CLEAR: of two zones, one clear and one unknown, the street is unknown.
    """

    CLEAR = 0
    UNKNOWN = 1
    CAUTION = 2
    CROWDED = 3
    CRITICAL = 4


class Occupancy(msgspec.Struct, frozen=True):
    """People in one zone: 90 % interval low..high, area in m2, density and peak in persons/m2.

    `speed` is the people's mean in m/s, `speed_variance` that of their velocities in m2/s2, and
    `pressure` the crowd pressure on the worst patch in 1/s2; None where they are not known.
    `implausible` heads were counted on `implausible_area` m2 where so many cannot stand, and are
    not among the people. `doubt` is by which factor two looks at one picture last differed, 1 where
    they agree; None without a second look.
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
    implausible: float = 0.0
    implausible_area: float = 0.0
    doubt: float | None = None


class Page(msgspec.Struct, frozen=True):
    """One page of the sign: lines of text in one colour ("#rrggbb"), shown for `seconds`."""

    lines: tuple[str, ...]
    colour: str
    seconds: float = 3.0


class Notice(msgspec.Struct, frozen=True):
    """An operator's text, by the id of its command; it ends at `until`, whatever else stands."""

    command: str
    pages: tuple[Page, ...]
    until: int


class Order(Message, frozen=True):
    """What the sign shall say from `issued_at` on, for `lifetime_s` and not a moment longer.

    `notice` stands beside the pages, never in their place; None where no operator has a text.
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
    notice: Notice | None = None
    taken_at: int | None = None


class ZoneState(msgspec.Struct, frozen=True):
    """A zone's level, and its occupancy while the camera can be trusted.

    `warning` says in words what is dangerous in how people move; empty when nothing is known to be.
    """

    zone: str
    level: Level
    occupancy: Occupancy | None
    warning: str = ""


class State(Message, frozen=True):
    """The unit's state, sent once a second. `frame_age_s` is None before the first frame.

    `off_ground` is how many heads are seen too far away to be of any place, and so in no zone.
    `commands` are the ids of the commands in force, `held` the level that one of them holds.
    `muted` is whether one silences the loudspeaker; None where that is not known.
    """

    at: int
    level: Level
    message: str
    reason: str
    zones: tuple[ZoneState, ...]
    frame_age_s: float | None
    picture_faults: tuple[str, ...]
    model: str
    off_ground: float | None = None
    commands: tuple[str, ...] = ()
    held: Level | None = None
    muted: bool | None = None


class Event(Message, frozen=True):
    """Something that happened and must not be lost.

    Its `kind` is "transition", "fault", "recovery", "input", "command", "start", "stop" or "test".
    `command` is the id of the command that it is about, where another program than report says so.
    """

    id: str
    kind: str
    source: str
    at: int
    reason: str
    zone: str | None = None
    before: str | None = None
    after: str | None = None
    command: str | None = None

    @property
    def sender(self) -> str:
        """The program to which it happened."""
        return self.source


class Health(Message, frozen=True):
    """How one program is: what it measured of itself, and its open faults by name."""

    program: str
    at: int
    faults: dict[str, str]
    fault_count: int
    facts: dict[str, float | str]

    @property
    def sender(self) -> str:
        """The program whose health it is."""
        return self.program


CommandId = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9._:-]{1,64}$(?!\n)")]
CommandBy = Annotated[str, msgspec.Meta(pattern=r"^[^\x00-\x1f\x7f]{1,40}$(?!\n)")]
Action = Literal["hold", "text", "mute", "test", "release", "log"]
Verbosity = Literal["DEBUG", "INFO", "WARNING", "ERROR"]
LOG_AT_MOST_S = 24 * 3600.0  # that a verbosity lasts


class Command(Message, frozen=True):
    """What a control room wants, from `since` until just before `until`; repeated while it stands.

    "hold" is of a `level`, "text" of the sign's `lines`, "log" of all programs' `verbosity`;
    "release" ends what is held, shown and muted.
    """

    id: CommandId
    action: Action
    by: CommandBy
    since: int
    until: int
    level: Level | None = None
    lines: tuple[str, ...] = ()
    verbosity: Verbosity = "INFO"


class Ack(Message, frozen=True):
    """Acknowledges events: they are on disk, or with the broker, and need not be sent again.

    `begun`: report has just started, and knows nothing of what else was sent before.
    """

    ids: tuple[str, ...]
    begun: bool = False


class Wire:
    """Messages as bytes, and bytes as messages of the kinds that are known here.

    `max_bytes` is what one may take; of a longer one so much is read, and not understood.
    """

    def __init__(
        self,
        kinds: Any,
        to_wire: Callable[[Any], Any] | None = None,
        from_wire: Callable[[type, Any], Any] | None = None,
        max_bytes: int = MAX_BYTES,
    ) -> None:
        self.max_bytes = max_bytes
        self._encoder = msgspec.msgpack.Encoder(enc_hook=to_wire)
        self._decoder = msgspec.msgpack.Decoder(kinds, dec_hook=from_wire)

    def encode(self, message: Message) -> bytes:
        """One message as bytes."""
        return self._encoder.encode(message)

    def decode(self, data: bytes) -> Message:
        """The message in `data`; LinkError when it is none of ours."""
        try:
            message: Message = self._decoder.decode(data)
        except (msgspec.MsgspecError, ValueError, TypeError, RecursionError) as error:
            raise LinkError(f"a message of {len(data)} bytes is not understood: {error}") from error
        return message


# What is said on the way from one program to another, and nothing else.
ORDERS = Wire(Order)
STATES = Wire(State | Event | Health, max_bytes=1 << 16)
EVENTS = Wire(Event | Health, max_bytes=1 << 16)
COMMANDS = Wire(Command | Ack)
