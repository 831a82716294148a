"""What is in the unit: programs, files, clock, disk and what burdens it, reached from outside."""

import contextlib
import itertools
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import tempfile
import time
from collections.abc import Mapping, Set
from pathlib import Path

import psutil

from edge.report.store import OUTBOX_FILE
from hil.container.box import Box
from hil.rig import PROGRAMS

SITE = "etc/redroad/site.toml"
SPOILED_SITE = '[camera]\nkind = "scene"\nfpss = 4.0\n'
SPOILED_BYTES = 1 << 16
SHOW = ("systemctl", "show", "--property=ActiveState,InvocationID")
HOG = """
import time
taken, began = [], time.monotonic()
while time.monotonic() - began < 4:
    taken.append(bytearray(b"x" * (16 << 20)))
"""
HOG_LIMIT_S = 6.0
PYTHON = "/usr/lib/redroad/bin/python"
TALK = """
import sys, time, uuid
from pathlib import Path
from edge.common.clock import boottime_ns
from edge.common.link import Sender
from edge.common.wire import EVENTS, Event
report = Sender(Path("/run/redroad"), "decide", "report", EVENTS)
for number in range(int(sys.argv[1])):
    event = Event(str(uuid.uuid4()), "recovery", "decide", boottime_ns(), f"number {number}")
    while not report.send(event):
        time.sleep(0.01)
"""
FLOOD = "timeout 4 yes 'redroad: a line that says nothing, again and again'"


class Units:
    """The four programs under the container's systemd."""

    def __init__(self, box: Box) -> None:
        self._box = box

    def send(self, program: str, signum: signal.Signals) -> bool:
        """Send a signal to the main process; False when there is none."""
        for process in self._box.processes(unit_of(program)):
            with contextlib.suppress(psutil.NoSuchProcess):
                if process.ppid() == self._box.leader:
                    process.send_signal(signum)
                    return True
        return False

    def lives(self) -> Mapping[str, str]:
        """systemd's invocation id of each program that has said READY=1."""
        try:
            shown = self._box.call(*SHOW, *map(unit_of, PROGRAMS))
        except subprocess.SubprocessError:
            return {}  # it boots
        each = [
            dict(line.split("=", 1) for line in one.split("\n"))
            for one in shown.strip().split("\n\n")
        ]
        return {
            program: unit["InvocationID"]
            for program, unit in zip(PROGRAMS, each, strict=True)
            if unit["ActiveState"] == "active"
        }

    def restart(self, program: str) -> None:
        """Ask for a new start; does not wait for it. Nothing, while there is no power."""
        self._box.ask("systemctl", "--no-block", "restart", unit_of(program))


class InstalledFiles:
    """The installed models and the site file, spoilt and restored."""

    def __init__(self, root: Path) -> None:
        self._site = root / SITE
        self._models = sorted((root / "usr").rglob("shipped_models/*.tflite"))
        self._shipped = {file: file.read_bytes() for file in (self._site, *self._models)}

    def spoil_model(self) -> None:
        """Noise at the beginning of every model."""
        for model in self._models:
            with model.open("r+b") as file:
                file.write(random.Random(1).randbytes(SPOILED_BYTES))

    def spoil_site(self) -> None:
        """A site file with a mistake."""
        self._site.write_text(SPOILED_SITE, encoding="utf-8")

    def restore_model(self) -> None:
        """As they were shipped."""
        self._restore(*self._models)

    def restore_site(self) -> None:
        """The right one."""
        self._restore(self._site)

    def _restore(self, *files: Path) -> None:
        for file in files:
            if file.read_bytes() != self._shipped[file]:
                file.write_bytes(self._shipped[file])


