"""`redroad replay`: the whole way over a recording, as fast as it goes.

Time is the recording's. In a video a frame counts until the next one; of a folder of pictures
taken seconds or minutes apart each stands for at most `hold_s`, after which nothing is known.
"""

import sys
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path

import click
import msgspec

from edge.commands.replay.timeline import Change, Replay, Row, write_tables
from edge.common.errors import PictureError, SiteError
from edge.common.sighting import Sighting
from edge.common.units import NS_PER_S, nanoseconds
from edge.common.wire import Level
from edge.decide.decider import Decider, ZoneTransition
from edge.site import Site
from edge.watch.frame import Frame
from edge.watch.main import Counting
from edge.watch.recording import TimedFrame, frames_of, length

REPLAY_LIMIT_GMAC = 2.3
STEP = NS_PER_S
HOLD_VIDEO_S, HOLD_PICTURES_S = 3.0, 60.0


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
            Change(at_s, wall, c.zone, c.transition.before, c.transition.after, c.transition.reason)
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
        from edge.commands.replay.plot import draw_plot  # noqa: PLC0415  (matplotlib is not on every unit)

        title = f"{source.name or source} at {site.site.name}"
        draw_plot(result, site, title, hold_s, out / "timeline.png")
        yield f"{out / 'timeline.png'}: the plot"
