"""Many units' report programs against one real Mosquitto: what a fleet costs.

    .venv/bin/python -m hil.fleet --units 16

Each unit is the program `report` in a process of its own, told one State a second and an event
every ten. Three parts: steady state; the broker killed and started again (all come back at once);
and an hour of backlog in every outbox, drained. Figures are printed, with the machine's.
"""

import argparse
import os
import platform
import statistics
import tempfile
import time
import uuid
from pathlib import Path
from typing import Any

import psutil

from edge.common.clock import boottime_ns
from edge.common.wire import Event, Level, Occupancy, State, ZoneState
from edge.report.outbox import Outbox, Row
from edge.report.payloads import OFFLINE, ONLINE
from edge.report.store import OUTBOX_FILE
from hil.fleet.unit import ReportUnit
from hil.testkit.mosquitto import Listener, Mosquitto, wait_for

EVENT_EVERY_S = 10
AVAILABLE = (ONLINE, OFFLINE)
BACKLOG = 3600 // 60 + 3600 // 30  # an hour: a count a minute, and an event every half minute


class Unit(ReportUnit):
    """One unit of the fleet: what it has to say."""

    def tell(self, second: int) -> None:
        """A State, and now and then an event."""
        at = boottime_ns()
        seen = Occupancy("street", 9.0, 8.0, 10.0, 40.0, 0.22, 0.3, at)
        street = ZoneState("street", Level.CLEAR, seen)
        self.send(State(at, Level.CLEAR, "clear", "few", (street,), 0.2, (), "m"))
        if second % EVENT_EVERY_S == 0:
            name = uuid.uuid4().hex
            self.send(Event(name, "transition", "decide", at, "why"))

    def keep_an_hour(self) -> None:
        """What an hour without the broker leaves."""
        outbox = Outbox(self.paths.state / OUTBOX_FILE, 64_000_000)
        payload = '{"id":"%s","reason":"%s"}'
        names = [uuid.uuid4().hex for _ in range(BACKLOG)]
        outbox.put([Row(n, "events", "earlier", 1, payload % (n, "x" * 350)) for n in names])
        outbox.close()


class Ear(Listener):
    """A listener that notes when each message came."""

    def _take(self, client: Any, data: Any, message: Any) -> None:
        super()._take(client, data, message)
        payload = self.messages[-1][1]
        if isinstance(payload, dict):
            payload["heard_at"] = boottime_ns()


class Fleet:
    """The units and the broker."""

    def __init__(self, folder: Path, units: int) -> None:
        self.broker = Mosquitto(folder, "allow_anonymous true\nmax_queued_messages 100000")
        self.broker.start()
        port = self.broker.port
        self.units = [Unit(folder / str(n), "fleet", f"u{n}", port) for n in range(units)]
        self.listener = Ear(self.broker.port)
        self.start()

    def start(self) -> None:
        """All of them."""
        for unit in self.units:
            unit.start()

    def stop(self) -> None:
        """All of them."""
        for unit in self.units:
            unit.end()
        for unit in self.units:
            unit.wait()

    def hear(self) -> None:
        """Listen anew."""
        self.listener.close()
        self.listener = Ear(self.broker.port)

    def tell(self, seconds: int) -> None:
        """Let every unit live for so long."""
        for second in range(seconds):
            began = time.monotonic()
            for unit in self.units:
                unit.tell(second)
            time.sleep(max(0.0, 1 - (time.monotonic() - began)))

    def online(self) -> int:
        """How many say so."""
        told = {topic: p for topic, p, _ in list(self.listener.messages) if p in AVAILABLE}
        return sum(payload == ONLINE for payload in told.values())

    def drained(self) -> set[str]:
        """The ids of what came from the backlog."""
        return {told["id"] for told in self.listener.on("events") if told["historical"]}

    def end(self) -> None:
        """Leave nothing behind."""
        self.stop()
        self.listener.close()
        self.broker.kill()


