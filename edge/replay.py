"""`redroad replay`: the whole way over a recording, as fast as it goes.

Time is the recording's. In a video a frame counts until the next one; of a folder of pictures
taken seconds or minutes apart each stands for at most `hold_s`, after which nothing is known.
"""

import csv
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import click
import msgspec

from edge.clock import NS_PER_S, nanoseconds
from edge.decide.decider import Decider, ZoneTransition
from edge.errors import PictureError, SiteError
from edge.sighting import Sighting
from edge.site import Site
from edge.watch.frame import Frame
from edge.watch.main import Counting
from edge.watch.recording import TimedFrame, frames_of, length
from edge.wire import Level, Occupancy

REPLAY_LIMIT_GMAC = 2.3
STEP = NS_PER_S
HOLD_VIDEO_S, HOLD_PICTURES_S = 3.0, 60.0
TIMELINE_COLUMNS = (
    "time_s", "clock", "frame", "zone", "people", "low", "high", "area_m2", "density", "peak",
    "speed_m_s", "speed_variance_m2_s2", "pressure_s2", "warning", "level", "picture",
)  # fmt: skip
TRANSITION_COLUMNS = ("time_s", "clock", "zone", "before", "after", "because")


@dataclass(frozen=True)
class Row:
    """One zone at one moment of the recording."""

    at_s: float
    wall: datetime | None
    name: str
    zone: str
    occupancy: Occupancy | None
    level: Level
    warning: str = ""
    picture_faults: tuple[str, ...] = ()


@dataclass(frozen=True)
class Change:
    """One transition of a zone, at a moment of the recording."""

    at_s: float
    wall: datetime | None
    zone: str
    before: Level
    after: Level
    because: str


@dataclass(frozen=True)
class Replay:
    """What a recording showed."""

    rows: list[Row]
    changes: list[Change]


def replay(
    source: Path,
    site: Site,
    *,
    every_s: float | None,
    hold_s: float,
    on_frame: Callable[[], None],
    on_bad: Callable[[Path, PictureError], None],
) -> Replay:
    """Run the recording through counter, zones and levels."""
    replayer = _Replayer(site, nanoseconds(hold_s))
    for frame in frames_of(source, every_s=every_s, on_bad=on_bad):
        replayer.take(frame)
        on_frame()
    return replayer.finish()


class _Replayer:
    """The whole way, driven by the recording's clock."""

    def __init__(self, site: Site, hold: int) -> None:
        self._counting = Counting(site, limit_gmac=REPLAY_LIMIT_GMAC, live=False)
        self._decider = Decider(site)
        self._clock = _Clock()
        self._hold = hold
        self._last: Sighting | None = None
        self._result = Replay([], [])

    def take(self, frame: TimedFrame) -> None:
        """One frame, after the time since the last one has passed."""
        at = self._clock.see(frame)
        if self._last is not None:
            self._let_stand(self._last, at)
        self._last = self._counting.sighting(Frame(frame.pixels, at))
        self._note(at, self._decider.see(self._last))
        faults = self._last.picture.faults
        self._result.rows.extend(
            Row(
                frame.at_s,
                frame.wall,
                frame.name,
                zone.zone,
                zone.occupancy,
                zone.level,
                zone.warning,
                faults,
            )
            for zone in self._decider.state(at, "").zones
        )

    def finish(self) -> Replay:
        """Let the last frame stand too."""
        if self._last is not None:
            self._let_stand(self._last, self._last.taken_at + self._hold)
        return self._result

    def _let_stand(self, last: Sighting, until: int) -> None:
        """Repeat the last picture, second by second, until the next one or the end of the hold."""
        at = last.taken_at + STEP
        while at < min(until, last.taken_at + self._hold):
            stands = msgspec.structs.replace(last, taken_at=at, motion=None)
            self._note(at, self._decider.see(stands))
            at += STEP
        while at < until and self._decider.level is not Level.UNKNOWN:
            self._note(at, self._decider.pass_time(at))
            at += STEP

    def _note(self, at: int, changes: list[ZoneTransition]) -> None:
        at_s, wall = self._clock.split(at)
        self._result.changes.extend(
            Change(
                at_s, wall, c.zone, c.transition.before, c.transition.after, c.transition.because
            )
            for c in changes
            if c.zone is not None  # a recording knows no commands
        )


