"""What a control room may ask under `command/<name>`: the payloads, from bytes to Commands. Pure.

Every payload is JSON with an `id` of its own and `expires`, after which it is not followed any
more. Times are RFC 3339 with their offset from UTC.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Literal

import msgspec

from edge.common.errors import CommandError
from edge.common.units import nanoseconds
from edge.common.wire import Action, Command, CommandBy, CommandId, Level, Verbosity
from edge.site.command_limits import cleaned_line

LONGEST_PAYLOAD = 4096  # bytes
RELEASED_FOR_S, TEST_FOR_S = 30.0, 12.0

Moment = Annotated[datetime, msgspec.Meta(tz=True)]


@dataclass(frozen=True)
class Received:
    """A message under `command/`: the topic's last part, its bytes, and whether it was retained."""

    name: str
    payload: bytes
    retained: bool = False


@dataclass(frozen=True)
class Answer:
    """What became of a command; `reason` says why it was refused, or what it means."""

    id: str | None
    command: str
    accepted: bool
    reason: str


class ControlRequest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What every command has; `by` stands in what is reported of it."""

    id: CommandId
    expires: Moment
    by: CommandBy = "control room"


class HoldRequest(ControlRequest, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The sign tells at least this level until then."""

    level: Literal["CAUTION", "CROWDED", "CRITICAL"]
    until: Moment


class TextRequest(ControlRequest, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The sign shows these lines until then, below CRITICAL."""

    lines: list[str]
    until: Moment


class MuteRequest(ControlRequest, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The loudspeaker is silent until then, below CRITICAL."""

    until: Moment


class LogRequest(ControlRequest, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All programs log so much until then."""

    verbosity: Verbosity
    until: Moment


class ReleaseRequest(ControlRequest, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is held, shown by command and muted ends."""


class TestRequest(ControlRequest, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The sign runs through its test, unless it warns."""


class ReportRequest(ControlRequest, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """State and health are told at once."""


class _Named(msgspec.Struct):
    """Whatever else it has."""

    id: CommandId


KINDS: dict[str, type[ControlRequest]] = {
    "hold": HoldRequest,
    "text": TextRequest,
    "mute": MuteRequest,
    "log": LogRequest,
    "release": ReleaseRequest,
    "test": TestRequest,
    "report": ReportRequest,
}
_decoders = {name: msgspec.json.Decoder(kind) for name, kind in KINDS.items()}
_id_decoder = msgspec.json.Decoder(_Named)


def parse(name: str, payload: bytes) -> ControlRequest:
    """The command in `payload`, its text composed. CommandError when it is unknown or malformed."""
    if name not in KINDS:
        raise CommandError(f"command {name[:40]!r} is unknown; one of {', '.join(KINDS)}")
    if len(payload) > LONGEST_PAYLOAD:
        raise CommandError(f"{len(payload)} bytes are more than {LONGEST_PAYLOAD}; say less")
    try:
        asked = _decoders[name].decode(payload)
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise CommandError(f"malformed: {error}") from error
    if isinstance(asked, TextRequest):
        lines = [cleaned_line(line) for line in asked.lines]
        return msgspec.structs.replace(asked, lines=lines)
    return asked


def id_in(payload: bytes) -> str | None:
    """Return the id in a payload that may be malformed otherwise, for the answer."""
    try:
        return str(_id_decoder.decode(payload[:LONGEST_PAYLOAD]).id)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return None


def command_of(asked: ControlRequest, since: int, now_s: float) -> Command:
    """The Command from `since` (boot time, ns), which is `now_s` (Unix) by the wall clock."""
    action: Action = _ACTIONS[type(asked)]
    match asked:
        case HoldRequest() | TextRequest() | MuteRequest() | LogRequest():
            lasts_s = asked.until.timestamp() - now_s
        case TestRequest():
            lasts_s = TEST_FOR_S
        case _:
            lasts_s = RELEASED_FOR_S
    return Command(
        asked.id,
        action,
        asked.by,
        since,
        since + nanoseconds(lasts_s),
        level=Level[asked.level] if isinstance(asked, HoldRequest) else None,
        lines=tuple(asked.lines) if isinstance(asked, TextRequest) else (),
        verbosity=asked.verbosity if isinstance(asked, LogRequest) else "INFO",
    )


_ACTIONS: dict[type[ControlRequest], Action] = {
    HoldRequest: "hold",
    TextRequest: "text",
    MuteRequest: "mute",
    LogRequest: "log",
    ReleaseRequest: "release",
    TestRequest: "test",
}
