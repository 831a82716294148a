"""Makes the appliance's files: `python -m models.export --run fourth`.

Each input size becomes one full-int8 `.tflite`. Ranges are measured picture by picture and merged
by minimum and maximum, since a moving average would clip the densest crowds. Then writes
`manifest.toml` anew, with each file's hash, its golden count and what it scores, and keeps the
weights in float as `street.pt`, from which `models.finetune` and later runs start.
"""

import hashlib
import multiprocessing
import tempfile
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import click
import litert_torch
import numpy as np
import tomlkit
import torch
from ai_edge_quantizer import quantizer as aeq
from ai_edge_quantizer import recipe
from tqdm import tqdm

from edge.watch.counter import Counter
from edge.watch.manifest import Manifest
from edge.watch.pictures import read_picture
from models.equalise import equalise
from models.floating import WEIGHTS, FloatCounter, load_weights
from models.network import BLOCK, CELL, HeadCounter, gmac
from models.pictures import Example, data_option, letterbox, load_set
from models.places import by_set, val_places
from models.scenes import golden_picture, kept_scenes
from models.scoring import Counts, Score, fitted_interval, is_fair, measure

ROOT = Path(__file__).parent
SIZES = ((640, 352), (960, 544), (640, 480), (1024, 768), (384, 544))
EQUALISED_AT = (640, 480)
GOLDEN = "golden.jpg"
WORKERS = 2  # sizes at a time
SCALE_PICTURES = 120
CALIBRATION = {"street": 16, "station": 6, "dense": 8, "rendered": 2, "nobody": 8, "scene": 8}


