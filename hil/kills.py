"""SIGKILL of `report` at random moments under load: `make kills`.

Each life of the program is a process of its own, forked from a server that has it loaded, so that
hundreds fit in minutes. What it is told, by the code that every program tells it with, must all
arrive at a real Mosquitto, read before a kill or not, on disk or not. It also notes every id that
the outbox has taken, right after the commit. Some lives begin with a full disk, and before some the
outbox's file is damaged; what was waiting in a damaged file is not asked for.
"""

import argparse
import multiprocessing
import os
import random
import sqlite3
import tempfile
import time
from collections import Counter
from collections.abc import Iterable
from contextlib import nullcontext
from dataclasses import dataclass, field
from pathlib import Path

from edge.common.clock import boottime_ns
from edge.common.events import Events
from edge.common.link import Inbox, Sender, listens
from edge.common.program import Paths
from edge.common.wire import COMMANDS, EVENTS, Ack, Event
from edge.report.outbox import Outbox, Row
from edge.report.store import OUTBOX_FILE
from edge.site import load_site
from hil.testkit.mosquitto import Listener, Mosquitto, wait_for
from hil.testkit.small_disk import small_disk

LONGEST_S = 1.0  # of a life, once it listens
DURING_START = 0.2  # of the lives end before that
EVENTS_PER_S = 200
EVERY_DAMAGE, EVERY_FULL = 25, 10  # rounds
DISK = "16000000"


@dataclass
class Figures:
    """What happened; `lost` must be empty."""

    kills: int = 0
    damaged: int = 0
    full: int = 0
    told: list[str] = field(default_factory=list)
    committed: set[str] = field(default_factory=set)
    gone_with_the_file: set[str] = field(default_factory=set)
    arrivals: Counter[str] = field(default_factory=Counter)

    @property
    def lost(self) -> set[str]:
        """Told or committed, and never seen."""
        known = self.committed.union(self.told)
        return known - self.gone_with_the_file - self.arrivals.keys()

    def __str__(self) -> str:
        again = sum(1 for times in self.arrivals.values() if times > 1)
        return (
            f"{self.kills} kills, {self.full} on a full disk, {self.damaged} damaged files\n"
            f"{len(self.told)} events told to report; with its own, "
            f"{len(self.committed)} committed\n"
            f"{len(self.gone_with_the_file)} waited in a file when it was damaged\n"
            f"{len(self.arrivals)} arrived, {again} of them more than once, by the same id\n"
            f"{len(self.lost)} events lost"
        )


