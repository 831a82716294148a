"""`redroad replay`: the whole way over a recording, as fast as it goes.

Time is the recording's. In a video a frame counts until the next one; of a folder of pictures
taken seconds or minutes apart each is valid for at most `hold_s`, after which nothing is known.
"""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from math import ceil
from pathlib import Path

import click
import msgspec
import numpy as np

from edge.commands.notes import Notes
from edge.commands.replay.timeline import TIMELINE, Change, Replay, Row, write_tables
from edge.common.errors import GroundError, PictureError, SiteError
from edge.common.sighting import HeadMap, Sighting
from edge.common.units import NS_PER_S, nanoseconds
from edge.common.wire import Level
from edge.decide.decider import Decider, ZoneTransition
from edge.decide.zones import ZoneCounter
from edge.site import Site
from edge.site.schema import DEMO_GROUND
from edge.watch.frame import Frame
from edge.watch.main import Counting
from edge.watch.recording import OnNote, TimedFrame, frames_of, is_scenario, length
from edge.watch.video import AS_STATED, Reading

REPLAY_LIMIT_GMAC = 2.3
STEP = NS_PER_S
CELLS = 40  # of the longer side, to try the zones in a picture of a size
HOLD_VIDEO_S, HOLD_PICTURES_S = 3.0, 60.0


# What to do about pictures that are not trusted, all through a recording.
REMEDIES = {
    "picture is dark": "record with more light",
    "picture is blurred": "clean the lens and focus it",
    "picture is covered": "free the lens; is much of the picture blank?",
}
WHOLE = "picture"  # the zone of a recording without any


def replay(
    source: Path,
    site: Site | None,
    *,
    every_s: float | None,
    hold_s: float,
    on_frame: Callable[[], None],
    on_bad: Callable[[Path, PictureError], None],
    on_note: OnNote = lambda _path, _text: None,
    how: Reading = AS_STATED,
) -> Replay:
    """Run the recording through counter, zones and levels.

    Without a site, or where its ground plane is of pictures of another shape, people are counted
    in the whole picture, and the replay says why there is no density.
    """
    replayer: _Replayer | None = None
    frames = frames_of(source, every_s=every_s, on_bad=on_bad, on_note=on_note, how=how)
    for frame in frames:
        if replayer is None:
            why = _why_unmeasured(site, frame)
            replayer = _Replayer(site or Site(), nanoseconds(hold_s), why)
        replayer.take(frame)
        on_frame()
    return Replay([], []) if replayer is None else replayer.finish()


def _why_unmeasured(site: Site | None, frame: TimedFrame) -> str | None:
    """Why the site's zones give no density in pictures of this size, and what to do; None if so."""
    if site is None:
        return (
            "no site file is given (--site), so there are no zones and no metres; make one with: "
            "redroad calibrate PICTURE --site my-site.toml"
        )
    height, width, _ = frame.pixels.shape
    cell = max(width, height) / CELLS
    shape = (ceil(height / cell), ceil(width / cell))
    nobody = np.zeros(shape, np.float32)
    try:
        ZoneCounter(site.zone, site.ground).count(
            HeadMap(nobody, nobody, cell, width, height, 1.0), taken_at=1
        )
    except GroundError as error:
        whose = "the ground plane of this site file is the simulated street's: "
        return (
            f"{whose if site.ground == DEMO_GROUND else ''}{error}: redroad calibrate PICTURE "
            "--site my-site.toml"
        )
    return None


def _whole(site: Site) -> Site:
    """The same site, of which the whole picture is looked at."""
    counter = site.counter.model_copy(update={"look_at": "picture"})
    return site.model_copy(update={"counter": counter})


