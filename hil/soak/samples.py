"""What the kernel and the unit itself tell of a running unit, at a moment."""

import re
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

import psutil

from edge.commands.run import CHILDREN
from edge.common.program import Paths
from edge.report.status import read_status
from edge.report.store import OUTBOX_FILE

SUPERVISOR = "run"
CHILD_NAMES = tuple(child.name for child in CHILDREN)
PROGRAMS = (*CHILD_NAMES, SUPERVISOR)
MEGABYTE = 1e6

Sample = Mapping[str, float]


class Sampler:
    """Looks at the programs of one `redroad run`, each with the processes of its drivers."""

    def __init__(self, supervisor: int, paths: Paths) -> None:
        self._supervisor = psutil.Process(supervisor)
        self._places = paths
        self._pids: dict[str, int] = {}
        self.restarts = Counter[str]()

    def look(self) -> Sample:
        """Figures by name, such as "watch.heap_mb"; none of a program that is away."""
        found: dict[str, float] = {}
        for name, process in self._programs().items():
            try:
                found |= {f"{name}.{what}": value for what, value in figures_of(process).items()}
            except (psutil.NoSuchProcess, psutil.ZombieProcess):
                continue  # told as a restart by the next look
        return found | self._of_the_unit()

    def _programs(self) -> dict[str, list[psutil.Process]]:
        """The supervisor alone, and every program with all its children."""
        running = {SUPERVISOR: [self._supervisor]}
        for child in self._supervisor.children():
            try:
                name = child.cmdline()[3]
                if name in CHILD_NAMES:  # one just forked is still called as its parent
                    running[name] = [child, *child.children(recursive=True)]
                    self.restarts[name] += self._pids.setdefault(name, child.pid) != child.pid
                    self._pids[name] = child.pid
            except (IndexError, psutil.NoSuchProcess, psutil.ZombieProcess):
                continue
        return running

    def _of_the_unit(self) -> dict[str, float]:
        """Latency and outbox."""
        outbox = self._places.state.glob(f"{OUTBOX_FILE}*")
        found = {"unit.outbox_mb": sum(size_of(file) for file in outbox) / MEGABYTE}
        status = read_status(self._places)
        shown = status.health["programs"].get("show", {}) if status else {}
        if "picture_age_s" in shown:
            found["unit.latency_ms"] = 1000 * float(shown["picture_age_s"])
        return found


def figures_of(processes: list[psutil.Process]) -> dict[str, float]:
    """Sums over a program's processes; `written_mb` and `cpu_s` are since each began."""
    times = [process.cpu_times() for process in processes]
    return {
        "heap_mb": sum(_anonymous_bytes(process.pid) for process in processes) / MEGABYTE,
        "pss_mb": sum(process.memory_full_info().pss for process in processes) / MEGABYTE,
        "descriptors": sum(process.num_fds() for process in processes),
        "threads": sum(process.num_threads() for process in processes),
        "written_mb": sum(process.io_counters().write_bytes for process in processes) / MEGABYTE,
        "cpu_s": sum(spent.user + spent.system for spent in times),
    }


def _anonymous_bytes(pid: int) -> int:
    """Memory of no file: what a program has asked for and used. psutil tells only all of it."""
    try:
        told = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    except OSError as error:
        raise psutil.NoSuchProcess(pid) from error
    found = re.search(r"^RssAnon:\s+(\d+) kB$", told, re.M)
    return 1024 * int(found[1]) if found else 0


def size_of(file: Path) -> int:
    """Bytes; none of a file that has just gone."""
    try:
        return file.stat().st_size
    except FileNotFoundError:
        return 0
