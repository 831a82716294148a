"""The plot of a replay: for each zone its density over the bands, how its people move, the sign's
levels, and why they changed.
"""

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from textwrap import fill, shorten
from typing import TYPE_CHECKING, Any

from edge.commands.levels import CHART_COLOURS
from edge.commands.replay.timeline import Change, Replay, Row
from edge.common.errors import RedRoadError
from edge.common.wire import Level, Occupancy
from edge.decide.levels import Band, bands_of
from edge.site import Site

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import SubFigure

GAP_FACTOR = 1.5
BLUE, SEEN, GREEN, PURPLE = "#1f4e8c", "#3b6fb6", "#2c7a4b", "#8a4fa3"
WIDTH_IN, DENSITY_IN, SPEED_IN, SIGN_IN, LINE_IN, REST_IN = 12.0, 3.3, 1.3, 0.45, 0.19, 1.6
# So many transitions are listed in words; the rest are in transitions.csv.
REASONS, REASON_LONG = 14, 190
UNKNOWN_SPEED = (
    "speed not known: it needs pictures at most 1 s apart, metres on the ground, and enough px "
    "per metre"
)
FEW = 60  # pictures, each of which is marked


def draw_plot(result: Replay, site: Site, title: str, hold_s: float, file: Path) -> None:
    """One plot per zone, one below the other, to be read at a glance."""
    try:
        import matplotlib as mpl  # noqa: PLC0415  (heavy, and not on every unit)
        from matplotlib.figure import Figure  # noqa: PLC0415
    except ImportError as error:
        raise RedRoadError(
            "the plot needs matplotlib; install it (pip install 'redroad-edge[plots]') "
            "or leave the plot out with --no-plot"
        ) from error
    mpl.use("Agg")
    plots: list[_ZonePlot | _PeoplePlot] = (
        [_PeoplePlot(result)]
        if result.headcount
        else [_ZonePlot(result, site, index, hold_s) for index in range(len(site.zone))]
    )
    heights = [plot.height_in for plot in plots]
    figure = Figure(figsize=(WIDTH_IN, 0.5 + sum(heights)), layout="constrained")
    figure.suptitle(title)
    for plot, part in zip(
        plots, figure.subfigures(len(plots), 1, squeeze=False, height_ratios=heights), strict=True
    ):
        plot.draw(part[0])
    figure.savefig(file, dpi=110)


