"""What a replay found: rows and transitions at moments of the recording, and their tables."""

import csv
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from edge.common.wire import Level, Occupancy

TIMELINE_COLUMNS = (
    "time_s", "clock", "frame", "zone", "people", "low", "high", "area_m2", "density", "peak",
    "speed_m_s", "speed_variance_m2_s2", "pressure_s2", "warning", "level", "picture",
)  # fmt: skip
TRANSITION_COLUMNS = ("time_s", "clock", "zone", "before", "after", "reason")


@dataclass(frozen=True)
class Row:
    """One zone at one moment of the recording."""

    at_s: float
    wall: datetime | None
    name: str
    zone: str
    occupancy: Occupancy | None
    level: Level
    warning: str = ""
    picture_faults: tuple[str, ...] = ()


@dataclass(frozen=True)
class Change:
    """One transition of a zone, at a moment of the recording."""

    at_s: float
    wall: datetime | None
    zone: str
    before: Level
    after: Level
    reason: str


@dataclass(frozen=True)
class Replay:
    """What a recording showed."""

    rows: list[Row]
    changes: list[Change]


def write_tables(result: Replay, folder: Path) -> None:
    """`timeline.csv` and `transitions.csv`."""
    with (folder / "timeline.csv").open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file)
        table.writerow(TIMELINE_COLUMNS)
        table.writerows(_timeline_line(row) for row in result.rows)
    with (folder / "transitions.csv").open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file)
        table.writerow(TRANSITION_COLUMNS)
        for change in result.changes:
            table.writerow(
                [
                    f"{change.at_s:.1f}",
                    _clock_text(change.wall),
                    change.zone,
                    change.before.name,
                    change.after.name,
                    change.reason,
                ]
            )


def _timeline_line(row: Row) -> list[str]:
    start = [f"{row.at_s:.2f}", _clock_text(row.wall), row.name, row.zone]
    picture = " ".join(row.picture_faults) or "good"
    end = [row.warning, row.level.name, picture]
    if row.occupancy is None:
        return [*start, *[""] * 9, *end]
    seen = row.occupancy
    counts = (seen.people, seen.low, seen.high, seen.area, seen.density, seen.peak)
    motion = (seen.speed, seen.speed_variance, seen.pressure)
    return [*start, *map("{:.2f}".format, counts), *map(_known, motion), *end]


def _known(figure: float | None) -> str:
    return "" if figure is None else f"{figure:.3f}"


def _clock_text(wall: datetime | None) -> str:
    return "" if wall is None else wall.isoformat(sep=" ", timespec="seconds")
