"""What is really sent, by the published schemas, Home Assistant's form and FIWARE's schema."""

import json
import re
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import jinja2
import pytest
from jsonschema import Draft202012Validator, FormatChecker, ValidationError
from referencing import Registry, Resource

from edge.common.clock import boottime_ns
from edge.common.units import NS_PER_S
from edge.common.wire import Health, Level, Occupancy, State, ZoneState
from edge.report.aggregate import Aggregator
from edge.report.fiware import crowd_flow
from edge.report.homeassistant import discovery, discovery_topic
from edge.report.machine import has_thermometer
from edge.report.payloads import Stamp
from edge.report.requests import KINDS
from edge.report.schemas import SENT, command_schema, schema_of
from edge.site import Site
from edge.site.schema import Identity
from hil.testkit.data import SCHEMAS
from hil.testkit.mosquitto import Listener, Mosquitto, wait_for
from hil.testkit.report_process import Report
from tests.report.test_commands import TOPIC, asked, moment
from tests.report.test_report import event

formats = FormatChecker()


@formats.checks("date-time", ValueError)
def is_moment(value: object) -> bool:
    return not isinstance(value, str) or datetime.fromisoformat(value).tzinfo is not None


def valid(payload: object, schema: dict[str, Any], registry: Registry[Any] | None = None) -> None:
    Draft202012Validator.check_schema(schema)
    known = Registry() if registry is None else registry
    Draft202012Validator(schema, registry=known, format_checker=formats).validate(payload)


def state(level: Level, *, known: bool) -> State:
    at = boottime_ns()
    seen = Occupancy("street", 90.0, 80.0, 100.0, 40.0, 2.25, 2.5, at, 0.7, 0.1, 0.2)
    zone = ZoneState("street", level, seen if known else None, "waves" if known else "")
    faults = () if known else ("covered",)
    return State(at, level, "m", "b", (zone,), 0.2, faults, "m", 3.0 if known else None)


def speeds(listener: Listener) -> list[float]:
    """Of every interval in which anyone was seen: the first one may be over before that."""
    entities = listener.on("crowdflow")
    return [told["averageCrowdSpeed"] for told in entities if told["knownShare"]]


@pytest.fixture
def heard(report: Report, broker: Mosquitto) -> Iterator[Listener]:
    """A unit that has told everything that it can tell."""
    site = report.site_file.read_text(encoding="utf-8")
    report.site_file.write_text(site + "fiware = true\n", encoding="utf-8")
    listener = Listener(broker.port, "redroad/#", "homeassistant/#")
    report.start()
    proof: dict[str, float | str] = {"sign_proof": "proven", "bad": float("nan")}
    watched: dict[str, float | str] = {"pictures_per_s": 3.9, "counted_where_nobody_is": 6.25}

    def healths() -> None:
        report.ways["show"].send(Health("show", boottime_ns(), {"panel": "dark"}, 1, proof))
        report.ways["watch"].send(Health("watch", boottime_ns(), {}, 0, watched))

    healths()
    report.outlet.send(event("a"))
    wait_for(lambda: "online" in listener.on("availability"), 20, "the unit hears commands")
    for kind, payload in (
        ("hold", asked("h", level="CAUTION", until=moment(30))),
        ("fly", asked("f")),
        ("report", asked("r")),
    ):
        listener.say(f"{TOPIC}/{kind}", payload)
    began = time.monotonic()
    while len(listener.on("counts")) < 2 or not speeds(listener):
        known = time.monotonic() - began < 6
        healths()
        report.outlet.send(state(Level.CROWDED if known else Level.UNKNOWN, known=known))
        time.sleep(0.2)
        assert time.monotonic() - began < 40
    yield listener
    listener.close()


