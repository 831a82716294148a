"""A network that is cut, a connection half open, a broker that hangs: all events arrive."""

import os
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import pytest

from hil.testkit.mosquitto import MOSQUITTO, Listener, Mosquitto, wait_for
from hil.testkit.report_process import Report
from tests.report.test_report import ids, sent

pytestmark = [
    pytest.mark.skipif(os.geteuid() != 0, reason="only root can make a network of its own"),
    pytest.mark.xdist_group("network"),  # of one address
    pytest.mark.processes,
]
OURS, THEIRS, PORT = "10.231.0.1", "10.231.0.2", 18883
LISTENER = """
import sys, time
from hil.testkit.mosquitto import Listener
listener = Listener({port}, "redroad/+/+/+/events", host="{host}")
print("listening", flush=True)
while True:
    while listener.messages:
        print(listener.messages.pop(0)[1]["id"], flush=True)
    time.sleep(0.1)
"""


class Far:
    """A broker and whoever listens there, in a network of their own behind a cable of ours."""

    def __init__(self, folder: Path) -> None:
        self.name = f"rr{uuid.uuid4().hex[:10]}"  # its own: a deleted one lingers for a moment
        self._config = folder / "far.conf"
        self._config.write_text(f"listener {PORT}\nallow_anonymous true\n")
        self._heard = folder / "heard"
        self._processes: list[subprocess.Popen[bytes]] = []
        self.broker: subprocess.Popen[bytes] | None = None
        ends = ["type", "veth", "peer", "name", "far", "netns", self.name]
        _ip("netns", "add", self.name)
        _ip("link", "add", self.name[:15], *ends)
        _ip("addr", "add", f"{OURS}/30", "dev", self.name[:15])
        _ip("link", "set", self.name[:15], "up")
        _ip("-n", self.name, "addr", "add", f"{THEIRS}/30", "dev", "far")
        _ip("-n", self.name, "link", "set", "far", "up")
        _ip("-n", self.name, "link", "set", "lo", "up")

    def start_broker(self) -> None:
        self.broker = self._run(MOSQUITTO, "-c", str(self._config))

    def kill_broker(self) -> None:
        assert self.broker is not None
        self.broker.kill()
        self.broker.wait()

    def listen(self) -> None:
        """Beside the broker, so that no cut separates them."""
        time.sleep(0.5)
        before = self._heard.read_text().count("listening") if self._heard.exists() else 0
        with self._heard.open("ab") as heard:
            code = LISTENER.format(port=PORT, host="127.0.0.1")
            self._run(sys.executable, "-c", code, stdout=heard)
        wait_for(
            lambda: self._heard.read_text().count("listening") > before, 20, "somebody listens"
        )

    def heard(self) -> set[str]:
        return set(self._heard.read_text().split())

    def cut(self) -> None:
        """Nobody is told: packets only vanish."""
        _ip("-n", self.name, "link", "set", "far", "down")

    def mend(self) -> None:
        _ip("-n", self.name, "link", "set", "far", "up")

    def end(self) -> None:
        for process in self._processes:
            process.kill()
            process.wait()
        _ip("netns", "delete", self.name)

    def _run(self, *command: str, stdout: IO[bytes] | None = None) -> subprocess.Popen[bytes]:
        process: subprocess.Popen[bytes] = subprocess.Popen(
            ["ip", "netns", "exec", self.name, *command],
            stdout=stdout,
            stderr=subprocess.DEVNULL,
        )
        self._processes.append(process)
        return process


def _ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, capture_output=True)


@pytest.fixture
def far(tmp_path: Path) -> Iterator[Far]:
    made = Far(tmp_path)
    try:
        made.start_broker()
        made.listen()
        yield made
    finally:
        made.end()


@pytest.fixture
def unit(tmp_path: Path, far: Far) -> Iterator[Report]:
    program = Report(tmp_path, f'host = "{THEIRS}"\nport = {PORT}\n')
    program.start()
    try:
        sent(program, ["first"])
        wait_for(lambda: "first" in far.heard(), 15, "the first event")
        yield program
    finally:
        program.end(signal.SIGKILL)


def test_what_happens_while_the_network_is_cut_arrives(unit: Report, far: Far) -> None:
    far.cut()
    missed = [f"cut-{n}" for n in range(60)]
    sent(unit, missed)
    wait_for(lambda: "it answers no more" in unit.said(), 40, "the silence is noticed")
    far.mend()
    wait_for(lambda: set(missed) <= far.heard(), 60, "all that was missed")


def test_a_connection_that_only_we_believe_in_is_replaced(unit: Report, far: Far) -> None:
    """The broker dies behind the cut, so that its goodbye never comes: half open."""
    far.cut()
    far.kill_broker()
    far.start_broker()
    sent(unit, ["half-open"])
    time.sleep(2)
    far.listen()
    far.mend()
    wait_for(lambda: "half-open" in far.heard(), 60, "the event")


def test_a_broker_that_hangs_is_waited_for(report: Report, broker: Mosquitto) -> None:
    listener = Listener(broker.port)
    report.start()
    sent(report, ["before"])
    wait_for(lambda: "before" in ids(listener), 10, "the first event")
    broker.send(signal.SIGSTOP)
    sent(report, [f"hung-{n}" for n in range(30)])
    wait_for(lambda: "it answers no more" in report.said(), 40, "the silence is noticed")
    broker.send(signal.SIGCONT)
    wait_for(lambda: {f"hung-{n}" for n in range(30)} <= set(ids(listener)), 60, "all arrives")
