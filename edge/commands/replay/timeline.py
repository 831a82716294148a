"""What a replay found: rows and transitions at moments of the recording, and their tables."""

import csv
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from edge.common.sighting import Estimate
from edge.common.wire import Level, Occupancy

TIMELINE = "timeline.csv"
TIMELINE_COLUMNS = (
    "time_s", "clock", "frame", "zone", "people", "low", "high", "area_m2", "density", "peak",
    "speed_m_s", "speed_variance_m2_s2", "pressure_s2", "warning", "level", "picture", "doubt",
)  # fmt: skip
TRANSITION_COLUMNS = ("time_s", "clock", "zone", "before", "after", "reason")


@dataclass(frozen=True)
class Row:
    """One zone at one moment of the recording.

    `heads` are those of the whole picture, where there are no zones whose density is known.
    """

    at_s: float
    wall: datetime | None
    name: str
    zone: str
    occupancy: Occupancy | None
    level: Level
    warning: str = ""
    picture_faults: tuple[str, ...] = ()
    heads: Estimate | None = None


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
    """What a recording showed.

    `headcount` where it has no zones but the whole picture, `doubts` how many pictures gave no
    density for which reason.
    """

    rows: list[Row]
    changes: list[Change]
    headcount: bool = False
    doubts: Counter[str] = field(default_factory=Counter)

    @property
    def without_density(self) -> str:
        """Why no picture gave a density; empty where one did."""
        if not self.doubts or any(row.occupancy is not None for row in self.rows):
            return ""
        return "; ".join(why for why, _ in self.doubts.most_common(2))


def write_tables(result: Replay, folder: Path) -> None:
    """`timeline.csv` and `transitions.csv`."""
    with (folder / TIMELINE).open("w", newline="", encoding="utf-8") as file:
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
    doubt = None if row.occupancy is None else row.occupancy.doubt
    end = [row.warning, row.level.name, picture, _known(doubt)]
    if row.occupancy is None:
        people = (row.heads.people, row.heads.low, row.heads.high) if row.heads else ()
        known = [*map("{:.2f}".format, people), *[""] * 9][:9]
        return [*start, *known, *end]
    seen = row.occupancy
    counts = (seen.people, seen.low, seen.high, seen.area, seen.density, seen.peak)
    motion = (seen.speed, seen.speed_variance, seen.pressure)
    return [*start, *map("{:.2f}".format, counts), *map(_known, motion), *end]


def _known(figure: float | None) -> str:
    return "" if figure is None else f"{figure:.3f}"


def _clock_text(wall: datetime | None) -> str:
    return "" if wall is None else wall.isoformat(sep=" ", timespec="seconds")
