"""The program `show` as a real process, with a panel, a lamp and a loudspeaker that record."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil

from edge.common.clock import boottime_ns
from edge.common.link import Sender
from edge.common.units import NS_PER_S
from edge.common.wire import ORDERS, Event, Level, Message, Notice, Order, Page
from hil.testkit.report_stand_in import ReportStandIn


class ShowProcess:
    """A running `show`, and what it shows, plays, reports and logs."""

    def __init__(self, folder: Path, site: str, **environment: str) -> None:
        runtime = Path(environment.get("REDROAD_RUNTIME", folder))
        self.state = folder / "show"
        (folder / "site.toml").write_text(site, encoding="utf-8")
        self.report = ReportStandIn(folder, "show")
        self.sender = Sender(runtime, "decide", "show", ORDERS)
        self.messages: list[Message] = []
        self.began = boottime_ns()
        paths = ["--runtime", str(runtime), "--state", str(folder)]
        command = [sys.executable, "-m", "edge", "show", "--site", str(folder / "site.toml")]
        with (folder / "show.log").open("ab") as log:
            self.process = subprocess.Popen(
                [*command, *paths], env=os.environ | environment, stderr=log
            )

    def lines(self, name: str = "panel/panel.jsonl") -> list[dict[str, Any]]:
        path = self.state / name
        text = path.read_text(encoding="utf-8") if path.exists() else ""
        return [json.loads(line) for line in text.splitlines()]

    def events(self, kind: str) -> list[Event]:
        self.messages += self.report.receive(0)
        events = [each for each in self.messages if isinstance(each, Event)]
        return [event for event in events if event.kind == kind]

    def faults(self, part: str) -> list[Event]:
        return [event for event in self.events("fault") if event.after == part]

    def log(self) -> str:
        return (self.state.parent / "show.log").read_text(encoding="utf-8")

    def order(
        self, level: Level = Level.CRITICAL, lifetime_s: float = 1.0, beacon: str = "fast"
    ) -> Order:
        name = level.name.lower()
        pages = (Page((name.upper(),), "#ff2020"),)
        order = Order(name, level, pages, (f"{name}-ko",), beacon, 3, boottime_ns(), lifetime_s)
        assert self.sender.send(order)
        return order

    def order_text(self, text: str) -> None:
        """Send an operator's text, for ten seconds."""
        own, now = (Page(("CROWDED",), "#ffb000"),), boottime_ns()
        notice = Notice("t", (Page((text,), "#c8c8c8"),), now + 10 * NS_PER_S)
        order = Order("crowded", Level.CROWDED, own, (), "slow", 2, now, 3.0, notice)
        assert self.sender.send(order)

    def until(self, true: Callable[[], object], limit_s: float = 8.0) -> None:
        end = time.monotonic() + limit_s
        while not true():
            assert time.monotonic() < end, self.lines()
            time.sleep(0.02)

    def shows(self, message: str) -> Callable[[], bool]:
        return lambda: [line["message"] for line in self.lines()][-1:] == [message]

    def child(self, name: str) -> psutil.Process:
        """Return the process of a driver: "panel" or "beacon"."""
        found: list[psutil.Process] = []

        def there() -> bool:
            children = psutil.Process(self.process.pid).children()
            found[:] = [child for child in children if child.name() == name]
            return bool(found)

        self.until(there, 3.0)
        return found[0]

    def lamp(self) -> list[bool]:
        """Return each change of the lamp: lit or not."""
        return [line["lit"] for line in self.lines("beacon.jsonl")]

    def end(self) -> None:
        """Kill the process."""
        self.process.kill()
        self.process.wait()
