"""The val pictures by place, day and light: where a counter errs, and whether its interval holds.

Random pictures of one set look alike, so an interval that is fitted on half of them holds in the
other half. Whether it holds at a place that it has not seen shows when whole places are left out.
"""

import re
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

import numpy as np

from edge.street.scene import Scene
from models.augment import infrared, lamps
from models.pictures import Example, load_set
from models.scenes import kept
from models.scoring import Score, fitted_interval, merged

STATION = re.compile(r"station_(\d+)-(\d{8})")
COLOURLESS = 2  # the largest distance of a px's colours in a grey picture, on average
SCENE_SEED, SCENE_STREETS, SCENE_SIZE = 500, 10, (960, 544)
SCENE_STEP, SCENE_MOMENT_S = 0.6, 12.0  # persons per m2
NIGHT_SEED = 3


def val_places(data: Path) -> dict[str, list[Example]]:
    """Val pictures by place and day, and simulated streets that no training saw."""
    places: dict[str, list[Example]] = {"street": load_set(data, "street", "val")}
    for name in ("station", "nobody"):
        for example in load_set(data, name, "val"):
            places.setdefault(place_of(name, example), []).append(example)
    for light, night in (("day", False), ("night", True)):
        drawn = kept(f"val-scenes-{light}", partial(streets, night))
        places[f"scene, {light}"] = drawn
    return places


def place_of(name: str, example: Example) -> str:
    """A station's camera and day; pictures of nobody by whether they are grey."""
    if name == "station":
        found = STATION.match(example.name)
        if found is None:
            raise ValueError(f"{example.name}: must be named station_CAMERA-YYYYMMDD...")
        return f"station, camera {found[1]}, {found[2]}"
    spread = np.ptp(example.pixels.astype(np.int16), axis=-1).mean()
    return f"nobody, {'grey' if spread < COLOURLESS else 'colour'}"


def streets(night: bool) -> list[Example]:
    """Simulated streets from empty to crowded."""
    width, height = SCENE_SIZE
    drawn = []
    for index in range(SCENE_STREETS):
        density = SCENE_STEP * index
        seed, script = SCENE_SEED + index, ((0.0, density), (150.0, density))
        scene = Scene(width, height, seed=seed, night=night, vary=True, script=script)
        picture = scene.at(SCENE_MOMENT_S)
        drawn.append(Example(f"scene-{seed}", picture.pixels, picture.heads))
    return drawn


def set_of(place: str) -> str:
    """The set that a place belongs to."""
    return place.partition(",")[0]


def by_set(scores: Mapping[str, Score]) -> dict[str, Score]:
    """Scores of whole sets from those of their places."""
    sets: dict[str, list[Score]] = {}
    for place, score in scores.items():
        sets.setdefault(set_of(place), []).append(score)
    return {name: merged(parts) for name, parts in sets.items()}


def at_night(pictures: Sequence[Example], *, infra_red: bool = False) -> list[Example]:
    """The same pictures made dark but for some lamps, or as a camera's infra-red lamp shows them.

    Only the light is made: what people wear and where they stand stays as it was by day.
    """
    change = infrared if infra_red else lamps
    return [
        Example(p.name, change(p.pixels, np.random.default_rng([NIGHT_SEED, n])), p.heads)
        for n, p in enumerate(pictures)
    ]


def left_out_coverage(scores: Mapping[str, Score]) -> dict[str, float]:
    """For each place, the share of its pictures inside an interval fitted on all the others."""
    return {
        name: score.judged_by(
            fitted_interval([other for key, other in scores.items() if key != name])
        ).coverage
        for name, score in scores.items()
    }
