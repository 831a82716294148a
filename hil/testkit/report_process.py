"""The program `report` as a process of its own, and what tells it how things stand."""

import os
import signal
import subprocess
import sys
from pathlib import Path

from edge.common.link import Sender, socket_path
from edge.common.wire import STATES
from hil.testkit.mosquitto import wait_for

STARTED = "report started"


class Report:
    """The program `report` as a process of its own."""

    def __init__(self, folder: Path, upstream: str, site: str = "test", unit: str = "one") -> None:
        self.runtime, self.state = folder / "run", folder / "state" / "report"
        self.log = folder / "report.log"
        self.site_file = folder / "site.toml"
        self.site_file.write_text(
            f'[site]\nname = "{site}"\nunit = "{unit}"\nclock = "trusted"\n[upstream]\n{upstream}',
            encoding="utf-8",
        )
        self.process: subprocess.Popen[bytes] | None = None
        programs = ("watch", "decide", "show")
        self.ways = {name: Sender(self.runtime, name, "report", STATES) for name in programs}
        self.outlet = self.ways["decide"]

    def start(self, **extra: str) -> None:
        """Begin, and wait until it has."""
        begun = self.starts()
        self.begin(**extra)
        path = socket_path(self.runtime, "decide", "report")
        wait_for(path.exists, 60, "report listens")
        wait_for(lambda: self.starts() > begun, 60, "report has started")

    def begin(self, **extra: str) -> None:
        """Begin without waiting."""
        paths = ["--runtime", self.runtime, "--state", self.state.parent]
        arguments = ["--site", self.site_file, *paths]
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "edge", "report", *map(str, arguments)],
                stderr=log,
                env={**os.environ, **extra},
            )

    def starts(self) -> int:
        """How often it has begun."""
        return self.said().count(STARTED)

    def said(self) -> str:
        """Its log."""
        return self.log.read_text(encoding="utf-8") if self.log.exists() else ""

    def send(self, signum: signal.Signals) -> None:
        """Send it a signal."""
        assert self.process is not None
        self.process.send_signal(signum)

    def end(self, signum: signal.Signals = signal.SIGTERM) -> None:
        """End it, cleanly unless by another signal."""
        if self.process is not None:
            self.send(signum)
            self.process.wait(timeout=15)
            self.process = None
