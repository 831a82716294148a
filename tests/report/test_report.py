"""The program `report` against a real Mosquitto: what it is told arrives, once by its id."""

import json
import os
import signal
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from edge.common.clock import boottime_ns
from edge.common.events import RESEND_AFTER
from edge.common.link import Inbox
from edge.common.program import Paths, Program
from edge.common.units import seconds
from edge.common.wire import COMMANDS, Ack, Event, Level, Occupancy, State, ZoneState
from edge.report.outbox import Outbox, Row
from hil.testkit.mosquitto import Listener, Mosquitto, wait_for
from hil.testkit.report_process import Report
from hil.testkit.small_disk import small_disk


def event(name: str) -> Event:
    return Event(name, "transition", "decide", boottime_ns(), "why", "street", "CLEAR", "CAUTION")


def state(level: Level = Level.CAUTION) -> State:
    at = boottime_ns()
    seen = Occupancy("street", 90.0, 80.0, 100.0, 40.0, 2.25, 2.25, at)
    return State(at, level, "caution", "why", (ZoneState("street", level, seen),), 0.2, (), "m")


SMALL_DISK = pytest.mark.skipif(os.geteuid() != 0, reason="only root can mount a small disk")
FIGURES = ("people", "low", "high", "density", "peak", "area_m2")
MOTION = ("speed", "speed_variance", "pressure", "implausible")


def ids(listener: Listener) -> list[str]:
    return [message["id"] for message in listener.on("events")]


def sent(report: Report, names: list[str]) -> None:
    for name in names:
        wait_for(lambda name=name: report.outlet.send(event(name)), 5, "report takes an event")  # type: ignore[misc]


def test_state_is_retained_and_events_arrive(report: Report, broker: Mosquitto) -> None:
    listener = Listener(broker.port)
    report.start()
    report.outlet.send(state())
    sent(report, ["a", "b"])
    wait_for(lambda: {"a", "b"} <= set(ids(listener)), 10, "both events")
    wait_for(lambda: listener.on("state")[-1]["level"] == "CAUTION", 10, "the state")
    report.outlet.send(state())
    late = Listener(broker.port)
    wait_for(lambda: late.on("state") and late.on("availability"), 10, "what is retained")
    retained = {topic: payload for topic, payload, retain in late.messages if retain}
    told = retained["redroad/v1/test/one/state"]
    assert told["level"] == "CAUTION"
    assert told["zones"][0]["people"] == 90.0
    assert 0.2 <= told["frame_age_s"] < 3.0
    assert retained["redroad/v1/test/one/availability"] == "online"
    assert not [topic for topic in retained if topic.endswith("/events")]
    (first,) = [message for message in listener.on("events") if message["id"] == "a"]
    assert first["before"] == "CLEAR"
    assert first["historical"] is False
    assert first["time_valid"] is True


def test_a_level_does_not_outlive_the_program_that_said_it(
    report: Report, broker: Mosquitto
) -> None:
    """The worst lie would be a retained CLEAR while decide is dead."""
    listener = Listener(broker.port)
    report.start()
    report.outlet.send(state(Level.CLEAR))
    wait_for(lambda: listener.on("state")[-1:] != [], 10, "a state")
    wait_for(lambda: listener.on("state")[-1]["level"] == "CLEAR", 5, "clear")
    wait_for(lambda: listener.on("state")[-1]["level"] == "UNKNOWN", 6, "unknown")
    told = listener.on("state")[-1]
    assert told["frame_age_s"] > 3.0
    nothing = {"zone": "street", "level": "UNKNOWN", "warning": ""}
    assert told["zones"] == [nothing | dict.fromkeys((*FIGURES, *MOTION))]
    assert "decide has told nothing" in told["reason"]


def test_before_anything_is_reported_what_was_retained_is_replaced(
    report: Report, broker: Mosquitto
) -> None:
    report.start()
    report.outlet.send(state(Level.CLEAR))
    listener = Listener(broker.port)
    wait_for(lambda: "CLEAR" in [told["level"] for told in listener.on("state")], 5, "clear")
    report.end(signal.SIGKILL)
    report.start()
    wait_for(lambda: listener.on("state")[-1]["level"] != "CLEAR", 15, "another state")
    assert listener.on("state")[-1]["reason"] == "report has only just started"


def test_counts_arrive(report: Report, broker: Mosquitto) -> None:
    listener = Listener(broker.port)
    report.start()
    began, seen = time.monotonic(), list[Any]()
    while not seen:  # a period may end before the first state
        report.outlet.send(state())
        time.sleep(0.3)
        seen = [each for each in listener.on("counts") if each["people"]["max"] is not None]
        assert time.monotonic() - began < 20
    counts = seen[0]
    assert counts["people"]["max"] == 90.0
    assert sum(counts["levels"].values()) == pytest.approx(1.0, abs=0.01)


