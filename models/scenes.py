"""The simulated street as a training set of its own: other streets and people than it shows."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from edge.street.scene import Scene
from models.pictures import Example

FIRST_SEED = 1000  # below are the streets of the demonstration, the tests and the evaluation
SIZES = ((640, 352), (640, 480), (384, 544), (960, 544), (640, 352))
MOMENTS_S = (5.0, 47.0, 93.0)
KEPT = Path(__file__).parent / "runs"


def training_scenes(streets: int = 90) -> list[Example]:
    """Three pictures each of many streets, from empty to 8 persons per m2, day and night."""
    from tqdm import tqdm  # type: ignore[import-untyped]  # of the workshop's environment alone

    rng = np.random.default_rng(FIRST_SEED)
    examples = []
    for index in tqdm(range(streets), desc="drawing streets"):
        width, height = SIZES[index % len(SIZES)]
        density = 0.0 if index % 8 == 0 else float(rng.uniform(0.2, 8.0))
        scene = Scene(
            width,
            height,
            seed=FIRST_SEED + index,
            night=index % 3 == 0,
            vary=index % 2 == 0,
            script=((0.0, density), (150.0, density)),
        )
        for moment in MOMENTS_S:
            picture = scene.at(moment)
            name = f"scene-{FIRST_SEED + index}-{moment:g}"
            examples.append(Example(name, picture.pixels, picture.heads))
    return examples


def kept_scenes() -> list[Example]:
    """Training scenes, drawn once and kept, as that takes minutes."""
    return kept("scenes", training_scenes)


def kept(name: str, draw: Callable[[], list[Example]]) -> list[Example]:
    """What was drawn once and is kept in `models/runs`."""
    file = KEPT / f"{name}.npz"
    if not file.exists():
        KEPT.mkdir(exist_ok=True)
        drawn = draw()
        parts = {f"{n}.{part}": value for n, e in enumerate(drawn) for part, value in _parts(e)}
        np.savez_compressed(file, **parts)
    with np.load(file) as there:
        count = len(there.files) // 2
        return [
            Example(f"{name}-{n}", there[f"{n}.pixels"], there[f"{n}.heads"]) for n in range(count)
        ]


def _parts(example: Example) -> tuple[tuple[str, NDArray[Any]], ...]:
    return ("pixels", example.pixels), ("heads", example.heads)


def golden_picture() -> Image.Image:
    """The picture that every unit counts at every start: the demonstration's street, busy."""
    return Image.fromarray(Scene().at(28.0).pixels)