def test_what_is_sent_is_valid_by_what_is_published(heard: Listener) -> None:
    for name in SENT:
        assert heard.on(name), f"nothing was sent under {name}"
        for payload in heard.on(name):
            valid(payload, schema_of(name))
    assert {told["level"] for told in heard.on("state")} >= {"CROWDED", "UNKNOWN"}
    assert heard.on("health")[-1]["sign_proof"] == "proven"
    assert heard.on("health")[-1]["programs"]["show"]["bad"] is None
    assert heard.on("health")[-1]["restarts"] == {"report": 0}
    assert heard.on("health")[-1]["disk_free_mb"] > 0
    assert heard.on("health")[-1]["pictures_per_s"] == 3.9
    assert heard.on("health")[-1]["counted_where_nobody_is"] == 6.25
    assert {told["accepted"] for told in heard.on("reply")} == {True, False}

    with_templates_home_assistant_reads(heard)
    for entity in heard.on("crowdflow"):
        assert entity["historical"] is False
        official(entity)
    assert set(speeds(heard)) == {2.52}  # km/h


def test_every_schema_refuses_what_is_missing_or_too_much() -> None:
    for name in (*SENT, *(f"command-{kind}" for kind in KINDS)):
        schema = schema_of(name)
        with pytest.raises(ValidationError):
            valid({}, schema)
        assert schema["additionalProperties"] is False


@pytest.mark.parametrize("kind", list(KINDS))
def test_the_published_command_is_the_one_that_is_parsed(kind: str) -> None:
    assert schema_of(f"command-{kind}") == command_schema(kind)


def with_templates_home_assistant_reads(heard: Listener) -> None:
    """Every template gives, from what was sent, a value that its entity may have."""
    announced = {topic: told for topic, told, _ in heard.messages if topic.endswith("/config")}
    site = Site(site=Identity(name="test", unit="one"))
    wanted = discovery(site, thermometer=has_thermometer())
    wait_for(lambda: wanted.keys() <= {topic for topic, _, _ in heard.messages}, 20, "discovery")
    announced = {topic: told for topic, told, _ in heard.messages if topic in wanted}
    assert announced == {topic: json.loads(payload) for topic, payload in wanted.items()}
    wait_for(lambda: heard.on("state")[-1]["level"].upper() == "UNKNOWN", 10, "the last state")
    told = {f"~/{name}": heard.on(name)[-1] for name in ("state", "health", "reply")}
    entities = {topic.split("/")[3]: each for topic, each in announced.items() if "stat_t" in each}

    def rendered(name: str, template: str) -> str:
        topic = entities[name]["stat_t"]
        return str(jinja2.Template(entities[name][template]).render(value_json=told[topic]))

    shown = {name: rendered(name, "val_tpl") for name in entities}
    more = {
        name: json.loads(rendered(name, "json_attr_tpl"))
        for name, each in entities.items()
        if "json_attr_tpl" in each
    }
    assert shown["level"] == "UNKNOWN"
    assert more["level"] == {"reason": told["~/state"]["reason"]}
    assert shown["people_street"] == shown["density_street"] == "None"
    assert more["people_street"] == {}
    assert shown["camera"] == "ON"
    assert float(shown["uptime"]) > 0
    assert shown["sign_proof"] == "proven"
    assert shown["faults"] == "ON"
    assert more["faults"] == {"faults": ["show panel: dark"]}
    assert shown["reply"] in {"report accepted", "fly refused", "hold accepted"}
    assert more["reply"]["reason"]
    assert shown["motion"] == "None"
    assert (shown["held"], shown["muted"]) == ("None", "None")  # this decide does not tell


def messages(site: Site, *, thermometer: bool = True) -> dict[str, Any]:
    """What is announced, by topic."""
    made = discovery(site, thermometer=thermometer)
    return {topic: json.loads(payload) for topic, payload in made.items()}


def names(site: Site, *, thermometer: bool = True) -> set[str]:
    """Of all entities."""
    return {topic.split("/")[3] for topic in messages(site, thermometer=thermometer)}