def test_what_was_missed_while_the_broker_was_down_arrives(
    report: Report, broker: Mosquitto
) -> None:
    report.start()
    sent(report, ["before"])
    wait_for(lambda: depth(report) == 0, 10, "the outbox is empty")
    broker.kill()
    missed = [f"missed-{n}" for n in range(150)]
    sent(report, missed)
    wait_for(lambda: depth(report) >= 150, 10, "all is kept")
    report.send(signal.SIGSTOP)  # else it could tell before anybody listens
    broker.start()
    listener = Listener(broker.port)
    report.send(signal.SIGCONT)
    wait_for(lambda: set(missed) <= set(ids(listener)), 60, "all that was missed")
    wait_for(lambda: depth(report) == 0, 10, "the outbox is empty again")


def test_a_killed_unit_is_reported_offline_by_the_broker(report: Report, broker: Mosquitto) -> None:
    listener = Listener(broker.port)
    report.start()
    wait_for(lambda: "online" in listener.on("availability"), 10, "online")
    report.end(signal.SIGKILL)
    wait_for(lambda: listener.on("availability")[-1] == "offline", 40, "offline by the will")


def test_events_kept_by_a_killed_report_arrive_after_its_restart(
    report: Report, broker: Mosquitto
) -> None:
    broker.kill()
    report.start()
    sent(report, [f"kept-{n}" for n in range(40)])
    wait_for(lambda: depth(report) >= 40, 10, "all is written")
    report.end(signal.SIGKILL)
    broker.start()
    listener = Listener(broker.port)
    report.start()
    wait_for(lambda: {f"kept-{n}" for n in range(40)} <= set(ids(listener)), 30, "all arrives")


def test_events_and_counts_kept_while_the_broker_hangs_arrive_after_a_kill(
    report: Report, broker: Mosquitto
) -> None:
    listener = Listener(broker.port)
    report.start()
    broker.send(signal.SIGSTOP)
    hung = {f"hung-{n}" for n in range(40)}
    sent(report, sorted(hung))
    wait_for(lambda: hung <= {name for _, name in on_disk(report)}, 15, "all is written")
    wait_for(lambda: "counts" in {kind for kind, _ in on_disk(report)}, 15, "counts wait too")
    report.end(signal.SIGKILL)
    kept = on_disk(report)
    broker.send(signal.SIGCONT)
    report.start()
    wait_for(lambda: kept <= arrived(listener), 30, "all that was kept")


def test_what_a_killed_report_had_not_yet_read_arrives(report: Report, broker: Mosquitto) -> None:
    """It was in the socket of the dead; decide tells it again."""
    listener = Listener(broker.port)
    report.start()
    decide = Program("decide", Paths(report.runtime, report.state))
    report.send(signal.SIGSTOP)
    decide.event("transition", "nobody reads this", zone="street")
    report.end(signal.SIGKILL)
    report.start()
    wait_for(lambda: heard_of(listener, decide), 15, "the event")
    until = time.monotonic() + 2 * seconds(RESEND_AFTER)
    while time.monotonic() < until:
        time.sleep(0.1)
        assert len(heard_of(listener, decide)) == 1, "told again though it is kept"


def heard_of(listener: Listener, program: Program) -> list[str]:
    """Let a program live for a moment; what the broker has passed on of it."""
    program.receive(0)
    program.alive()
    return [each["id"] for each in listener.on("events") if each["reason"] == "nobody reads this"]


def test_what_is_reported_once_more_arrives_once(report: Report, broker: Mosquitto) -> None:
    """As by a program that did not get the receipt, or not yet."""
    listener = Listener(broker.port)
    report.start()
    sent(report, ["twice"])
    wait_for(lambda: ids(listener).count("twice") == 1, 10, "the event")
    wait_for(lambda: depth(report) == 0, 10, "the outbox is empty")
    sent(report, ["twice", "after"])
    wait_for(lambda: "after" in ids(listener), 10, "another event")
    assert ids(listener).count("twice") == 1


@SMALL_DISK
def test_what_the_disk_does_not_take_is_not_called_kept(tmp_path: Path) -> None:
    """Without a broker and on a full disk only memory has it, and a killed report would lose it."""
    alone = Report(tmp_path, "")
    with full_disk(alone.state) as filler:
        alone.start()
        with Inbox(alone.runtime, "decide", {"report": COMMANDS}) as decide:
            sent(alone, ["a"])
            assert receipts(decide, 3.0) == []
            filler.unlink()
            assert receipts(decide, 6.0) == ["a"]
        alone.end()


def receipts(inbox: Inbox, for_s: float) -> list[str]:
    until, names = time.monotonic() + for_s, list[str]()
    while time.monotonic() < until:
        for message in inbox.receive(0.1):
            names += message.ids if isinstance(message, Ack) else ()
    return names


@contextmanager
def full_disk(folder: Path) -> Iterator[Path]:
    """A disk of its own without room; the file that fills it."""
    folder.mkdir(parents=True)
    with small_disk(folder, "256k"):
        filler = folder / "filler"
        filler.write_bytes(b"x" * 240_000)
        yield filler


