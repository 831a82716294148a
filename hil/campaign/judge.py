"""Whether the sign did its duty while faults lasted: the one place where that is decided.

- "neutral", which lasts 5 s or more: at no moment from 5 s after its beginning until its end does
  the sign show a level. Faults that overlap count as one, from the first beginning on.
- "dark": 5 s after its end at the latest a text stands on the sign; after power, the neutral one.
- "go on": the sign shows a level all the time, until all is back.
"""

import bisect
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TypeVar

from edge.common.units import nanoseconds, seconds
from hil.campaign.faults import Duty, Fault
from hil.rig import DARK, UNPLUGGED, Lit, Shown

NEUTRAL_WITHIN_S = 5.0
NEUTRAL = "neutral"
UNLIT = (DARK, UNPLUGGED)
SAFE = (NEUTRAL, *UNLIT)
Change = TypeVar("Change", Shown, Lit)


@dataclass(frozen=True)
class Blow:
    """A fault as it befell the unit: boot time (ns) of its beginning and its end."""

    fault: Fault
    began: int
    ended: int


@dataclass(frozen=True)
class Verdict:
    """The worst time (s) to what was due; None where the sign went on. Whether it did its duty."""

    neutral_s: float | None
    kept: bool


def judged(blows: Sequence[Blow], shown: Sequence[Shown], back: int) -> Verdict:
    """Return the verdict on the sign under these faults, until the unit was `back` in service."""
    times = [*_times_to_neutral(blows, shown), *_times_to_light(blows, shown)]
    if len(blows) > 1:  # which of them make the sign neutral for a moment is unknown
        return Verdict(max(times, default=None), not _late(times))
    (blow,) = blows
    first_s = seconds_to_safe(shown, blow.began, back)
    if blow.fault.duty == "go on":
        return Verdict(first_s, first_s is None)
    if first_s is not None and not times:
        times = [first_s]
    return Verdict(max(times, default=None), blow.fault.duty == "any" or not _late(times))


def _late(times: Sequence[float]) -> bool:
    return any(time_s > NEUTRAL_WITHIN_S for time_s in times)


def _times_to_neutral(blows: Sequence[Blow], shown: Sequence[Shown]) -> Iterator[float]:
    """Yield how long (s) the sign still showed a level, for each time it could not know one."""
    for began, ended in _joined(blows, "neutral"):
        if seconds(ended - began) >= NEUTRAL_WITHIN_S:
            yield seconds(_last_level(shown, began, ended) - began)


def _times_to_light(blows: Sequence[Blow], shown: Sequence[Shown]) -> Iterator[float]:
    """Yield how long (s) the sign took to light, each time that power and panel were back."""
    for _, ended in _joined(blows, "dark"):
        if not _show_was_hit(blows, ended):  # a fault of its own, with a promise of its own
            yield _seconds_to_light(shown, ended)


def _seconds_to_light(shown: Sequence[Shown], at: int) -> float:
    """How long after `at` a text stood; 0 when it did; infinite for none, or after power another
    than the neutral one."""
    place = max(0, bisect.bisect_right(shown, at, key=lambda change: change.at) - 1)
    if shown[place].message not in UNLIT:
        return 0.0
    for before, after in pairwise(shown[place:]):
        if after.message not in UNLIT:
            right = before.message != DARK or after.message == NEUTRAL
            return seconds(after.at - at) if right else float("inf")
    return float("inf")


def _show_was_hit(blows: Sequence[Blow], at: int) -> bool:
    """Return whether the program that lights the sign was signalled near that moment."""
    near = nanoseconds(NEUTRAL_WITHIN_S)
    return any(blow.fault.renews == ("show",) and abs(blow.began - at) <= near for blow in blows)


def _joined(blows: Sequence[Blow], duty: Duty) -> list[tuple[int, int]]:
    """From when to when faults of this duty lasted, those that overlap as one."""
    spans = list[tuple[int, int]]()
    lasted = ((blow.began, blow.ended) for blow in blows if blow.fault.duty == duty)
    for began, ended in sorted(lasted):
        if spans and began <= spans[-1][1]:
            spans[-1] = (spans[-1][0], max(ended, spans[-1][1]))
        else:
            spans.append((began, ended))
    return spans


def _last_level(shown: Sequence[Shown], began: int, ended: int) -> int:
    """Return the last moment of a span at which a level was shown; its beginning, if none was."""
    stood = (
        min(until, ended)
        for change, until in spans(shown, ended)
        if change.message not in SAFE and change.at < ended and until > began
    )
    return max(stood, default=began)


def spans(changes: Sequence[Change], end: int) -> Iterator[tuple[Change, int]]:
    """Return each change with the moment (boot time, ns) until which it lasted."""
    nexts = (*(change.at for change in changes[1:]), end)
    return zip(changes, nexts, strict=False)


def message_at(shown: Sequence[Shown], at: int) -> str:
    """Return the message on the panel at `at`; empty before the first."""
    place = bisect.bisect_right(shown, at, key=lambda change: change.at)
    return shown[place - 1].message if place else ""


def seconds_to_safe(shown: Sequence[Shown], at: int, until: int) -> float | None:
    """Return the s from `at` until no level was shown; 0 if none was, None if one always was."""
    if message_at(shown, at) in SAFE:
        return 0.0
    found = (change.at for change in shown if at <= change.at <= until and change.message in SAFE)
    return next((seconds(moment - at) for moment in found), None)
