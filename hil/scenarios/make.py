"""Make the crowds of the scenarios: people walk in JuPedSim, and the paths go into small files.

A workshop tool, never part of a unit: see README.md beside `hil/`. Usage: make.py FOLDER [NAME…]

Metres as in the simulated street: X across it, Y along it, away from the camera's pole. People
enter and leave outside the recorded stretch, so that nobody appears or vanishes inside it.
"""

import pathlib
import sys
from dataclasses import dataclass

import jupedsim as jps
import numpy as np

Points = tuple[tuple[float, float], ...]  # seconds, persons per second; linear in between

SEED = 20221029
STEP_S, EVERY_S = 0.05, 0.5
WALL_M = 2.9
NEAR_END_M, FAR_END_M = -5.0, 31.0  # where people enter and leave
FIRST_M, LAST_M = 4.5, 26.0  # what is recorded
PLAY_M = 12.0  # where the performance is
EXIT_M = 17.3  # where the jam's barrier stands
MARCH_HALF_M, MARCH_M_S = 1.0, 0.75
WARM_S = 20.0  # so long the street fills before the record begins
NO_SENDERS: Points = ((0.0, 0.0),)


@dataclass(frozen=True)
class Plan:
    """Who comes, and what they want.

    `near` and `far` are those who enter at each end, bound for the other. Between `stay_s` all
    who come stop around (0, 12), as around a street performance. A barrier with an opening of
    `opening_m` stands across the street. At `turn_s` those from the far end are sent back. Until
    `parade_s` a column marches in between two rows of onlookers, who follow it when it has passed.
    """

    length_s: float
    near: Points = NO_SENDERS
    far: Points = NO_SENDERS
    stay_s: tuple[float, float] | None = None
    opening_m: float | None = None
    turn_s: float | None = None
    parade_s: float | None = None
    pace_m_s: float = 1.3


PLANS = {
    "morning": Plan(120, near=((0, 0.3), (120, 0.8)), far=((0, 0.5), (120, 0.3))),
    "evening": Plan(
        180,
        near=((0, 2.0), (50, 6.5), (100, 6.5), (115, 1.5)),
        far=((0, 1.0), (50, 1.5), (100, 1.5), (115, 0.7)),
        pace_m_s=0.65,
    ),
    "surge": Plan(
        170,
        near=((0, 0.6), (18, 0.6), (22, 8.0), (42, 8.0), (46, 0.4)),
        far=((0, 0.5), (18, 0.5), (22, 8.0), (42, 8.0), (46, 0.4)),
        stay_s=(15, 85),
    ),
    "jam": Plan(220, near=((0, 1.2), (20, 6.0), (75, 6.0), (80, 0.2)), opening_m=0.9),
    "streams": Plan(
        180,
        near=((0, 0.5), (8, 0.5), (10, 6.0), (60, 6.0), (65, 0.3)),
        far=((0, 0.5), (8, 0.5), (10, 6.0), (60, 6.0), (65, 0.2)),
        turn_s=90,
    ),
    "parade": Plan(180, near=((0, 5.0), (50, 5.0), (51, 0.3)), parade_s=50),
}


@dataclass
class Person:
    """One of the simulation's agents: the way it goes (1 away from the camera), and its lane."""

    way: int
    lane_m: float
    since_s: float
    spot: tuple[float, float] | None = None


@dataclass
class Path:
    """Somebody's feet at each sample from number `first` on."""

    first: int
    feet: list[tuple[float, float]]