def test_each_entity_has_the_form_that_home_assistant_documents() -> None:
    """Ids and name of the device, and for each entity a topic, an id and a template."""
    site = Site()
    found = messages(site)
    for topic, config in found.items():
        prefix, platform, device, name, end = topic.split("/")
        assert (prefix, device, end) == ("homeassistant", "redroad_redroad-demo_unit-1", "config")
        assert re.fullmatch("[a-zA-Z0-9_-]+", name)
        assert config["dev"]["ids"] == [device] and config["dev"]["name"]
        assert config["~"] == "redroad/v1/redroad-demo/unit-1"
        assert platform == "button" or {"stat_t", "val_tpl"} <= config.keys()
        assert platform == "button" or name == "reply" or config["exp_aft"] > 0
        assert config["avty_mode"] == "all" and len(config["avty"]) == 2
    assert {topic.split("/")[1] for topic in found} == {"sensor", "binary_sensor", "button"}
    assert len({config["uniq_id"] for config in found.values()}) == len(found)
    level = found[discovery_topic(site, "sensor", "level")]
    assert set(level["ops"]) == {level.name for level in Level}
    assert level["dev"]["mdl"] == "street sign, 128x64 px"
    assert "cu" not in level["dev"]
    page = "https://signs.example/pole-3"
    linked = messages(with_options(site, upstream={"configuration_url": page}))
    assert linked[discovery_topic(site, "sensor", "level")]["dev"]["cu"] == page


def with_options(site: Site, **sections: dict[str, Any]) -> Site:
    """The same site, with these options changed."""
    changed = {
        name: getattr(site, name).model_copy(update=options) for name, options in sections.items()
    }
    return site.model_copy(update=changed)


def test_no_entity_is_always_unknown_on_this_unit() -> None:
    """Nothing of commands that are not followed, of heat, motion or speech that there is not."""
    site = Site()
    everything = names(site)
    assert everything - names(site, thermometer=False) == {"temperature"}
    without = names(with_options(site, upstream={"commands": False}))
    of_commands = {"held", "muted", "reply", "mute", "release", "test"}
    of_commands |= {"hold_caution", "hold_crowded", "hold_critical"}
    assert everything - without == of_commands
    assert everything - names(with_options(site, voice={"output": "record"})) == {"spoken"}
    assert everything - names(site.model_copy(update={"ground": None})) == {"motion"}


@pytest.mark.parametrize(
    ("zone", "shown"),
    [
        ({"warning": "", "peak": 1.0, "speed": None}, "OFF"),
        ({"warning": "", "peak": 4.0, "speed": 0.9}, "OFF"),
        ({"warning": "", "peak": 4.0, "speed": None}, "None"),
        ({"warning": "", "peak": None, "speed": None}, "None"),
        ({"warning": "standstill", "peak": 4.0, "speed": 0.0}, "ON"),
    ],
)
def test_motion_that_is_not_seen_is_no_motion_without_danger(
    zone: dict[str, Any], shown: str
) -> None:
    entity = messages(Site())[discovery_topic(Site(), "binary_sensor", "motion")]
    told = {"zones": [{"warning": "", "peak": 1.0, "speed": 0.5}, zone]}
    assert jinja2.Template(entity["val_tpl"]).render(value_json=told) == shown


def test_every_message_of_discovery_is_small() -> None:
    """Some brokers take a kilobyte and no more; names are as long as they may be."""
    name = "n" * 63
    zone = Site().zone[0].model_copy(update={"name": name})
    site = Site(site=Identity(name="s" * 63, unit="u" * 63)).model_copy(update={"zone": [zone]})
    for unit, most in ((site, 1700), (Site(), 1000)):
        made = discovery(unit, thermometer=True)
        assert max(len(payload.encode()) for payload in made.values()) < most


def test_every_button_sends_a_command_that_is_followed(report: Report, broker: Mosquitto) -> None:
    site = Site(site=Identity(name="test", unit="one"))
    buttons = [each for topic, each in messages(site).items() if "/button/" in topic]
    listener = Listener(broker.port)
    report.start()
    wait_for(lambda: "online" in listener.on("availability"), 10, "online")
    for count, button in enumerate(buttons, 1):
        payload = jinja2.Template(button["cmd_tpl"]).render(
            now=lambda: datetime.now(UTC), timedelta=timedelta
        )
        where = button["cmd_t"].replace("~", button["~"])
        valid(json.loads(payload), schema_of(f"command-{where.rpartition('/')[2]}"))
        listener.say(where, payload)
        wait_for(lambda count=count: len(listener.on("reply")) == count, 10, "the answer")  # type: ignore[misc]
    assert [told["command"] for told in listener.on("reply")] == [
        *["hold"] * 3,
        "mute",
        "release",
        "test",
    ]
    assert all(told["accepted"] for told in listener.on("reply")), listener.on("reply")