class _ZonePlot:
    """One zone of a replay."""

    def __init__(self, result: Replay, site: Site, index: int, hold_s: float) -> None:
        self._zone = site.zone[index]
        self._rows = [row for row in result.rows if row.zone == self._zone.name]
        self._changes = [c for c in result.changes if c.zone == self._zone.name]
        self._bands = bands_of(site.levels)
        self._hold_s = hold_s
        self._reasons = _reasons(self._changes)
        self._without = result.without_density
        self._marks = "o-" if len(self._rows) <= FEW else "-"

    @property
    def height_in(self) -> float:
        """Inches."""
        return DENSITY_IN + SPEED_IN + SIGN_IN + LINE_IN * len(self._reasons) + REST_IN

    def draw(self, figure: "SubFigure") -> None:
        """The panels, and the reasons beneath them."""
        ratios = [DENSITY_IN, SPEED_IN, SIGN_IN]
        density, speed, sign = figure.subplots(3, 1, sharex=True, height_ratios=ratios)
        density.set_title(
            f"zone {self._zone.name}, {self._zone.area:g} m²", loc="left", fontsize=10
        )
        self._draw_density(density)
        self._draw_speed(speed)
        self._draw_sign(sign)
        for axes in (density, speed):
            for change in self._changes:
                axes.axvline(_moment(change), color="#888888", lw=0.6, ls=":")
        timed = any(row.wall for row in self._rows)
        sign.set_xlabel("time of day" if timed else "seconds since the recording began")
        # As a label of the whole figure, which constrained layout leaves room for.
        figure.supxlabel("\n".join(self._reasons), x=0.01, ha="left", fontsize=8, linespacing=1.4)

    def _draw_density(self, axes: "Axes") -> None:
        """The peak, which decides, and the mean with its interval; the right scale is people."""
        seen = [row.occupancy for row in self._rows if row.occupancy]
        top = max((max(o.peak, o.high / o.area) for o in seen), default=0.0)
        limit = max(1.2 * self._bands[0].rise, 1.1 * top)
        axes.set_ylim(0, limit)
        axes.set_ylabel("persons per m²")
        for band in self._bands:
            if band.fall < limit:
                _draw_band(axes, band)
        for moments, run in self._runs(lambda _: True):
            low, high = [o.low / o.area for o in run], [o.high / o.area for o in run]
            axes.fill_between(
                moments, low, high, color=SEEN, alpha=0.25, lw=0, label="90 % interval of the mean"
            )
            axes.plot(moments, [o.density for o in run], color=BLUE, lw=1, label="mean", ls="--")
            axes.plot(
                moments, [o.peak for o in run], self._marks, color=BLUE, lw=1.6, ms=3,
                label="worst patch, which decides",
            )  # fmt: skip
        if self._without:
            _say(axes, f"no density: {self._without}")
        _legend(axes)
        people = axes.twinx()
        people.set_ylim(0, limit * self._zone.area)
        people.set_ylabel("people")

    def _draw_speed(self, axes: "Axes") -> None:
        """Mean speed, and crowd pressure on the right; nothing where they are not known."""
        axes.set_ylabel("m/s")
        right = axes.twinx()
        right.set_ylabel("1/s²")
        runs = self._runs(lambda seen: seen.speed is not None)
        for moments, run in runs:
            axes.plot(
                moments, [_figure(o.speed) for o in run], self._marks, color=GREEN, lw=1.4, ms=3,
                label="mean speed",
            )  # fmt: skip
            right.plot(moments, [_figure(o.pressure) for o in run], color=PURPLE, lw=1, alpha=0.8)
            axes.plot([], [], color=PURPLE, lw=1, label="crowd pressure (right)")
        warned = [_moment(row) for row in self._rows if row.warning]
        if warned:
            axes.plot(
                warned, [0.04] * len(warned), "|", transform=axes.get_xaxis_transform(), ms=6,
                color=CHART_COLOURS[Level.CRITICAL], label="warning",
            )  # fmt: skip
        if runs:
            for panel in (axes, right):
                panel.set_ylim(0, 1.4 * panel.get_ylim()[1])
            _legend(axes, ncols=3)
        else:
            axes.set_yticks([])
            right.set_yticks([])
            axes.text(0.5, 0.5, UNKNOWN_SPEED, transform=axes.transAxes, ha="center", va="center")

    def _draw_sign(self, axes: "Axes") -> None:
        """A strip in the colours of the sign; each change has the number of its reason."""
        axes.set_yticks([])
        axes.set_ylabel("sign", rotation=0, ha="right", va="center")
        if not self._rows:
            return
        start, end = _moment(self._rows[0]), _moment(self._rows[-1])
        marks: list[tuple[Any, Level | None]] = [(start, Level.UNKNOWN)]
        marks += [(_moment(change), change.after) for change in self._changes]
        marks.append((end, None))
        for (begin, level), (finish, _) in pairwise(marks):
            if level is not None and finish > begin:
                name = "unknown (neutral)" if level is Level.UNKNOWN else level.name
                axes.axvspan(begin, finish, color=CHART_COLOURS[level], lw=0, label=name)
        for number, change in enumerate(self._changes[:REASONS], 1):
            axes.text(
                _moment(change), 0.5, f" {number}", fontsize=8, va="center",
                transform=axes.get_xaxis_transform(),
            )  # fmt: skip
        _legend(axes, loc="upper left", bbox_to_anchor=(0.0, -0.9), ncols=5)

    def _runs(self, known: Callable[[Occupancy], bool]) -> list[tuple[list[Any], list[Occupancy]]]:
        """The stretches in which known figures follow each other without a gap, with moments."""
        runs: list[tuple[list[Any], list[Occupancy]]] = []
        before: Row | None = None
        for row in self._rows:
            if row.occupancy is None or not known(row.occupancy):
                before = None
                continue
            if before is None or row.at_s - before.at_s > GAP_FACTOR * self._hold_s:
                runs.append(([], []))
            runs[-1][0].append(_moment(row))
            runs[-1][1].append(row.occupancy)
            before = row
        return runs


