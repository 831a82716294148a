"""The whole appliance as real processes, with a panel that records what it shows."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import psutil

from edge.common.clock import boottime_ns
from edge.common.units import NS_PER_S
from hil.testkit.clips import put_clips
from hil.testkit.mosquitto import wait_for
from hil.testkit.street_pictures import PICTURES, draw_pictures

SCENE_SITE = """
[site]
name = "test"
unit = "one"
clock = "trusted"
[camera]
kind = "scene"
[sign]
panel = "recorder"
[voice]
output = "record"
"""
# The same with pictures of that street, drawn once for all tests: a unit then takes a fifth of the
# processor time, and many can run side by side.
SITE = SCENE_SITE.replace(
    'kind = "scene"', f'kind = "pictures"\nfolder = "{PICTURES}"\nevery_s = 0.5\nrepeat = true'
)
# What a site whose camera is a real one must have, too.
ZONE = """
[[zone]]
name = "street"
polygon = [[0.1, 0.1], [0.9, 0.1], [0.9, 0.9], [0.1, 0.9]]
area_m2 = 40.0
"""


@dataclass(frozen=True)
class Shown:
    """What the panel showed from a moment on (boot time, ns)."""

    at: int
    message: str


class Appliance:
    """`redroad run` with a site of its own."""

    def __init__(self, folder: Path, site: str = SITE) -> None:
        self.state, self.runtime = folder / "state", folder / "run"
        self.log = folder / "run.log"
        self.site_file = folder / "site.toml"
        self.site_file.write_text(site, encoding="utf-8")
        self._process: subprocess.Popen[bytes] | None = None
        # Here and not at the start, whose time is measured.
        clips = self.state / "show" / "voice"
        if not clips.exists():
            put_clips(clips)
        if str(PICTURES) in site:
            draw_pictures()

    def start(self) -> None:
        paths = ["--runtime", str(self.runtime), "--state", str(self.state)]
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "edge", "run", "--site", str(self.site_file), *paths],
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    @property
    def supervisor(self) -> int:
        """The process of `redroad run` itself."""
        assert self._process is not None
        return self._process.pid

    def end(self, signum: signal.Signals = signal.SIGINT) -> int:
        """Ask it to end; its exit code."""
        assert self._process is not None
        self._process.send_signal(signum)
        return self._process.wait(timeout=20)

    def abandon(self) -> None:
        """Leave nothing behind, whatever happened."""
        if self._process is not None and self._process.poll() is None:
            programs = self.children()
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
            psutil.wait_procs(programs, timeout=10)  # who still writes, writes into no folder

    def said(self) -> str:
        return self.log.read_text(encoding="utf-8")

    def shown(self) -> list[Shown]:
        file = self.state / "show" / "panel" / "panel.jsonl"
        lines = file.read_text(encoding="utf-8").splitlines() if file.exists() else []
        return [Shown(line["at"], line["message"]) for line in map(json.loads, lines)]

    def message(self) -> str:
        """What the panel shows now."""
        shown = self.shown()
        return shown[-1].message if shown else ""

    def pid(self, program: str) -> int:
        """The process of one program, started anew or not."""
        assert self._process is not None
        for child in psutil.Process(self._process.pid).children():
            try:
                if child.cmdline()[1:4] == ["-m", "edge", program]:
                    return int(child.pid)
            except (psutil.NoSuchProcess, psutil.ZombieProcess):
                continue  # killed a moment ago
        return 0

    def wait_for_new_pid(self, program: str, old: int) -> int:
        """The process that takes the place of another."""
        wait_for(lambda: self.pid(program) not in {0, old}, 10, f"{program} is a new process")
        return self.pid(program)

    def children(self) -> list[psutil.Process]:
        assert self._process is not None
        found: list[psutil.Process] = psutil.Process(self._process.pid).children(recursive=True)
        return found

    def wait_until_level(self, timeout_s: float = 120) -> None:
        """Until the panel shows a level."""
        wait_for(lambda: self.message() not in {"", "neutral"}, timeout_s, "the sign shows a level")

    def seconds_to_neutral(self, since: int, timeout_s: float = 8) -> float:
        """How long after `since` (boot time, ns) the panel became neutral."""
        neutral: list[Shown] = []

        def found() -> bool:
            neutral[:] = [s for s in self.shown() if s.at >= since and s.message == "neutral"]
            return bool(neutral)

        wait_for(found, timeout_s, "the panel is neutral")
        return (neutral[0].at - since) / NS_PER_S

    def starts(self, program: str) -> int:
        """How often a program has started so far."""
        return len(re.findall(rf"{program} +INFO start: {program} started", self.said()))


def send(pid: int, signum: signal.Signals) -> int:
    """Send a signal; the moment (boot time, ns)."""
    assert pid, "the process is not there"  # 0 would be our own process group
    now = boottime_ns()
    os.kill(pid, signum)
    time.sleep(0)
    return now
