"""Home Assistant finds the unit by itself: MQTT discovery, one small message for each entity.

The form is that of Home Assistant's documentation, "MQTT: Discovery messages", with its
abbreviations; "~" stands for the unit's topics. Each message is complete by itself, so one that a
broker refuses costs one entity. Which entities there are: `homeassistant_entities.py`.

A figure is shown only while it is fresh. Home Assistant knows no expiry of retained messages
(nor does a bridge keep it), so every entity is available only if the state was at most
`FRESH_S` old when it came, by its own `time`, and a sensor lets it go `HELD_S` after that: together
the 30 s after which a state is not valid any more. A zone is found by its name; one that is
missing from the state is unavailable.
"""

from collections.abc import Mapping

from edge import __version__
from edge.report.homeassistant_entities import Entity, entities
from edge.report.identity import device_id
from edge.report.payloads import as_json, topic
from edge.site import Site

PREFIX = "homeassistant"
BIRTH, BORN = f"{PREFIX}/status", "online"
FRESH_S = 10  # a state comes every 10 s
# Whether a state is fresh by its `time`; unknown where the clock was never set.
FRESH = (
    "(not value_json.time_valid or "
    f"(as_timestamp(now())-as_timestamp(value_json.time))|abs<{FRESH_S})"
)


def discovery(site: Site, *, thermometer: bool) -> dict[str, str]:
    """Return the messages by their topics; `thermometer` is whether this machine has one."""
    return {
        discovery_topic(site, entity.platform, entity.name): _message(site, entity)
        for entity in entities(site, thermometer=thermometer)
    }


def discovery_topic(site: Site, platform: str, name: str) -> str:
    """Where Home Assistant looks for one entity; "+" for any."""
    return f"{PREFIX}/{platform}/{device_id(site)}/{name}/config"


def first_discovery_topic(site: Site) -> str:
    """Where the whole device stood in one message, before there were many."""
    return f"{PREFIX}/device/redroad-{site.site.name}-{site.site.unit}/config"


def _message(site: Site, entity: Entity) -> str:
    return as_json(
        {
            "~": topic(site, "").removesuffix("/"),
            **entity.config,
            **_availability(entity.zone),
            "uniq_id": f"{device_id(site)}_{entity.name}",
            "qos": 1,
            "dev": _device(site, whole=entity.name == "level"),
        }
    )


def _device(site: Site, *, whole: bool) -> Mapping[str, object]:
    """Return the device; one entity has all that is to be known of it."""
    named = {"ids": [device_id(site)], "name": f"{site.site.name} {site.site.unit}"}
    if not whole:
        return named
    model = f"street sign, {site.sign.width}x{site.sign.height} px"
    page = site.upstream.configuration_url
    link = {} if page is None else {"cu": page}
    return {**named, "mf": "redroad", "mdl": model, "sw": __version__, **link}


def _availability(zone: str | None) -> Mapping[str, object]:
    there = FRESH
    if zone is not None:
        there += f" and value_json.zones|selectattr('zone','eq','{zone}')|list|count"
    template = f"{{{{'online' if value_json is defined and {there} else 'offline'}}}}"
    return {
        "avty": [{"t": "~/availability"}, {"t": "~/state", "val_tpl": template}],
        "avty_mode": "all",
    }