def test_a_damaged_outbox_is_reported_and_the_work_goes_on(
    report: Report, broker: Mosquitto
) -> None:
    report.state.mkdir(parents=True)
    (report.state / "outbox.sqlite3").write_bytes(b"no database" * 999)
    listener = Listener(broker.port)
    report.start()
    sent(report, ["a"])
    wait_for(lambda: "a" in ids(listener), 10, "the event")
    assert "was damaged; it is kept as outbox.sqlite3.corrupt-1" in report.said()


def test_old_rows_are_marked_as_historical(report: Report, broker: Mosquitto) -> None:
    outbox = Outbox(report.state / "outbox.sqlite3", 10**6)
    outbox.put([Row("old", "events", "another boot", 1, '{"id":"old"}')])
    outbox.close()
    listener = Listener(broker.port)
    report.start()
    wait_for(lambda: "old" in ids(listener), 10, "the old event")
    assert next(m for m in listener.on("events") if m["id"] == "old")["historical"] is True


def test_a_refusing_broker_is_reported_once_and_everything_kept(tmp_path: Path) -> None:
    mosquitto = Mosquitto(tmp_path, "allow_anonymous false")
    mosquitto.start()
    refused = Report(tmp_path, f'host = "127.0.0.1"\nport = {mosquitto.port}\n')
    refused.start()
    sent(refused, ["a"])
    wait_for(lambda: "the broker refuses us" in refused.said(), 15, "the refusal")
    time.sleep(4)
    assert refused.said().count("Not authorized") <= 1
    assert depth(refused) >= 1
    refused.end()
    mosquitto.kill()


def test_without_a_broker_all_is_kept_and_said(tmp_path: Path) -> None:
    alone = Report(tmp_path, "")
    alone.start()
    sent(alone, ["a"])
    wait_for(lambda: depth(alone) >= 1, 10, "the event is kept")
    assert "no broker is configured: everything waits in the outbox" in alone.said()
    alone.end()


def test_a_password_that_others_can_read_is_refused(tmp_path: Path) -> None:
    secret = tmp_path / "password"
    secret.write_text("canary-secret")
    secret.chmod(0o644)
    report = Report(tmp_path, 'host = "127.0.0.1"\nusername = "u"\npassword_file = "password"\n')
    report.start()
    wait_for(lambda: "can be read by others; run: chmod 600" in report.said(), 10, "the refusal")
    assert "canary-secret" not in report.said()
    report.end()


def test_its_own_stop_is_reported_after_the_next_start(report: Report, broker: Mosquitto) -> None:
    report.start()
    report.end()
    listener = Listener(broker.port)
    report.start()
    wait_for(lambda: "stop" in [each["kind"] for each in listener.on("events")], 10, "the stop")


@SMALL_DISK
def test_a_full_disk_is_reported_and_survived(report: Report, broker: Mosquitto) -> None:
    with full_disk(report.state) as filler:
        listener = Listener(broker.port)
        report.start()
        sent(report, ["during"])
        wait_for(lambda: "fault: outbox: outbox" in report.said(), 10, "the fault")
        wait_for(lambda: "during" in ids(listener), 15, "the event, from memory")
        filler.unlink()
        wait_for(lambda: "outbox works again" in report.said(), 10, "the recovery")
        sent(report, ["after"])
        wait_for(lambda: "after" in ids(listener), 15, "an event from the disk")
        wait_for(lambda: depth(report) == 0, 10, "the outbox is empty")
        report.end()


def depth(report: Report) -> int:
    """Rows on disk, or -1 before there is an outbox."""
    file = report.state / "outbox.sqlite3"
    if not file.exists():
        return -1
    with sqlite3.connect(file) as database:
        (count,) = database.execute("SELECT count(*) FROM outbox").fetchone()
        return int(count)


def on_disk(report: Report) -> set[tuple[str, str]]:
    """What waits in the outbox: its topic and the id in its payload."""
    with sqlite3.connect(report.state / "outbox.sqlite3") as database:
        rows = database.execute("SELECT kind, payload FROM outbox").fetchall()
    return {(kind, json.loads(payload)["id"]) for kind, payload in rows}


def arrived(listener: Listener) -> set[tuple[str, str]]:
    """What the broker passed on, likewise."""
    kinds = ("events", "counts")
    return {(kind, message["id"]) for kind in kinds for message in listener.on(kind)}


def test_a_mistake_in_a_new_site_file_is_reported_upstream(
    report: Report, broker: Mosquitto
) -> None:
    """The last right one says where that is."""
    report.start()
    report.end()
    report.site_file.write_text("[upstream]\nhots = 'broker'\n", encoding="utf-8")
    listener = Listener(broker.port)
    report.start()
    wait_for(lambda: "online" in listener.on("availability"), 10, "report is back")
    wait_for(lambda: listener.on("health"), 10, "a health")
    told = listener.on("health")[-1]["programs"]["report"]["faults"]["site"]
    assert "option upstream.hots = 'broker' is unknown; did you mean 'host'?" in told
    assert told.endswith("; the last valid one is in use")
    assert listener.on("state")[-1]["level"] == "UNKNOWN"
