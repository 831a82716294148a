"""Commands over a real Mosquitto to the program `report`, and what it passes on to decide."""

import json
import signal
import time
import unicodedata
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from edge.common.clock import boottime_ns
from edge.common.link import Inbox
from edge.common.wire import COMMANDS, Command, Event, Level
from hil.testkit.mosquitto import Listener, Mosquitto, wait_for
from hil.testkit.report_process import Report
from tests.report.test_report import state

TOPIC = "redroad/v1/test/one/command"


def moment(in_s: float) -> str:
    return (datetime.now(UTC) + timedelta(seconds=in_s)).isoformat()


def asked(name: str, expires_s: float = 60, **more: object) -> str:
    return json.dumps({"id": name, "expires": moment(expires_s), **more})


class Room:
    """A control room, and in decide's place an inbox of its own."""

    def __init__(self, broker: Mosquitto, report: Report) -> None:
        self.listener = Listener(broker.port)
        self.inbox = Inbox(report.runtime, "decide", {"report": COMMANDS})
        self.passed_on: list[Command] = []

    def say(self, kind: str, payload: str | bytes, *, retain: bool = False) -> Any:
        """Send a command; the answer."""
        before = len(self.replies())
        self.listener.say(f"{TOPIC}/{kind}", payload, retain=retain)
        wait_for(lambda: len(self.replies()) > before, 10, "the answer")
        return self.replies()[-1]

    def replies(self) -> list[Any]:
        return self.listener.on("reply")

    def hear(self, for_s: float = 1.5) -> list[Command]:
        """What decide is told in this time, by and by."""
        until, heard = time.monotonic() + for_s, []
        while time.monotonic() < until:
            heard += [m for m in self.inbox.receive(0.1) if isinstance(m, Command)]
        return heard


@pytest.fixture
def room(report: Report, broker: Mosquitto) -> Iterator[Room]:
    report.runtime.mkdir()
    made = Room(broker, report)
    report.start()
    wait_for(lambda: "online" in made.listener.on("availability"), 10, "the unit is online")
    with made.inbox:
        yield made
    made.listener.close()


def test_a_hold_is_answered_passed_on_while_it_stands_and_not_longer(room: Room) -> None:
    reply = room.say("hold", asked("h1", level="CROWDED", until=moment(4)))
    assert (reply["id"], reply["command"], reply["accepted"]) == ("h1", "hold", True)
    heard = room.hear(6)
    assert len(heard) >= 3
    assert len({(each.id, each.since, each.until) for each in heard}) == 1
    assert heard[0].level is Level.CROWDED
    assert -2e9 < heard[0].until - heard[0].since - 4e9 < 0.1e9  # from when it was followed
    assert boottime_ns() > heard[0].until
    assert room.hear(1.5) == []
    (event,) = [event for event in room.listener.on("events") if event["kind"] == "command"]
    assert event["after"] == "accepted"


def test_the_same_id_is_followed_once_even_after_a_kill(room: Room, report: Report) -> None:
    payload = asked("once", level="CRITICAL", until=moment(60))
    first = room.say("hold", payload)
    assert room.say("release", asked("r"))["accepted"]
    report.end(signal.SIGKILL)
    wait_for(lambda: room.listener.on("availability")[-1] == "offline", 40, "offline")
    room.hear(0.5)
    report.start()
    wait_for(lambda: room.listener.on("availability")[-1] == "online", 10, "online again")
    again = room.say("hold", payload)
    assert (again["accepted"], again["reason"]) == (True, first["reason"])
    assert [each.action for each in room.hear() if each.action == "hold"] == []
    other = room.say("hold", asked("once", level="CAUTION", until=moment(60)))
    assert (other["accepted"], "another command" in other["reason"]) == (False, True)


def test_what_stands_outlasts_a_kill_of_report(room: Room, report: Report) -> None:
    room.say("text", asked("t", lines=["출구는 왼쪽"], until=moment(60)))
    report.end(signal.SIGKILL)
    room.hear(0.5)
    report.start()
    heard: list[Command] = []
    wait_for(lambda: heard.extend(room.hear(0.5)) or heard, 15, "the text again")  # type: ignore[func-returns-value]
    assert {each.lines for each in heard} == {("출구는 왼쪽",)}


def test_a_text_that_was_accepted_and_cannot_be_shown_is_answered_so(
    room: Room, report: Report
) -> None:
    payload = asked("w", lines=["W" * 40], until=moment(60))
    assert room.say("text", payload)["accepted"]
    assert room.hear()
    why = "an operator's text cannot be shown: line 'WWW' does not fit"
    told = Event("e", "command", "show", boottime_ns(), why, after="refused", command="w")
    report.ways["show"].send(told)
    wait_for(lambda: len(room.replies()) == 2, 10, "the second answer")
    second = room.replies()[-1]
    assert (second["id"], second["accepted"], second["reason"]) == ("w", False, why)
    room.hear(1.5)
    assert room.hear() == []
    assert room.say("text", payload)["reason"] == why


def test_nobody_but_show_takes_a_text_back(room: Room, report: Report) -> None:
    room.say("text", asked("t", lines=["EXIT LEFT"], until=moment(60)))
    forged = Event("f", "command", "watch", boottime_ns(), "no", after="refused", command="t")
    report.ways["watch"].send(forged)
    assert room.hear(3)
    assert len(room.replies()) == 1


