"""Brokers that refuse one message, or hang up on it: everything else arrives all the same."""

import itertools
import os
import signal
import struct
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from edge.common.wire import Level
from edge.report.outbox import Outbox, Row
from hil.testkit.mosquitto import Listener, Mosquitto, free_port, wait_for
from hil.testkit.report_process import Report
from hil.testkit.scripted_broker import V311, HangUp, Published, ScriptedBroker, take_all
from tests.report.test_report import depth, ids, sent, state

NOT_AUTHORIZED, TOO_LARGE = 0x87, 0x95
BASE = "redroad/v1/test/one"
ESSENTIAL = {f"{BASE}/{name}" for name in ("state", "availability", "events", "health", "counts")}
Made = Callable[..., Report]


@pytest.fixture
def made(tmp_path: Path) -> Iterator[Made]:
    reports: list[Report] = []

    def make(port: int, more: str = "") -> Report:
        upstream = f'host = "127.0.0.1"\nport = {port}\naggregate_s = 5\n{more}'
        reports.append(Report(tmp_path, upstream))
        return reports[-1]

    yield make
    for report in reports:
        report.end(signal.SIGKILL)


def denied(*parts: str, how: int | HangUp) -> Callable[[Published], int | HangUp]:
    """Refuses topics that have any of these in them."""
    return lambda message: how if any(part in message.topic for part in parts) else 0


@pytest.mark.parametrize("reason", [None, NOT_AUTHORIZED], ids=["without a word", "with a reason"])
@pytest.mark.parametrize("part", ["homeassistant", "crowdflow"])
def test_a_broker_that_hangs_up_on_what_is_optional_gets_all_else(
    made: Made, part: str, reason: int | None
) -> None:
    """AWS IoT's way; without MQTT 5's reason it takes a second end to know."""
    broker = ScriptedBroker(denied(part, how=HangUp(reason)))
    report = made(broker.port, "fiware = true\n")
    report.start()
    report.outlet.send(state())
    wait_for(lambda: "fault: refused" in report.said(), 60, "the fault")
    sent(report, ["a", "b"])
    wait_for(lambda: set(broker.topics()) >= ESSENTIAL, 30, "all that matters")
    wait_for(lambda: depth_of_events(report) == 0, 20, "events are acknowledged")
    wait_for(lambda: "recovery: broker" in report.said(), 30, "the connection is trusted again")
    connections = broker.connections
    assert connections <= 3 if reason is None else 2
    said = report.said()
    assert f"fault: refused: 127.0.0.1:{broker.port} does not take" in said
    told = next(line for line in said.splitlines() if "fault: refused" in line)
    assert part in told
    assert "bytes" in told
    assert ("Not authorized" in told) == (reason is not None)
    assert said.count("fault: broker") <= 2
    assert said.count("recovery: broker") == 1


@pytest.mark.parametrize("how", [HangUp(), NOT_AUTHORIZED], ids=["hangs up", "answers"])
@pytest.mark.parametrize("part", ["/cap", "onvif-ej"])
def test_an_alert_that_a_broker_does_not_take_stops_nothing_else(
    made: Made, part: str, how: int | HangUp
) -> None:
    broker = ScriptedBroker(denied(part, how=how))
    alerts = '[alerts]\ncap = true\nonvif = true\nsender = "pole-3.hongdae.example"\n'
    report = made(broker.port, alerts)
    report.start()

    def is_told() -> bool:
        report.outlet.send(state(Level.CRITICAL))
        return "fault: refused" in report.said()

    wait_for(is_told, 90, "the fault")
    sent(report, ["a"])
    wait_for(lambda: set(broker.topics()) >= ESSENTIAL, 60, "all that matters")
    wait_for(lambda: depth_of_events(report) == 0, 30, "events are acknowledged")
    wait_for(lambda: any("homeassistant" in topic for topic in broker.topics()), 30, "the rest")
    told = next(line for line in report.said().splitlines() if "fault: refused" in line)
    assert part in told and "bytes" in told
    other = {"/cap": "onvif-ej", "onvif-ej": "/cap"}[part]
    assert any(other in topic for topic in broker.topics())


def depth_of_events(report: Report) -> int:
    outbox = Outbox(report.state / "outbox.sqlite3", 10**6)
    try:
        return len(outbox.oldest(100, 0, "events"))
    finally:
        outbox.close()


def test_a_mended_permission_clears_its_fault_at_the_next_acknowledgement(made: Made) -> None:
    broker = ScriptedBroker(denied("homeassistant", how=HangUp(NOT_AUTHORIZED)))
    report = made(broker.port)
    report.start()
    wait_for(lambda: "fault: refused" in report.said(), 60, "the fault")
    wait_for(lambda: f"{BASE}/counts" in broker.topics(), 60, "the rest goes on")
    assert "recovery: refused" not in report.said()
    broker.judge = take_all
    counts = broker.topics().count(f"{BASE}/counts")
    wait_for(lambda: broker.topics().count(f"{BASE}/counts") > counts, 60, "the next counts")
    broker.restart()  # what mends it, restarts it, while nothing of ours is under way
    wait_for(lambda: "recovery: refused" in report.said(), 60, "the fault ends")
    assert any("homeassistant" in topic for topic in broker.topics())


