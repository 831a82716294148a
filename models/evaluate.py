"""Measures shipped models on the val splits: `python -m models.evaluate`.

Uses the appliance's own counter, so that what is measured is what runs.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import click
import numpy as np

from edge.watch.cameras.scene import Scene
from edge.watch.counter import Counter
from edge.watch.manifest import Manifest, shipped_manifest
from models.data import Example, load_set
from models.train import DATA

VAL_SETS = ("street", "station")
COVERED = 0.90
# A picture made smaller than this is one that a model is not for: it says nothing of intervals.
FAIR_RATIO = 0.45
LARGE_CROWD, ENOUGH_PICTURES = 50, 20
SIZES_OF_CROWD = ((0, 1), (1, 10), (10, 50), (50, 150), (150, 10_000))
SCENE_MOMENTS_S = (3.0, 22.0, 30.0, 38.0, 55.0)


@dataclass(frozen=True)
class Score:
    """True and counted heads of each picture, with the standard deviation of the count."""

    truth: np.ndarray
    found: np.ndarray
    deviation: np.ndarray
    interval: float

    @property
    def mae(self) -> float:
        """Mean absolute error, heads."""
        return float(np.abs(self.found - self.truth).mean())

    @property
    def rmse(self) -> float:
        """Root of the mean squared error, heads."""
        return float(np.sqrt(((self.found - self.truth) ** 2).mean()))

    @property
    def bias(self) -> float:
        """Mean error, heads; negative when too few are counted."""
        return float((self.found - self.truth).mean())

    @property
    def coverage(self) -> float:
        """Share of pictures whose truth lies inside the interval."""
        inside = np.abs(self.found - self.truth) <= self.interval * self.deviation
        return float(inside.mean())

    def part(self, low: int, high: int) -> "Score":
        """Only pictures with at least `low` and fewer than `high` heads."""
        chosen = (self.truth >= low) & (self.truth < high)
        return Score(self.truth[chosen], self.found[chosen], self.deviation[chosen], self.interval)


def measure(counter: Counter, examples: Sequence[Example]) -> Score:
    """Count every picture."""
    maps = [counter.count(example.pixels) for example in examples]
    return Score(
        truth=np.array([len(example.heads) for example in examples], np.float64),
        found=np.array([float(heads.count.sum()) for heads in maps]),
        deviation=np.sqrt([float(heads.variance.sum()) for heads in maps]),
        interval=maps[0].interval,
    )


def is_fair(size: Sequence[int], examples: Sequence[Example]) -> bool:
    """Whether a set's pictures are at least FAIR_RATIO of their size in a (width, height) input."""
    height, width, _ = examples[0].pixels.shape
    return min(size[0] / width, size[1] / height) >= FAIR_RATIO


def conformal_factor(scores: Sequence[Score]) -> float:
    """How many standard deviations hold the truth in 90 of 100 pictures of each set.

    Split conformal prediction (Vovk 2005) with |error| / deviation as the score. The largest
    factor over the sets, and over the large crowds of each: the upper end gates the all-clear.
    """
    crowds = [score.part(LARGE_CROWD, 10**6) for score in scores]
    large = [crowd for crowd in crowds if len(crowd.truth) >= ENOUGH_PICTURES]
    return max(_factor(score) for score in (*scores, *large))


def _factor(score: Score) -> float:
    ratios = np.abs(score.found - score.truth) / np.maximum(score.deviation, 0.1)
    rank = min(1.0, COVERED * (1 + 1 / len(ratios)))
    return float(np.quantile(ratios, rank, method="higher"))


@click.command()
@click.option(
    "--data",
    type=click.Path(path_type=Path),
    default=DATA,
    show_default=True,
    envvar="REDROAD_DATA",
    help="Folder of the sets.",
)
@click.option("--model", "names", multiple=True, help="Only these models.")
@click.option("--set", "sets", multiple=True, default=("street", "station", "dense"))
def main(data: Path, names: tuple[str, ...], sets: tuple[str, ...]) -> None:
    """Print each model's errors on the val splits, per crowd size, and on simulated streets."""
    manifest = Manifest(shipped_manifest())
    examples = {name: load_set(data, name, "val") for name in sets}
    click.echo("model                 set      heads       n    MAE   RMSE   bias  coverage")
    for entry in manifest.entries:
        if names and entry.name not in names:
            continue
        counter = Counter(manifest, entry, "litert", 2)
        for name, pictures in examples.items():
            score = measure(counter, pictures)
            _print(entry.name, name, "all", score)
            for low, high in SIZES_OF_CROWD:
                if len((part := score.part(low, high)).truth):
                    _print(entry.name, name, f"{low}-{high - 1}", part)
        _print_scenes(entry.name, counter)


def _print(model: str, name: str, heads: str, score: Score) -> None:
    click.echo(
        f"{model:<21} {name:<8} {heads:<9} {len(score.truth):3d} {score.mae:6.1f} "
        f"{score.rmse:6.1f} {score.bias:+6.1f} {100 * score.coverage:6.0f} %"
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
