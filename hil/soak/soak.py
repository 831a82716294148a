"""Hours of the whole appliance on the simulated street: what grows, and what it writes.

    .venv/bin/python -m hil.soak --hours 1

`redroad run` with the demonstration, its events taken by a real Mosquitto. Every ten seconds each
program's memory, descriptors, threads and bytes written to disk (the kernel's count of pages,
/proc/PID/io) are noted, and how old the newest picture was when the order that stands on it was
shown. All of it goes to a CSV file, from which --read prints the table again. The folder must lie
on a disk: writes to memory count nothing.

Slopes are of the heap: resident memory of no file (RssAnon), which nobody else's doings change.
PSS also has each program's share of what others use as well: told as a mean, as its slope is
theirs, too. So is that of private memory: show's drivers are forked, and what they share with
it becomes private page by page, as either writes to it.

Ends with code 1 when memory, descriptors or threads of a program grow beyond doubt, or a program
had to be started again.
"""

import argparse
import csv
import os
import platform
import shutil
import statistics
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from edge.common.program import paths_of
from hil.soak.samples import CHILD_NAMES, PROGRAMS, Sampler
from hil.soak.trend import Trend, trend
from hil.testkit.appliance import Appliance
from hil.testkit.mosquitto import Mosquitto, free_port, wait_for

SITE = """
[site]
name = "soak"
unit = "one"
[sign]
port = {page}
[upstream]
host = "127.0.0.1"
port = {broker}
"""
EVERY_S = 10.0
SETTLE_S = 600.0  # caches fill, the view is learnt, the allocator finds its size
LEAST_HOURS = 0.45
LEAKS = {"heap_mb": "heap, MB", "descriptors": "descriptors", "threads": "threads"}
HOURS_A_YEAR = 24 * 365.25


