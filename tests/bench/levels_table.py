"""`python -m tests.bench.levels_table [scenes [NAME…] | station | hour [MINUTES]]`: levels against
the truth.

Not a test. All scenarios of the simulated street, or those named, take about five minutes; the
station's days need the research pictures beside the checkout (or $REDROAD_DATA); `hour` is an hour
in autumn, or fewer minutes of it, half by day and half at night, and is only run when it is named.
"""

import sys
from collections.abc import Iterable, Sequence

import numpy as np

from edge.commands.replay.replay import HOLD_PICTURES_S
from edge.common.wire import Level
from edge.site import Site
from edge.street.scenarios import SCENARIOS
from edge.watch.view_monitor import ViewMonitor
from hil.testkit.true_zone import TrueZone
from tests.bench.course import (
    EVERY_S,
    LOW,
    Moment,
    course,
    delays,
    held,
    longest,
    of_scenario,
    quiet_view,
)
from tests.bench.hour import PARTS, hour, show_hour
from tests.bench.station import DAYS, labelled

WARNINGS = (Level.CAUTION, Level.CROWDED, Level.CRITICAL)
SOME = 0.5  # persons per m2, from which an error is told in percent
COUNTED = (
    "| {:9} | pictures trusted | true density | off on average | of a picture | true peak | "
    "off on average | in the 90 % interval |"
)
LEVELS = (
    "| {:9} | s CRITICAL | of these CLEAR or CAUTION, longest | CAUTION after | CROWDED after | "
    "CRITICAL after | same | higher | lower | UNKNOWN |"
)


def counted(name: str, moments: Sequence[Moment]) -> str:
    """A row: what the counter made of the pictures in which somebody was."""
    rows = [
        (m.density, m.occupancy.density, m.peak, m.occupancy.peak,
         m.occupancy.low <= m.density * m.occupancy.area <= m.occupancy.high)
        for m in moments if m.occupancy is not None and m.density >= SOME
    ]  # fmt: skip
    trusted = sum(m.occupancy is not None for m in moments)
    start = f"| {name:9} | {trusted} of {len(moments)} |"
    if not rows:
        return f"{start} {np.mean([m.density for m in moments]):.1f} | – | – | – | – | – |"
    density, seen, peak, seen_peak, within = np.array(rows, np.float64).T
    return (
        f"{start} {density.mean():.1f} | {_percent(seen.sum() / density.sum())} | "
        f"{100 * np.abs(seen - density).sum() / density.sum():.0f} % | {peak.mean():.1f} | "
        f"{_percent(seen_peak.sum() / peak.sum())} | {100 * within.mean():.0f} % |"
    )


def _percent(ratio: float) -> str:
    return f"{100 * ratio - 100:+.0f} %"


def levels(name: str, moments: Sequence[Moment]) -> str:
    """A row: the levels from the pictures against those from the truth."""
    critical = EVERY_S * sum(m.truth is Level.CRITICAL for m in moments)
    known = [m for m in moments if m.camera is not Level.UNKNOWN and m.truth is not Level.UNKNOWN]
    shares = (
        sum(m.camera is m.truth for m in known),
        sum(m.camera > m.truth for m in known),
        sum(m.camera < m.truth for m in known),
        len(moments) - len(known),
    )
    cells = [
        name.ljust(9),
        f"{critical:.0f}",
        f"{longest(moments, LOW):.0f} s",
        *(_delays(delays(moments, level)) for level in WARNINGS),
        *(f"{100 * share / len(moments):.0f} %" for share in shares),
    ]
    return f"| {' | '.join(cells)} |"


def _delays(each: Iterable[float | None]) -> str:
    return ", ".join("not" if delay is None else f"{delay:+.0f} s" for delay in each) or "–"


def show(kind: str, courses: dict[str, list[Moment]]) -> None:
    """Both tables."""
    for heading, row in ((COUNTED, counted), (LEVELS, levels)):
        table(heading.format(kind), [row(name, moments) for name, moments in courses.items()])


def table(heading: str, rows: Iterable[str]) -> None:
    """One table."""
    print(f"\n{heading}\n|{'---|' * (heading.count('|') - 1)}", *rows, sep="\n", flush=True)


def scenes(*names: str) -> None:
    """The named scenarios, or all; and one whose camera is turned before it has learnt its view."""
    site = Site()
    zone = TrueZone(site.zone[0])
    courses = {
        name: list(course(site, of_scenario(name, zone), ViewMonitor(quiet_view(name))))
        for name in names or SCENARIOS
    }
    if not names:
        courses["knocked, no view yet"] = list(
            course(site, of_scenario("knocked", zone), ViewMonitor())
        )
    show("scenario", courses)


def station() -> None:
    """The station's val days; a picture stands for a minute, as in `redroad replay`."""
    courses = {
        name: list(course(day.site, held(labelled(day), HOLD_PICTURES_S), None))
        for name, day in DAYS.items()
    }
    show("day", courses)


def in_autumn(minutes: str = "60") -> None:
    """An hour in autumn, or so many minutes of it."""
    site, view = Site(), quiet_view("autumn")
    pictures = hour(TrueZone(site.zone[0]), float(minutes))
    moments = list(course(site, pictures, ViewMonitor(view)))
    rows = [counted(part, of) for part, of in _halves(moments).items()]
    table(COUNTED.format("hour"), rows)
    show_hour(moments)


def _halves(moments: Sequence[Moment]) -> dict[str, Sequence[Moment]]:
    half = len(moments) // len(PARTS)
    return {"by day": moments[:half], "at night": moments[half:]}


def main() -> None:
    """Print the part that is asked for, or the first two."""
    parts = {"scenes": scenes, "station": station, "hour": in_autumn}
    if len(sys.argv) > 1:
        parts[sys.argv[1]](*sys.argv[2:])
        return
    scenes()
    station()


if __name__ == "__main__":
    main()