def official(entity: dict[str, Any]) -> None:
    """By FIWARE's own schema, where it is at hand."""
    if not SCHEMAS.is_dir():
        pytest.skip(f"FIWARE's schemas are not in {SCHEMAS}: set REDROAD_DATA (models/README.md)")
    schema = json.loads((SCHEMAS / "CrowdFlowObserved.json").read_text(encoding="utf-8"))
    common = json.loads((SCHEMAS / "common-schema.json").read_text(encoding="utf-8"))
    registry: Registry[Any] = Registry().with_resources(
        [(common["$id"], Resource.from_contents(common))]
    )
    valid(entity, schema, registry)
    with pytest.raises(ValidationError):
        valid({**entity, "peopleCount": -1}, schema, registry)


def minute_of(*seen: Occupancy) -> dict[str, Any]:
    """The entity of a minute in which this was seen, one after another."""
    aggregator = Aggregator(60, ["street"], 0)
    for n, occupancy in enumerate(seen):
        zone = ZoneState("street", Level.CAUTION, occupancy)
        aggregator.add(State(n, Level.CAUTION, "", "", (zone,), 0.1, (), ""))
    (closed,) = aggregator.pass_time(60_000_000_000)
    return crowd_flow(closed, Stamp("boot", closed.end, 1.8e9, True), Site())


def minute(*levels: Level, people: float | None) -> dict[str, Any]:
    """The entity of a minute with these levels one after another."""
    site = Site(site=Identity(latitude=37.5, longitude=126.9))
    aggregator, at = Aggregator(60, ["street"], 0), 0
    for n in range(60):
        at = n * NS_PER_S
        level = levels[n * len(levels) // 60]
        seen = None
        if people is not None and level is not Level.UNKNOWN:
            seen = Occupancy("street", people, people, people, 40.0, 1.0, 1.0, at)
        aggregator.add(State(at, level, "", "", (ZoneState("street", level, seen),), 0.1, (), ""))
    (closed,) = aggregator.pass_time(60_000_000_000)
    return crowd_flow(closed, Stamp("boot", closed.end, 1.8e9, True), site)


def test_unknown_is_neither_nobody_nor_free() -> None:
    unknown = minute(Level.UNKNOWN, people=None)
    assert unknown["level"] == "UNKNOWN"
    assert unknown["knownShare"] == 0
    assert "peopleCount" not in unknown
    assert "congested" not in unknown
    official(unknown)


def test_the_crowds_speed_is_that_of_its_people_and_never_invented() -> None:
    def at(people: float, speed: float | None) -> Occupancy:
        return Occupancy("street", people, people, people, 40.0, 1.0, 1.0, 0, speed)

    stood = minute_of(at(90.0, 0.2), at(10.0, 1.2), at(50.0, None), at(5.0, float("nan")))
    assert stood["averageCrowdSpeed"] == pytest.approx(3.6 * 0.3)
    for unknown in ([at(9.0, None)], [at(0.0, 0.0)], [at(9.0, float("inf"))], [at(9.0, -1.0)]):
        entity = minute_of(*unknown)
        assert "averageCrowdSpeed" not in entity
        official(entity)
    assert minute_of(at(9.0, 0.0))["averageCrowdSpeed"] == 0  # they were seen to stand
    official(stood)
    with pytest.raises(ValidationError):
        official({**stood, "averageCrowdSpeed": -1})


def test_congested_is_false_only_when_all_was_seen() -> None:
    assert minute(Level.CLEAR, people=4.4)["congested"] is False
    assert minute(Level.CLEAR, people=4.4)["peopleCount"] == 4
    assert minute(Level.CLEAR, Level.CROWDED, people=90)["congested"] is True
    assert "congested" not in minute(Level.CLEAR, Level.UNKNOWN, people=4)
    official(minute(Level.CLEAR, Level.CRITICAL, people=90))
