"""Draws accuracy over cost: ours as measured, published counters as published."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from models.comparison.anchors import ANCHORS, PART_B, WITHOUT_COST

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from models.comparison.rows import Row

OURS, PUBLISHED, SPEED = "#0b6e4f", "#8a5a00", "#777777"
GMAC_RANGE, MAE_RANGE = (0.2, 700.0), (4.0, 250.0)
GMAC_TICKS = (0.3, 1, 3, 10, 30, 100, 300)
MAE_TICKS = (5, 7, 10, 15, 20, 30, 50, 100, 200)
# Where a published point's label stands: clear of ours, and inside the frame.
BELOW_UNDER, LEFT_OVER = 5, 100  # GMAC


def draw(rows: Sequence["Row"], path: Path) -> None:
    """Write a PNG of the rows' street errors over their GMAC."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(10, 6.2), dpi=110, layout="constrained")
    axes = figure.add_subplot()
    _axes(axes)
    _draw_speed_only(axes, rows)
    _draw_detector(axes, rows)
    _draw_published(axes)
    _draw_ours(axes, rows)
    axes.legend(loc="upper left", frameon=False, fontsize=9)
    figure.supxlabel(_caption(), fontsize=8, color="#444444", x=0.01, ha="left")
    figure.savefig(path)


def street_rows(rows: Sequence["Row"]) -> list["Row"]:
    """Ours that suit a street, cheapest first: inputs wider than high."""
    wide = [row for row in rows if row.cost and row.size and row.size[0] > row.size[1]]
    mine = [row for row in wide if "street" in row.errors]
    return sorted(mine, key=lambda row: row.cost.mac if row.cost else 0)


def _axes(axes: "Axes") -> None:
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_xlim(*GMAC_RANGE)
    axes.set_ylim(*MAE_RANGE)
    axes.set_xticks(GMAC_TICKS, [f"{tick:g}" for tick in GMAC_TICKS])
    axes.set_yticks(MAE_TICKS, [f"{tick:g}" for tick in MAE_TICKS])
    axes.tick_params(which="minor", length=0, labelsize=0)
    axes.grid(color="#e4e4e4", linewidth=0.7)
    axes.set_axisbelow(True)
    axes.set_xlabel("cost of a picture, thousand million multiply-accumulates (GMAC)")
    axes.set_ylabel("mean absolute error on street pictures, heads")
    axes.set_title("Counting heads in street pictures: accuracy over cost", loc="left")


def _draw_ours(axes: "Axes", rows: Sequence["Row"]) -> None:
    mine = street_rows(rows)
    gmac = [row.cost.gmac for row in mine if row.cost]
    errors = [row.errors["street"] for row in mine]
    mae = [error.mae for error in errors]
    below = [error.mae - error.mae_90[0] for error in errors]
    above = [error.mae_90[1] - error.mae for error in errors]
    count = errors[0].pictures
    axes.errorbar(
        gmac, mae, [below, above], color=OURS, marker="o", capsize=3, linewidth=1.2,
        label=f"ours, int8, measured: {count} street val pictures, 90 % bootstrap interval",
    )  # fmt: skip
    for number, row in enumerate(mine):
        assert row.size is not None
        axes.annotate(
            f"{row.size[0]}x{row.size[1]}", (gmac[number], mae[number] + above[number]),
            xytext=(-2, 4), textcoords="offset points", ha="left", va="bottom", rotation=50,
            rotation_mode="anchor", color=OURS, fontsize=9,
        )  # fmt: skip


def _draw_published(axes: "Axes") -> None:
    axes.scatter(
        [anchor.gmac for anchor in ANCHORS], [anchor.mae for anchor in ANCHORS],
        color=PUBLISHED, marker="D", s=36, zorder=3,
        label=f"published: part B test pictures, {PART_B[0]}x{PART_B[1]}, float",
    )  # fmt: skip
    for anchor in ANCHORS:
        place, across, up = _label_place(anchor.gmac)
        axes.annotate(
            f"{anchor.name} {anchor.mae:g}", (anchor.gmac, anchor.mae), color=PUBLISHED, fontsize=9,
            xytext=place, textcoords="offset points", ha=across, va=up,
        )  # fmt: skip


def _label_place(gmac: float) -> tuple[tuple[int, int], str, str]:
    """Offset and alignments of a published point's label."""
    if gmac > LEFT_OVER:
        return (-8, 0), "right", "center"
    if gmac < BELOW_UNDER:
        return (5, -7), "right", "top"
    return (8, 0), "left", "center"


def _draw_detector(axes: "Axes", rows: Sequence["Row"]) -> None:
    """A method without multiply-accumulates to count has an error and no place on the axis."""
    for row in rows:
        if row.cost is None and "street" in row.errors:
            mae = row.errors["street"].mae
            axes.axhline(mae, color="#a02020", linestyle="--", linewidth=1)
            axes.annotate(
                f"{row.name}: {mae:.0f} on the same pictures, not a network", (600, mae),
                xytext=(0, -4), textcoords="offset points", ha="right", va="top", fontsize=9,
                color="#a02020",
            )  # fmt: skip


def _draw_speed_only(axes: "Axes", rows: Sequence["Row"]) -> None:
    """Peers with random weights have a cost and no error."""
    low = MAE_RANGE[0]
    for row in rows:
        if row.speed_only and row.cost and row.size == PART_B:
            axes.plot([row.cost.gmac] * 2, [low, 1.12 * low], color=SPEED, linewidth=2)
            axes.annotate(
                f"{row.name}\ncost only", (row.cost.gmac, 1.13 * low), fontsize=8, color=SPEED,
                xytext=(0, 2), textcoords="offset points", ha="center", va="bottom",
            )  # fmt: skip


def _caption() -> str:
    unknown = ", ".join(f"{name} {mae:g}" for name, mae in WITHOUT_COST)
    sources = "; ".join(f"{a.name}: {a.source}, cost {a.cost_source}" for a in ANCHORS)
    return (
        "The published errors are of other pictures of the same collection than ours: places, not "
        f"a ranking. {_wrapped(sources)}\nPublished, cost not known: {unknown}."
    )


def _wrapped(text: str) -> str:
    import textwrap

    return "\n" + "\n".join(textwrap.wrap(text, 150))