class _Replayer:
    """The whole way, driven by the recording's clock.

    `unmeasured` says why there are no zones; the heads of the whole picture replace them.
    """

    def __init__(self, site: Site, hold: int, unmeasured: str | None = None) -> None:
        seen = site if unmeasured is None else _whole(site)
        self._counting = Counting(seen, limit_gmac=REPLAY_LIMIT_GMAC, live=False)
        self._decider = Decider(site)
        self._clock = _Clock()
        self._hold = hold
        self._last: Sighting | None = None
        self._unmeasured = unmeasured
        self._noted: str | None = None
        self._result = Replay([], [], headcount=unmeasured is not None)

    def take(self, frame: TimedFrame) -> None:
        """One frame, after the time since the last one has passed."""
        at = self._clock.see(frame)
        if self._last is not None and self._unmeasured is None:
            self._let_stand(self._last, at)
        self._last = self._counting.sighting(Frame(frame.pixels, at))
        if self._unmeasured is not None:
            self._count_heads(frame, self._last, at)
            return
        changes = self._decider.see(self._last)
        self._note(at, changes)
        self._note_doubt(at, changed=bool(changes))
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

    def _count_heads(self, frame: TimedFrame, sighting: Sighting, at: int) -> None:
        """Add a row for the whole picture, whose level is unknown."""
        faults = sighting.picture.faults
        why = f"picture is {', '.join(faults)}" if faults else str(self._unmeasured)
        heads = None if sighting.heads is None else sighting.heads.total()
        self._result.doubts[str(self._unmeasured)] += 1
        if why != self._noted:
            self._noted = why
            self._unknown(at, WHOLE, why)
        self._result.rows.append(
            Row(
                frame.at_s, frame.wall, frame.name, WHOLE, None, Level.UNKNOWN,
                picture_faults=faults, heads=heads,
            )
        )  # fmt: skip

    def _note_doubt(self, at: int, *, changed: bool) -> None:
        """Report why there is no density also where that changes no level."""
        doubt = self._decider.doubt
        if doubt is not None:
            self._result.doubts[doubt] += 1
            if doubt != self._noted and not changed:
                for zone in self._decider.state(at, "").zones:
                    self._unknown(at, zone.zone, doubt)
        self._noted = doubt

    def _unknown(self, at: int, zone: str, why: str) -> None:
        at_s, wall = self._clock.split(at)
        self._result.changes.append(Change(at_s, wall, zone, Level.UNKNOWN, Level.UNKNOWN, why))

    def finish(self) -> Replay:
        """Extend the last frame to the end of its hold, and return the replay."""
        if self._last is not None and self._unmeasured is None:
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
        """Return the frame's time in ns. One second stands before the first: zero means never."""
        if self._start is None and frame.wall is not None:
            self._start = frame.wall - timedelta(seconds=frame.at_s)
        return nanoseconds(frame.at_s + 1.0)

    def split(self, at: int) -> tuple[float, datetime | None]:
        """Seconds since the recording began, and the wall-clock time."""
        at_s = at / NS_PER_S - 1.0
        return at_s, None if self._start is None else self._start + timedelta(seconds=at_s)


def replay_to(
    source: Path,
    site: Site | None,
    out: Path,
    *,
    every_s: float | None,
    hold_s: float | None,
    plot: bool,
    pixel_aspect: float | None = None,
    rate: float | None = None,
) -> Iterator[str]:
    """Replay into a folder; yields lines for the user, errors starting with "redroad: ".

    Without a site people are counted in the whole picture; a scenario has one of its own.
    """
    with _writing_to(out):
        out.mkdir(parents=True, exist_ok=True)
        (out / TIMELINE).touch()  # said now, and not after an hour
    if site is None and is_scenario(source):
        site = Site()
    hold_s = hold_s or (HOLD_PICTURES_S if source.is_dir() else HOLD_VIDEO_S)
    of_camera = None if site is None else getattr(site.camera, "pixel_aspect", None)
    complaints: list[str] = []
    notes = Notes()
    frames = length(source, every_s=every_s)
    with click.progressbar(range(frames or 0), label="replaying", file=sys.stderr) as bar:
        result = replay(
            source,
            site,
            every_s=every_s,
            hold_s=hold_s,
            on_frame=lambda: bar.update(1),
            on_bad=lambda path, error: complaints.append(f"redroad: {error}"),
            on_note=notes.note,
            how=Reading(pixel_aspect or of_camera, rate),
        )
    yield from (f"redroad: {line}" for line in [*notes.fresh(), *notes.rest()])
    yield from complaints
    yield from _doubts(result, site, source)
    with _writing_to(out):
        write_tables(result, out)
    yield f"{out / TIMELINE}: {len(result.rows)} rows"
    yield f"{out / 'transitions.csv'}: {len(result.changes)} transitions"
    if plot:
        from edge.commands.replay.plot import draw_plot  # noqa: PLC0415  (needs matplotlib)

        title = f"{source.name or source}" + (f" at {site.site.name}" if site else "")
        with _writing_to(out):
            draw_plot(result, site or Site(), title, hold_s, out / "timeline.png")
        yield f"{out / 'timeline.png'}: the plot"


@contextmanager
def _writing_to(out: Path) -> Iterator[None]:
    """SiteError where the folder takes nothing, or no more."""
    try:
        yield
    except OSError as error:
        raise SiteError(f"--out {out}: {error.strerror}; choose a folder to write in") from error


def _doubts(result: Replay, site: Site | None, source: Path) -> Iterator[str]:
    """Why pictures gave no density, and what to do."""
    if result.headcount:
        yield (
            "redroad: note: people are counted in the whole picture, without density or level: "
            f"{result.without_density}"
        )
        return
    total = len({row.at_s for row in result.rows})
    for why, pictures in result.doubts.most_common(3):
        remedy = REMEDIES.get(why)
        advice = f"; {remedy}" if remedy else ""
        yield f"redroad: note: no density in {pictures} of {total} pictures: {why}{advice}"
    if site is not None and site.ground == DEMO_GROUND and not is_scenario(source):
        yield (
            "redroad: note: densities are by the ground plane of the simulated street; of any "
            "other camera they mean nothing before redroad calibrate"
        )
