"""Kill unit, broker and reader in every order, bring them back in every order, look at the levels.

In each run one broker and one set of readers (Home Assistant and two plain programs) die and come
back in one order; around them many units, each the program `report` as a process of its own, die
and come back at every place of that order, by SIGKILL or cleanly, with MQTT 5 and 3.1.1. Each unit
tells as its number of people the time of the run, so whatever is shown says how old it is. Every
second it is looked at who shows a level as valid, and of when.

The broker writes what it retains to its disk at every change, or not at all.
"""

import argparse
import itertools
import multiprocessing
import os
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from paho.mqtt.enums import MQTTProtocolVersion

from edge.common.clock import boottime_ns
from edge.common.link import Sender
from edge.common.program import Paths
from edge.common.wire import STATES, Level, Occupancy, State, ZoneState
from edge.report.main import run as run_report
from edge.site import Site, load_site
from hil.stale_levels.readers import SITE, VALID_S, Entities, Plain, Reader
from hil.testkit import home_assistant
from hil.testkit.home_assistant import HomeAssistant
from hil.testkit.mosquitto import Mosquitto, wait_for

Actor = Literal["broker", "reader"]
ORDERS: tuple[tuple[Actor, Actor], ...] = (("broker", "reader"), ("reader", "broker"))
NEVER = 3
TOLD_EVERY_S = 1.0
BETWEEN_S = 3.0  # deaths, and returns
DOWN_S = 6.0
WATCHED_S = 32.0  # after the last return
SETTLED_WITHIN_S = 300.0
PERSISTENT = (
    "allow_anonymous true\nuser root\npersistence true\npersistence_location {folder}/\n"
    "autosave_interval 1\nautosave_on_changes true\n"
)
IN_MEMORY = "allow_anonymous true"
PROTOCOLS = ("5", "3.1.1")
# Orders of dying and of coming back, how the unit ended, its protocol, whether the broker keeps
# what is retained on disk; and by reader the oldest level that it showed as valid, in seconds.
Found = dict[tuple[str, str, str, str, bool], dict[str, float]]


@dataclass(frozen=True)
class Course:
    """Of one unit: before which of the others it dies and comes back (0 to 2, or never)."""

    protocol: str
    cleanly: bool
    dies: int
    returns: int

    @property
    def name(self) -> str:
        """The unit's name."""
        how = "stop" if self.cleanly else "kill"
        return f"{how}-{self.protocol.replace('.', '')}-{self.dies}-{self.returns}"


def courses() -> Iterator[Course]:
    """Of all units of a run; one that ended cleanly need not come back to be judged."""
    for protocol, dies in itertools.product(PROTOCOLS, range(3)):
        for returns in (0, 1, 2, NEVER):
            yield Course(protocol, False, dies, returns)
        yield Course(protocol, True, dies, NEVER)