class _Clock:
    """The recording's time, and the wall-clock time that belongs to it."""

    def __init__(self) -> None:
        self._start: datetime | None = None

    def see(self, frame: TimedFrame) -> int:
        """The frame's time in ns. One second stands before the first: zero means never."""
        if self._start is None and frame.wall is not None:
            self._start = frame.wall - timedelta(seconds=frame.at_s)
        return nanoseconds(frame.at_s + 1.0)

    def split(self, at: int) -> tuple[float, datetime | None]:
        """Seconds since the recording began, and the wall-clock time."""
        at_s = at / NS_PER_S - 1.0
        return at_s, None if self._start is None else self._start + timedelta(seconds=at_s)


def write_tables(result: Replay, folder: Path) -> None:
    """`timeline.csv` and `transitions.csv`."""
    with (folder / "timeline.csv").open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file)
        table.writerow(TIMELINE_COLUMNS)
        table.writerows(_timeline_line(row) for row in result.rows)
    with (folder / "transitions.csv").open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file)
        table.writerow(TRANSITION_COLUMNS)
        for change in result.changes:
            table.writerow(
                [
                    f"{change.at_s:.1f}",
                    _clock_text(change.wall),
                    change.zone,
                    change.before.name,
                    change.after.name,
                    change.because,
                ]
            )


def _timeline_line(row: Row) -> list[str]:
    start = [f"{row.at_s:.2f}", _clock_text(row.wall), row.name, row.zone]
    picture = " ".join(row.picture_faults) or "good"
    end = [row.warning, row.level.name, picture]
    if row.occupancy is None:
        return [*start, *[""] * 9, *end]
    seen = row.occupancy
    counts = (seen.people, seen.low, seen.high, seen.area, seen.density, seen.peak)
    motion = (seen.speed, seen.speed_variance, seen.pressure)
    return [*start, *map("{:.2f}".format, counts), *map(_known, motion), *end]


def _known(figure: float | None) -> str:
    return "" if figure is None else f"{figure:.3f}"


def _clock_text(wall: datetime | None) -> str:
    return "" if wall is None else wall.isoformat(sep=" ", timespec="seconds")


def replay_to(
    source: Path,
    site: Site,
    out: Path,
    *,
    every_s: float | None,
    hold_s: float | None,
    plot: bool,
) -> Iterator[str]:
    """Replay into a folder; yields what to tell the user, complaints starting with "redroad: "."""
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise SiteError(f"--out {out}: {error.strerror}; choose a folder to write in") from error
    hold_s = hold_s or (HOLD_PICTURES_S if source.is_dir() else HOLD_VIDEO_S)
    complaints: list[str] = []
    frames = length(source, every_s=every_s)
    with click.progressbar(range(frames or 0), label="replaying", file=sys.stderr) as bar:
        result = replay(
            source,
            site,
            every_s=every_s,
            hold_s=hold_s,
            on_frame=lambda: bar.update(1),
            on_bad=lambda path, error: complaints.append(f"redroad: {error}"),
        )
    yield from complaints
    write_tables(result, out)
    yield f"{out / 'timeline.csv'}: {len(result.rows)} rows"
    yield f"{out / 'transitions.csv'}: {len(result.changes)} transitions"
    if plot:
        from edge.plot import draw_plot  # noqa: PLC0415  (matplotlib is not on every unit)

        title = f"{source.name or source} at {site.site.name}"
        draw_plot(result, site, title, hold_s, out / "timeline.png")
        yield f"{out / 'timeline.png'}: the plot"
