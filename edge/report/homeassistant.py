"""Home Assistant finds the unit by itself: MQTT discovery of a device, told at every connection.

The form is that of Home Assistant's documentation, "MQTT: discovery by device" (2024.11 and newer,
with the abbreviation `dev`, `o` and `cmps`). A value of null renders as "None", which Home
Assistant shows as unknown.
"""

from edge import __version__
from edge.common.wire import Level
from edge.report.payloads import topic
from edge.site import Site

EXPIRE_AFTER_S = 60  # six states
Component = dict[str, object]
# The button's command needs an id of its own and an expiry: Home Assistant fills them in.
PRESS = (
    '{"id": "home-assistant-{{ now().timestamp() | int }}", '
    '"expires": "{{ (now() + timedelta(seconds=30)).isoformat() }}", "by": "home assistant"}'
)


def discovery_topic(site: Site) -> str:
    """Where Home Assistant looks."""
    return f"homeassistant/device/{_device_id(site)}/config"


def discovery(site: Site) -> dict[str, object]:
    """The device with all its entities."""
    return {
        "dev": {
            "ids": [_device_id(site)],
            "name": f"{site.site.name} {site.site.unit}",
            "mf": "redroad",
            "mdl": "street sign",
            "sw": __version__,
        },
        "o": {"name": "redroad", "sw": __version__},
        "avty_t": topic(site, "availability"),
        "qos": 1,
        "cmps": {
            name: {"unique_id": f"{_device_id(site)}-{name}", **component}
            for name, component in _components(site).items()
        },
    }


def _device_id(site: Site) -> str:
    return f"redroad-{site.site.name}-{site.site.unit}"


def _components(site: Site) -> dict[str, Component]:
    state, health = topic(site, "state"), topic(site, "health")
    level = {"device_class": "enum", "options": [level.name for level in Level]}
    zones: dict[str, Component] = {}
    for index, zone in enumerate(site.zone):
        for name, unit in (("people", "people"), ("density", "people/m²")):
            value = f"{{{{ value_json.zones[{index}].{name} }}}}"
            zones[f"{name}-{zone.name}"] = {
                **_sensor(f"{name.capitalize()} {zone.name}", state, value),
                "unit_of_measurement": unit,
                "state_class": "measurement",
            }
    return {
        "level": {**_sensor("Level", state, "{{ value_json.level }}"), **level},
        **zones,
        "camera": {
            "p": "binary_sensor",
            "name": "Camera",
            "device_class": "problem",
            "entity_category": "diagnostic",
            "state_topic": state,
            "expire_after": EXPIRE_AFTER_S,
            "value_template": (
                "{{ 'ON' if value_json.picture_faults or value_json.frame_age_s is none "
                "or value_json.frame_age_s > 3 else 'OFF' }}"
            ),
        },
        "uptime": _measure("Uptime", health, "uptime_s", "duration", "s"),
        "temperature": _measure("Temperature", health, "temperature_c", "temperature", "°C"),
        "test": {
            "p": "button",
            "name": "Test",
            "entity_category": "diagnostic",
            "command_topic": topic(site, "command/test"),
            "command_template": PRESS,
        },
    }


def _sensor(name: str, where: str, value: str) -> Component:
    return {
        "p": "sensor",
        "name": name,
        "state_topic": where,
        "value_template": value,
        "expire_after": EXPIRE_AFTER_S,
    }


def _measure(name: str, where: str, field: str, kind: str, unit: str) -> Component:
    """A figure of the machine: told once a minute, so it does not expire by itself."""
    return {
        "p": "sensor",
        "name": name,
        "state_topic": where,
        "value_template": f"{{{{ value_json.{field} }}}}",
        "device_class": kind,
        "unit_of_measurement": unit,
        "entity_category": "diagnostic",
    }