def test_state_and_events_pass_a_broker_that_hangs_up_on_retained_messages(made: Made) -> None:
    """As AWS IoT does with a unit that may not retain."""
    broker = ScriptedBroker(lambda message: HangUp(NOT_AUTHORIZED) if message.retain else 0)
    report = made(broker.port)
    report.start()
    sent(report, ["a"])
    wait_for(lambda: {f"{BASE}/state", f"{BASE}/events"} <= set(broker.topics()), 90, "both")


@pytest.mark.parametrize(
    ("properties", "most"),
    [(b"\x27" + struct.pack("!I", 700), 700), (b"\x27" + struct.pack("!I", 600), 600)],
)
def test_the_maximum_packet_size_is_obeyed(made: Made, properties: bytes, most: int) -> None:
    too_large: list[Published] = []

    def judge(message: Published) -> int | HangUp:
        if message.size > most:
            too_large.append(message)
            return HangUp(TOO_LARGE)
        return 0

    broker = ScriptedBroker(judge, properties=properties)
    report = made(broker.port)
    report.start()
    sent(report, ["a"])
    wait_for(lambda: f"{BASE}/events" in broker.topics(), 30, "the event")
    wait_for(lambda: "fault: refused" in report.said(), 30, "what is too large is told")
    assert f"it takes {most} bytes at most" in report.said()
    assert broker.connections == 1
    assert not too_large


def test_a_broker_that_retains_nothing_and_knows_no_qos_is_served(made: Made) -> None:
    """RetainAvailable = 0 and MaximumQoS = 0; such a broker refuses a will that is retained."""
    broker = ScriptedBroker(properties=b"\x25\x00\x24\x00", will_retain_refused=True)
    report = made(broker.port)
    report.start()
    sent(report, ["a", "b"])
    wait_for(lambda: broker.topics().count(f"{BASE}/events") >= 2, 30, "the events")
    wait_for(lambda: depth_of_events(report) == 0, 20, "they are let go")
    assert {message.retain for message in broker.taken} == {False}
    assert {message.qos for message in broker.taken} == {0}
    assert "the broker acknowledges nothing" in report.said()


@pytest.mark.parametrize("most", [1, 3])
def test_the_receive_maximum_is_obeyed(made: Made, tmp_path: Path, most: int) -> None:
    """Mosquitto ends the connection of whoever has more under way."""
    mosquitto = Mosquitto(tmp_path, f"allow_anonymous true\nmax_inflight_messages {most}")
    mosquitto.start()
    try:
        outbox = Outbox(tmp_path / "state" / "report" / "outbox.sqlite3", 10**6)
        outbox.put([Row(f"e{n}", "events", "old", n, f'{{"id":"e{n}"}}') for n in range(40)])
        outbox.close()
        listener = Listener(mosquitto.port)
        report = made(mosquitto.port)
        report.start()
        wait_for(lambda: {f"e{n}" for n in range(40)} <= set(ids(listener)), 90, "all events")
        assert "fault: broker" not in report.said()
    finally:
        mosquitto.kill()


@pytest.mark.timeout(600)  # up to seven connections, each after a longer pause
def test_oversized_discovery_costs_mosquitto_nothing_else(made: Made, tmp_path: Path) -> None:
    """`max_packet_size`: by MQTT 5 it says so, by 3.1.1 it only hangs up."""
    mosquitto = Mosquitto(tmp_path, "allow_anonymous true\nmax_packet_size 750")
    mosquitto.start()
    try:
        for protocol in ("5", "3.1.1"):
            (tmp_path / protocol).mkdir()
            listener = Listener(mosquitto.port, "redroad/#", "homeassistant/#")
            upstream = f'host = "127.0.0.1"\nport = {mosquitto.port}\nprotocol = "{protocol}"\n'
            report = Report(tmp_path / protocol, upstream, unit=f"p{protocol[0]}")
            report.start()
            sent(report, ["a"])
            wait_for(lambda: "a" in ids(listener), 60, "the event")  # noqa: B023
            wait_for(lambda: "fault: refused" in report.said(), 200, "what is too large is told")  # noqa: B023
            wait_for(lambda: "uptime" in str(listener.messages), 200, "what is small enough")  # noqa: B023
            report.end()
            listener.close()
    finally:
        mosquitto.kill()