class Run:
    """One plan's simulation."""

    def __init__(self, plan: Plan, seed: int) -> None:
        self.plan = plan
        self.rng = np.random.default_rng(seed)
        self.sim = jps.Simulation(
            model=jps.CollisionFreeSpeedModelV2(), geometry=_outline(plan.opening_m), dt=STEP_S
        )
        self.stage = self.sim.add_direct_steering_stage()
        self.journey = self.sim.add_journey(jps.JourneyDescription([self.stage]))
        self.people: dict[int, Person] = {}
        self.due = {1: 0.0, -1: 0.0}
        self.paths: list[Path] = []
        self.open: dict[int, Path] = {}
        if plan.parade_s:
            self._line_up()

    def record(self) -> list[Path]:
        """Everybody's path."""
        for sample in range(-round(WARM_S / EVERY_S), round(self.plan.length_s / EVERY_S) + 1):
            at_s = sample * EVERY_S
            if sample >= 0:
                self._note(sample)
            self._enter(at_s)
            for agent in self.sim.agents():
                self._steer(agent, at_s)
            self.sim.iterate(round(EVERY_S / STEP_S))
        return self.paths

    def _note(self, sample: int) -> None:
        """Add everybody's feet; who comes back after leaving the recorded stretch is a new path."""
        for agent in self.sim.agents():
            x, y = agent.position
            if not FIRST_M <= y <= LAST_M:
                self.open.pop(agent.id, None)
                continue
            if agent.id not in self.open:
                self.open[agent.id] = Path(sample, [])
                self.paths.append(self.open[agent.id])
            self.open[agent.id].feet.append((x, y))

    def _enter(self, at_s: float) -> None:
        for way, points in ((1, self.plan.near), (-1, self.plan.far)):
            times, rates = zip(*points, strict=True)
            self.due[way] = min(3.0, self.due[way] + float(np.interp(at_s, times, rates)) * EVERY_S)
            while self.due[way] >= 1:
                if not self._add(way, at_s):
                    break
                self.due[way] -= 1

    def _add(self, way: int, at_s: float) -> bool:
        """Somebody walks in, where there is room."""
        marching = self.plan.parade_s is not None and at_s < self.plan.parade_s
        half = MARCH_HALF_M if marching else 2.6
        for _ in range(12):
            x = float(self.rng.uniform(-half, half))
            y = (
                NEAR_END_M + self.rng.uniform(1, 4)
                if way > 0
                else FAR_END_M - self.rng.uniform(1, 4)
            )
            speed = self.plan.pace_m_s * min(max(float(self.rng.normal(1, 0.15)), 0.65), 1.35)
            speed = MARCH_M_S if marching else speed
            if self._place((x, float(y)), speed, Person(way, x, at_s)):
                return True
        return False

    def _place(self, position: tuple[float, float], speed: float, person: Person) -> bool:
        try:
            agent = self.sim.add_agent(
                jps.CollisionFreeSpeedModelV2AgentParameters(
                    position=position,
                    desired_speed=speed,
                    time_gap=float(self.rng.uniform(0.35, 0.7)),
                    radius=float(self.rng.uniform(0.15, 0.175)),
                    journey_id=self.journey,
                    stage_id=self.stage,
                )
            )
        except RuntimeError:
            return False
        self.people[agent] = person
        return True

    def _line_up(self) -> None:
        """Two crowds of onlookers along the houses."""
        for side in (-1, 1):
            for y in np.arange(2.0, 30.0, 0.42):
                for x in np.arange(1.45, 2.7, 0.4):
                    spot = (side * float(x) + self._jitter(), float(y) + self._jitter())
                    self._place(spot, 1.1, Person(1, spot[0] / 2, 0.0, spot))

    def _jitter(self) -> float:
        return float(self.rng.uniform(-0.05, 0.05))

    def _steer(self, agent: jps.Agent, at_s: float) -> None:
        """Where somebody wants to go now; who has arrived is taken out."""
        person, (x, y) = self.people[agent.id], agent.position
        if (person.way > 0 and y > FAR_END_M - 1) or (person.way < 0 and y < NEAR_END_M + 1):
            self.sim.mark_agent_for_removal(agent.id)
            return
        agent.target = self._goal(person, x, y, at_s)

    def _goal(self, person: Person, x: float, y: float, at_s: float) -> tuple[float, float]:
        plan = self.plan
        if plan.turn_s is not None and person.way < 0 and at_s >= plan.turn_s:
            person.way = 1
        if person.spot is not None and plan.parade_s is not None:
            passed_s = plan.parade_s + (person.spot[1] - NEAR_END_M) / MARCH_M_S + 2
            return person.spot if at_s < passed_s else (person.lane_m, FAR_END_M)
        if plan.stay_s and plan.stay_s[0] <= person.since_s and at_s < plan.stay_s[1]:
            person.spot = person.spot or self._spot()
            person.way = 1 if y > PLAY_M else -1
            return person.spot
        if plan.opening_m is not None and person.way > 0 and y < EXIT_M:
            half = plan.opening_m / 2 - 0.25
            return float(np.clip(x, -half, half)), EXIT_M + 0.6
        return person.lane_m, FAR_END_M if person.way > 0 else NEAR_END_M

    def _spot(self) -> tuple[float, float]:
        return float(self.rng.uniform(-1.8, 1.8)), float(PLAY_M + self.rng.uniform(-2.2, 2.2))


def _outline(opening_m: float | None) -> list[tuple[float, float]]:
    """The street, with a barrier across it where a plan asks for one."""
    right = [(WALL_M, NEAR_END_M), (WALL_M, FAR_END_M)]
    if opening_m is not None:
        half = opening_m / 2
        barrier = [(WALL_M, EXIT_M), (half, EXIT_M), (half, EXIT_M + 0.4), (WALL_M, EXIT_M + 0.4)]
        right[1:1] = barrier
    return right + [(-x, y) for x, y in reversed(right)]


def save(paths: list[Path], length_s: float, file: pathlib.Path) -> None:
    """Write the format that `edge/street/trajectories.py` reads."""
    ordered = [path for path in paths if len(path.feet) > 1]
    feet = [np.rint(np.array(path.feet) * 100).astype(np.int16) for path in ordered]
    steps = np.concatenate([np.diff(path, axis=0) for path in feet])
    assert np.abs(steps).max() <= 127, "somebody is faster than the file can say"
    np.savez_compressed(
        file,
        every_s=np.float64(EVERY_S),
        length_s=np.float64(length_s),
        first=np.array([path.first for path in ordered], np.int16),
        samples=np.array([len(path) for path in feet], np.int16),
        start_cm=np.stack([path[0] for path in feet]),
        step_cm=steps.astype(np.int8),
    )


def main(folder: pathlib.Path, names: list[str]) -> None:
    """Make all crowds, or those named."""
    for name in names or list(PLANS):
        plan = PLANS[name]
        paths = Run(plan, SEED).record()
        save(paths, plan.length_s, folder / f"{name}.npz")
        print(f"{name}: {len(paths)} people, {(folder / f'{name}.npz').stat().st_size} bytes")


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]), sys.argv[2:])
