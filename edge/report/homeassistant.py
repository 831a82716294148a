"""Home Assistant finds the unit by itself: MQTT discovery, one small message for each entity.

The form is that of Home Assistant's documentation, "MQTT: Discovery messages", with its
abbreviations. Each message is complete by itself, so one that a broker refuses costs one entity.

A figure is shown only while it is fresh. Home Assistant knows no expiry of retained messages
(nor does a bridge keep it), so every entity is available only if the state was at most
`FRESH_S` old when it came, by its own `time`, and a sensor lets it go `HELD_S` after that: together
the 30 s after which a state is not valid any more. A zone is found by its name; one that is
missing from the state is unavailable. A value of null renders as "None", which Home Assistant
shows as unknown.
"""

import json
from collections.abc import Mapping

from edge import __version__
from edge.common.wire import Level
from edge.report.identity import device_id
from edge.report.payloads import as_json, topic
from edge.site import Site

PREFIX = "homeassistant"
BIRTH, BORN = f"{PREFIX}/status", "online"
FRESH_S, HELD_S = 10, 20  # a state comes every 10 s
HEALTH_HELD_S = 180  # a health comes every minute
Component = dict[str, object]
# The button's command needs an id of its own and an expiry: Home Assistant fills them in.
PRESS = (
    '{"id": "home-assistant-{{ (now().timestamp() * 1000) | int }}", '
    '"expires": "{{ (now() + timedelta(seconds=30)).isoformat() }}", "by": "home assistant"}'
)
# Whether a state is fresh by its `time`; unknown where the clock was never set.
FRESH = (
    "(not value_json.time_valid or "
    f"(as_timestamp(now())-as_timestamp(value_json.time))|abs<{FRESH_S})"
)


def discovery(site: Site) -> dict[str, str]:
    """Return the messages by their topics."""
    device = device_id(site)
    return {
        discovery_topic(site, str(component.pop("p")), name): as_json(
            {
                **component,
                **_availability(site, zone),
                "uniq_id": f"{device}_{name}",
                "qos": 1,
                "dev": _device(site, whole=name == "level"),
            }
        )
        for name, (component, zone) in _components(site).items()
    }


def discovery_topic(site: Site, platform: str, name: str) -> str:
    """Where Home Assistant looks for one entity; "+" for any."""
    return f"{PREFIX}/{platform}/{device_id(site)}/{name}/config"


def first_discovery_topic(site: Site) -> str:
    """Where the whole device stood in one message, before there were many."""
    return f"{PREFIX}/device/redroad-{site.site.name}-{site.site.unit}/config"


def _device(site: Site, *, whole: bool) -> Mapping[str, object]:
    """Return the device; one entity has all that is to be known of it."""
    named = {"ids": [device_id(site)], "name": f"{site.site.name} {site.site.unit}"}
    made = {"mf": "redroad", "mdl": "street sign", "sw": __version__}
    return {**named, **made} if whole else named


def _availability(site: Site, zone: str | None) -> Component:
    there = FRESH if zone is None else f"{FRESH} and {_of_zone(zone)}|count"
    template = f"{{{{'online' if value_json is defined and {there} else 'offline'}}}}"
    return {
        "avty": [
            {"t": topic(site, "availability")},
            {"t": topic(site, "state"), "val_tpl": template},
        ],
        "avty_mode": "all",
    }


def _of_zone(zone: str) -> str:
    return f"value_json.zones|selectattr('zone','eq',{json.dumps(zone)})|list"


def _components(site: Site) -> dict[str, tuple[Component, str | None]]:
    """Each entity, with its zone where it is of one."""
    state, health = topic(site, "state"), topic(site, "health")
    level = {"dev_cla": "enum", "ops": [level.name for level in Level]}
    camera = (
        "{{'ON' if value_json.picture_faults or value_json.frame_age_s is none "
        "or value_json.frame_age_s>3 else 'OFF'}}"
    )
    plain: dict[str, Component] = {
        "level": {**_sensor("Level", state, "{{value_json.level}}", HELD_S), **level},
        "camera": {
            **_sensor("Camera", state, camera, HELD_S),
            "p": "binary_sensor",
            "dev_cla": "problem",
            "ent_cat": "diagnostic",
        },
        "uptime": _measure("Uptime", health, "uptime_s", "duration", "s"),
        "temperature": _measure("Temperature", health, "temperature_c", "temperature", "°C"),
        "test": {
            "p": "button",
            "name": "Test",
            "ent_cat": "diagnostic",
            "cmd_t": topic(site, "command/test"),
            "cmd_tpl": PRESS,
        },
    }
    zones = {
        f"{name}_{zone.name}": (_zone_sensor(state, zone.name, name, unit), zone.name)
        for zone in site.zone
        for name, unit in (("people", "people"), ("density", "people/m²"))
    }
    return {**{name: (each, None) for name, each in plain.items()}, **zones}


def _zone_sensor(state: str, zone: str, name: str, unit: str) -> Component:
    value = f"{{{{({_of_zone(zone)}|first).{name}}}}}"
    return {
        **_sensor(f"{name.capitalize()} {zone}", state, value, HELD_S),
        "unit_of_meas": unit,
        "stat_cla": "measurement",
    }


def _sensor(name: str, where: str, value: str, held_s: int) -> Component:
    return {
        "p": "sensor",
        "name": name,
        "stat_t": where,
        "val_tpl": value,
        "exp_aft": held_s,
    }


def _measure(name: str, where: str, field: str, kind: str, unit: str) -> Component:
    """A figure of the machine."""
    return {
        **_sensor(name, where, f"{{{{value_json.{field}}}}}", HEALTH_HELD_S),
        "dev_cla": kind,
        "unit_of_meas": unit,
        "ent_cat": "diagnostic",
    }