def steady(fleet: Fleet, seconds: int) -> None:
    """Every unit lives for a while, told and heard."""
    wait_for(lambda: fleet.online() == len(fleet.units), 120, "all units are online")
    fleet.tell(5)
    fleet.listener.messages.clear()
    processes = [psutil.Process(unit.pid) for unit in fleet.units]
    mosquitto = psutil.Process(fleet.broker.pid)
    everybody = (mosquitto, *processes)
    before = [cpu_s(each) for each in everybody]
    fleet.tell(seconds)
    spent = [cpu_s(each) - then for each, then in zip(everybody, before, strict=True)]
    heard = list(fleet.listener.messages)
    late = sorted(late_ms(told) for topic, told, _ in heard if topic.endswith("/events"))
    own_mb = [process.memory_full_info().uss / 1e6 for process in processes]
    rate = len(heard) / seconds
    print(f"steady, {seconds} s: {rate:.1f} messages/s, {rate / len(processes):.2f} of each unit")
    print(f"  event made to event heard, ms: {percentiles(late)}")
    print(f"  broker: {share(spent[0], seconds)}, {mosquitto.memory_info().rss / 1e6:.1f} MB")
    each = share(statistics.mean(spent[1:]), seconds)
    print(f"  each unit: {each}, {statistics.mean(own_mb):.0f} MB of its own")


def storm(fleet: Fleet) -> None:
    """The broker is gone for ten seconds, and all come back."""
    fleet.broker.kill()
    time.sleep(10)
    fleet.broker.start()
    began, back = time.monotonic(), list[float]()
    fleet.hear()
    mosquitto = psutil.Process(fleet.broker.pid)
    while len(back) < len(fleet.units):
        assert time.monotonic() - began < 120
        time.sleep(0.02)
        back += [time.monotonic() - began] * (fleet.online() - len(back))
    print(
        f"reconnect storm: half are back in {percentile(back, 0.5):.1f} s, all in {back[-1]:.1f} s;"
        f" broker {cpu_s(mosquitto):.2f} s of a core"
    )


def backlog(fleet: Fleet) -> None:
    """Every unit comes back with an hour in its outbox."""
    fleet.stop()
    for unit in fleet.units:
        unit.keep_an_hour()
    fleet.listener.messages.clear()
    mosquitto = psutil.Process(fleet.broker.pid)
    spent, began = cpu_s(mosquitto), time.monotonic()
    fleet.start()
    whole = BACKLOG * len(fleet.units)
    wait_for(lambda: len(fleet.drained()) >= whole, 300, "the backlog is drained")
    took, spent = time.monotonic() - began, cpu_s(mosquitto) - spent
    print(
        f"an hour of backlog of each, {whole} messages: drained in {took:.1f} s with the starts, "
        f"{whole / took:.0f} messages/s; broker {1e6 * spent / whole:.0f} µs of a core a message"
    )


def cpu_s(process: psutil.Process) -> float:
    """Seconds of a core that it has taken."""
    times = process.cpu_times()
    return float(times.user + times.system)


def share(spent_s: float, seconds: float) -> str:
    """In words."""
    return f"{100 * spent_s / seconds:.2f} % of a core"


def late_ms(told: dict[str, Any]) -> float:
    """From the event to its arrival in the listener's hands."""
    return float(told["heard_at"] - told["at_boot_ns"]) / 1e6


def percentile(ordered: list[float], part: float) -> float:
    """By the nearest rank."""
    return ordered[min(len(ordered) - 1, int(part * len(ordered)))]


def percentiles(ordered: list[float]) -> str:
    """In words."""
    parts = ", ".join(f"{100 * p:g} % {percentile(ordered, p):.0f}" for p in (0.5, 0.95, 0.99))
    return f"{parts} (of {len(ordered)})"


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(prog="python -m hil.fleet", description=__doc__)
    parser.add_argument("--units", type=int, default=16)
    parser.add_argument("--seconds", type=int, default=60, help="of steady state")
    options = parser.parse_args()
    print(f"{options.units} units on {os.cpu_count()} cores, {platform.machine()}, load ", end="")
    print(f"{os.getloadavg()[0]:.1f} before the start")
    with tempfile.TemporaryDirectory() as folder:
        fleet = Fleet(Path(folder), options.units)
        try:
            steady(fleet, options.seconds)
            storm(fleet)
            backlog(fleet)
        finally:
            fleet.end()
