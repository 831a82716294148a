"""A network camera that is cut off again and again: is it told, and does `watch` grow?

    .venv/bin/python -m hil.soak.cuts --times 240

The program `watch` by itself on an RTSP camera that, in turn, ends the connection or falls silent,
and plays again once the fault has been told. Prints how soon the fault was told and how soon heads
were counted again, and the slopes of memory, descriptors and threads. Ends with code 1 when one
of them grows beyond doubt, or a time is beyond its promise.
"""

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import psutil

from edge.common.clock import boottime_ns
from edge.common.link import Inbox
from edge.common.sighting import SIGHTINGS, Sighting
from edge.common.units import seconds
from edge.common.wire import Event, Message
from edge.street.scene import Scene
from edge.watch.cameras.rig import Mishap
from hil.container.rtsp import RtspCamera
from hil.soak.samples import Sample, figures_of
from hil.soak.trend import Trend, trend
from hil.testkit.appliance import ZONE
from hil.testkit.report_stand_in import ReportStandIn

FPS = 5.0
CUTS: tuple[Mishap, ...] = ("away", "hung")
TOLD_WITHIN_S, BACK_WITHIN_S = 5.0, 30.0  # what is promised
GIVEN_UP_S = 60.0
SETTLED_AFTER, LEAST = 20, 240  # cuts
FIGURES = {"heap_mb": "heap, MB", "descriptors": "descriptors", "threads": "threads"}


class Watching:
    """A running `watch`, and what it tells decide and report."""

    def __init__(self, folder: Path, url: str) -> None:
        site = folder / "site.toml"
        camera = f'[camera]\nkind = "stream"\nurl = "{url}"\nfps = {FPS}\n'
        site.write_text(camera + ZONE, "utf-8")
        self._decide = Inbox(folder, "decide", {"watch": SIGHTINGS})
        self._report = ReportStandIn(folder, "watch")
        paths = ["--runtime", str(folder), "--state", str(folder)]
        with (folder / "watch.log").open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "edge", "watch", "--site", str(site), *paths], stderr=log
            )

    def told_after(self, moment: int) -> float:
        """When it told that the camera fails, in s since `moment`."""
        fault = _next(
            self._report,
            "the fault of the camera",
            lambda told: (
                isinstance(told, Event)
                and (told.kind, told.after) == ("fault", "camera")
                and told.at > moment
            ),
        )
        return seconds(fault - moment)

    def counted_after(self, moment: int) -> float:
        """When it counted heads again, in s since `moment`."""
        counted = _next(
            self._decide,
            "a count",
            lambda told: (
                isinstance(told, Sighting) and told.heads is not None and told.taken_at > moment
            ),
        )
        return seconds(counted - moment)

    def figures(self) -> Sample:
        """Memory, descriptors, threads."""
        return figures_of([psutil.Process(self._process.pid)])

    def end(self) -> None:
        """Stop it, whatever it does."""
        self._process.kill()
        self._process.wait()


def _next(inbox: Inbox | ReportStandIn, what: str, wanted: Callable[[Message], bool]) -> int:
    """When the message that is wanted was received. SystemExit when none comes."""
    limit = time.monotonic() + GIVEN_UP_S
    while time.monotonic() < limit:
        if any(wanted(message) for message in inbox.receive(0.5)):
            return boottime_ns()
    sys.exit(f"{what} did not come within {GIVEN_UP_S:g} s")


def cut(camera: RtspCamera, watching: Watching, times: int) -> list[dict[str, float]]:
    """Cut it off so many times; what was seen at each."""
    watching.counted_after(0)
    began, seen = time.monotonic(), list[dict[str, float]]()
    for number in range(times):
        mishap = CUTS[number % len(CUTS)]
        moment = boottime_ns()
        camera.fail(mishap)
        told_s = watching.told_after(moment)
        moment = boottime_ns()
        camera.mend(mishap)
        back_s = watching.counted_after(moment)
        at = {"at_s": time.monotonic() - began, "told_s": told_s, "back_s": back_s}
        seen.append({**at, **watching.figures()})
        print(f"{number + 1} {mishap}: told {told_s:.1f} s, back {back_s:.1f} s", file=sys.stderr)
    return seen


def table(seen: Sequence[dict[str, float]]) -> tuple[list[str], bool]:
    """The figures in words, and whether all is as promised."""
    told, back = (max(each[name] for each in seen) for name in ("told_s", "back_s"))
    lines = [
        f"{len(seen)} cuts in {seen[-1]['at_s'] / 60:.0f} min: told after {told:.1f} s at most "
        f"(promised {TOLD_WITHIN_S:g}), heads counted again after {back:.1f} s at most "
        f"(promised {BACK_WITHIN_S:g})",
        "",
    ]
    kept = told <= TOLD_WITHIN_S and back <= BACK_WITHIN_S
    if len(seen) < LEAST:
        return [*lines, f"slopes need {LEAST} cuts: a quarter of an hour"], kept
    settled = seen[SETTLED_AFTER:]
    lines += [
        "| figure | mean | slope per 100 cuts | 3 standard errors | |",
        "|---|---|---|---|---|",
    ]
    hours_per_100 = 100 * (settled[-1]["at_s"] - settled[0]["at_s"]) / (len(settled) - 1) / 3600
    grows = False
    for name, words in FIGURES.items():
        found = trend([each["at_s"] for each in settled], [each[name] for each in settled])
        grows |= found.grows
        lines.append(_line(words, found, hours_per_100))
    return lines, not grows and kept


def _line(words: str, found: Trend, hours: float) -> str:
    slope, bound = found.slope * hours, found.bound * hours
    return f"| {words} | {found.mean:.4g} | {slope:+.3f} | {bound:.3f} | {found.verdict} |"


def main(arguments: Sequence[str] | None = None) -> None:
    """Run, print, judge."""
    parser = argparse.ArgumentParser(
        prog="python -m hil.soak.cuts",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--times", type=int, default=LEAST, help=f"default {LEAST}; slopes need as many"
    )
    options = parser.parse_args(arguments)
    if options.times < 1:
        parser.error(f"--times = {options.times} must be at least 1")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        street = Scene()
        np.save(folder / "film.npy", np.stack([street.at(n / FPS).pixels for n in range(50)]))
        camera = RtspCamera("127.0.0.1", folder / "film.npy", FPS)
        watching = Watching(folder, camera.url)
        try:
            lines, kept = table(cut(camera, watching, options.times))
        finally:
            watching.end()
            camera.end()
    print("\n".join(lines))
    sys.exit(0 if kept else 1)


if __name__ == "__main__":
    main()