class ChannelsLast(torch.nn.Module):
    """The network as TFLite wants it: pictures and blocks with their channels last."""

    def __init__(self, model: torch.nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(1, H, W, 3) to (1, rows, columns, channels)."""
        return self.model(x.permute(0, 3, 1, 2)).permute(0, 2, 3, 1)  # type: ignore[no-any-return]


def calibration_pictures(data: Path) -> list[Example]:
    """Some pictures of every train split."""
    rng = np.random.default_rng(0)
    chosen: list[Example] = []
    for name, count in CALIBRATION.items():
        examples = kept_scenes() if name == "scene" else load_set(data, name, "train")
        chosen += [examples[i] for i in rng.choice(len(examples), count, replace=False)]
    return chosen


def convert(model: torch.nn.Module, size: tuple[int, int], pictures: list[Example]) -> bytes:
    """The model for one input size (width, height), quantised."""
    width, height = size
    example = (torch.zeros(1, height, width, 3),)
    floating = ROOT / "runs" / f"float-{width}x{height}.tflite"
    floating.parent.mkdir(exist_ok=True)
    litert_torch.convert(ChannelsLast(model).eval(), example).export(str(floating))
    quantizer = aeq.Quantizer(str(floating), recipe.static_wi8_ai8())
    ranges = _merged_ranges(quantizer, [_as_input(p, size) for p in pictures])
    return bytes(quantizer.quantize(ranges).quantized_model)


def _as_input(picture: Example, size: tuple[int, int]) -> np.ndarray:
    canvas, _ = letterbox(picture.pixels, size)
    return (canvas[np.newaxis].astype(np.float32) / 127.5) - 1


def _as_tensor(picture: Example) -> torch.Tensor:
    return torch.from_numpy(_as_input(picture, EQUALISED_AT)).permute(0, 3, 1, 2)


def _merged_ranges(quantizer: aeq.Quantizer, inputs: list[np.ndarray]) -> dict[str, Any]:
    """Each tensor's smallest and largest value over all pictures."""
    merged: dict[str, Any] = {}
    for array in tqdm(inputs, desc="measuring ranges"):
        found = quantizer.calibrate({"serving_default": [{"args_0": array}]})
        for name, stats in found.items():
            known = merged.setdefault(name, stats)
            known["min"] = np.minimum(known["min"], stats["min"])
            known["max"] = np.maximum(known["max"], stats["max"])
    return merged


def write_model(
    folder: Path, name: str, model: HeadCounter, size: tuple[int, int], pictures: list[Example]
) -> dict[str, Any]:
    """Write the file, and give what the manifest says of it before anything is measured."""
    content = convert(model, size, pictures)
    (folder / f"{name}.tflite").write_bytes(content)
    return {
        "name": name,
        "file": f"{name}.tflite",
        "sha256": hashlib.sha256(content).hexdigest(),
        "input": list(size),
        "block": BLOCK,
        "cell": CELL,
        "scale": 1.0,
        "interval": 1.645,
        "relative": 0.0,
        "gmac": round(gmac(size), 3),
        "golden_count": 0.0,
        "scores": {},
    }


def write_manifest(folder: Path, entries: Sequence[Mapping[str, Any]]) -> None:
    """The list of the models in a folder, and the picture that each unit counts at its start."""
    golden_picture().save(folder / GOLDEN, quality=92)
    (folder / "manifest.toml").write_text(_listed(entries), encoding="utf-8")


def _listed(entries: Sequence[Mapping[str, Any]]) -> str:
    document = tomlkit.document()
    document.add(tomlkit.comment("Written by `python -m models.export`; do not edit."))
    document["golden"] = GOLDEN
    document["model"] = list(entries)
    return tomlkit.dumps(document)


def read_entries(folder: Path) -> list[dict[str, Any]]:
    """The manifest's entries; none where there is no manifest."""
    path = folder / "manifest.toml"
    if not path.exists():
        return []
    return list(tomlkit.parse(path.read_text(encoding="utf-8")).unwrap()["model"])


def fit_scale(folder: Path, entry: dict[str, Any], train: Sequence[Example]) -> None:
    """Make counts right on average on train pictures."""
    entry["scale"] = 1.0
    entry["scale"] = _right_scale(_counter(folder, entry), train)


def _right_scale(counter: Counts, train: Sequence[Example]) -> float:
    """True by counted heads."""
    score = measure(counter, train)
    return round(float(score.truth.sum() / score.found.sum()), 3)


def fit_rest(
    folder: Path, entry: dict[str, Any], val: Mapping[str, Sequence[Example]]
) -> dict[str, Score]:
    """Fill in interval, golden count and scores; `val` holds places that no training saw.

    The interval is the one that holds at each of them, so that it has a chance at the next.
    """
    counter = _counter(folder, entry)
    scores = {name: measure(counter, pictures) for name, pictures in val.items()}
    fair = [score for name, score in scores.items() if is_fair(entry["input"], val[name])]
    interval = fitted_interval(fair)
    entry["interval"], entry["relative"] = round(interval.factor, 3), round(interval.relative, 3)
    golden = counter.count(read_picture(folder / GOLDEN)).total().people
    entry["golden_count"] = round(golden, 2)
    for name, score in by_set(scores).items():
        if not score.truth.any():
            entry["scores"][f"{name}_val_mean"] = round(float(score.found.mean()), 2)
            continue
        entry["scores"][f"{name}_val_mae"] = round(score.mae, 2)
        entry["scores"][f"{name}_val_bias"] = round(score.bias, 2)
    return scores


def _counter(folder: Path, entry: Mapping[str, Any]) -> Counter:
    """The appliance's own counter for one file, as its entry stands now."""
    with tempfile.TemporaryDirectory() as name:
        listing = Path(name) / "manifest.toml"
        alone = {**entry, "file": str((folder / entry["file"]).resolve())}
        listing.write_text(_listed([alone]), encoding="utf-8")
        manifest = Manifest(listing)
        return Counter(manifest, manifest.entries[0], "litert", 1)


def _chosen(data: Path, size: Sequence[int]) -> list[Example]:
    """Train pictures of the set that has the input's shape."""
    examples = load_set(data, "street" if size[0] > size[1] else "station", "train")
    rng = np.random.default_rng(0)
    return [examples[i] for i in rng.choice(len(examples), SCALE_PICTURES, replace=False)]


def make(data: Path, name: str, size: tuple[int, int]) -> dict[str, Any]:
    """The file for one size, from the weights that are kept; its entry, not yet measured."""
    torch.set_num_threads(1)
    return write_model(ROOT, name, load_weights(), size, calibration_pictures(data))


def _blend(model: HeadCounter, share: float) -> HeadCounter:
    """Weights between those that are kept and those of a run that began with them.

    What two ends of a training agree on serves on streets of neither (Wortsman et al. 2022, "Model
    soups", arXiv:2203.05482).
    """
    fresh, kept = model.state_dict(), load_weights().state_dict()
    model.load_state_dict({name: torch.lerp(kept[name], fresh[name], share) for name in fresh})
    return model


def fit(data: Path, entry: dict[str, Any]) -> dict[str, Any]:
    """The entry with everything that is measured.

    The network in float has a scale of its own, so that its errors are not those of the file's.
    """
    torch.set_num_threads(1)
    train = _chosen(data, entry["input"])
    fit_scale(ROOT, entry, train)
    floating = FloatCounter(load_weights(), entry["input"])
    entry["scores"]["float_scale"] = _right_scale(floating, train)
    fit_rest(ROOT, entry, val_places(data))
    return entry


@click.command()
@click.option("--run", help="Folder under models/runs; without it, the weights that are kept.")
@click.option(
    "--share",
    default=1.0,
    show_default=True,
    type=click.FloatRange(0, 1),
    help="Of the run's weights, where it began with those that are kept; the rest is theirs.",
)
@click.option("--prefix", default="street", show_default=True, help="How the files' names begin.")
@data_option
@click.option("--measure-only", is_flag=True, help="Measure the files that are there anew.")
def main(run: str | None, share: float, prefix: str, data: Path, measure_only: bool) -> None:
    """Quantise weights for every input size, measure each file, and write the manifest."""
    if run:
        model = _blend(load_weights(ROOT / "runs" / run / "checkpoint.pt"), share)
        equalise(model, map(_as_tensor, calibration_pictures(data)))
        torch.save(model.state_dict(), WEIGHTS)
    names = [f"{prefix}-{width}x{height}" for width, height in SIZES]
    golden_picture().save(ROOT / GOLDEN, quality=92)
    spawned = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(WORKERS, spawned) as pool:
        if measure_only:
            entries = read_entries(ROOT)
        else:
            entries = list(pool.map(make, [data] * len(SIZES), names, SIZES))
        measured = []
        for entry in pool.map(fit, [data] * len(entries), entries):
            click.echo(f"{entry['name']}: scale {entry['scale']}, {entry['scores']}")
            measured.append(entry)
    write_manifest(ROOT, measured)


if __name__ == "__main__":
    main()
