"""A change of the level as ONVIF's Profile M has events on MQTT."""

import json
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import ValidationError

from edge.common.clock import boottime_ns
from edge.common.wire import Level, Occupancy, State, ZoneState
from edge.report.onvif import OnvifFeed
from edge.report.payloads import Stamp
from edge.report.schemas import schema_of
from edge.site import Site
from edge.site.alerts import Alerts
from hil.testkit.mosquitto import Listener, Mosquitto, wait_for
from hil.testkit.report_process import Report
from tests.report.test_schemas import valid

BASE = "redroad/v1/test/one/"
TOPIC = "onvif-ej/RuleEngine/tns:redroad/CrowdLevel/&gate-2/level"
SITE = Site(alerts=Alerts(onvif=True, video_source="gate-2"))


def state(level: Level, *people: float | None) -> State:
    """Of as many zones."""
    zones = tuple(
        ZoneState(
            f"zone-{number}",
            level,
            None if each is None else Occupancy("", each, each, each, 40.0, 1.0, 1.0, 0),
        )
        for number, each in enumerate(people)
    )
    return State(boottime_ns(), level, "m", "why", zones, 0.1, (), "m")


def told(feed: OnvifFeed, of: State, at: int = 1, *, time_valid: bool = True) -> Any:
    """What the feed has to tell then; None for nothing."""
    stamp = Stamp("boot", at, 1_795_000_000.25, time_valid)
    feed.follow(of, stamp)
    found = feed.current(stamp)
    if found is None:
        return None
    assert (found.where, found.retain) == (TOPIC, False)
    payload = json.loads(found.payload)
    valid(payload, schema_of("onvif-ej"))
    return payload


def test_a_change_has_the_form_of_onvif_core() -> None:
    payload = told(OnvifFeed(SITE), state(Level.CROWDED, 120.4, 30.0))
    assert payload == {
        "UtcTime": "2026-11-18T11:06:40.250Z",
        "Source": {"VideoSource": "gate-2", "Rule": "level"},
        "Data": {
            "State": True,
            "Level": "CROWDED",
            "Before": "UNKNOWN",
            "Count": 150,
            "Reason": "why",
            "TimeValid": True,
        },
    }


def test_what_is_not_known_is_neither_nobody_nor_false() -> None:
    feed = OnvifFeed(SITE)
    assert told(feed, state(Level.UNKNOWN, None)) is None  # as it was
    assert told(feed, state(Level.CLEAR, 3.0, None))["Data"]["State"] is False
    unknown = told(feed, state(Level.UNKNOWN, None), time_valid=False)["Data"]
    assert not {"State", "Count"} & unknown.keys()
    assert unknown["TimeValid"] is False


def test_the_newest_change_waits_for_its_acknowledgement() -> None:
    feed = OnvifFeed(SITE)
    told(feed, state(Level.CAUTION, 80.0), at=1)
    first = feed.current(Stamp("boot", 1, 0.0, True))
    assert told(feed, state(Level.CRITICAL, 240.0), at=2)["Data"]["Before"] == "CAUTION"
    assert first is not None
    feed.acknowledged(first)
    newest = feed.current(Stamp("boot", 3, 0.0, True))
    assert newest is not None
    feed.acknowledged(newest)
    assert told(feed, state(Level.CRITICAL, 250.0), at=4) is None


def test_the_schema_refuses_what_is_missing_or_too_much() -> None:
    payload = told(OnvifFeed(SITE), state(Level.CROWDED, 120.0))
    for wrong in ({**payload, "Picture": ""}, {"UtcTime": payload["UtcTime"]}):
        with pytest.raises(ValidationError):
            valid(wrong, schema_of("onvif-ej"))


@pytest.fixture
def report(tmp_path: Path, broker: Mosquitto) -> Iterator[Report]:
    alerts = '[alerts]\nonvif = true\nvideo_source = "gate-2"\n'
    program = Report(tmp_path, f'host = "127.0.0.1"\nport = {broker.port}\n{alerts}')
    yield program
    program.end(signal.SIGKILL)


def test_each_change_is_told_once_and_not_retained(report: Report, broker: Mosquitto) -> None:
    listener = Listener(broker.port, BASE + TOPIC)
    report.start()
    levels = (Level.CAUTION, Level.CRITICAL, Level.CROWDED)
    for count, level in enumerate(levels, 1):

        def is_told(level: Level = level, count: int = count) -> bool:
            report.outlet.send(state(level, 100.0))
            return len(listener.messages) == count

        wait_for(is_told, 30, level.name)
    changes = [payload["Data"] for _, payload, _ in listener.messages]
    assert [each["Level"] for each in changes] == [level.name for level in levels]
    assert [each["Before"] for each in changes] == ["UNKNOWN", "CAUTION", "CRITICAL"]
    late = Listener(broker.port, BASE + TOPIC, f"{BASE}state")
    wait_for(lambda: late.on("state"), 20, "what is retained")
    assert not late.on("level")
    listener.close()
    late.close()


def test_a_broker_that_was_away_gets_the_newest_change(report: Report, broker: Mosquitto) -> None:
    broker.kill()
    report.start()
    for level in (Level.CAUTION, Level.CROWDED, Level.CRITICAL):
        for _ in range(3):
            report.outlet.send(state(level, 100.0))
    wait_for(lambda: "fault: broker" in report.said(), 30, "it is away")
    broker.start()
    listener = Listener(broker.port, BASE + TOPIC)

    def is_told() -> bool:
        report.outlet.send(state(Level.CRITICAL, 100.0))
        return bool(listener.messages)

    wait_for(is_told, 60, "the change")
    assert [payload["Data"]["Level"] for _, payload, _ in listener.messages] == ["CRITICAL"]
    listener.close()
