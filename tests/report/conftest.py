"""A broker, and a `report` process to talk to."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from edge.common.link import Sender, socket_path
from edge.common.wire import STATES
from hil.testkit.mosquitto import Mosquitto, wait_for

STARTED = "report started"


class Report:
    """The program `report` as a process of its own."""

    def __init__(self, folder: Path, upstream: str, site: str = "test", unit: str = "one") -> None:
        self.runtime, self.state = folder / "run", folder / "state" / "report"
        self.log = folder / "report.log"
        self.site_file = folder / "site.toml"
        self.site_file.write_text(
            f'[site]\nname = "{site}"\nunit = "{unit}"\n[upstream]\n{upstream}',
            encoding="utf-8",
        )
        self.process: subprocess.Popen[bytes] | None = None
        programs = ("watch", "decide", "show")
        self.ways = {name: Sender(self.runtime, name, "report", STATES) for name in programs}
        self.outlet = self.ways["decide"]

    def start(self, **extra: str) -> None:
        paths = ["--runtime", self.runtime, "--state", self.state.parent]
        arguments = ["--site", self.site_file, *paths]
        begun = self.log.read_text(encoding="utf-8").count(STARTED) if self.log.exists() else 0
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "edge", "report", *map(str, arguments)],
                stderr=log,
                env={**os.environ, **extra},
            )
        path = socket_path(self.runtime, "decide", "report")
        wait_for(path.exists, 15, "report listens")
        wait_for(lambda: self.said().count(STARTED) > begun, 15, "report has started")

    def said(self) -> str:
        return self.log.read_text(encoding="utf-8")

    def send(self, signum: signal.Signals) -> None:
        assert self.process is not None
        self.process.send_signal(signum)

    def end(self, signum: signal.Signals = signal.SIGTERM) -> None:
        if self.process is not None:
            self.send(signum)
            self.process.wait(timeout=15)
            self.process = None


@pytest.fixture
def report(tmp_path: Path, broker: Mosquitto) -> Iterator[Report]:
    program = Report(tmp_path, f'host = "127.0.0.1"\nport = {broker.port}\naggregate_s = 5\n')
    yield program
    program.end(signal.SIGKILL)
