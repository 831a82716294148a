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
    report.ways["show"].send(Health("show", boottime_ns(), {"panel": "dark"}, 1, proof))
    report.ways["watch"].send(Health("watch", boottime_ns(), {}, 0, {"pictures_per_s": 3.9}))
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
    wanted = discovery(Site(site=Identity(name="test", unit="one")))
    wait_for(lambda: wanted.keys() <= {topic for topic, _, _ in heard.messages}, 20, "discovery")
    announced = {topic: told for topic, told, _ in heard.messages if topic in wanted}
    assert announced == {topic: json.loads(payload) for topic, payload in wanted.items()}
    wait_for(lambda: heard.on("state")[-1]["level"].upper() == "UNKNOWN", 10, "the last state")
    told = {f"redroad/v1/test/one/{name}": heard.on(name)[-1] for name in ("state", "health")}
    shown = {
        topic.split("/")[3]: jinja2.Template(each["val_tpl"]).render(
            value_json=told[each["stat_t"]]
        )
        for topic, each in announced.items()
        if "stat_t" in each
    }
    assert shown["level"] == "UNKNOWN"
    assert shown["people_street"] == shown["density_street"] == "None"
    assert shown["camera"] == "ON"
    assert float(shown["uptime"]) > 0


def test_each_entity_has_the_form_that_home_assistant_documents() -> None:
    """Ids and name of the device, and for each entity a topic, an id and a template."""
    site = Site()
    found = {topic: json.loads(payload) for topic, payload in discovery(site).items()}
    for topic, config in found.items():
        prefix, platform, device, name, end = topic.split("/")
        assert (prefix, device, end) == ("homeassistant", "redroad_redroad-demo_unit-1", "config")
        assert re.fullmatch("[a-zA-Z0-9_-]+", name)
        assert config["dev"]["ids"] == [device] and config["dev"]["name"]
        assert platform == "button" or {"stat_t", "val_tpl", "exp_aft"} <= config.keys()
        assert config["avty_mode"] == "all" and len(config["avty"]) == 2
    assert {topic.split("/")[1] for topic in found} == {"sensor", "binary_sensor", "button"}
    assert len({config["uniq_id"] for config in found.values()}) == len(found)
    level = found[discovery_topic(site, "sensor", "level")]
    assert set(level["ops"]) == {level.name for level in Level}


def test_every_message_of_discovery_is_small() -> None:
    """Some brokers take a kilobyte and no more; names are as long as they may be."""
    name = "n" * 63
    zone = Site().zone[0].model_copy(update={"name": name})
    site = Site(site=Identity(name="s" * 63, unit="u" * 63)).model_copy(update={"zone": [zone]})
    assert max(len(payload.encode()) for payload in discovery(site).values()) < 1700
    assert max(len(payload.encode()) for payload in discovery(Site()).values()) < 800


def test_the_button_sends_a_command_that_is_followed(report: Report, broker: Mosquitto) -> None:
    site = Site(site=Identity(name="test", unit="one"))
    button = json.loads(discovery(site)[discovery_topic(site, "button", "test")])
    payload = jinja2.Template(button["cmd_tpl"]).render(
        now=lambda: datetime.now(UTC), timedelta=timedelta
    )
    valid(json.loads(payload), schema_of("command-test"))
    listener = Listener(broker.port)
    report.start()
    wait_for(lambda: "online" in listener.on("availability"), 10, "online")
    listener.say(button["cmd_t"], payload)
    wait_for(lambda: listener.on("reply"), 10, "the answer")
    assert listener.on("reply")[0]["accepted"], listener.on("reply")


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
