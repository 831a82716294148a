"""A control room behind a real bridge: retained, replayed and doubled commands do nothing."""

import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from edge.common.link import Inbox
from edge.common.wire import COMMANDS, Command, Level
from hil.testkit.mosquitto import Listener, Mosquitto, wait_for
from hil.testkit.report_process import Report
from tests.report.test_commands import TOPIC, asked, moment
from tests.report.test_report import state

BRIDGE = (
    "allow_anonymous true\nconnection up\naddress 127.0.0.1:{port}\n"
    "bridge_protocol_version {version}\ntry_private {private}\nrestart_timeout 1\n"
    "topic redroad/+/+/+/command/# in 1\ntopic redroad/# out 1\n"
)


@pytest.fixture(params=["mqttv50", "mqttv311"])
def brokers(
    request: pytest.FixtureRequest, tmp_path: Path
) -> Iterator[tuple[Mosquitto, Mosquitto]]:
    """The control room's, and the unit's, which is bridged to it."""
    made = []
    for name in ("far", "near"):
        (tmp_path / name).mkdir()
        made.append(Mosquitto(tmp_path / name))
    far, near = made
    private = "true" if request.param == "mqttv311" else "false"
    near.configure(
        tmp_path / "near", BRIDGE.format(port=far.port, version=request.param, private=private)
    )
    far.start()
    near.start()
    yield far, near
    for broker in made:
        broker.kill()


def test_retained_commands_do_nothing_and_a_new_one_does(
    brokers: tuple[Mosquitto, Mosquitto], tmp_path: Path
) -> None:
    far, near = brokers
    room = Listener(far.port)
    room.say(f"{TOPIC}/hold", asked("before", level="CRITICAL", until=moment(900)), retain=True)
    report = Report(tmp_path, f'host = "127.0.0.1"\nport = {near.port}\n')
    report.runtime.mkdir()
    with Inbox(report.runtime, "decide", {"report": COMMANDS}) as decide:
        report.start()
        wait_for(lambda: "online" in room.on("availability"), 30, "the unit is online")
        report.outlet.send(state(Level.CLEAR))
        room.say(f"{TOPIC}/hold", asked("live", level="CRITICAL", until=moment(900)), retain=True)
        wait_for(lambda: {"before", "live"} <= answered(room), 30, "both are answered")
        near.kill()
        near.start()  # what is retained comes once more
        wait_for(lambda: room.on("availability").count("online") >= 2, 60, "online again")
        room.say(f"{TOPIC}/mute", asked("new", until=moment(60)))
        wait_for(lambda: "new" in answered(room), 30, "the new one is answered")
        room.say(f"{TOPIC}/mute", asked("new", until=moment(60)))
        refused = {told["id"] for told in room.on("reply") if not told["accepted"]}
        assert {"before", "live"} <= refused
        assert followed(decide, 3.0) == {"new"}
    report.end(signal.SIGKILL)
    room.close()


def answered(room: Listener) -> set[str]:
    return {told["id"] for told in room.on("reply")}


def followed(decide: Inbox, for_s: float) -> set[str]:
    until, ids = time.monotonic() + for_s, set[str]()
    while time.monotonic() < until:
        ids |= {each.id for each in decide.receive(0.1) if isinstance(each, Command)}
    return ids
