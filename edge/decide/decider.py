"""From Sightings to levels: all that `decide` does, without devices, sockets or clocks."""

from collections.abc import Callable
from dataclasses import dataclass

from edge.decide.levels import (
    LevelState,
    Reading,
    Step,
    Transition,
    bands_of,
    distrust,
    observe,
    pass_time,
)
from edge.decide.zones import ZoneCounter
from edge.site.schema import Site
from edge.wire import Level, Occupancy, Sighting, State, ZoneState

NS = 1_000_000_000

_ZoneStep = Callable[[str, LevelState], Step]


@dataclass(frozen=True)
class ZoneTransition:
    """A transition of one zone."""

    zone: str
    transition: Transition


class Decider:
    """The levels of one site: zones, and the worst of them for the whole."""

    def __init__(self, site: Site) -> None:
        self._bands = bands_of(site.levels)
        self._counter = ZoneCounter(site.zone)
        self._zones = {zone.name: LevelState() for zone in site.zone}
        self._occupancy: dict[str, Occupancy] = {}
        self._because = dict.fromkeys(self._zones, "no frame yet")
        self._last: Sighting | None = None

    @property
    def level(self) -> Level:
        """The site's level: its worst zone's."""
        return max(state.level for state in self._zones.values())

    def see(self, sighting: Sighting, now: int | None = None) -> list[ZoneTransition]:
        """Take a Sighting that arrives at `now`, by default at the moment it was taken.

        One that is not newer than the last changes nothing, and neither does one dated in the
        future: it would keep a level alive for as long.
        """
        if self._last is not None and sighting.taken_at <= self._last.taken_at:
            return []
        if now is not None and sighting.taken_at > now:
            return []
        self._last = sighting
        if sighting.heads is None:
            why = f"picture is {', '.join(sighting.picture.faults) or 'not counted'}"
            self._occupancy = {}
            return self._step_all(lambda _, state: distrust(state, sighting.taken_at, why))
        occupancies = self._counter.count(sighting.heads, sighting.taken_at)
        self._occupancy = {occupancy.zone: occupancy for occupancy in occupancies}
        return self._step_all(self._observe)

    def pass_time(self, at: int) -> list[ZoneTransition]:
        """Let time pass without a Sighting."""
        return self._step_all(lambda _, state: pass_time(state, at))

    def state(self, at: int, message: str) -> State:
        """How things stand at `at`, while the sign shows `message`."""
        last = self._last
        return State(
            at=at,
            level=self.level,
            message=message,
            because=self._reason(),
            zones=tuple(self._zone_state(name, state) for name, state in self._zones.items()),
            frame_age_s=None if last is None else (at - last.taken_at) / NS,
            picture_faults=() if last is None else last.picture.faults,
            model="" if last is None else last.model,
        )

    def _reason(self) -> str:
        """Why the level is what it is: what last changed the worst zone."""
        zone = next(name for name, state in self._zones.items() if state.level is self.level)
        return f"{zone}: {self._because[zone]}"

    def _zone_state(self, name: str, state: LevelState) -> ZoneState:
        """A zone that is UNKNOWN has no occupancy: an old count is worse than none."""
        trusted = state.good is not None
        return ZoneState(name, state.level, self._occupancy.get(name) if trusted else None)

    def _observe(self, zone: str, state: LevelState) -> Step:
        occupancy = self._occupancy[zone]
        high = occupancy.high / occupancy.area
        upper = occupancy.peak if high < occupancy.peak else high  # NaN stays, and is refused
        return observe(self._bands, state, Reading(occupancy.peak, upper, occupancy.taken_at))

    def _step_all(self, step: _ZoneStep) -> list[ZoneTransition]:
        transitions = []
        for zone, before in self._zones.items():
            self._zones[zone], transition = step(zone, before)
            if transition is not None:
                transitions.append(ZoneTransition(zone, transition))
                self._because[zone] = transition.because
        return transitions
