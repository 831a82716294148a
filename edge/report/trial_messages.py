"""One message on every topic that the unit writes, marked as a test. Pure.

`redroad check` sends them. Each is complete, valid and true: anyone who reads it and ignores the
mark learns nothing wrong. It is what a running unit sent last, else that nothing is known; none is
retained. `availability`, Home Assistant's discovery and ONVIF's events have no place for a mark in
their payload: they say what the unit itself would, and with MQTT 5 the mark is a user property.
"""

from collections.abc import Iterator, Mapping

import msgspec

from edge.common.units import NS_PER_S
from edge.common.wire import Event, Level
from edge.report.aggregate import Aggregate, Spread
from edge.report.cap import Envelope, Judgement, cap_message
from edge.report.cap_feed import TOPIC as CAP
from edge.report.fiware import crowd_flow
from edge.report.homeassistant import discovery
from edge.report.limits import Outgoing
from edge.report.machine import Machine, has_thermometer
from edge.report.onvif import onvif_event
from edge.report.payloads import (
    Condition,
    Stamp,
    as_json,
    counts_fields,
    event_fields,
    health_fields,
    reply_fields,
    state_fields,
    topic,
    unknown_state,
)
from edge.report.requests import Answer
from edge.report.status import Status
from edge.site import Site

BY = "redroad check"
LIFETIME_S = 20  # for subscribers that are offline at the moment
_NOTHING = Spread(None, None, None, None)


def trial_messages(site: Site, status: Status | None, stamp: Stamp, will: str) -> list[Outgoing]:
    """Of every kind; `will` is what is true of the unit's availability, `stamp` is now."""
    marked = {"test": True}
    messages = [
        Outgoing(topic(site, kind), as_json({**fields, **marked}), lifetime_s=LIFETIME_S)
        for kind, fields in _fields(site, status, stamp)
    ]
    messages.insert(0, Outgoing(topic(site, "availability"), will, lifetime_s=LIFETIME_S))
    messages += [
        Outgoing(topic(site, where), payload, lifetime_s=LIFETIME_S)
        for where, payload in _notifications(site, status, stamp)
    ]
    if site.upstream.home_assistant:
        messages += [
            Outgoing(where, payload, lifetime_s=LIFETIME_S)
            for where, payload in discovery(site, thermometer=has_thermometer()).items()
        ]
    return messages


def _fields(
    site: Site, status: Status | None, stamp: Stamp
) -> Iterator[tuple[str, Mapping[str, object]]]:
    """The payload of each kind, by its topic's last part."""
    zones = [zone.name for zone in site.zone]
    if status is None:
        unknown = unknown_state(zones, stamp.at, f"{BY} tries the broker")
        yield "state", state_fields(unknown, stamp)
        yield "health", health_fields({}, stamp, _unknown_condition())
    else:
        yield "state", status.state
        yield "health", status.health
    name = f"check:{stamp.boot_id}:{stamp.at}"
    event = Event(name, "test", "report", stamp.at, f"{BY} tries the broker")
    yield "events", {**event_fields(event, stamp), "historical": False}
    start, shares = stamp.at - NS_PER_S, {Level.UNKNOWN: 1.0}
    counts = Aggregate(zones[0], start, stamp.at, 0, _NOTHING, _NOTHING, None, _all(shares))
    yield "counts", {**counts_fields(counts, stamp), "id": name, "historical": False}
    yield "reply", reply_fields(Answer(None, BY, False, f"{BY} tries the broker"), stamp)
    if site.upstream.fiware:
        yield "crowdflow", {**crowd_flow(counts, stamp, site), "historical": False}


def _notifications(site: Site, status: Status | None, stamp: Stamp) -> Iterator[tuple[str, str]]:
    """Notifications for other systems, where these are on: a test alert, and the level as it is."""
    state = unknown_state([zone.name for zone in site.zone], stamp.at, f"{BY} tries the broker")
    if status is not None:
        level, reason = Level[status.state["level"]], str(status.state["reason"])
        state = msgspec.structs.replace(state, level=level, reason=reason)
    if site.alerts.cap:
        envelope = Envelope("Alert", stamp, stamp.wall_s + LIFETIME_S, trial=True)
        yield CAP, cap_message(site, state, envelope, Judgement("Unknown", "Unknown"))
    if site.alerts.onvif:
        event = onvif_event(site, state, state.level, stamp)
        yield event.where, event.payload


def _all(shares: Mapping[Level, float]) -> dict[Level, float]:
    return {level: shares.get(level, 0.0) for level in Level}


def _unknown_condition() -> Condition:
    return Condition(Machine(None, None, None, None, None), None, 0, {}, (), None)