def test_denied_topics_are_named_and_recover_when_they_are_allowed(
    made: Made, tmp_path: Path
) -> None:
    """Permissions of Mosquitto, read anew at SIGHUP."""
    rules = tmp_path / "acl"
    few = f"topic readwrite {BASE}/state\ntopic readwrite {BASE}/command/#\n"
    rules.write_text(few)
    ours = "user root\n" if os.geteuid() == 0 else ""
    mosquitto = Mosquitto(tmp_path, f"{ours}allow_anonymous true\nacl_file {rules}")
    mosquitto.start()
    try:
        report = made(mosquitto.port)
        report.start()
        sent(report, ["a"])
        wait_for(lambda: f"{BASE}/events" in refusals(report), 30, "the topic is named")
        assert "Not authorized" in refusals(report)
        assert depth(report) >= 1
        rules.write_text("topic readwrite #\n")
        mosquitto.send(signal.SIGHUP)
        listener = Listener(mosquitto.port)
        wait_for(lambda: "a" in ids(listener), 90, "the event")
        wait_for(lambda: "recovery: refused" in report.said(), 90, "the fault ends")
    finally:
        mosquitto.kill()


def refusals(report: Report) -> str:
    return "\n".join(line for line in report.said().splitlines() if "fault: refused" in line)


AMQTT = """
import asyncio, sys
from amqtt.broker import Broker
async def run():
    where = {"type": "tcp", "bind": "127.0.0.1:%s" % sys.argv[1]}
    anonymous = {"amqtt.plugins.authentication.AnonymousAuthPlugin": {"allow_anonymous": True}}
    broker = Broker({"listeners": {"default": where}, "plugins": anonymous})
    await broker.start()
    await asyncio.Event().wait()
asyncio.run(run())
"""


@pytest.fixture
def amqtt() -> Iterator[int]:
    """aMQTT, a broker that knows nothing but MQTT 3.1.1; its port."""
    pytest.importorskip("amqtt", reason="pip install amqtt")
    port = free_port()
    process = subprocess.Popen(
        [sys.executable, "-c", AMQTT, str(port)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    yield port
    process.kill()
    process.wait()


def test_a_broker_that_knows_only_mqtt_311_is_served(made: Made, amqtt: int) -> None:
    report = made(amqtt)
    report.start()
    report.outlet.send(state())
    sent(report, ["a", "b"])
    wait_for(lambda: "MQTT 3.1.1 has no expiry" in report.said(), 60, "what is lost is told")
    wait_for(lambda: depth_of_events(report) == 0, 60, "the events are acknowledged")
    assert report.said().count("fault: broker") <= 2


def test_a_broker_that_says_it_knows_no_mqtt_5_is_asked_by_311_at_once(made: Made) -> None:
    broker = ScriptedBroker(version=V311)
    report = made(broker.port)
    report.start()
    sent(report, ["a"])
    wait_for(lambda: f"{BASE}/events" in broker.topics(), 20, "the event")
    assert "fault: broker" not in report.said()
    states = [message for message in broker.taken if message.topic.endswith("/state")]
    assert not any(message.retain or message.qos for message in states)
    online = [m for m in broker.taken if m.topic.endswith("/availability") and m.payload]
    assert not any(message.retain for message in online)


def test_one_protocol_can_be_asked_for(made: Made) -> None:
    broker = ScriptedBroker(version=V311)
    report = made(broker.port, 'protocol = "5"\n')
    report.start()
    wait_for(lambda: "nsupported protocol version" in report.said(), 20, "the refusal")
    assert broker.connections == 0


def test_everything_that_is_retained_expires(made: Made) -> None:
    broker = ScriptedBroker()
    report = made(broker.port)
    report.start()
    wait_for(lambda: any("homeassistant" in topic for topic in broker.topics()), 30, "discovery")
    report.end()
    wait_for(lambda: broker.taken[-1].payload == "offline", 10, "the goodbye")
    retained = [message for message in broker.taken if message.retain and message.payload]
    assert {message.topic for message in retained} >= {f"{BASE}/state", f"{BASE}/availability"}
    assert all(message.expiry for message in retained)
    levels = [message.expiry for message in retained if message.topic.endswith("/state")]
    assert max(filter(None, levels)) <= 20
    states = [message for message in broker.taken if message.topic.endswith("/state")]
    assert states[-1].payload["level"] == "UNKNOWN"


def test_the_state_comes_before_online(made: Made) -> None:
    broker = ScriptedBroker()
    report = made(broker.port)
    report.start()
    report.outlet.send(state())
    wait_for(lambda: f"{BASE}/events" in broker.topics(), 20, "the first event")
    kinds = [topic.rsplit("/", 1)[-1] for topic in broker.topics()]
    first = [kind for kind, _ in itertools.groupby(kinds)]
    assert first[0] == "state"
    assert first.index("availability") < first.index("events")