def soak(hours: float, folder: Path, samples: Path) -> dict[str, int]:
    """Run and note; how often which program had to be started again."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    broker = Mosquitto(folder)
    broker.start()
    unit = Appliance(folder, SITE.format(page=free_port(), broker=broker.port))
    unit.start()
    try:
        wait_for(lambda: all(map(unit.pid, CHILD_NAMES)), 60, "all programs run")
        sampler = Sampler(unit.supervisor, paths_of("report", unit.runtime, unit.state))
        _note(sampler, hours, samples)
        return {name: times for name, times in sampler.restarts.items() if times}
    finally:
        unit.end()
        broker.kill()


def _note(sampler: Sampler, hours: float, samples: Path) -> None:
    """A line every ten seconds, written at once: whoever cuts the run short has what it saw."""
    began = time.monotonic()
    with samples.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["seconds", "figure", "value"])
        while (seconds := time.monotonic() - began) <= hours * 3600:
            seen = {**sampler.look(), "machine.load": os.getloadavg()[0]}
            rows = [(f"{seconds:.1f}", name, f"{value:.6g}") for name, value in seen.items()]
            writer.writerows(rows)
            file.flush()
            time.sleep(EVERY_S - (time.monotonic() - began) % EVERY_S)


class Series:
    """Everything noted, by figure: times in s and values."""

    def __init__(self, samples: Path) -> None:
        self._noted: dict[str, list[tuple[float, float]]] = {}
        with samples.open(encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file):
                pair = (float(row["seconds"]), float(row["value"]))
                self._noted.setdefault(row["figure"], []).append(pair)

    def settled(self, figure: str) -> list[tuple[float, float]]:
        """What was seen after the first ten minutes."""
        return [pair for pair in self._noted.get(figure, []) if pair[0] >= SETTLE_S]

    def trend(self, figure: str) -> Trend:
        """Its trend, of what is settled."""
        times, values = zip(*self.settled(figure), strict=True)
        return trend(times, values)

    def per_hour(self, figure: str) -> float:
        """How much a figure that only grows has grown, per hour."""
        pairs = self.settled(figure)
        (first, before), (last, after) = pairs[0], pairs[-1]
        return 3600 * (after - before) / (last - first)

    def hours(self) -> float:
        """From the first line to the last."""
        times = [time for pairs in self._noted.values() for time, _ in pairs]
        return (max(times) - min(times)) / 3600


def table(series: Series) -> Iterator[str]:
    """The figures in words; the lines of leaks first."""
    load = statistics.mean(value for _, value in series.settled("machine.load"))
    yield (
        f"{series.hours():.2f} h, the first {SETTLE_S / 60:.0f} min left out; "
        f"mean load {load:.1f} of {os.cpu_count()} cores"
    )
    yield ""
    yield "| program | figure | mean | slope per hour | 3 standard errors | |"
    yield "|---|---|---|---|---|---|"
    for name in PROGRAMS:
        for what, words in LEAKS.items():
            yield _line(name, words, series.trend(f"{name}.{what}"))
    yield _line("unit", "picture to sign, ms", series.trend("unit.latency_ms"))
    yield ""
    yield "| program | PSS, MB | written, MB per hour | GB per year | of a core |"
    yield "|---|---|---|---|---|"
    for name in PROGRAMS:
        written = series.per_hour(f"{name}.written_mb")
        core = 100 * series.per_hour(f"{name}.cpu_s") / 3600
        pss = statistics.mean(value for _, value in series.settled(f"{name}.pss_mb"))
        a_year = written * HOURS_A_YEAR / 1000
        yield f"| {name} | {pss:.0f} | {written:.2f} | {a_year:.1f} | {core:.1f} % |"
    yield ""
    late = sorted(value for _, value in series.settled("unit.latency_ms"))
    middle, most = statistics.median(late), late[int(0.95 * len(late))]
    yield (
        f"picture to sign: {middle:.0f} ms at the median, {most:.0f} ms at 95 %, "
        f"{late[-1]:.0f} ms at most, of {len(late)}"
    )
    yield f"outbox: {max(value for _, value in series.settled('unit.outbox_mb')):.2f} MB at most"


def _line(name: str, words: str, found: Trend) -> str:
    return (
        f"| {name} | {words} | {found.mean:.4g} | {found.slope:+.3f} | {found.bound:.3f} "
        f"| {found.verdict} |"
    )


def growing(series: Series) -> list[str]:
    """What grows beyond doubt and must not."""
    figures = [f"{name}.{what}" for name in PROGRAMS for what in LEAKS]
    return [figure for figure in figures if series.trend(figure).grows]


def main(arguments: Sequence[str] | None = None) -> None:
    """Run, print, judge."""
    parser = argparse.ArgumentParser(
        prog="python -m hil.soak",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--hours", type=float, default=1.0, help=f"default 1; slopes need at least {LEAST_HOURS}"
    )
    parser.add_argument("--folder", type=Path, default=Path("build/soak"), help="emptied first")
    parser.add_argument("--read", type=Path, metavar="CSV", help="only print what was noted")
    options = parser.parse_args(arguments)
    restarts, samples = dict[str, int](), options.read or options.folder.with_suffix(".csv")
    if not options.read:
        print(f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}")
        print(f"{options.hours:g} h; samples go to {samples}", flush=True)
        restarts = soak(options.hours, options.folder, samples)
    series = Series(samples)
    if series.hours() < LEAST_HOURS - EVERY_S / 3600:
        why = "slopes need ten minutes to settle, and six blocks of 150 s"
        print(f"{series.hours():.3f} h are too short for slopes: {why} ({LEAST_HOURS} h)")
        sys.exit(1 if restarts else 0)
    print("\n".join(table(series)))
    if restarts:
        told = ", ".join(f"{name} {times} times" for name, times in restarts.items())
        print(f"started again: {told}; why stands in {options.folder / 'run.log'}")
    if grown := growing(series):
        print(f"grows beyond doubt: {', '.join(grown)}")
    sys.exit(1 if grown or restarts else 0)


if __name__ == "__main__":
    main()
