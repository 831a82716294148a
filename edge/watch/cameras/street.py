"""The people of the simulated street: where each stands at any time, by a script of density.

People walk in at both ends of the street as densely as the script will ask for when they are in
its middle, keep their pace, and walk out at the other end: nobody appears out of nothing. Metres:
X across the street, Y along it, away from the camera's pole; seconds.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Script = tuple[tuple[float, float], ...]

# Seconds and persons per m2: quiet, up through every level to CRITICAL, and down again with time
# for the levels to fall one by one.
DEMO: Script = (
    (0.0, 0.5), (10.0, 0.5), (22.0, 2.4), (32.0, 3.6), (44.0, 6.8), (62.0, 6.8), (84.0, 0.5),
    (150.0, 0.5),
)  # fmt: skip

HALF_WIDTH_M = 2.8
NEAR_M, FAR_M = 4.5, 21.5
LENGTH_M = FAR_M - NEAR_M
PACE_M_S = 1.1
PERSONAL_M = 0.38
NEIGHBOURS = 18  # in line along the street, at the highest density
GOLDEN = (math.sqrt(5) - 1) / 2


@dataclass(frozen=True)
class Walkers:
    """Everybody who enters during one cycle: one row each."""

    entry_s: NDArray[np.float64]
    pace_m_s: NDArray[np.float64]  # negative: towards the camera
    lane_m: NDArray[np.float64]
    sway: NDArray[np.float64]
    look: NDArray[np.int64]


@dataclass(frozen=True)
class Crowd:
    """Everybody on the street at one moment: feet (N, 2) in metres, facing, and looks."""

    feet: NDArray[np.float64]
    away: NDArray[np.bool_]
    look: NDArray[np.int64]


class Street:
    """A stretch of street with people on it."""

    def __init__(self, script: Script, seed: int, looks: int) -> None:
        self.cycle_s = script[-1][0]
        rng = np.random.default_rng([seed, 1])
        self._walkers = _schedule(script, rng, looks)

    def at(self, t_s: float) -> Crowd:
        """The people at a time; the script repeats for ever."""
        people = self._walkers
        since = (t_s - people.entry_s) % self.cycle_s
        walked = since * np.abs(people.pace_m_s)
        here = walked <= LENGTH_M
        walked, pace = walked[here], people.pace_m_s[here]
        along = np.where(pace > 0, NEAR_M + walked, FAR_M - walked)
        across = people.lane_m[here] + 0.12 * np.sin(1.3 * since[here] + people.sway[here])
        feet = _keep_apart(np.stack([across, along], axis=1))
        return Crowd(feet, pace > 0, people.look[here])


def _schedule(script: Script, rng: np.random.Generator, looks: int) -> Walkers:
    """When each person enters, so that the density in the middle follows the script."""
    cycle_s = script[-1][0]
    lag_s = LENGTH_M / 2 / PACE_M_S
    times = np.arange(0.0, cycle_s, 0.05)
    at, density = zip(*script, strict=True)
    wanted = np.interp((times + lag_s) % cycle_s, at, density)
    flow = wanted * PACE_M_S * 2 * HALF_WIDTH_M  # both ends together, persons per second
    entered = np.concatenate([[0.0], np.cumsum(flow * 0.05)])
    count = math.floor(entered[-1])
    order = np.arange(count)
    entry_s = np.interp(order + rng.uniform(0.2, 0.8, count), entered, np.append(times, cycle_s))
    # Successive lanes by the golden ratio: even across the street, and never in step.
    lane_m = ((order * GOLDEN + rng.uniform(0, 0.1, count)) % 1 * 2 - 1) * (HALF_WIDTH_M - 0.1)
    direction = np.where(rng.random(count) < 0.5, 1.0, -1.0)
    return Walkers(
        entry_s=entry_s,
        pace_m_s=direction * PACE_M_S * rng.uniform(0.85, 1.15, count),
        lane_m=lane_m,
        sway=rng.uniform(0, 2 * math.pi, count),
        look=rng.integers(looks, size=count),
    )


def _keep_apart(feet: NDArray[np.float64], rounds: int = 4) -> NDArray[np.float64]:
    """Push people who stand too close half the missing distance apart each, a few times.

    People are sorted along the street, so each one's neighbours are the next few in line.
    """
    order = np.argsort(feet[:, 1], kind="stable")
    sorted_feet = feet[order]
    for _ in range(rounds):
        push = np.zeros_like(sorted_feet)
        for step in range(1, min(NEIGHBOURS, len(feet))):
            gap = sorted_feet[step:] - sorted_feet[:-step]
            distance = np.hypot(gap[:, 0], gap[:, 1]) + 1e-9
            apart = gap * (0.5 * np.maximum(0.0, PERSONAL_M - distance) / distance)[:, None]
            push[step:] += apart
            push[:-step] -= apart
        sorted_feet = sorted_feet + push
        limit = HALF_WIDTH_M + 0.3
        sorted_feet[:, 0] = np.clip(sorted_feet[:, 0], -limit, limit)
    kept_apart = np.empty_like(feet)
    kept_apart[order] = sorted_feet
    return kept_apart
