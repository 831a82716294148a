"""What a camera's counter counts day after day, and what a unit knows after that."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from edge.common.sighting import HeadMap
from edge.common.units import nanoseconds
from edge.watch.baseline import DAYS, Baseline, Days, Grid, Quiet
from edge.watch.view import View, edges_of
from edge.watch.view_monitor import ViewMonitor

WIDTH, HEIGHT, CELL = 640, 352, 16
ROWS, COLUMNS = HEIGHT // CELL, WIDTH // CELL
Counts = NDArray[np.float32]
Street = Callable[[int], Counts]  # what is counted in a minute of running


def samples(seed: int = 0) -> NDArray[np.float32]:
    """A picture, by which a guard knows its view."""
    return np.random.default_rng(seed).uniform(0, 255, (176, 320)).astype(np.float32)


def guard() -> ViewMonitor:
    """One that knows its view."""
    return ViewMonitor(View(edges_of(samples())))


def head_map(count: Counts, **place: float) -> HeadMap:
    """Of a camera of 640x352 px."""
    return HeadMap(count, np.zeros_like(count), CELL, WIDTH, HEIGHT, 1.0, **place)


def nobody() -> Counts:
    """An empty head map."""
    return np.zeros((ROWS, COLUMNS), np.float32)


def live(baseline: Baseline, street: Street, hours: int, from_hour: int = 0) -> None:
    """Hours of running, of which a picture a minute is trusted."""
    for minute in range(60 * from_hour, 60 * (from_hour + hours)):
        baseline.see(head_map(street(minute)), nanoseconds(60.0 * (minute + 1)))


def days_of(street: Street, hours: int, days: Days | None = None, from_hour: int = 0) -> Days:
    """The same hour by hour, every other minute, after what was known before."""
    days = days or Days(Grid(WIDTH, HEIGHT))
    for hour in range(from_hour, from_hour + hours):
        minutes = [street(minute) for minute in range(60 * hour, 60 * (hour + 1), 2)]
        days = days.with_hour(Quiet.of(minutes))
    return days


def known(count: Counts) -> Days:
    """What is known where this was counted at the quietest hours of all days."""
    steps = np.rint(count / 0.02).astype(np.uint8)
    return Days(Grid(WIDTH, HEIGHT), before=(steps,) * DAYS)
