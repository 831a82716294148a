"""The entities that Home Assistant shows of a unit, by the abbreviations of MQTT discovery. Pure.

None is listed that this unit can never fill: no button where it follows no commands, no figure of
motion without a ground plane, no count of clips where nothing is spoken. A value of null renders
as "None", which Home Assistant shows as unknown.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass

from edge.common.wire import Level
from edge.site import Site

HELD_S = 20  # a state comes every 10 s
HEALTH_HELD_S = 180  # a health comes every minute
SILENT_AFTER_S = 30  # three healths of a program
COMMAND_LASTS_MIN = 30  # of a hold and a mute from Home Assistant
STATE, HEALTH = "~/state", "~/health"
Config = Mapping[str, object]
DIAGNOSTIC: Config = {"ent_cat": "diagnostic"}
PROBLEM: Config = {"p": "binary_sensor", "dev_cla": "problem", **DIAGNOSTIC}
HOLDABLE = (Level.CAUTION, Level.CROWDED, Level.CRITICAL)


@dataclass(frozen=True)
class Entity:
    """One entity: `platform` such as "sensor", its `zone` where it is of one."""

    name: str
    platform: str
    config: Config
    zone: str | None = None


def entities(site: Site, *, thermometer: bool) -> list[Entity]:
    """Return all of this unit; `thermometer` is whether its machine has one."""
    found: dict[str, Config] = {**_street(site), **_sign(site), **_unit(thermometer)}
    if site.upstream.commands:
        found |= {**_commands(), **_buttons()}
    zones = [
        _entity(f"{name}_{zone.name}", config, zone.name)
        for zone in site.zone
        for name, config in _of_zone(zone.name).items()
    ]
    return [_entity(name, config) for name, config in found.items()] + zones


def _entity(name: str, config: Config, zone: str | None = None) -> Entity:
    rest = {key: value for key, value in config.items() if key != "p"}
    return Entity(name, str(config["p"]), rest, zone)


def _sensor(name: str, where: str, value: str, attributes: str = "") -> Config:
    """A sensor; `value` and `attributes` are templates, these of a JSON object."""
    more = {"json_attr_t": where, "json_attr_tpl": attributes} if attributes else {}
    held_s = HEALTH_HELD_S if where == HEALTH else HELD_S
    return {"p": "sensor", "name": name, "stat_t": where, "val_tpl": value, **more} | (
        {"exp_aft": held_s}
    )


def _street(site: Site) -> dict[str, Config]:
    """How crowded it is, and whether that can be seen."""
    level = {"dev_cla": "enum", "ops": [level.name for level in Level]}
    reason = "{{{'reason':value_json.reason}|tojson}}"
    blind = (
        "{{'ON' if value_json.picture_faults or value_json.frame_age_s is none "
        "or value_json.frame_age_s>3 else 'OFF'}}"
    )
    found: dict[str, Config] = {
        "level": {**_sensor("Level", STATE, "{{value_json.level}}", reason), **level},
        "camera": {**_sensor("Camera", STATE, blind), **PROBLEM},
    }
    if site.ground is not None:
        found["motion"] = _motion(site.warnings.from_density)
    return found


def _motion(from_density: float) -> Config:
    """What is dangerous in how people move, with the words of each zone.

    It has no device class: one that is off would be shown as "Safe", or as "OK".
    """
    warned = "value_json.zones|selectattr('warning')"
    unknown = (
        "{%set n=namespace(u=0)%}{%for z in value_json.zones if z.peak is none "
        f"or z.speed is none and z.peak>={from_density:g}%}}{{%set n.u=1%}}{{%endfor%}}"
    )
    value = f"{unknown}{{{{'ON' if {warned}|list else none if n.u else 'OFF'}}}}"
    attributes = f"{{{{{{'warnings':{warned}|map(attribute='warning')|list}}|tojson}}}}"
    return {**_sensor("Motion warning", STATE, value, attributes), "p": "binary_sensor"}


def _of_zone(zone: str) -> dict[str, Config]:
    """People and density of one zone. A zone that a state lacks leaves the value as it was."""
    this = f"{{%for z in value_json.zones if z.zone=='{zone}'"
    whole = "%}{{z.people|round|int if z.people is number else none}}{%endfor%}"
    interval = (
        " and z.low is number%}{{{'low':z.low|int,'high':z.high|round(0,'ceil')|int}|tojson}}"
        "{%else%}{}{%endfor%}"
    )
    people = _sensor(f"People {zone}", STATE, f"{this}{whole}", f"{this}{interval}")
    density = _sensor(f"Density {zone}", STATE, f"{this}%}}{{{{z.density}}}}{{%endfor%}}")
    measured = {"stat_cla": "measurement"}
    return {
        "people": {**people, "unit_of_meas": "people", **measured},
        "density": {**density, "unit_of_meas": "people/m²", **measured},
    }


def _sign(site: Site) -> dict[str, Config]:
    """What is shown and spoken, and whether it is proven that it is shown."""
    proof = "{{value_json.sign_proof if value_json.sign_proof!='unknown' else none}}"
    proven = {"dev_cla": "enum", "ops": ["proven", "unproven", "failed"], **DIAGNOSTIC}
    found: dict[str, Config] = {
        "message": _sensor("Message shown", STATE, "{{value_json.message}}"),
        "sign_proof": {**_sensor("Sign proof", HEALTH, proof), **proven},
    }
    if site.voice.output != "record":
        spoken = (
            "{%set n=(value_json.programs.show|default({})).clips_played%}"
            "{{n|int if n is number else none}}"
        )
        config = _sensor("Warnings spoken", HEALTH, spoken)
        found["spoken"] = {**config, "stat_cla": "total_increasing", **DIAGNOSTIC}
    return found


def _unit(thermometer: bool) -> dict[str, Config]:
    """The unit's own condition."""
    left = "{{{'dropped':value_json.outbox_dropped}|tojson}}"
    depth = _sensor("Outbox", HEALTH, "{{value_json.outbox_depth}}", left)
    found: dict[str, Config] = {
        "faults": _faults(),
        "outbox": {**depth, "unit_of_meas": "messages", "stat_cla": "measurement", **DIAGNOSTIC},
        "uptime": {**_measure("Uptime", "uptime_s", "duration", "s"), "sug_dsp_prc": 0},
    }
    if thermometer:
        found["temperature"] = _measure("Temperature", "temperature_c", "temperature", "°C")
    return found


