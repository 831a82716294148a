"""From Sightings to levels: all that `decide` does, without devices, sockets or clocks."""

from collections.abc import Callable
from dataclasses import dataclass

from msgspec.structs import replace

from edge.common.errors import GroundError
from edge.common.sighting import HIDDEN_MOST, UNLIKE_MOST, Sighting
from edge.common.units import seconds
from edge.common.wire import Command, Level, Occupancy, Order, State, ZoneState
from edge.decide.active_commands import ActiveCommands
from edge.decide.levels import (
    COUNT_STALE_AFTER_S,
    LevelState,
    Reading,
    Step,
    Transition,
    bands_of,
    distrust,
    observe,
    pass_time,
    shown,
    worst,
)
from edge.decide.opinion import HOLD_S, Held, Opinion, reached
from edge.decide.orders import order_for
from edge.decide.plausible import IMPLAUSIBLE_PER_M2, MOST_PER_M2, MOST_REMOVED
from edge.decide.warnings import warning_of
from edge.decide.zones import Crowd, ZoneCounter
from edge.site.command_limits import refuse_beyond_limits
from edge.site.schema import Site

_ZoneStep = Callable[[str, LevelState], Step]


@dataclass(frozen=True)
class ZoneTransition:
    """A transition of one zone; of the sign as a whole, by command, where `zone` is None."""

    zone: str | None
    transition: Transition


