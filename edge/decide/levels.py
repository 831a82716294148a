"""The level machine: everything that decides a level stands here, and nothing else decides.

Pure: readings and times come in, levels and transitions go out. Times are CLOCK_BOOTTIME
nanoseconds, densities persons per m2. A level rises on the estimate, by any number of levels,
once the estimate has reached `rise` for `rise_after_s`; it falls one level at a time, once the
upper end of the 90 % interval has stayed below `fall` for `fall_after_s`: doubt delays the
all-clear. Without fresh, trusted readings the level is UNKNOWN at once, CRITICAL included: a
sign must not go on warning, or clearing, on the word of a camera that sees nothing.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from edge.common.units import NS_PER_S
from edge.common.wire import Level
from edge.site.bands import BandTable

COUNT_STALE_AFTER_S = 3.0
TRUST_AFTER_S = 3.0


@dataclass(frozen=True)
class Band:
    """A level above CLEAR and the densities between which it begins and ends."""

    level: Level
    rise: float
    fall: float
    rise_after_s: float
    fall_after_s: float


def bands_of(table: BandTable) -> tuple[Band, ...]:
    """The bands of a site file, lowest first."""
    options = (
        (Level.CAUTION, table.caution),
        (Level.CROWDED, table.crowded),
        (Level.CRITICAL, table.critical),
    )
    return tuple(
        Band(level, band.rise, band.fall, band.rise_after_s, band.fall_after_s)
        for level, band in options
    )


@dataclass(frozen=True)
class Reading:
    """One density with the upper end of its interval, and when its picture was taken.

    A `warning`, in words, makes it count for one level more.
    """

    density: float
    upper: float
    at: int
    warning: str = ""

    @property
    def sound(self) -> bool:
        """Whether this can be a count: false for NaN, infinity, less than none, upper < density."""
        return math.isfinite(self.upper) and 0.0 <= self.density <= self.upper


@dataclass(frozen=True)
class Transition:
    """A change of level, and why in words."""

    before: Level
    after: Level
    reason: str
    at: int


@dataclass(frozen=True)
class LevelState:
    """What the machine remembers of one zone.

    `rising_since` holds for each band since when the estimate has been at `rise` or above,
    `falling_since` since when the upper end has been below the present level's `fall`,
    `trusted_since` since when readings have been trusted without a gap, `highest` the highest upper
    end since `trusted_since` while UNKNOWN, and `seen` the time of the last picture or of its
    absence being noticed: nothing older counts.
    """

    level: Level = Level.UNKNOWN
    rising_since: tuple[int | None, ...] = ()
    falling_since: int | None = None
    trusted_since: int | None = None
    highest: float = 0.0
    seen: int | None = None


Step = tuple[LevelState, Transition | None]


def observe(bands: Sequence[Band], state: LevelState, reading: Reading) -> Step:
    """Take a reading of a trusted picture.

    One that is not newer than the last thing known changes nothing. One that cannot be a count
    makes UNKNOWN at once: its source cannot be trusted.
    """
    if state.seen is not None and reading.at <= state.seen:
        return state, None
    if not reading.sound:
        return distrust(state, reading.at, f"this is no count: {_words(reading)}")
    words, reading = _words(reading), _lifted(bands, reading)
    state, lost = pass_time(state, reading.at)
    trusted_since = reading.at if state.trusted_since is None else state.trusted_since
    rising_since = _rising_since(bands, state.rising_since, reading)
    state = replace(state, seen=reading.at, trusted_since=trusted_since, rising_since=rising_since)
    if state.level is Level.UNKNOWN:
        state, found = _leave_unknown(bands, state, reading, trusted_since)
        return state, lost or found
    return _rise(bands, state, reading.at, words) or _fall(bands, state, reading, words)


def distrust(state: LevelState, at: int, reason: str) -> Step:
    """Take a picture that cannot be trusted: UNKNOWN at once."""
    if state.seen is not None and at < state.seen:
        return state, None
    unknown = LevelState(seen=at)
    if state.level is Level.UNKNOWN:
        return unknown, None
    return unknown, Transition(state.level, Level.UNKNOWN, reason, at)


def pass_time(state: LevelState, at: int) -> Step:
    """Let time pass without a reading: UNKNOWN once the last one is too old."""
    if state.seen is not None and at - state.seen <= COUNT_STALE_AFTER_S * NS_PER_S:
        return state, None
    return distrust(state, at, f"no count for {COUNT_STALE_AFTER_S:g} s")


def _lifted(bands: Sequence[Band], reading: Reading) -> Reading:
    """What decides: of a warned reading the density at which the next level begins, or its own.

    So a warning can only raise, by one level, and obeys the times of the table as all readings do.
    """
    if not reading.warning:
        return reading
    density = next((band.rise for band in bands if band.rise > reading.density), reading.density)
    return replace(reading, density=density, upper=max(density, reading.upper))


def _rising_since(
    bands: Sequence[Band], before: tuple[int | None, ...], reading: Reading
) -> tuple[int | None, ...]:
    """For each band, since when the estimate has reached it without a break."""
    return tuple(
        (reading.at if since is None else since) if reading.density >= band.rise else None
        for band, since in zip(bands, before or (None,) * len(bands), strict=True)
    )


def _leave_unknown(
    bands: Sequence[Band], state: LevelState, reading: Reading, trusted_since: int
) -> Step:
    """After 3 s of good readings: the highest level whose fall value any upper end reached.

    Any of them, not the last: one low count among high ones must not make CLEAR.
    """
    highest = max(state.highest, reading.upper)
    if reading.at - trusted_since < TRUST_AFTER_S * NS_PER_S:
        return replace(state, highest=highest), None
    reached = [band.level for band in bands if highest >= band.fall]
    reason = f"good counts for {TRUST_AFTER_S:g} s, at most {highest:.2f} persons/m²"
    if reading.warning:
        reason += f" ({reading.warning}: counts for one level more)"
    return _enter(state, max(reached, default=Level.CLEAR), reason, reading.at)


def _rise(bands: Sequence[Band], state: LevelState, at: int, words: str) -> Step | None:
    held = [
        band
        for band, since in zip(bands, state.rising_since, strict=True)
        if since is not None
        and band.level > state.level
        and at - since >= band.rise_after_s * NS_PER_S
    ]
    if not held:
        return None
    band = held[-1]
    reason = f"{words}; {band.rise:g} or more for {band.rise_after_s:g} s"
    return _enter(state, band.level, reason, at)


def _fall(bands: Sequence[Band], state: LevelState, reading: Reading, words: str) -> Step:
    band = next((band for band in bands if band.level is state.level), None)
    if band is None or reading.upper >= band.fall:
        return replace(state, falling_since=None), None
    falling_since = reading.at if state.falling_since is None else state.falling_since
    if reading.at - falling_since < band.fall_after_s * NS_PER_S:
        return replace(state, falling_since=falling_since), None
    lower = max((b.level for b in bands if b.level < band.level), default=Level.CLEAR)
    reason = f"{words}; surely below {band.fall:g} for {band.fall_after_s:g} s"
    return _enter(state, lower, reason, reading.at)


def _enter(state: LevelState, level: Level, reason: str, at: int) -> Step:
    entered = replace(state, level=level, falling_since=None)
    return entered, Transition(state.level, level, reason, at)


def _words(reading: Reading) -> str:
    words = f"{reading.density:.2f} persons/m² (at most {reading.upper:.2f})"
    return f"{words}, {reading.warning}: counts for one level more" if reading.warning else words


def worst(zones: Iterable[LevelState]) -> Level:
    """The site's level as the camera sees it: its worst zone's."""
    return max(zone.level for zone in zones)


def shown(camera: Level, held: Level | None) -> Level:
    """The sign's level: a hold raises the camera's level or keeps it up, and never lowers it."""
    return camera if held is None else max(camera, held)
