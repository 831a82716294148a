"""Fits the counter to one site: `python -m models.finetune FOLDER --name hongdae-3`.

FOLDER holds 20 to 50 pictures of the site's camera, by day, night and in rain, with `labels.csv` or
an export of COCO, CVAT, labelme or Label Studio (top of `pictures.py`). Every fourth picture is
kept aside to measure with. The result is one file and its entry in `manifest.toml`, which a site
file takes by name:

    [counter]
    model = "hongdae-3"
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from models.crops import SHARES, Share
from models.export import (
    SIZES,
    fit_rest,
    fit_scale,
    read_entries,
    write_manifest,
    write_model,
)
from models.families import training_textures
from models.floating import WEIGHTS, FloatCounter, load_weights
from models.network import HeadCounter
from models.pictures import Example, data_option, load_folder, load_set
from models.scenes import kept_scenes
from models.scoring import Score, measure
from models.train import REAL_SETS, ROOT, Options, Trainer

KEPT_ASIDE = 4  # every so many pictures
FEWEST = 8
OWN_SHARE = 0.5
OWN_SCALES = (0.7, 1.4)


@dataclass(frozen=True)
class Site:
    """What is to be made: a model of a name, in a folder, for an input size or the likest."""

    name: str
    size: tuple[int, int] | None
    out: Path


_PATH = click.Path(path_type=Path)
_FOLDER = click.Path(path_type=Path, exists=True, file_okay=False)


@click.command()
@click.argument("folder", type=_FOLDER)
@click.option("--name", required=True, help="What the site file calls the model.")
@click.option("--size", type=(int, int), help="Input, width and height; else the likest shape.")
@click.option("--out", type=_PATH, default=ROOT, help="Folder of the models' list.")
@click.option("--minutes", default=15.0, show_default=True, help="How long to train.")
@click.option("--seed", default=1, show_default=True, help="Of crops.")
@click.option("--label", multiple=True, help="Of the labels those that are heads or people.")
@data_option
def main(
    folder: Path, data: Path, minutes: float, seed: int, label: tuple[str, ...], **given: Any
) -> None:
    """Fine-tune the counter to the labelled pictures of one site's camera."""
    pictures = load_folder(folder, label)
    if len(pictures) < FEWEST:
        raise click.UsageError(
            f"{folder}: {len(pictures)} labelled pictures, must be at least {FEWEST}; label more"
        )
    options = Options(minutes, trunk_rate=5e-5, rate=2e-4, seed=seed, freeze=10)
    fit(Site(**given), pictures, others(data), options)


def fit(
    site: Site, pictures: list[Example], rest: dict[str, list[Example]], options: Options
) -> None:
    """Train on three of four pictures, make the file, list it, and tell the errors on the rest."""
    aside = pictures[KEPT_ASIDE - 1 :: KEPT_ASIDE]
    seen = [picture for n, picture in enumerate(pictures) if (n + 1) % KEPT_ASIDE]
    size = site.size or likest(pictures[0], SIZES)
    before = measure(FloatCounter(load_weights(), size), aside)
    trainer = Trainer(options, ROOT / "runs" / site.name)
    trainer.start_from(WEIGHTS)
    trainer.train(*with_own(seen, rest))
    after = _write(site, load_weights(trainer.run / "checkpoint.pt"), size, seen, aside)
    tell("before, float", before)
    tell("after, int8", after)
    if after.mae >= before.mae:
        click.echo("no better than before: keep the shipped model, or label more pictures")


def _write(
    site: Site, model: HeadCounter, size: tuple[int, int], seen: list[Example],
    aside: list[Example],
) -> Score:  # fmt: skip
    """The file and its entry beside those that are there; its errors on pictures kept aside."""
    site.out.mkdir(parents=True, exist_ok=True)
    there = [entry for entry in read_entries(site.out) if entry["name"] != site.name]
    entry = write_model(site.out, site.name, model, size, seen + kept_scenes()[::20])
    write_manifest(site.out, [*there, entry])
    fit_scale(site.out, entry, seen)
    after = fit_rest(site.out, entry, {"own": aside})["own"]
    write_manifest(site.out, [*there, entry])
    click.echo(f"{site.out / entry['file']} is listed; in the site file: {_taken_by(site)}")
    return after


def _taken_by(site: Site) -> str:
    """What the site file must say."""
    by_name = f'counter.model = "{site.name}"'
    listing = (site.out / "manifest.toml").resolve()
    return by_name if site.out == ROOT else f'{by_name}, counter.manifest = "{listing}"'


def likest(picture: Example, sizes: tuple[tuple[int, int], ...]) -> tuple[int, int]:
    """The input (width, height) nearest in shape, the smaller of two that are alike."""
    height, width, _ = picture.pixels.shape
    return min(sizes, key=lambda s: (round(abs(s[0] / s[1] - width / height), 2), s[0] * s[1]))


def others(data: Path) -> dict[str, list[Example]]:
    """What the counter learnt from before, so that it forgets nothing; without it what is drawn."""
    sets = {"scene": kept_scenes(), "drawn": training_textures()}
    if not data.is_dir():
        click.echo(f"no research pictures in {data}: only the site's and simulated ones are used")
        return sets
    return sets | {name: load_set(data, name, "train") for name in REAL_SETS}


def with_own(
    seen: list[Example], sets: dict[str, list[Example]]
) -> tuple[dict[str, list[Example]], list[Share]]:
    """The site's pictures beside the others, half of what is drawn."""
    rest = [share for share in SHARES if share.name in sets]
    weight = OWN_SHARE / (1 - OWN_SHARE) * sum(share.weight for share in rest)
    return sets | {"own": seen}, [Share("own", weight, *OWN_SCALES), *rest]


def tell(what: str, score: Score) -> None:
    """One line on the pictures kept aside."""
    click.echo(
        f"{what}: {len(score.truth)} pictures kept aside, MAE {score.mae:.2f}, "
        f"bias {score.bias:+.2f} of {score.truth.mean():.1f} heads"
    )


if __name__ == "__main__":
    main()
