"""A recording's own clock: when each of its pictures was taken, whatever its times say.

Pictures come in the order of decoding, which a decoder has already made that of showing. Times
that are missing, stand still, start again or jump are bridged, and what was assumed is noted.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TypeVar

Item = TypeVar("Item")

# A step forward of more than this is a break. As in FFmpeg's own command (-dts_delta_threshold,
# -dts_error_threshold): in formats whose clock may break (MPEG-TS and -PS) after 10 s, in others,
# where a recording may well have a gap, after 30 h.
BREAK_S, LONGEST_GAP_S = 10.0, 30 * 3600.0
USUAL_RATE = 25.0  # pictures a second, where nothing says any


@dataclass(frozen=True)
class Notes:
    """What had to be assumed: `untimed` of `pictures` had no time or that of the one before,
    `strays` one of their own, and at `breaks_s` (in the bridged time) the clock broke.
    """

    pictures: int = 0
    untimed: int = 0
    strays: int = 0
    breaks_s: tuple[float, ...] = ()


class Timeline:
    """Bridges the times of one recording, picture by picture."""

    def __init__(self, frame_s: float, *, may_break: bool) -> None:
        self._frame_s = frame_s
        self._longest_s = BREAK_S if may_break else LONGEST_GAP_S
        self._at_s: float | None = None
        self._time_s: float | None = None  # the last that is believed
        self._offset_s = 0.0
        self._pictures = self._untimed = self._strays = 0
        self._breaks_s: list[float] = []

    @property
    def notes(self) -> Notes:
        """What was assumed up to now."""
        return Notes(self._pictures, self._untimed, self._strays, tuple(self._breaks_s))

    def place(self, time_s: float | None, next_s: float | None) -> float:
        """Seconds since the first picture for one whose file says `time_s`; ever greater.

        `next_s` is what the file says of the next picture, where that is known already.
        """
        self._pictures += 1
        before_s = self._at_s
        if before_s is None:
            self._at_s = self._first(time_s, next_s)
        else:
            self._at_s = max(self._placed(before_s, time_s, next_s), before_s + 1e-6)
        return self._at_s

    def _first(self, time_s: float | None, next_s: float | None) -> float:
        if time_s is None:
            self._untimed += 1
        elif next_s is None or self._follows(time_s, next_s):
            self._time_s, self._offset_s = time_s, -time_s
        else:
            self._strays += 1  # or a break after one picture, which comes to the same
        return 0.0

    def _placed(self, before_s: float, time_s: float | None, next_s: float | None) -> float:
        last_s = self._time_s
        if time_s is None or time_s == last_s:
            self._untimed += 1
            return before_s + self._frame_s
        if last_s is None:
            return self._resume(before_s + self._frame_s, time_s)
        if next_s is not None and self._follows(last_s, next_s) and self._is_stray(time_s, next_s):
            self._strays += 1
            return before_s + min(self._frame_s, (next_s - last_s) / 2)
        if self._follows(last_s, time_s):
            self._time_s = time_s
            return time_s + self._offset_s
        at_s = self._resume(before_s + self._frame_s, time_s)
        self._breaks_s.append(at_s)
        return at_s

    def _resume(self, at_s: float, time_s: float) -> float:
        self._time_s, self._offset_s = time_s, at_s - time_s
        return at_s

    def _follows(self, before_s: float, after_s: float) -> bool:
        return 0 < after_s - before_s <= self._longest_s

    def _is_stray(self, time_s: float, next_s: float) -> bool:
        """Whether the next picture follows the last one, and this one fits between neither."""
        last_s = self._time_s
        return last_s is not None and not last_s < time_s < next_s


def placed(
    items: Iterable[tuple[float | None, Item]], timeline: Timeline, *, at_once: bool = False
) -> Iterator[tuple[float, Item]]:
    """Each item with its place on the timeline; given once the next one is known, or `at_once`."""
    if at_once:
        yield from ((timeline.place(time_s, None), item) for time_s, item in items)
        return
    waiting: tuple[float | None, Item] | None = None
    for following in items:
        if waiting is not None:
            yield timeline.place(waiting[0], following[0]), waiting[1]
        waiting = following
    if waiting is not None:
        yield timeline.place(waiting[0], None), waiting[1]