def live(site_file: Path, paths: Paths, noted: Path) -> None:
    """The program, with a note of every id that is on disk; in a process of its own."""
    from edge.report import main

    log = os.open(noted.with_suffix(".log"), os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(log, 2)
    notes = os.open(noted, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    put = Outbox.put

    def noting(self: Outbox, rows: Iterable[Row]) -> None:
        kept = list(rows)
        put(self, kept)
        told = "".join(f"{row.id}\n" for row in kept if row.kind == "events")
        os.write(notes, told.encode())

    Outbox.put = noting  # type: ignore[method-assign]
    main.run(load_site(site_file), paths)


class Unit:
    """One unit's places, and its lives one after another."""

    def __init__(self, folder: Path, broker: Mosquitto, seed: int) -> None:
        self.figures = Figures()
        self._places = Paths(folder / "run", folder / "state")
        self._noted = folder / "noted"
        self._site = folder / "site.toml"
        self._site.write_text(f'[upstream]\nhost = "127.0.0.1"\nport = {broker.port}\n')
        self._random = random.Random(seed)
        self._context = multiprocessing.get_context("forkserver")
        self._context.set_forkserver_preload(["edge.report.main", "hil.kills"])
        runtime = self._places.runtime
        runtime.mkdir()
        self._acknowledgements = Inbox(runtime, "decide", {"report": COMMANDS})
        self._events = Events(Sender(runtime, "decide", "report", EVENTS))

    def round(self) -> None:
        """One life under load, ended by SIGKILL at a random moment."""
        full = self.figures.kills % EVERY_FULL == EVERY_FULL - 1 and os.geteuid() == 0
        filler = self._places.state / "filler"
        if full:
            self.figures.full += 1
            self._fill(filler)
        process = self._context.Process(target=live, args=(self._site, self._places, self._noted))
        process.start()
        if self._random.random() > DURING_START:
            wait_for(lambda: listens(self._places.runtime, "report"), 30, "report listens")
        self._tell_for(self._random.uniform(0, LONGEST_S))
        process.kill()
        process.join()
        self.figures.kills += 1
        filler.unlink(missing_ok=True)
        if self.figures.kills % EVERY_DAMAGE == 0:
            self._damage()

    def settle(self) -> None:
        """A last life, until all is kept and the outbox is empty."""
        process = self._context.Process(target=live, args=(self._site, self._places, self._noted))
        process.start()
        wait_for(lambda: not self._left(), 60, "all is kept")
        wait_for(self._is_empty, 60, "the outbox is empty")
        process.terminate()
        process.join(20)
        self.figures.committed = set(self._noted.read_text().split()) - self._of_itself()

    def _of_itself(self) -> set[str]:
        """The last stop, which waits for a next life."""
        return self._waiting()

    def _tell_for(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            name = f"e{len(self.figures.told)}"
            self.figures.told.append(name)
            self._events.add(Event(name, "transition", "decide", boottime_ns(), "why"))
            self._left()
            time.sleep(1 / EVENTS_PER_S)

    def _left(self) -> int:
        """How many are not kept, after telling once more what has to be."""
        for message in self._acknowledgements.receive(0):
            if isinstance(message, Ack):
                self._events.acknowledge(message)
        self._events.send_due(boottime_ns())
        return self._events.waiting

    def _is_empty(self) -> bool:
        try:
            return not self._waiting()
        except sqlite3.DatabaseError:  # damaged, and not yet opened by this life
            return False

    def _waiting(self) -> set[str]:
        file = self._places.state / OUTBOX_FILE
        if not file.exists():
            return set()
        with sqlite3.connect(file) as database:
            return {name for (name,) in database.execute("SELECT id FROM outbox")}

    def _fill(self, filler: Path) -> None:
        with filler.open("wb", buffering=0) as file:
            try:
                while True:
                    file.write(bytes(4096))
            except OSError:
                return

    def _damage(self) -> None:
        """Overwrite the middle of the file, whose rows are then not asked for."""
        file = self._places.state / OUTBOX_FILE
        if not file.exists():
            return
        self.figures.damaged += 1
        self.figures.gone_with_the_file |= self._waiting()
        with file.open("r+b") as opened:
            opened.write(self._random.randbytes(file.stat().st_size))
        for old in self._places.state.glob("*.corrupt-*"):
            old.unlink()  # the disk is small


def kill_often(rounds: int, folder: Path, seed: int) -> Figures:
    """Kill so often, let all be delivered, and count."""
    broker = Mosquitto(folder)
    broker.start()
    (folder / "state").mkdir()
    try:
        listener = Listener(broker.port, "redroad/+/+/+/events")
        state = folder / "state"
        with small_disk(state, DISK) if os.geteuid() == 0 else nullcontext():  # or just a folder
            unit = Unit(folder, broker, seed)
            for _ in range(rounds):
                unit.round()
            unit.settle()
            time.sleep(1)
        unit.figures.arrivals = Counter(told["id"] for told in listener.on("events"))
        listener.close()
    finally:
        broker.kill()
    return unit.figures


def main() -> None:
    """Print the figures; exit code 1 when anything was lost."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("rounds", type=int, nargs="?", default=500)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        figures = kill_often(options.rounds, Path(folder), options.seed)
    print(figures)
    raise SystemExit(bool(figures.lost))
