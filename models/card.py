"""Writes the figures into the model card: `python -m models.card`.

Everything between the two marks in MODEL_CARD.md is measured anew, int8, on the val splits and on
simulated streets that no training saw, with the appliance's own counter.
"""

from collections.abc import Iterator
from pathlib import Path

import click

from edge.street.scene import Scene
from edge.watch.counter import Counter
from edge.watch.manifest import Manifest, ModelEntry, shipped_manifest
from models.bars import Material, bar_tables
from models.evaluate import SCENE_MOMENTS_S
from models.floating import load_weights, twin_of
from models.pictures import Example, data_option, load_set
from models.scoring import (
    FAIR_RATIO,
    SIZES_OF_CROWD,
    VAL_SETS,
    Score,
    measure,
)

CARD = Path(__file__).parent / "MODEL_CARD.md"
BEGIN, END = "<!-- figures begin -->", "<!-- figures end -->"
SETS = (*VAL_SETS, "dense", "rendered")
NO_SENDERS = ((0.0, 0.0), (150.0, 0.0))
HEADER = (
    "| model | set | heads | pictures | MAE | in float | apart | RMSE | bias "
    "| inside the interval |\n"
    "|---|---|---|---|---|---|---|---|---|---|"
)


def _rows(name: str, scores: dict[str, Score], in_float: dict[str, Score]) -> Iterator[str]:
    """Lines of the table: each set as a whole, then by size of crowd."""
    for label, score in scores.items():
        yield _row(name, label, "all", score, in_float.get(label))
        for low, high in SIZES_OF_CROWD:
            part = score.part(low, high)
            if 0 < len(part.truth) < len(score.truth):
                yield _row(name, label, _span(low, high), part)


def _span(low: int, high: int) -> str:
    """The last size of crowd has no upper end worth printing."""
    return f"{low} and more" if high == SIZES_OF_CROWD[-1][1] else f"{low} to {high - 1}"


def _row(name: str, label: str, heads: str, score: Score, in_float: Score | None = None) -> str:
    floating, apart = "", ""
    if in_float:
        floating, apart = f"{in_float.mae:.2f}", f"{100 * score.apart_from(in_float):.1f} %"
    return (
        f"| {name} | {label} | {heads} | {len(score.truth)} | {score.mae:.2f} | {floating} "
        f"| {apart} | {score.rmse:.1f} | {score.bias:+.2f} | {100 * score.coverage:.0f} % |"
    )


def _scene_rows(name: str, counter: Counter) -> Iterator[str]:
    """True against counted heads on the demonstration's street, and on it without anybody."""
    width, height = counter.entry.input
    for night in (False, True):
        scene = Scene(width, height, night=night)
        moments = [scene.at(moment) for moment in SCENE_MOMENTS_S]
        moments.append(Scene(width, height, night=night, script=NO_SENDERS).at(5.0))
        pairs = [f"{len(p.heads)}: {counter.count(p.pixels).total().people:.1f}" for p in moments]
        yield f"| {name} | {'night' if night else 'day'} | {', '.join(pairs)} |"


def figures(
    manifest: Manifest, entries: list[ModelEntry], sets: dict[str, list[Example]],
    material: Material,
) -> str:  # fmt: skip
    """The measured part of the card."""
    table, scene = [HEADER], ["| model | light | true: counted |\n|---|---|---|"]
    network, counters = load_weights(), {}
    for entry in entries:
        click.echo(f"measuring {entry.name}")
        counter = Counter(manifest, entry, "litert", 1)
        floating = twin_of(entry, network)
        scores = {name: measure(counter, pictures) for name, pictures in sets.items()}
        in_float = {name: measure(floating, sets[name]) for name in VAL_SETS if floating}
        table += _rows(entry.name, scores, in_float)
        scene += _scene_rows(entry.name, counter)
        counters[entry.name] = counter
    empty, lights, places = bar_tables(counters, {e.name: e.input for e in entries}, material)
    return "\n\n".join(
        (
            "Bias is counted less true heads, so negative means too few. Apart is how far counts "
            "in int8 and in float are from each other, picture by picture.",
            "\n".join(table),
            "Simulated street of the demonstration, heads:",
            "\n".join(scene),
            "Heads counted in pictures in which nobody is: research pictures of the val split, "
            "drawn textures of families that no training saw, and drawn cases:",
            empty,
            "Other lights. At night and in infra-red the same pictures are made dark but for some "
            "lamps, or as the camera's own lamp shows them:",
            lights,
            "The 90 % interval is the narrowest that holds the truth in 90 of 100 pictures of each "
            "of these places; the last column is the share inside one that was fitted on all the "
            f"others. A place whose pictures the input makes smaller than {FAIR_RATIO} takes no "
            "part:",
            places,
            "\n".join(map(_interval, entries)),
        )
    )


def _interval(entry: ModelEntry) -> str:
    return (
        f"- {entry.name}: {entry.interval:g} standard deviations and {100 * entry.relative:.0f} % "
        "of the sum"
    )


@click.command()
@data_option
def main(data: Path) -> None:
    """Measure every shipped model and rewrite the figures in MODEL_CARD.md."""
    manifest = Manifest(shipped_manifest())
    sets = {name: load_set(data, name, "val") for name in SETS}
    text = CARD.read_text(encoding="utf-8")
    before, rest = text.split(BEGIN)
    _, after = rest.split(END)
    material = Material.load(data)
    measured = figures(manifest, list(manifest.entries), sets, material)
    CARD.write_text(f"{before}{BEGIN}\n\n{measured}\n\n{END}{after}", encoding="utf-8")


if __name__ == "__main__":
    main()