class _PeoplePlot:
    """The people in the whole picture, of a recording without zones: over time, with no level."""

    height_in = DENSITY_IN + REST_IN

    def __init__(self, result: Replay) -> None:
        self._rows = result.rows
        self._why = result.without_density

    def draw(self, figure: "SubFigure") -> None:
        """People and their interval; gaps where a picture was not trusted; and why no more."""
        axes = figure.subplots()
        axes.set_title("people in the whole picture", loc="left", fontsize=10)
        moments = [_moment(row) for row in self._rows]
        nobody = float("nan")
        people, low, high = (
            [getattr(row.heads, name) if row.heads else nobody for row in self._rows]
            for name in ("people", "low", "high")
        )
        axes.fill_between(moments, low, high, color=SEEN, alpha=0.25, lw=0, label="90 % interval")
        marks = "o-" if len(self._rows) <= FEW else "-"
        axes.plot(moments, people, marks, color=BLUE, lw=1.6, ms=3, label="people")
        axes.set_ylim(bottom=0, top=1.25 * max(axes.get_ylim()[1], 1.0))
        axes.set_ylabel("people")
        timed = any(row.wall for row in self._rows)
        axes.set_xlabel("time of day" if timed else "seconds since the recording began")
        _say(axes, f"no density and no level: {self._why}", 0.93)
        _legend(axes)


def _say(axes: "Axes", text: str, height: float = 0.5) -> None:
    """Words within a panel, at a part of its height."""
    axes.text(
        0.01, height, fill(text, 110), transform=axes.transAxes, fontsize=9, va="center",
        bbox={"facecolor": "white", "alpha": 0.8, "lw": 0},
    )  # fmt: skip


def _reasons(changes: list[Change]) -> list[str]:
    """Return why the level changed, in a line each, numbered as on the strip."""
    lines = [
        shorten(
            f"{number}. {_time(change)}, {change.before.name} → {change.after.name}: "
            f"{change.reason}",
            REASON_LONG,
            placeholder=" …",
        )
        for number, change in enumerate(changes[:REASONS], 1)
    ]
    more = len(changes) - len(lines)
    return [*lines, f"and {more} more, in transitions.csv"] if more else lines


def _time(change: Change) -> str:
    return f"{change.at_s:.1f} s" if change.wall is None else f"{change.wall:%H:%M:%S}"


def _moment(row: Row | Change) -> Any:
    return row.wall if row.wall is not None else row.at_s


def _figure(value: float | None) -> float:
    return float("nan") if value is None else value


def _draw_band(axes: "Axes", band: Band) -> None:
    axes.axhspan(band.fall, band.rise, color=CHART_COLOURS[band.level], alpha=0.45, lw=0)
    axes.text(
        0.005, band.rise, f"{band.level.name} from {band.rise:g}, until below {band.fall:g}",
        transform=axes.get_yaxis_transform(), fontsize=8, va="bottom",
    )  # fmt: skip


def _legend(axes: "Axes", **options: Any) -> None:
    """Each label once."""
    handles, labels = axes.get_legend_handles_labels()
    shown = dict(zip(labels, handles, strict=True))
    if shown:
        options = {"loc": "upper right", "fontsize": 8, **options}
        axes.legend(list(shown.values()), list(shown), **options)