def test_a_text_is_passed_on_composed_and_without_what_is_not_seen(room: Room) -> None:
    lines = [unicodedata.normalize("NFD", "출구는 왼쪽"), "EXIT\u200b LEFT\ufe0f"]
    assert room.say("text", asked("d", lines=lines, until=moment(60)))["accepted"]
    assert {each.lines for each in room.hear()} == {("출구는 왼쪽", "EXIT LEFT")}


def refused() -> dict[str, tuple[str, str | bytes, str]]:
    """What is sent, to which topic, and the reason why not."""
    return {
        "unknown": ("fly", asked("u"), "is unknown; one of hold"),
        "not json": ("hold", "CRITICAL", "malformed"),
        "no bytes": ("hold", b"", "malformed"),
        "no id": ("mute", json.dumps({"expires": moment(60), "until": moment(9)}), "malformed"),
        "wrong id": ("test", asked("../../etc/passwd"), "malformed"),
        "clear": ("hold", asked("c", level="CLEAR", until=moment(9)), "malformed"),
        "a time without offset": (
            "test",
            json.dumps({"id": "z", "expires": "2026-01-01"}),
            "malformed",
        ),
        "more than it may have": ("test", asked("x", path="/etc/passwd"), "malformed"),
        "late": ("test", asked("l", expires_s=-1), "late: it expired"),
        "for too long": (
            "hold",
            asked("4h", level="CAUTION", until=moment(15000)),
            "not within 0 to",
        ),
        "over already": ("mute", asked("o", until=moment(-9)), "not within 0 to"),
        "lying about": ("test", asked("e", expires_s=86400), "must be at most 300 s"),
        "says clear": (
            "text",
            asked("s", lines=["보행  원활"], until=moment(900)),
            "only the camera",
        ),
        "turned": (
            "text",
            asked("n", lines=["a\u202eb"], until=moment(900)),
            "U+202E (right-to-left override) cannot be shown",
        ),
        "unseen": ("text", asked("v", lines=["\u200b"], until=moment(900)), "must be 1 to 40"),
        "clear, hidden": (
            "text",
            asked("z", lines=["CL\u200bE\u00adAR"], until=moment(900)),
            "only the camera",
        ),
        "too many lines": ("text", asked("m", lines=["a"] * 4, until=moment(900)), "1 to 3 lines"),
        "too large": ("text", asked("b", lines=["a" * 5000], until=moment(9)), "more than 4096"),
    }


def test_what_may_not_be_is_refused_with_a_reason(room: Room) -> None:
    for what, (kind, payload, reason) in refused().items():
        reply = room.say(kind, payload)
        assert reply["accepted"] is False, what
        assert reason in reply["reason"], what
    assert room.hear() == []
    assert room.say("test", asked("good"))["accepted"]


def test_a_retained_command_is_refused_at_every_connection(room: Room, report: Report) -> None:
    report.end()
    room.listener.say(f"{TOPIC}/test", asked("kept"), retain=True)
    report.start()
    wait_for(room.replies, 10, "the answer")
    assert "must not be retained" in room.replies()[0]["reason"]


def test_a_test_does_not_interrupt_a_warning(room: Room, report: Report) -> None:
    report.outlet.send(state(Level.CAUTION))
    reply = room.say("test", asked("t"))
    assert (reply["accepted"], "tells CAUTION" in reply["reason"]) == (False, True)


def test_report_now_reports_state_and_health(room: Room) -> None:
    wait_for(lambda: room.listener.on("health"), 10, "the first health")
    told = len(room.listener.on("health"))
    assert room.say("report", asked("now"))["accepted"]
    wait_for(lambda: len(room.listener.on("health")) > told, 3, "health at once")


def test_the_log_grows_until_its_time_is_over(room: Room, report: Report) -> None:
    room.say("log", asked("less", verbosity="ERROR", until=moment(4)))
    room.say("test", asked("silent"))
    time.sleep(4.5)
    room.say("test", asked("loud"))
    wait_for(lambda: "command: test loud accepted" in report.said(), 5, "the log")
    assert "command: test silent" not in report.said()
    assert [each.verbosity for each in room.hear(0.5) if each.action == "log"][:1] == ["ERROR"]


def test_a_flood_of_commands_is_reported_once_and_each_is_answered(
    room: Room, report: Report
) -> None:
    for n in range(150):
        room.listener.say(f"{TOPIC}/fly", asked(f"f{n}"))
    wait_for(lambda: len(room.replies()) == 150, 20, "every answer")
    commands = [event for event in room.listener.on("events") if event["kind"] == "command"]
    assert len(commands) <= 120  # two minutes may be touched
    assert "more than 60 came in a minute" in report.said()


def test_a_unit_that_is_to_follow_no_commands_follows_none(room: Room, report: Report) -> None:
    """Neither one that comes, nor one that stood before that was set."""
    room.say("hold", asked("h1", level="CROWDED", until=moment(600)))
    report.end()
    text = report.site_file.read_text(encoding="utf-8")
    report.site_file.write_text(f"{text}commands = false\n", encoding="utf-8")
    room.hear(0.5)
    report.start()
    wait_for(lambda: room.listener.on("availability")[-1] == "online", 15, "online again")
    states = len(room.listener.on("state"))
    room.listener.say(f"{TOPIC}/hold", asked("h2", level="CRITICAL", until=moment(600)))
    heard: list[Command] = []
    wait_for(
        lambda: heard.extend(room.hear(0.5)) or len(room.listener.on("state")) > states,  # type: ignore[func-returns-value]
        30,
        "the next state",
    )
    assert heard == []
    assert [reply["id"] for reply in room.replies()] == ["h1"]
