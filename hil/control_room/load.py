"""What the engines of the control room cost, for many units.

    .venv/bin/python -m hil.control_room.load --units 500

One client publishes what so many units would: `state` every 10 s, `availability` every 20 s,
`health` every minute. Processor time and memory of each engine are printed, over the second half.
"""

import argparse
import json
import tempfile
import time
from pathlib import Path

import paho.mqtt.client as mqtt
import psutil
from paho.mqtt.enums import CallbackAPIVersion

from edge.common.clock import boottime_ns
from edge.common.wire import Health, Level, Occupancy, State, ZoneState
from edge.report.machine import Machine
from edge.report.payloads import ONLINE, Condition, Stamp, as_json, health_fields, state_fields
from hil.control_room.engines import BROKER, ControlRoom, always_free
from hil.control_room.sites import FACTS

STATE_EVERY_S = 10
UNITS_OF_A_SITE = 4
ZONES = ("near-side", "far-side")


def stamp() -> Stamp:
    """The present."""
    return Stamp("b" * 32, boottime_ns(), time.time(), True)


def state() -> str:
    """A state of two zones with all their figures."""
    at = boottime_ns()
    zones = tuple(
        ZoneState(name, Level.CLEAR, Occupancy(name, 9, 8, 10, 40, 0.2, 0.5, at, 1.0, 0.1, 0.01))
        for name in ZONES
    )
    sent = State(at, Level.CLEAR, "clear", "0.50 persons/m²", zones, 0.2, (), "m", 1.0)
    return as_json(state_fields(sent, stamp()))


def health() -> str:
    """The health of a unit without a fault."""
    now = stamp()
    programs = {
        name: Health(name, now.at, {}, 0, {**facts, "memory_mb": 30.0})
        for name, facts in {**FACTS, "report": {}}.items()
    }
    machine = Machine(50.0, (), 1000, 1000, 99)
    condition = Condition(machine, 0, 0, dict.fromkeys(programs, 0), (), 0.2)
    return as_json(health_fields(programs, now, condition))


class Publisher:
    """Publishes for all units, spread evenly over time."""

    def __init__(self, port: int, units: int) -> None:
        self._client = mqtt.Client(CallbackAPIVersion.VERSION2)
        self._client.connect("127.0.0.1", port)
        self._client.loop_start()
        self._units, self._sent, self._health = units, 0, health()

    def publish(self, seconds: float) -> None:
        """For so long."""
        began, before = time.monotonic(), self._sent
        while (passed := time.monotonic() - began) < seconds:
            due = before + int(passed * self._units / STATE_EVERY_S)
            while self._sent < due:
                self._send()
            time.sleep(0.05)

    def _send(self) -> None:
        turn, unit = divmod(self._sent, self._units)
        topic = f"redroad/v1/site-{unit // UNITS_OF_A_SITE}/unit-{unit}"
        self._client.publish(f"{topic}/state", state())
        if turn % 2 == 0:
            self._client.publish(f"{topic}/availability", ONLINE)
        if turn % 6 == 0:
            self._client.publish(f"{topic}/health", self._health)
        self._sent += 1

    def close(self) -> None:
        """Disconnect."""
        self._client.disconnect()
        self._client.loop_stop()


def cpu_s(process: psutil.Process) -> float:
    """Seconds of a core that it has taken."""
    times = process.cpu_times()
    return float(times.user + times.system)


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(prog="python -m hil.control_room.load", description=__doc__)
    parser.add_argument("--units", type=int, default=500)
    parser.add_argument("--seconds", type=float, default=60.0, help="of each half")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        room = ControlRoom(Path(folder), always_free)
        try:
            room.start()
            measure(room, options.units, options.seconds)
        finally:
            room.end()


def measure(room: ControlRoom, units: int, seconds: float) -> None:
    """Publish, and print a line for each engine."""
    publisher = Publisher(room.ports[BROKER], units)
    publisher.publish(seconds)
    engines = {name: psutil.Process(pid) for name, pid in room.pids().items()}
    before, began = {name: cpu_s(each) for name, each in engines.items()}, time.monotonic()
    publisher.publish(seconds)
    took = time.monotonic() - began
    for name, engine in engines.items():
        share = 100 * (cpu_s(engine) - before[name]) / took
        print(f"{name:24} {share:5.1f} % of a core, {engine.memory_info().rss / 1e6:4.0f} MB")
    valid, series = (
        room.values(each) for each in ("count(unit:redroad_level:valid)", 'count({__name__!=""})')
    )
    print(json.dumps({"valid levels": valid.get((), 0), "series": series.get((), 0)}))
    publisher.close()


if __name__ == "__main__":
    main()