def _faults() -> Config:
    """Whether any program has an open fault or is silent, and the list of these in words."""
    programs = "value_json.programs"
    found = " or ".join(
        f"{programs}.values()|selectattr({test})|list"
        for test in ("'faults'", f"'age_s','gt',{SILENT_AFTER_S}")
    )
    listed = (
        f"{{%set n=namespace(f=[])%}}{{%for p,h in {programs}.items()%}}"
        f"{{%if h.age_s>{SILENT_AFTER_S}%}}{{%set n.f=n.f+[p~' is silent']%}}{{%endif%}}"
        "{%for k,v in h.faults.items()%}{%set n.f=n.f+[p~' '~k~': '~v]%}{%endfor%}{%endfor%}"
        "{{{'faults':n.f}|tojson}}"
    )
    return {**_sensor("Faults", HEALTH, f"{{{{'ON' if {found} else 'OFF'}}}}", listed), **PROBLEM}


def _measure(name: str, field: str, kind: str, unit: str) -> Config:
    """A figure of the machine."""
    config = _sensor(name, HEALTH, f"{{{{value_json.{field}}}}}")
    return {**config, "dev_cla": kind, "unit_of_meas": unit, **DIAGNOSTIC}


def _commands() -> dict[str, Config]:
    """What commands have done: the last reply, the level that is held, whether it is muted."""
    held = "{{none if value_json.muted is none else value_json.held or 'none'}}"
    muted = "{{none if value_json.muted is none else 'ON' if value_json.muted else 'OFF'}}"
    answer = "{{value_json.command}} {{'accepted' if value_json.accepted else 'refused'}}"
    which = "{{{'id':value_json.id,'reason':value_json.reason,'time':value_json.time}|tojson}}"
    levels = {"dev_cla": "enum", "ops": ["none", *(level.name for level in HOLDABLE)]}
    reply = dict(_sensor("Last reply", "~/reply", answer, which))
    del reply["exp_aft"]  # it stays the last one
    return {
        "held": {**_sensor("Held level", STATE, held), **levels},
        "muted": {**_sensor("Muted", STATE, muted), "p": "binary_sensor"},
        "reply": {**reply, **DIAGNOSTIC},
    }


def _buttons() -> dict[str, Config]:
    lasts = f"{COMMAND_LASTS_MIN} min"
    holds = {
        f"hold_{level.name.lower()}": _button(
            f"Hold {level.name} {lasts}", "hold", {"level": level.name}, lasting=True
        )
        for level in HOLDABLE
    }
    return {
        **holds,
        "mute": _button(f"Mute {lasts}", "mute", lasting=True),
        "release": _button("Release", "release"),
        "test": {**_button("Test", "test"), **DIAGNOSTIC},
    }


def _button(
    name: str, command: str, more: Mapping[str, str] | None = None, *, lasting: bool = False
) -> Config:
    """A button that sends a command; Home Assistant fills in its id and its times."""
    until = f"{{{{(now()+timedelta(minutes={COMMAND_LASTS_MIN})).isoformat()}}}}"
    fields = {
        "id": "home-assistant-{{(now().timestamp()*1000)|int}}",
        "expires": "{{(now()+timedelta(seconds=30)).isoformat()}}",
        "by": "home assistant",
        **(more or {}),
        **({"until": until} if lasting else {}),
    }
    return {"p": "button", "name": name, "cmd_t": f"~/command/{command}"} | {
        "cmd_tpl": json.dumps(fields)
    }
