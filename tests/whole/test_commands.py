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
    room = Listener(broker.port)
    appliance.wait_until_level()
    wait_for(lambda: "online" in room.on("availability"), 15, "the unit is online")
    room.say(f"{TOPIC}/text", asked("t", lines=["출구는 왼쪽", "EXIT LEFT"], until=moment(45)))
    wait_for(lambda: appliance.message() == "text", 15, "the sign shows the text")
    wait_for(lambda: room.on("state")[-1]["commands"] == ["t"], 15, "the state tells of it")
    killed = send(appliance.pid("decide"), signal.SIGKILL)
    # Whether the sign is neutral in between depends on what reaches the new process first, the
    # command or a picture. The killed one's orders are over after three seconds, either way.
    outlived = killed + nanoseconds(ORDER_LIFETIME_S + 1.0)
    wait_for(lambda: boottime_ns() > outlived, 6, "the last order of the killed is over")
    wait_for(lambda: appliance.message() == "text", 25, "the text, by the new process")
    wait_for(lambda: room.on("state")[-1]["commands"] == [], 60, "the end of its time")
    over = boottime_ns() + nanoseconds(1.0)
    wait_for(lambda: boottime_ns() > over + nanoseconds(CYCLE_S), 15, "all pages of the level")
    assert "text" not in {shown.message for shown in appliance.shown() if shown.at > over}
    assert appliance.message() not in {"text", "neutral"}
    messages = [shown.message for shown in appliance.shown()]
    assert {"text"} < set(messages) - {"neutral"}  # and the level's words beside it
    assert room.on("reply")[0]["accepted"]
    for name in SENT:
        for payload in room.on(name):
            valid(payload, schema_of(name))
    assert room.on("health")[-1]["sign_proof"] == "proven"
    room.close()
