"""What goes upstream: flat JSON under `redroad/v1/<site>/<unit>/`. Pure.

| topic | retained for | what |
|---|---|---|
| `state` | 20 s | level, message, per zone people with interval, age of the last frame |
| `events` | no | transitions, faults, recoveries, starts; each with an id, sent at least once |
| `counts` | no | each zone over a minute: people, density, share of time per level |
| `health` | 3 min | per program faults and measures; outbox |
| `crowdflow` | no | each zone over a minute as FIWARE has it, where `upstream.fiware` is on |
| `cap` | 5 min | an alert to other agencies (CAP 1.2), where `alerts.cap` is on |
| `onvif-ej/...` | no | a change of the level as an ONVIF event, where `alerts.onvif` is on |
| `reply` | no | what became of a command |
| `availability` | 1 min | "online"; a day: "offline" by the broker when the unit is gone |
"""

import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

import msgspec

from edge.common.units import NS_PER_S, seconds
from edge.common.wire import Event, Health, Level, State, ZoneState
from edge.report.aggregate import STANDS_FOR, Aggregate, Spread, length_s
from edge.report.machine import Machine
from edge.report.requests import Answer
from edge.site import Site

EPOCH = datetime(1970, 1, 1)  # UTC, with no zone: CPython keeps a name at each call of one
ONLINE, OFFLINE = "online", "offline"
HISTORICAL_AFTER_S = 30.0
RETAINED = ("state", "health", "availability")  # always; `cap` where it is on
# How long a broker may keep what is retained (MQTT 5's message expiry): each outlives the loss of
# one that should have replaced it, and no state is served that is older than 30 s by then.
STATE_LIFETIME_S = 20  # sent every 10 s
UNDATED_LIFETIME_S = 10  # of a clock that is not synchronised, so that its age cannot be judged
ONLINE_LIFETIME_S = 60  # sent every 20 s
HEALTH_LIFETIME_S = 180  # sent every minute
OFFLINE_LIFETIME_S = DISCOVERY_LIFETIME_S = 24 * 3600
HEALTH_STANDS_FOR = 30 * NS_PER_S  # three Healths of a program


@dataclass(frozen=True)
class Stamp:
    """When something was: boot, boot time in ns, wall clock in s, and whether that is set."""

    boot_id: str
    at: int
    wall_s: float
    time_valid: bool

    def fields(self) -> dict[str, object]:
        """As it stands in a payload."""
        time = EPOCH + timedelta(seconds=self.wall_s)
        return {
            "time": time.isoformat(timespec="milliseconds") + "+00:00",
            "time_valid": self.time_valid,
            "boot_id": self.boot_id,
            "at_boot_ns": self.at,
        }


def topic(site: Site, name: str) -> str:
    """Return the whole topic of one kind of message."""
    return f"redroad/v1/{site.site.name}/{site.site.unit}/{name}"


def as_json(fields: Mapping[str, object]) -> str:
    """Compact, readable, and refused if a number is no number."""
    return json.dumps(fields, ensure_ascii=False, separators=(",", ":"), allow_nan=False)


def unknown_state(zones: Iterable[str], now: int, reason: str) -> State:
    """Return the state sent while decide sends none: UNKNOWN for every zone."""
    unknown = tuple(ZoneState(zone, Level.UNKNOWN, None) for zone in zones)
    return State(now, Level.UNKNOWN, "unknown", reason, unknown, None, (), "")


def as_of(state: State, now: int) -> State:
    """The state as it stands `now`: its frame is older by then, and silence makes it UNKNOWN.

    The topic is retained: an old CLEAR must not outlive the program that said it.
    """
    silence = max(0, now - state.at)
    age = None if state.frame_age_s is None else state.frame_age_s + seconds(silence)
    if silence > STANDS_FOR:
        names = [zone.zone for zone in state.zones]
        reason = f"decide has told nothing for more than {seconds(STANDS_FOR):.0f} s"
        state = unknown_state(names, now, reason)
    return msgspec.structs.replace(state, at=now, frame_age_s=age)


def state_fields(state: State, stamp: Stamp) -> dict[str, object]:
    """Return the state topic's fields."""
    return {
        **stamp.fields(),
        "level": state.level.name,
        "message": state.message,
        "reason": state.reason,
        "frame_age_s": _rounded(state.frame_age_s),
        "picture_faults": list(state.picture_faults),
        "picture_doubt": _rounded(_doubt(state)),
        "model": state.model,
        "off_ground": _rounded(state.off_ground),
        "commands": list(state.commands),
        "held": None if state.held is None else state.held.name,
        "muted": state.muted,
        "zones": [_zone_fields(zone) for zone in state.zones],
    }