class Decider:
    """The levels of one site: zones, and the worst of them for the whole."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._bands = bands_of(site.levels)
        self._counter = ZoneCounter(site.zone, site.ground)
        self._second_counter = ZoneCounter(site.zone, site.ground)
        self._zones = {zone.name: Held() for zone in site.zone}
        self._occupancy: dict[str, Occupancy] = {}
        self._opinions: dict[str, Opinion] = {}
        self._found = dict.fromkeys(self._zones, "")
        self._reasons = dict.fromkeys(self._zones, "no frame yet")
        self._off_ground: float | None = None
        self._doubt: str | None = None
        self._hidden: dict[str, float] = {}
        self._unlike: dict[str, float] = {}
        self._ground_fault: str | None = None
        self._last: Sighting | None = None
        self._active = ActiveCommands()
        self._passed_at = 0

    @property
    def level(self) -> Level:
        """The site's level as the camera sees it: its worst zone's."""
        return worst(held.level for held in self._zones.values())

    @property
    def doubt(self) -> str | None:
        """Why the last picture gave no density; None when it gave one, and before the first."""
        return self._doubt

    @property
    def ground_fault(self) -> str | None:
        """Why zones cannot be measured in the camera's pictures; None while they can."""
        return self._ground_fault

    def shown(self, at: int) -> Level:
        """The sign's level at `at`: the site's, or a higher one by command."""
        return shown(self.level, self._active.held(at))

    def order(self, at: int) -> Order:
        """The sign's Order at `at`.

        What the camera says ends with its last picture: if this program stops meanwhile, the sign
        is neutral no later than if it went on.
        """
        order = order_for(self.shown(at), self._site, at, self._active)
        if self._last is None:
            return order
        lifetime_s = order.lifetime_s
        if self.level is not Level.UNKNOWN and self.shown(at) is self.level:
            left_s = COUNT_STALE_AFTER_S - seconds(at - self._last.taken_at)
            lifetime_s = min(lifetime_s, max(0.0, left_s))
        return replace(order, taken_at=self._last.taken_at, lifetime_s=lifetime_s)

    def follow(self, command: Command, at: int) -> list[ZoneTransition]:
        """Follow a Command that arrives at `at`; its repetition changes nothing.

        CommandError when it asks what it may not. One whose time is over, or is yet to come, is
        passed over.
        """
        refuse_beyond_limits(command, self._site)
        if not command.since <= at < command.until:
            return []
        before = self.shown(command.since)
        if not self._active.accept(command):
            return []
        reason = _in_words(command)
        if command.action == "release":
            reason = f"{command.by} released the hold of {before.name}"
        return self._transition(before, command.since, reason)

    def see(self, sighting: Sighting, now: int | None = None) -> list[ZoneTransition]:
        """Count a Sighting that arrives at `now`, by default at the moment it was taken.

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
            return self._distrust(sighting.taken_at, why)
        try:
            crowd = self._counter.count(sighting.heads, sighting.taken_at, sighting.motion)
            self._compare(crowd, sighting)
        except GroundError as error:
            self._ground_fault = str(error)
            return self._distrust(sighting.taken_at, str(error))
        self._occupancy = {seen.zone: seen for seen in crowd.zones}
        self._off_ground = crowd.off_ground
        self._hidden = self._counter.average(sighting.hidden)
        self._unlike = self._counter.average(sighting.unlike)
        self._doubt = self._ground_fault = None
        return self._step_all(self._observe, sighting.taken_at)

    def pass_time(self, at: int) -> list[ZoneTransition]:
        """Let time pass without a Sighting; a hold ends when its time has come."""
        changes = self._step_all(lambda _, state: pass_time(state, at), at)
        ended = self._active.ended("hold", self._passed_at, at)
        if ended is not None and ended.level is not None:
            before = max(self.level, ended.level)
            changes += self._transition(before, at, f"the time is over: {_in_words(ended)}")
        self._passed_at = max(at, self._passed_at)
        return changes

    def state(self, at: int, message: str) -> State:
        """The state at `at`, while the sign shows `message`."""
        last = self._last
        return State(
            at=at,
            level=self.shown(at),
            message=message,
            reason=self._reason(at),
            zones=tuple(self._zone_state(name, held) for name, held in self._zones.items()),
            frame_age_s=None if last is None else seconds(at - last.taken_at),
            picture_faults=self._picture_faults(),
            model="" if last is None else last.model,
            off_ground=self._off_ground,
            commands=self._active.in_force(at),
            held=self._active.held(at),
            muted=self._active.get("mute", at) is not None,
        )

    def _picture_faults(self) -> tuple[str, ...]:
        """What is wrong with the last picture; "covered" also where that is so of a zone alone."""
        if any(hidden > HIDDEN_MOST for hidden in self._hidden.values()):
            return ("covered",)
        return () if self._last is None else self._last.picture.faults

    def _reason(self, at: int) -> str:
        """Why the sign is at its level: the hold, or what last changed the worst zone."""
        hold = self._active.get("hold", at)
        if hold is not None and self.shown(at) > self.level:
            return _in_words(hold)
        zone = next(name for name, state in self._zones.items() if state.level is self.level)
        doubt = self._doubt if self.level is Level.UNKNOWN else None
        return f"{zone}: {doubt or self._reasons[zone]}"

    def _transition(self, before: Level, at: int, reason: str) -> list[ZoneTransition]:
        after = self.shown(at)
        if before is after:
            return []
        return [ZoneTransition(None, Transition(before, after, reason, at))]

    def _distrust(self, at: int, why: str) -> list[ZoneTransition]:
        self._occupancy, self._off_ground, self._doubt, self._hidden = {}, None, why, {}
        return self._step_all(lambda _, state: distrust(state, at, why), at)

    def _zone_state(self, name: str, held: Held) -> ZoneState:
        """A zone that is UNKNOWN has no occupancy: an old count is worse than none."""
        seen = self._occupancy.get(name) if held.state.trusted_since is not None else None
        opinion = None if seen is None else self._opinion(name, seen.taken_at)
        if seen is not None and opinion is not None:
            seen = opinion.widened(seen)
        warning = "" if seen is None else warning_of(self._site.warnings, seen)
        return ZoneState(name, held.level, seen, warning)

    def _compare(self, crowd: Crowd, sighting: Sighting) -> None:
        """Keep what the second look says of each zone, where there was one."""
        if sighting.second is None:
            return
        second = self._second_counter.count(sighting.second, sighting.taken_at)
        for seen, again in zip(crowd.zones, second.zones, strict=True):
            opinion = Opinion.of(seen.people, again.people, sighting.taken_at)
            self._opinions[seen.zone] = opinion

    def _opinion(self, zone: str, at: int) -> Opinion | None:
        opinion = self._opinions.get(zone)
        return opinion if opinion is not None and opinion.stands(at) else None

    def _follow(self, zone: str, state: LevelState, at: int) -> Held:
        """The zone's level after the machine's, by what the two looks support."""
        before, seen = self._zones[zone], self._occupancy.get(zone)
        if seen is None:
            return before.follow(state, Level.CRITICAL, Level.CRITICAL, at)
        opinion = self._opinion(zone, at)
        support = opinion.support(self._bands, seen.peak) if opinion else Level.CRITICAL
        upper = max(seen.peak, seen.high / seen.area)
        return before.follow(state, support, reached(self._bands, upper), at)

    def _observe(self, zone: str, state: LevelState) -> Step:
        occupancy = self._occupancy[zone]
        opinion = self._opinion(zone, occupancy.taken_at)
        if opinion is not None and state.level >= Level.CAUTION:
            occupancy = opinion.widened(occupancy)  # delays the fall, and raises no level
        high = occupancy.high / occupancy.area
        upper = occupancy.peak if high < occupancy.peak else high  # NaN stays, and is refused
        if (hidden := self._hidden.get(zone, 0.0)) > HIDDEN_MOST:
            return distrust(state, occupancy.taken_at, _covered(hidden))
        if occupancy.implausible_area > MOST_REMOVED * occupancy.area:
            return distrust(state, occupancy.taken_at, _implausible(occupancy))
        if self._is_unseen(zone, state, upper):
            return distrust(state, occupancy.taken_at, _unseen(occupancy))
        if occupancy.implausible and state.level >= Level.CAUTION:
            upper = max(upper, MOST_PER_M2)  # what was reached is not lost to a doubtful patch
        warning = (
            warning_of(self._site.warnings, occupancy) if self._site.warnings.raise_level else ""
        )
        reading = Reading(occupancy.peak, upper, occupancy.taken_at, warning)
        return observe(self._bands, state, reading)

    def _is_unseen(self, zone: str, state: LevelState, upper: float) -> bool:
        """Whether CLEAR would be said of ground that is not seen: something hides it, and the
        heads that are counted are too few to do so. Levels above fall in their own time first.
        """
        few = upper < self._site.levels.caution.fall
        return few and state.level <= Level.CAUTION and self._unlike.get(zone, 0.0) > UNLIKE_MOST

    def _step_all(self, step: _ZoneStep, at: int) -> list[ZoneTransition]:
        transitions = []
        for zone, before in self._zones.items():
            state, found = step(zone, before.state)
            after = self._follow(zone, state, at)
            self._zones[zone] = after
            if found is not None:
                self._found[zone] = found.reason
            if after.level is not before.level:
                self._reasons[zone] = self._found[zone] + _waiting(before, after)
                changed = Transition(before.level, after.level, self._reasons[zone], at)
                transitions.append(ZoneTransition(zone, changed))
        return transitions


def _waiting(before: Held, after: Held) -> str:
    """What a doubt has to do with a change of level, in words."""
    if after.since is not None:
        return (
            f"; {after.state.level.name} waits for {HOLD_S:g} s at most, as a second look disagrees"
        )
    if before.since is not None and after.level >= Level.CROWDED:
        return f"; waited for {HOLD_S:g} s at most, as a second look disagreed"
    return ""


def _in_words(command: Command) -> str:
    """A hold in words: who commanded what, and for how long."""
    if command.level is None:
        return ""
    minutes = seconds(command.until - command.since) / 60
    return f"{command.by} holds {command.level.name} for {minutes:g} min"


def _covered(hidden: float) -> str:
    """Why a zone is UNKNOWN before which something stands or hangs."""
    return (
        f"zone is covered: {100 * hidden:.0f} % of what the camera should see there is hidden; "
        "free its view, or if that is on purpose: redroad view accept"
    )


def _unseen(occupancy: Occupancy) -> str:
    """Why a zone is UNKNOWN that looks full and in which hardly anybody is counted."""
    return (
        f"the zone's ground is not seen, and {occupancy.peak:.2f} persons/m² do not hide it: "
        "umbrellas, snow or goods may; look, and if it is on purpose: redroad view accept"
    )


def _implausible(occupancy: Occupancy) -> str:
    """Why a zone is UNKNOWN in which more is counted than can stand there."""
    share = occupancy.implausible_area / occupancy.area
    return (
        f"{occupancy.implausible:.0f} heads counted on {100 * share:.0f} % of the zone, over "
        f"{IMPLAUSIBLE_PER_M2:g} per m²: at most {MOST_PER_M2:g} people can stand there"
    )
