"""The plot of a replay: density with its interval over the bands, and the levels beneath."""

from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edge.decide.levels import Band, bands_of
from edge.drawing import COLOURS
from edge.errors import RedRoadError
from edge.replay import Change, Replay, Row
from edge.site import Site
from edge.wire import Level, Occupancy

if TYPE_CHECKING:
    from matplotlib.axes import Axes

GAP_FACTOR = 1.5


def draw_plot(result: Replay, site: Site, title: str, hold_s: float, file: Path) -> None:
    """One row of panels per zone, to be read at a glance."""
    try:
        import matplotlib as mpl  # noqa: PLC0415  (heavy, and not on every unit)
        from matplotlib.figure import Figure  # noqa: PLC0415
    except ImportError as error:
        raise RedRoadError(
            "the plot needs matplotlib; install it (pip install 'redroad-edge[plots]') "
            "or leave the plot out with --no-plot"
        ) from error
    mpl.use("Agg")
    zones = [zone.name for zone in site.zone]
    figure = Figure(figsize=(12, 1.2 + 3.6 * len(zones)), layout="constrained")
    grid = figure.subplots(
        2 * len(zones), 1, sharex=True, squeeze=False, height_ratios=[6, 1] * len(zones)
    )
    figure.suptitle(title)
    for index, zone in enumerate(zones):
        rows = [row for row in result.rows if row.zone == zone]
        changes = [change for change in result.changes if change.zone == zone]
        area_m2 = site.zone[index].area
        _draw_density(grid[2 * index, 0], rows, bands_of(site.levels), hold_s)
        grid[2 * index, 0].set_title(f"zone {zone}, {area_m2:g} m²", loc="left", fontsize=10)
        _draw_people_axis(grid[2 * index, 0], area_m2)
        _draw_levels(grid[2 * index + 1, 0], rows, changes, hold_s)
    shown = {
        label: handle
        for axes in grid[1::2, 0]
        for handle, label in zip(*axes.get_legend_handles_labels(), strict=True)
    }
    figure.legend(shown.values(), shown.keys(), loc="outside lower center", ncols=5, fontsize=8)
    timed = any(row.wall for row in result.rows)
    grid[-1, 0].set_xlabel("time of day" if timed else "seconds since the recording began")
    figure.savefig(file, dpi=110)


def _moment(row: Row | Change) -> Any:
    return row.wall if row.wall is not None else row.at_s


def _draw_density(axes: "Axes", rows: list[Row], bands: tuple[Band, ...], hold_s: float) -> None:
    top = max([row.occupancy.high / row.occupancy.area for row in rows if row.occupancy] or [0.0])
    limit = max(1.2 * bands[0].rise, 1.1 * top)
    axes.set_ylim(0, limit)
    axes.set_ylabel("persons per m²")
    for band in bands:
        if band.fall < limit:
            axes.axhspan(band.fall, band.rise, color=COLOURS[band.level], alpha=0.45, lw=0)
            label = f"{band.level.name} from {band.rise:g}, until below {band.fall:g}"
            axes.text(
                0.005,
                band.rise,
                label,
                transform=axes.get_yaxis_transform(),
                fontsize=8,
                va="bottom",
            )
    for run in _unbroken(rows, hold_s):
        moments = [_moment(row) for row, _ in run]
        seen = [occupancy for _, occupancy in run]
        axes.fill_between(
            moments,
            [o.low / o.area for o in seen],
            [o.high / o.area for o in seen],
            color="#3b6fb6",
            alpha=0.25,
            lw=0,
            label="90 % interval",
        )
        axes.plot(moments, [o.density for o in seen], color="#1f4e8c", lw=1.5, label="density")
        if len(run) <= 60:
            axes.plot(moments, [o.density for o in seen], "o", color="#1f4e8c", ms=3)
    handles, labels = axes.get_legend_handles_labels()
    shown = dict(zip(labels, handles, strict=True))
    axes.legend(shown.values(), shown.keys(), loc="upper right", fontsize=8)


def _unbroken(rows: list[Row], hold_s: float) -> list[list[tuple[Row, Occupancy]]]:
    """The stretches in which counts follow each other without a gap."""
    runs: list[list[tuple[Row, Occupancy]]] = []
    before: Row | None = None
    for row in rows:
        if row.occupancy is None:
            before = None
            continue
        if before is None or row.at_s - before.at_s > GAP_FACTOR * hold_s:
            runs.append([])
        runs[-1].append((row, row.occupancy))
        before = row
    return runs


def _draw_people_axis(axes: "Axes", area_m2: float) -> None:
    """The same scale in people of the whole zone."""
    people = axes.twinx()
    low, high = axes.get_ylim()
    people.set_ylim(low * area_m2, high * area_m2)
    people.set_ylabel("people")


def _draw_levels(axes: "Axes", rows: list[Row], changes: list[Change], hold_s: float) -> None:
    """A strip in the colours of the sign."""
    axes.set_yticks([])
    axes.set_ylabel("sign", rotation=0, ha="right", va="center")
    if not rows:
        return
    start, end = _moment(rows[0]), _moment(rows[-1])
    marks = [(start, Level.UNKNOWN), *((_moment(c), c.after) for c in changes), (end, None)]
    used = set()
    for (begin, level), (finish, _) in pairwise(marks):
        if level is not None and finish > begin:
            label = (
                None
                if level in used
                else ("unknown (neutral)" if level is Level.UNKNOWN else level.name)
            )
            axes.axvspan(begin, finish, color=COLOURS[level], lw=0, label=label)
            used.add(level)