def live(site: Site, paths: Paths) -> None:
    """The program `report`, forked from a server that has it loaded."""
    os.dup2(os.open(paths.runtime.parent / "report.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND), 2)
    run_report(site, paths)


@dataclass
class Unit:
    """A report with somebody who tells it how things stand, while it lives."""

    course: Course
    folder: Path
    port: int
    oldest: dict[str, float] = field(default_factory=dict)  # by reader: seconds
    _process: Any = None

    def __post_init__(self) -> None:
        self.folder.mkdir(parents=True)
        site = self.folder / "site.toml"
        site.write_text(
            f'[site]\nname = "{SITE}"\nunit = "{self.course.name}"\nclock = "trusted"\n'
            f'[upstream]\nhost = "127.0.0.1"\nport = {self.port}\n'
            f'protocol = "{self.course.protocol}"\n',
            encoding="utf-8",
        )
        self._site = load_site(site)
        self._paths = Paths(self.folder / "run", self.folder / "state")
        self._decide = Sender(self._paths.runtime, "decide", "report", STATES)

    def begin(self, context: Any) -> None:
        """Come (back) to life."""
        self._process = context.Process(target=live, args=(self._site, self._paths), daemon=True)
        self._process.start()

    def die(self, *, cleanly: bool) -> None:
        """By SIGTERM, or by SIGKILL."""
        if self._process is not None:
            dying, self._process = self._process, None
            dying.terminate() if cleanly else dying.kill()
            dying.join(15)

    def tell(self, at_s: float) -> None:
        """As decide does."""
        if self._process is not None:
            seen = Occupancy("street", at_s, at_s, at_s, 40.0, 2.0, 2.0, boottime_ns())
            zone = ZoneState("street", Level.CAUTION, seen)
            self._decide.send(
                State(boottime_ns(), Level.CAUTION, "caution", "why", (zone,), 0.1, (), "m")
            )


class Run:
    """One order of broker and readers, and all units around it."""

    def __init__(self, folder: Path, broker: Mosquitto, readers: dict[str, Reader]) -> None:
        self._broker, self._readers = broker, readers
        self._began = time.monotonic()
        self._told_s = 0.0
        self._context = multiprocessing.get_context("forkserver")
        self._context.set_forkserver_preload(["hil.stale_levels.stale_levels"])
        self.units = [Unit(course, folder / course.name, broker.port) for course in courses()]

    def go(self, die: Sequence[Actor], come_back: Sequence[Actor]) -> None:
        """Let all die and come back, and watch."""
        for unit in self.units:
            unit.begin(self._context)
        self._until_settled()
        for place, actor in enumerate((*die, None)):
            for unit in self.units:
                if unit.course.dies == place:
                    unit.die(cleanly=unit.course.cleanly)
            self._watch(BETWEEN_S)
            if actor == "broker":
                self._broker.kill()
            elif actor == "reader":
                self._of_readers("kill")
            self._watch(BETWEEN_S if actor else DOWN_S)
        for place, actor in enumerate((*come_back, None)):
            for unit in self.units:
                if unit.course.returns == place:
                    unit.begin(self._context)
            self._watch(BETWEEN_S)
            if actor == "broker":
                self._broker.start()
            elif actor == "reader":
                self._of_readers("start")
            self._watch(BETWEEN_S if actor else WATCHED_S)
        self._until_back()

    def end(self) -> None:
        """Leave nothing behind."""
        for unit in self.units:
            unit.die(cleanly=False)

    def _of_readers(self, what: Literal["kill", "start"]) -> None:
        for reader in self._readers.values():
            getattr(reader, what)()

    def _until_settled(self) -> None:
        names = {unit.course.name for unit in self.units}

        def settled() -> bool:
            self._look()
            return all(names <= reader.shown().keys() for reader in self._readers.values())

        wait_for(settled, SETTLED_WITHIN_S, "all readers show all units")
        for unit in self.units:
            unit.oldest.clear()

    def _watch(self, for_s: float) -> None:
        until = time.monotonic() + for_s
        while time.monotonic() < until:
            self._look()
            time.sleep(0.1)

    def _look(self) -> None:
        now_s = time.monotonic() - self._began
        if now_s - self._told_s < TOLD_EVERY_S:
            return
        self._told_s = now_s
        for unit in self.units:
            unit.tell(now_s)
        for name, reader in self._readers.items():
            shown, at_s = reader.shown(), time.monotonic() - self._began
            for unit in self.units:
                if unit.course.name in shown:
                    age = at_s - shown[unit.course.name]
                    unit.oldest[name] = max(age, unit.oldest.get(name, 0.0))

    def _until_back(self) -> None:
        """A table of which nobody shows anything would be a good one, too."""
        back = {unit.course.name for unit in self.units if unit.course.returns != NEVER}

        def all_are_back() -> bool:
            self._look()
            return all(reader.shown().keys() == back for reader in self._readers.values())

        wait_for(all_are_back, SETTLED_WITHIN_S, "all readers show all units again, and no other")


def order_of(others: Sequence[Actor], place: int) -> str:
    """In words, with the unit before the other at `place`."""
    names: list[str] = list(others)
    if place != NEVER:
        names.insert(place, "unit")
    return ", ".join(names)


def main() -> None:
    """Print the table; exit code 1 where a level older than 30 s was shown as valid."""
    parser = argparse.ArgumentParser(prog="python -m hil.stale_levels", description=__doc__)
    parser.add_argument("--broker", choices=["on-disk", "in-memory"], help="one kind alone")
    kept = {"on-disk": [True], "in-memory": [False], None: [True, False]}
    kinds = kept[parser.parse_args().broker]
    if reason := home_assistant.missing():
        sys.exit(reason)
    with tempfile.TemporaryDirectory(prefix="stale-") as made:
        found = _all_runs(Path(made), kinds)
    oldest = max(age for ages in found.values() for age in ages.values())
    _print(found, kinds)
    print(f"\nThe oldest level that was shown as valid: {oldest:.1f} s ({VALID_S:.0f} s promised).")
    sys.exit(oldest > VALID_S)


def _all_runs(folder: Path, kinds: Sequence[bool]) -> Found:
    broker = Mosquitto(folder)
    readers: dict[str, Reader] = {
        "Home Assistant": Entities(HomeAssistant(folder / "home-assistant", broker.port)),
        "MQTT 5": Plain(broker.port, MQTTProtocolVersion.MQTTv5),
        "MQTT 3.1.1": Plain(broker.port, MQTTProtocolVersion.MQTTv311),
    }
    found: Found = {}
    runs = list(itertools.product(kinds, ORDERS, ORDERS))
    try:
        for number, (on_disk, die, come_back) in enumerate(runs):
            own = folder / f"run-{number}"
            own.mkdir()
            broker.kill()
            broker.configure(own, PERSISTENT.format(folder=own) if on_disk else IN_MEMORY)
            broker.start()
            if not number:
                for reader in readers.values():
                    reader.start()
            run = Run(own, broker, readers)
            try:
                run.go(die, come_back)
            finally:
                run.end()
            for unit in run.units:
                course = unit.course
                orders = order_of(die, course.dies), order_of(come_back, course.returns)
                how = "stopped" if course.cleanly else "killed"
                found[*orders, how, course.protocol, on_disk] = {
                    name: unit.oldest.get(name, 0.0) for name in readers
                }
            worst = max(age for ages in found.values() for age in ages.values())
            print(f"run {number + 1} of {len(runs)}: oldest {worst:.1f} s", file=sys.stderr)
    finally:
        for reader in readers.values():
            reader.kill()
        broker.kill()
    return found


def _print(found: Found, kinds: Sequence[bool]) -> None:
    """Of each row the oldest level that Home Assistant / MQTT 5 / MQTT 3.1.1 showed, in s."""
    columns = list(itertools.product(kinds, PROTOCOLS))
    names = [
        f"{protocol}, {'on disk' if on_disk else 'in memory'}" for on_disk, protocol in columns
    ]
    print("| unit | die | come back | " + " | ".join(names) + " |")
    print("|---|---|---|" + "---|" * len(columns))
    for die, come_back, how in sorted({key[:3] for key in found}, key=lambda each: each[::-1]):
        cells = [
            " / ".join(
                f"{age:.0f}" for age in found[die, come_back, how, protocol, on_disk].values()
            )
            for on_disk, protocol in columns
        ]
        print(f"| {how} | {die} | {come_back} | {' | '.join(cells)} |")
