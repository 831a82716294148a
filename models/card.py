"""Writes the figures into the model card: `python -m models.card`.

Everything between the two marks in MODEL_CARD.md is measured anew, int8, on the val splits and on
simulated streets that no training saw, with the appliance's own counter.
"""

from collections.abc import Iterator
from pathlib import Path

import click
import numpy as np

from edge.watch.cameras.scene import Scene
from edge.watch.counter import Counter
from edge.watch.manifest import Manifest, ModelEntry, shipped_manifest
from models.data import Example, load_set
from models.evaluate import (
    FAIR_RATIO,
    SCENE_MOMENTS_S,
    SIZES_OF_CROWD,
    VAL_SETS,
    Score,
    conformal_factor,
    is_fair,
    measure,
)
from models.train import DATA

CARD = Path(__file__).parent / "MODEL_CARD.md"
BEGIN, END = "<!-- figures begin -->", "<!-- figures end -->"
SETS = (*VAL_SETS, "dense", "rendered")
NOBODY = ((0.0, 0.0), (150.0, 0.0))
HEADER = (
    "| model | set | heads | pictures | MAE | RMSE | bias | inside the interval |\n"
    "|---|---|---|---|---|---|---|---|"
)


def held_out_coverage(scores: list[Score]) -> float:
    """Share of pictures inside an interval fitted on every other picture instead.

    The manifest's multiplier is fitted on all val pictures, so their share inside it is 90 % by
    construction; this is what a picture sees that took no part in the fit.
    """
    inside: list[bool] = []
    for parity in (0, 1):
        factor = conformal_factor([_every_second(score, 1 - parity) for score in scores])
        for score in (_every_second(score, parity) for score in scores):
            spread = factor * np.maximum(score.deviation, 0.1)
            inside.extend(np.abs(score.found - score.truth) <= spread)
    return float(np.mean(inside))


def _every_second(score: Score, first: int) -> Score:
    return Score(
        score.truth[first::2], score.found[first::2], score.deviation[first::2], score.interval
    )


def _rows(name: str, scores: dict[str, Score]) -> Iterator[str]:
    """Lines of the table: each set as a whole, then by size of crowd."""
    for label, score in scores.items():
        yield _row(name, label, "all", score)
        for low, high in SIZES_OF_CROWD:
            part = score.part(low, high)
            if 0 < len(part.truth) < len(score.truth):
                yield _row(name, label, _span(low, high), part)


def _span(low: int, high: int) -> str:
    """The last size of crowd has no upper end worth printing."""
    return f"{low} and more" if high == SIZES_OF_CROWD[-1][1] else f"{low} to {high - 1}"


def _row(name: str, label: str, heads: str, score: Score) -> str:
    return (
        f"| {name} | {label} | {heads} | {len(score.truth)} | {score.mae:.1f} | {score.rmse:.1f} "
        f"| {score.bias:+.1f} | {100 * score.coverage:.0f} % |"
    )


def _scene_rows(name: str, counter: Counter) -> Iterator[str]:
    """True against counted heads on the demonstration's street, and on it without anybody."""
    width, height = counter.entry.input
    for night in (False, True):
        scene = Scene(width, height, night=night)
        moments = [scene.at(moment) for moment in SCENE_MOMENTS_S]
        moments.append(Scene(width, height, night=night, script=NOBODY).at(5.0))
        pairs = [f"{len(p.heads)}: {counter.count(p.pixels).total().people:.1f}" for p in moments]
        yield f"| {name} | {'night' if night else 'day'} | {', '.join(pairs)} |"


def figures(manifest: Manifest, entries: list[ModelEntry], sets: dict[str, list[Example]]) -> str:
    """The measured part of the card."""
    table, scene, coverage = [HEADER], ["| model | light | true: counted |\n|---|---|---|"], []
    for entry in entries:
        click.echo(f"measuring {entry.name}")
        counter = Counter(manifest, entry, "litert", 1)
        scores = {name: measure(counter, pictures) for name, pictures in sets.items()}
        table += _rows(entry.name, scores)
        scene += _scene_rows(entry.name, counter)
        fair = [name for name in VAL_SETS if is_fair(entry.input, sets[name])]
        share = 100 * held_out_coverage([scores[name] for name in fair])
        on = " and ".join(fair)
        coverage.append(f"- {entry.name}: {entry.interval}, held out {share:.0f} % ({on})")
    return "\n\n".join(
        (
            "Bias is counted less true heads, so negative means too few.",
            "\n".join(table),
            "Simulated street of the demonstration, heads:",
            "\n".join(scene),
            "Nominal 90 % interval: its multiplier, and the share of pictures inside it when the "
            "multiplier comes from the other half of them. A set whose pictures the input makes "
            f"smaller than {FAIR_RATIO} takes no part; the table shows how it fares.",
            "\n".join(coverage),
        )
    )


@click.command()
@click.option(
    "--data",
    type=click.Path(path_type=Path),
    default=DATA,
    show_default=True,
    envvar="REDROAD_DATA",
    help="Folder of the sets.",
)
def main(data: Path) -> None:
    """Measure every shipped model and rewrite the figures in MODEL_CARD.md."""
    manifest = Manifest(shipped_manifest())
    sets = {name: load_set(data, name, "val") for name in SETS}
    text = CARD.read_text(encoding="utf-8")
    before, rest = text.split(BEGIN)
    _, after = rest.split(END)
    measured = figures(manifest, list(manifest.entries), sets)
    CARD.write_text(f"{before}{BEGIN}\n\n{measured}\n\n{END}{after}", encoding="utf-8")


if __name__ == "__main__":
    main()