def _doubt(state: State) -> float | None:
    """By which factor two looks at the picture differ in the zone where they differ most."""
    seen = (zone.occupancy for zone in state.zones if zone.occupancy is not None)
    return max((each.doubt for each in seen if each.doubt is not None), default=None)


def _zone_fields(zone: ZoneState) -> dict[str, object]:
    """A zone; without a trusted count its figures are null, never zero."""
    seen = zone.occupancy
    names = (
        "people",
        "low",
        "high",
        "density",
        "peak",
        "speed",
        "speed_variance",
        "pressure",
        "implausible",
        "doubt",
    )
    return {
        "zone": zone.zone,
        "level": zone.level.name,
        "warning": zone.warning,
        **{name: _rounded(getattr(seen, name, None)) for name in names},
        "area_m2": None if seen is None else _rounded(seen.area),
    }


def _rounded(value: float | None) -> float | None:
    """To the hundredth; what is no number is not known."""
    return round(value, 2) if value is not None and math.isfinite(value) else None


def _finite(value: float | str) -> float | str | None:
    return None if isinstance(value, float) and not math.isfinite(value) else value


def event_fields(event: Event, stamp: Stamp) -> dict[str, object]:
    """Return the events topic's fields."""
    return {
        "id": event.id,
        "kind": event.kind,
        "source": event.source,
        "zone": event.zone,
        "before": event.before,
        "after": event.after,
        "reason": event.reason,
        **stamp.fields(),
    }


def counts_id(aggregate: Aggregate, boot_id: str) -> str:
    """Return an id that stays the same for a period of a boot, however often it is sent."""
    return f"{boot_id}:{aggregate.zone}:{aggregate.start}"


def counts_fields(aggregate: Aggregate, stamp: Stamp) -> dict[str, object]:
    """Return the counts topic's fields; the stamp is the period's end."""
    return {
        "id": counts_id(aggregate, stamp.boot_id),
        "zone": aggregate.zone,
        "seconds": length_s(aggregate),
        "samples": aggregate.samples,
        "people": _spread_fields(aggregate.people),
        "density": _spread_fields(aggregate.density),
        "levels": {level.name: round(share, 4) for level, share in aggregate.shares.items()},
        **stamp.fields(),
    }


def _spread_fields(spread: Spread) -> dict[str, float | None]:
    names = {"minimum": "min", "mean": "mean", "maximum": "max", "p95": "p95"}
    return {names[name]: _rounded(value) for name, value in vars(spread).items()}


@dataclass(frozen=True)
class Condition:
    """Contents of the health besides the programs' own: outbox, restarts since boot, the eye."""

    machine: Machine
    outbox_depth: int | None
    outbox_dropped: int
    restarts: Mapping[str, int]
    picture_faults: tuple[str, ...]
    frame_age_s: float | None


def health_fields(
    programs: Mapping[str, Health], stamp: Stamp, condition: Condition
) -> dict[str, object]:
    """Return the health topic's fields. `sign_proof` is "unknown" while show reports nothing."""
    show, watch = (_lately(programs.get(name), stamp.at) for name in ("show", "watch"))
    return {
        **stamp.fields(),
        **vars(condition.machine),
        "outbox_depth": condition.outbox_depth,
        "outbox_dropped": condition.outbox_dropped,
        "restarts": dict(condition.restarts),
        "picture_faults": list(condition.picture_faults),
        "frame_age_s": _rounded(condition.frame_age_s),
        "pictures_per_s": _measure(watch, "pictures_per_s"),
        "counted_where_nobody_is": _measure(watch, "counted_where_nobody_is"),
        "sign_proof": "unknown" if show is None else show.facts.get("sign_proof", "unknown"),
        "programs": {
            name: {
                "age_s": round((stamp.at - health.at) / NS_PER_S, 1),
                "faults": health.faults,
                "fault_count": health.fault_count,
                **{fact: _finite(value) for fact, value in health.facts.items()},
            }
            for name, health in sorted(programs.items())
        },
    }


def _lately(health: Health | None, now: int) -> Health | None:
    """The same, or None once the program is silent: what it said last is not so any more."""
    return None if health is None or now - health.at > HEALTH_STANDS_FOR else health


def _measure(program: Health | None, name: str) -> float | None:
    """Return what a program measured last: no less than 0."""
    found = None if program is None else program.facts.get(name)
    return _rounded(found) if isinstance(found, float | int) and found >= 0 else None


def reply_fields(answer: Answer, stamp: Stamp) -> dict[str, object]:
    """Return the reply topic's fields."""
    return {**vars(answer), **stamp.fields()}


def with_history(payload: str, historical: bool) -> str:
    """A stored payload, marked as one that was kept for a while before it was sent."""
    return as_json({**json.loads(payload), "historical": historical})
