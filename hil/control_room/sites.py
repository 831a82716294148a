"""Simulated sites: the program `report` of each is real, and gets its input from a scenario.

No picture is drawn and nothing counted, so that ten of them run on one machine: the people are
those who truly stand in the street, through the unit's own level machine.
"""

import time
from dataclasses import dataclass
from pathlib import Path

from edge.common.clock import boottime_ns
from edge.common.units import nanoseconds
from edge.common.wire import Health, Level, Occupancy, State, ZoneState
from edge.decide.levels import LevelState, Reading, bands_of, distrust, observe
from edge.site import Site
from edge.street.scenarios import SCENARIOS, Recorded, load_crowd
from edge.street.truth import STRETCH, Truth, area_m2
from hil.fleet.unit import ReportUnit

ZONE = "street"
HEALTH_EVERY_S = 10


@dataclass(frozen=True)
class Plan:
    """A site, the scenario that is played on it, and an open fault of one of its programs."""

    site: str
    unit: str
    scenario: str
    fault: tuple[str, str, str] | None = None  # program, fault, reason


PLANS = (
    Plan("bukchon-gate", "pole-1", "morning"),
    Plan("hongdae-crossing", "pole-1", "surge"),
    Plan("hongdae-crossing", "pole-2", "streams"),
    Plan("itaewon-alley", "pole-1", "jam"),
    Plan("gangnam-exit-11", "pole-1", "evening"),
    Plan("myeongdong-market", "pole-1", "parade"),
    Plan("seongsu-cafes", "pole-1", "covered"),
    Plan("yeouido-river", "pole-1", "fog", ("show", "voice", "the sound card Device is not there")),
    Plan("jamsil-stadium", "pole-1", "knocked"),
    Plan("ikseon-alley", "pole-1", "glare"),
    Plan("mangwon-market", "pole-1", "rain"),
)
FACTS: dict[str, dict[str, float | str]] = {
    "watch": {"pictures_per_s": 4.0},
    "decide": {},
    "show": {"sign_proof": "proven", "light": "active", "door": "idle"},
}


class Street:
    """A scenario by its truth, second by second, again and again."""

    def __init__(self, name: str, seed: int = 0) -> None:
        self._scenario = SCENARIOS[name]
        self._people = Recorded(load_crowd(self._scenario.crowd), seed)
        self._bands, self._level = bands_of(Site().levels), LevelState()
        self._area = area_m2(STRETCH)

    @property
    def length_s(self) -> float:
        """How long the scenario takes."""
        return self._people.paths.length_s

    def at(self, seconds: float) -> State:
        """How things stand after so many seconds; call it with ever greater ones."""
        moment = nanoseconds(1 + seconds)  # zero means never
        if faults := self._picture_faults(seconds % self.length_s):
            reason = f"the picture is {faults[0]}"
            self._level, _ = distrust(self._level, moment, reason)
            return self._state(reason, None, faults)
        truth = Truth(self._people.at(seconds).feet)
        peak, people = truth.worst_patch(), float(truth.people())
        self._level, _ = observe(self._bands, self._level, Reading(peak, peak, moment))
        seen = Occupancy(
            ZONE, people, people, people, self._area, people / self._area, peak, boottime_ns()
        )
        return self._state(f"{peak:.2f} persons/m² on the worst patch", seen, ())

    def _state(self, reason: str, seen: Occupancy | None, faults: tuple[str, ...]) -> State:
        level, now = self._level.level, boottime_ns()
        zones = (ZoneState(ZONE, level, None if level is Level.UNKNOWN else seen),)
        return State(now, level, level.name.lower(), reason, zones, 0.2, faults, "truth")

    def _picture_faults(self, at_s: float) -> tuple[str, ...]:
        cover, knock = self._scenario.cover, self._scenario.knock
        if cover and cover.at(at_s):
            return ("covered",)
        return ("moved",) if knock and at_s >= knock.at_s else ()


class SimulatedUnit:
    """One unit of a plan."""

    def __init__(self, folder: Path, plan: Plan, port: int, ahead_s: float = 0.0) -> None:
        self.plan = plan
        self.report = ReportUnit(folder, plan.site, plan.unit, port, clock="trusted")
        self._street, self._ahead_s = Street(plan.scenario), ahead_s

    def send(self, second: int, scenario_s: float) -> None:
        """Send what the unit's other programs send in this second."""
        self.report.send(self._street.at(self._ahead_s + scenario_s))
        if second % HEALTH_EVERY_S == 0:
            for program, facts in FACTS.items():
                self.report.send(self._health(program, facts), program)

    def _health(self, program: str, facts: dict[str, float | str]) -> Health:
        fault = self.plan.fault
        faults = {fault[1]: fault[2]} if fault and fault[0] == program else {}
        return Health(program, boottime_ns(), faults, len(faults), facts)


class Sites:
    """All units of the plans, which send once a second."""

    def __init__(
        self, folder: Path, port: int, plans: tuple[Plan, ...] = PLANS, pace: float = 1.0
    ) -> None:
        # Each begins its evening a little later than the one before.
        self.units = [
            SimulatedUnit(folder / f"{plan.site}.{plan.unit}", plan, port, 20.0 * number)
            for number, plan in enumerate(plans)
        ]
        self._pace, self._second = pace, 0

    def start(self) -> None:
        """All."""
        for unit in self.units:
            unit.report.start()

    def advance(self, seconds: int = 1) -> None:
        """Let so many seconds pass for all of them."""
        for _ in range(seconds):
            began = time.monotonic()
            for unit in self.units:
                unit.send(self._second, self._second * self._pace)
            self._second += 1
            time.sleep(max(0.0, 1.0 - (time.monotonic() - began)))

    def end(self) -> None:
        """All."""
        for unit in self.units:
            unit.report.end()
        for unit in self.units:
            unit.report.wait()
