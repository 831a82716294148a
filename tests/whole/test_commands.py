"""From a control room to the sign and back: what is commanded is shown, and ends by itself."""

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from edge.common.clock import boottime_ns
from edge.common.units import nanoseconds
from edge.decide.orders import ORDER_LIFETIME_S
from edge.report.schemas import SENT, schema_of
from hil.testkit.appliance import SITE, Appliance, send
from hil.testkit.mosquitto import Listener, Mosquitto, wait_for
from tests.report.test_commands import TOPIC, asked, moment
from tests.report.test_schemas import valid

CYCLE_S = 9.0  # two pages of the level, and one of a text
BROKER = '[upstream]\nhost = "127.0.0.1"\nport = {}\n'


@pytest.fixture
def appliance(tmp_path: Path, broker: Mosquitto) -> Iterator[Appliance]:
    unit = Appliance(tmp_path, SITE + BROKER.format(broker.port))
    unit.start()
    yield unit
    unit.abandon()


def test_a_text_is_shown_until_its_time_whoever_is_killed(
    appliance: Appliance, broker: Mosquitto
) -> None:
    """The first text lasts longer than all that is waited for, however busy the machine is."""
    room = Listener(broker.port)
    appliance.wait_until_level()
    wait_for(lambda: "online" in room.on("availability"), 15, "the unit is online")
    order(room, "t", ["출구는 왼쪽", "EXIT LEFT"], lasts_s=120)
    wait_for(lambda: appliance.message() == "text", 15, "the sign shows the text")
    wait_for(lambda: commands(room) == ["t"], 15, "the state reports it")
    killed = send(appliance.pid("decide"), signal.SIGKILL)
    # Whether the sign is neutral in between depends on what reaches the new process first, the
    # command or a picture. The killed one's orders are over after three seconds, either way.
    outlived = killed + nanoseconds(ORDER_LIFETIME_S + 1.0)
    wait_for(lambda: boottime_ns() > outlived, 6, "the last order of the killed is over")
    wait_for(lambda: appliance.message() == "text", 25, "the text, by the new process")
    order(room, "u", ["EXIT RIGHT"], lasts_s=15)
    ends = boottime_ns() + nanoseconds(15)
    wait_for(lambda: commands(room) == ["u"], 15, "the other text is in the first one's place")
    wait_for(lambda: appliance.pid("decide"), 10, "decide runs")
    send(appliance.pid("decide"), signal.SIGKILL)
    # A new `decide` reports none for up to a second, until the one in force is sent again.
    wait_for(lambda: boottime_ns() > ends and commands(room) == [], 60, "the end of its time")
    # What `show` was ordered before stands for three seconds at most, however busy the machine is.
    over = boottime_ns() + nanoseconds(ORDER_LIFETIME_S)
    wait_for(lambda: boottime_ns() > over + nanoseconds(CYCLE_S), 15, "all pages of the level")
    assert "text" not in {shown.message for shown in appliance.shown() if shown.at > over}
    assert appliance.message() not in {"text", "neutral"}
    messages = [shown.message for shown in appliance.shown()]
    assert {"text"} < set(messages) - {"neutral"}  # and the level's words beside it
    assert [reply["accepted"] for reply in room.on("reply")] == [True, True]
    for name in SENT:
        for payload in room.on(name):
            valid(payload, schema_of(name))
    assert room.on("health")[-1]["sign_proof"] == "proven"
    room.close()


def order(room: Listener, name: str, lines: list[str], lasts_s: float) -> None:
    room.say(f"{TOPIC}/text", asked(name, lines=lines, until=moment(lasts_s)))


def commands(room: Listener) -> list[str]:
    """Those that stand, by the newest state; none before there is one."""
    states = room.on("state")
    return list(states[-1]["commands"]) if states else []
