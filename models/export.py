"""Makes the appliance's files: `python -m models.export --run first`.

Each input size becomes one full-int8 `.tflite`. Ranges are measured picture by picture and merged
by minimum and maximum, since a moving average would clip the densest crowds. Then writes
`manifest.toml` anew, with each file's hash, its golden count and what it scores.
"""

import hashlib
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
from models.data import Example, letterbox, load_set
from models.evaluate import VAL_SETS, conformal_factor, is_fair, measure
from models.network import BINS, CELL, HeadCounter, gmac
from models.scenes import golden_picture
from models.train import DATA

ROOT = Path(__file__).parent
SIZES = ((640, 352), (960, 544), (640, 480), (1024, 768), (384, 544))
SCALE_PICTURES = 120
CALIBRATION = {"street": 24, "station": 10, "dense": 14, "rendered": 4, "scene": 12}


class ChannelsLast(torch.nn.Module):
    """The network as TFLite wants it: pictures and cells with their channels last."""

    def __init__(self, model: HeadCounter) -> None:
        super().__init__()
        self.model = model

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(1, H, W, 3) to (1, H / 16, W / 16, 1 + bins)."""
        return self.model(x.permute(0, 3, 1, 2)).permute(0, 2, 3, 1)  # type: ignore[no-any-return]


def load_average(run: str) -> HeadCounter:
    """The averaged weights of a run, ready to compute in float."""
    model = HeadCounter()
    state = torch.load(ROOT / "runs" / run / "checkpoint.pt", weights_only=False)
    model.load_state_dict(state["average"])
    return model.eval()


def calibration_pictures(data: Path) -> list[Example]:
    """Some pictures of every train split."""
    rng = np.random.default_rng(0)
    chosen: list[Example] = []
    for name, count in CALIBRATION.items():
        if name == "scene":
            examples = torch.load(ROOT / "runs" / "scene.pt", weights_only=False)
        else:
            examples = load_set(data, name, "train")
        chosen += [examples[i] for i in rng.choice(len(examples), count, replace=False)]
    return chosen


def convert(model: HeadCounter, size: tuple[int, int], pictures: list[Example]) -> bytes:
    """The model for one input size (width, height), quantised."""
    width, height = size
    example = (torch.zeros(1, height, width, 3),)
    floating = ROOT / "runs" / f"float-{width}x{height}.tflite"
    litert_torch.convert(ChannelsLast(model).eval(), example).export(str(floating))
    quantizer = aeq.Quantizer(str(floating), recipe.static_wi8_ai8())
    ranges = _merged_ranges(quantizer, [_as_input(p, size) for p in pictures])
    return bytes(quantizer.quantize(ranges).quantized_model)


def _as_input(picture: Example, size: tuple[int, int]) -> np.ndarray:
    canvas, _ = letterbox(picture.pixels, size)
    return (canvas[np.newaxis].astype(np.float32) / 127.5) - 1


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


def _entry(name: str, size: tuple[int, int], content: bytes) -> dict[str, Any]:
    """What the manifest says of a file before anything is measured with it."""
    return {
        "name": name,
        "file": f"{name}.tflite",
        "sha256": hashlib.sha256(content).hexdigest(),
        "input": list(size),
        "cell": CELL,
        "head": "zip",
        "bins": list(BINS),
        "scale": 1.0,
        "interval": 1.645,
        "gmac": round(gmac(size), 3),
        "golden_count": 0.0,
        "scores": {},
    }


def _write(entries: list[dict[str, Any]]) -> Manifest:
    document = tomlkit.document()
    document.add(tomlkit.comment("Written by `python -m models.export`; do not edit."))
    document["golden"] = "golden.jpg"
    document["model"] = entries
    path = ROOT / "manifest.toml"
    path.write_text(tomlkit.dumps(document), encoding="utf-8")
    return Manifest(path)


@click.command()
@click.option("--run", default="first", show_default=True, help="Folder under models/runs.")
@click.option("--prefix", default="street", show_default=True, help="How the files' names begin.")
@click.option(
    "--data",
    type=click.Path(path_type=Path),
    default=DATA,
    show_default=True,
    envvar="REDROAD_DATA",
    help="Folder of the sets.",
)
@click.option("--measure-only", is_flag=True, help="Measure the files that are there anew.")
def main(run: str, prefix: str, data: Path, measure_only: bool) -> None:
    """Quantise a run for every input size, measure each file, and write the manifest."""
    if measure_only:
        document = tomlkit.parse((ROOT / "manifest.toml").read_text(encoding="utf-8"))
        _measure(document.unwrap()["model"], data)
        return
    model = load_average(run)
    pictures = calibration_pictures(data)
    entries = []
    for size in SIZES:
        name = f"{prefix}-{size[0]}x{size[1]}"
        content = convert(model, size, pictures)
        (ROOT / f"{name}.tflite").write_bytes(content)
        entries.append(_entry(name, size, content))
    golden_picture().save(ROOT / "golden.jpg", quality=92)
    _measure(entries, data)


def _fitted_scale(counter: Counter, data: Path) -> float:
    """True by counted heads on train pictures of the set that has the input's shape."""
    wide, high = counter.entry.input
    examples = load_set(data, "street" if wide > high else "station", "train")
    rng = np.random.default_rng(0)
    chosen = rng.choice(len(examples), SCALE_PICTURES, replace=False)
    score = measure(counter, [examples[index] for index in chosen])
    return round(float(score.truth.sum() / score.found.sum()), 3)


def _measure(entries: list[dict[str, Any]], data: Path) -> None:
    """Fill in what is measured with the appliance's own code: scale, interval, golden, scores."""
    for entry in entries:
        entry["scale"] = 1.0
    manifest = _write(entries)
    for entry in entries:
        counter = Counter(manifest, manifest.named(entry["name"]), "litert", 2)
        entry["scale"] = _fitted_scale(counter, data)
    manifest = _write(entries)
    for entry in entries:
        counter = Counter(manifest, manifest.named(entry["name"]), "litert", 2)
        examples = {name: load_set(data, name, "val") for name in VAL_SETS}
        scores = {name: measure(counter, pictures) for name, pictures in examples.items()}
        fair = [score for name, score in scores.items() if is_fair(entry["input"], examples[name])]
        entry["interval"] = round(conformal_factor(fair), 3)
        golden = counter.count(read_picture(manifest.golden_picture)).total().people
        entry["golden_count"] = round(golden, 2)
        for name, score in scores.items():
            entry["scores"][f"{name}_val_mae"] = round(score.mae, 2)
            entry["scores"][f"{name}_val_bias"] = round(score.bias, 2)
        click.echo(f"{entry['name']}: {entry['scores']}")
    _write(entries)


if __name__ == "__main__":
    main()
