"""A change of the level as an ONVIF event, so that a video management system shows the camera.

The form is the one that ONVIF's Profile M has for MQTT: ONVIF Core Specification, "Event Broker",
"Topic Structure" and "JSON Event Payload" (prefix `onvif-ej`). The topic is of our own namespace
(`tns:redroad`); its Source are the tokens of the camera and of the rule. It is no property event,
so it is not retained: a level of the past may not stand for a present one.
"""

from edge.common.wire import Level, State
from edge.report.feed import Notification
from edge.report.payloads import STATE_LIFETIME_S, Stamp, as_json
from edge.site import Site

RULE = "level"
TOPIC = f"onvif-ej/RuleEngine/tns:redroad/CrowdLevel/&{{source}}/{RULE}"
CROWDED = (Level.CROWDED, Level.CRITICAL)


class OnvifFeed:
    """Keeps the newest change of the level until the broker has it."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._level = Level.UNKNOWN
        self._pending: Notification | None = None

    def follow(self, state: State, stamp: Stamp) -> None:
        """Note a change of the level at its time."""
        if state.level is not self._level:
            self._pending = onvif_event(self._site, state, self._level, stamp)
            self._level = state.level

    def current(self, stamp: Stamp) -> Notification | None:
        """Return the newest change, until it is acknowledged."""
        return self._pending

    def issued(self, notification: Notification) -> None:
        """Nothing follows from that alone."""

    def acknowledged(self, notification: Notification) -> None:
        """Let it go."""
        if self._pending is not None and self._pending.key == notification.key:
            self._pending = None


def onvif_event(site: Site, state: State, before: Level, stamp: Stamp) -> Notification:
    """Return the event of a change at `stamp`. What is not known is left out, never 0 or false."""
    source = site.alerts.video_source
    people = _people(state)
    data = {
        "State": None if state.level is Level.UNKNOWN else state.level in CROWDED,
        "Level": state.level.name,
        "Before": before.name,
        "Count": None if people is None else round(people),
        "Reason": state.reason,
        "TimeValid": stamp.time_valid,
    }
    payload = {
        "UtcTime": str(stamp.fields()["time"]).replace("+00:00", "Z"),
        "Source": {"VideoSource": source, "Rule": RULE},
        "Data": {name: value for name, value in data.items() if value is not None},
    }
    where = TOPIC.format(source=source)
    return Notification(str(stamp.at), where, as_json(payload), STATE_LIFETIME_S, retain=False)


def _people(state: State) -> float | None:
    """In all zones; None where one is not seen."""
    seen = [zone.occupancy for zone in state.zones]
    known = [each.people for each in seen if each is not None]
    return sum(known) if known and len(known) == len(seen) else None
