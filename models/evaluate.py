"""Measures shipped models on the val splits: `python -m models.evaluate`.

Int8 with the appliance's own counter, so that what is measured is what runs, and the same weights
in float beside it.
"""

from pathlib import Path

import click

from edge.street.scene import Scene
from edge.watch.counter import Counter
from edge.watch.manifest import Manifest, shipped_manifest
from models.bars import Material, bar_tables
from models.floating import FloatCounter, load_weights, twin_of
from models.pictures import data_option, load_set
from models.scoring import SIZES_OF_CROWD, Score, measure

SCENE_MOMENTS_S = (3.0, 22.0, 30.0, 38.0, 55.0)
HEADING = (
    "model                 set      numbers heads       n    MAE   RMSE   bias   of mean  inside  "
    "from float"
)


@click.command()
@data_option
@click.option("--model", "names", multiple=True, help="Only these models.")
@click.option("--set", "sets", multiple=True, default=("street", "station", "dense"))
@click.option("--weights", type=click.Path(path_type=Path, exists=True), help="Another network's.")
@click.option("--float-only", is_flag=True, help="Measure weights that no file was made of yet.")
def main(
    data: Path, names: tuple[str, ...], sets: tuple[str, ...], weights: Path | None,
    float_only: bool,
) -> None:  # fmt: skip
    """Print each model's errors on the val splits, per crowd size, and on simulated streets."""
    manifest = Manifest(shipped_manifest())
    network = load_weights(weights) if weights else load_weights()
    examples = {name: load_set(data, name, "val") for name in sets}
    click.echo(HEADING)
    for entry in manifest.entries:
        if names and entry.name not in names:
            continue
        floating = FloatCounter(network, entry.input) if float_only else twin_of(entry, network)
        counter = Counter(manifest, entry, "litert", 2)
        for name, pictures in examples.items():
            in_float = measure(floating, pictures) if floating else None
            if in_float:
                click.echo(_line(entry.name, name, "float", "all", in_float))
            if not float_only:
                _print_int8(entry.name, name, measure(counter, pictures), in_float)
        if not float_only:
            _print_scenes(entry.name, counter)
    if not float_only:
        _print_bars(data, manifest, names)


def _print_bars(data: Path, manifest: Manifest, names: tuple[str, ...]) -> None:
    """Pictures of nobody, lights, and places left out of the interval's fit."""
    entries = [entry for entry in manifest.entries if not names or entry.name in names]
    counters = {entry.name: Counter(manifest, entry, "litert", 1) for entry in entries}
    sizes = {entry.name: entry.input for entry in entries}
    for table in bar_tables(counters, sizes, Material.load(data)):
        click.echo(f"\n{table}")


def _print_int8(model: str, name: str, score: Score, in_float: Score | None) -> None:
    """All pictures, and how far each count is from the one in float; then by size of crowd."""
    apart = f"{100 * score.apart_from(in_float):9.1f} %" if in_float else ""
    inside = f"{100 * score.coverage:6.0f} %"
    click.echo(_line(model, name, "int8", "all", score) + inside + apart)
    for low, high in SIZES_OF_CROWD:
        if len((part := score.part(low, high)).truth):
            inside = f"{100 * part.coverage:6.0f} %"
            click.echo(_line(model, name, "int8", f"{low}-{high - 1}", part) + inside)


def _line(model: str, name: str, numbers: str, heads: str, score: Score) -> str:
    return (
        f"{model:<21} {name:<8} {numbers:<7} {heads:<9} {len(score.truth):3d} {score.mae:6.2f} "
        f"{score.rmse:6.2f} {score.bias:+6.2f} {100 * score.relative_bias:+7.1f} % "
    )


def _print_scenes(model: str, counter: Counter) -> None:
    """The demonstration's street by day and night."""
    width, height = counter.entry.input
    for night in (False, True):
        scene = Scene(width, height, night=night)
        for moment in SCENE_MOMENTS_S:
            picture = scene.at(moment)
            found = counter.count(picture.pixels).total()
            click.echo(
                f"{model:<21} scene{' at night' if night else ''} {moment:4.0f} s: "
                f"{len(picture.heads)} heads in sight, {found.people:.0f} counted "
                f"({found.low:.0f} to {found.high:.0f})"
            )


if __name__ == "__main__":
    main()