class FakedClock:
    """libfaketime below a program: the kernel has one wall clock for all containers."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(exist_ok=True)
        folder.chmod(0o755)
        self._file = folder / "now"
        self.jump("+0")

    def jump(self, to: str) -> None:
        """To a moment (`@1970-01-01 00:00:00`) or by a distance (`+3650d`)."""
        draft = self._file.with_suffix(".new")
        draft.write_text(f"{to}\n", encoding="ascii")
        draft.replace(self._file)

    @staticmethod
    def drop_in(root: Path) -> str:
        """The lines of a unit that make a program see this clock, and no other time differently."""
        library = next((root / "usr/lib").rglob("libfaketime.so.1")).relative_to(root)
        return (
            f"[Service]\nEnvironment=LD_PRELOAD=/{library} FAKETIME_NO_CACHE=1\n"
            "Environment=FAKETIME_TIMESTAMP_FILE=/rig/clock/now FAKETIME_DONT_FAKE_MONOTONIC=1\n"
        )


class StatePartition:
    """The ext4 file system at /var/lib/redroad."""

    def __init__(self, box: Box) -> None:
        self._box = box

    def fill(self) -> None:
        """To the last byte."""
        with contextlib.suppress(OSError), self._filler.open("wb", buffering=0) as file:
            for size in (1 << 20, 4096, 1):
                with contextlib.suppress(OSError):
                    while True:
                        file.write(bytes(size))

    def free(self) -> None:
        """Give the room back."""
        with contextlib.suppress(OSError):  # a read-only disk keeps it until the next boot
            self._filler.unlink(missing_ok=True)

    def turn_read_only(self) -> None:
        """Let ext4 find an error: it remounts itself read-only, whoever writes."""
        trigger = Path("/sys/fs/ext4", self._box.loop, "trigger_fs_error")
        with contextlib.suppress(OSError):  # the answer is the error that was asked for
            trigger.write_text("1", encoding="ascii")

    def damage_outbox(self) -> None:
        """Overwrite all that is in the outbox's file with noise."""
        with contextlib.suppress(OSError), self._outbox.open("r+b") as opened:
            opened.write(random.Random(2).randbytes(os.fstat(opened.fileno()).st_size))

    def waiting(self) -> Set[str]:
        """The ids of all events that wait on the disk; empty while it cannot be asked.

        Asked of a copy: SQLite takes no path that leads through another mount namespace.
        """
        with tempfile.TemporaryDirectory() as folder:
            for tail in ("", "-wal"):
                with contextlib.suppress(OSError):
                    shutil.copyfile(f"{self._outbox}{tail}", f"{folder}/copy{tail}")
            try:
                with contextlib.closing(sqlite3.connect(f"{folder}/copy")) as opened:
                    rows = opened.execute("SELECT id FROM outbox WHERE kind = 'events'")
                    return {name for (name,) in rows}
            except sqlite3.Error:  # it does not exist yet, or is damaged
                return set()

    @property
    def _filler(self) -> Path:
        return self._box.disk / "filler"

    @property
    def _outbox(self) -> Path:
        return self._box.disk / "report" / OUTBOX_FILE


class Burden:
    """A hog, a flood and a talker beside the programs, each a unit of its own."""

    def __init__(self, box: Box) -> None:
        self._box, self._number = box, itertools.count()

    def exhaust_memory(self) -> bool:
        """Take memory until the kernel ends someone in this unit, or for four seconds."""
        before, deadline = self._box.ended_for_memory, time.monotonic() + HOG_LIMIT_S
        self._run("hog", "python3", "-c", HOG)
        while self._box.ended_for_memory == before and time.monotonic() < deadline:
            time.sleep(0.1)
        return self._box.ended_for_memory > before

    def flood_log(self) -> bool:
        """As many lines as the journal takes, for four seconds."""
        return self._run("flood", "sh", "-c", FLOOD)

    def tell_events(self, count: int) -> None:
        """Events told to `report` as decide tells them."""
        self._run("talker", PYTHON, "-c", TALK, str(count))

    def _run(self, name: str, *command: str) -> bool:
        unit = f"--unit={name}-{next(self._number)}"
        return self._box.ask("systemd-run", "--quiet", "--no-block", "--collect", unit, *command)


def unit_of(program: str) -> str:
    """The name of a program's unit."""
    return f"redroad-{program}.service"
