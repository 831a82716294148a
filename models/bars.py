"""What a counter is held to beside its errors: nobody where nobody is, all lights, other places."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edge.common.sighting import HeadMap
from models.empty import Phantoms, empty_sets, phantoms
from models.pictures import Example
from models.places import at_night, left_out_coverage, set_of, val_places
from models.scoring import VAL_SETS, Counts, Score, is_fair, measure

EMPTY_HEADER = (
    "| model | pictures of nobody | pictures | median | 20 and more | most |\n"
    "|---|---|---|---|---|---|"
)
LIGHT_HEADER = "| model | light | pictures | MAE | bias | of the heads |\n|---|---|---|---|---|---|"
PLACE_HEADER = (
    "| model | place | pictures | bias | inside | inside when it is left out of the fit |\n"
    "|---|---|---|---|---|---|"
)


@dataclass(frozen=True)
class Material:
    """Pictures that no training saw."""

    empty: Mapping[str, list[Example]]
    lights: Mapping[str, list[Example]]
    places: Mapping[str, list[Example]]

    @classmethod
    def load(cls, data: Path) -> "Material":
        """From the folder of the sets."""
        places = val_places(data)
        return cls(empty_sets(data, _of_set(places, "nobody")), _lights(places), places)


def _lights(places: Mapping[str, list[Example]]) -> dict[str, list[Example]]:
    """The street and the station by day, as at night and as in infra-red; the simulated street."""
    made = {
        f"{name}, {light}": change
        for name, pictures in ((name, _of_set(places, name)) for name in VAL_SETS)
        for light, change in (
            ("as it is", pictures),
            ("made night", at_night(pictures)),
            ("made infra-red", at_night(pictures, infra_red=True)),
        )
    }
    return made | {place: part for place, part in places.items() if set_of(place) == "scene"}


def _of_set(places: Mapping[str, list[Example]], name: str) -> list[Example]:
    return [p for place, part in places.items() if set_of(place) == name for p in part]


class Once:
    """A counter that counts each picture once, however many tables ask for it."""

    def __init__(self, counter: Counts) -> None:
        self._counter = counter
        self._known: dict[int, HeadMap] = {}

    def count(self, pixels: NDArray[np.uint8]) -> HeadMap:
        """The heads in a picture that is kept while this counter is."""
        if id(pixels) not in self._known:
            self._known[id(pixels)] = self._counter.count(pixels)
        return self._known[id(pixels)]


def empty_rows(name: str, found: Mapping[str, Phantoms]) -> Iterator[str]:
    """Lines under EMPTY_HEADER."""
    for label, one in found.items():
        yield (
            f"| {name} | {label} | {len(one.found)} | {one.median:.2f} "
            f"| {100 * one.share_of_many:.1f} % | {one.most:.1f} |"
        )


def light_rows(name: str, scores: Mapping[str, Score]) -> Iterator[str]:
    """Lines under LIGHT_HEADER."""
    for label, score in scores.items():
        yield (
            f"| {name} | {label} | {len(score.truth)} | {score.mae:.2f} | {score.bias:+.2f} "
            f"| {100 * score.relative_bias:+.1f} % |"
        )


def place_rows(name: str, scores: Mapping[str, Score]) -> Iterator[str]:
    """Lines under PLACE_HEADER."""
    left_out = left_out_coverage(scores)
    for label, score in scores.items():
        yield (
            f"| {name} | {label} | {len(score.truth)} | {score.bias:+.2f} "
            f"| {100 * score.coverage:.0f} % | {100 * left_out[label]:.0f} % |"
        )


def bar_tables(
    counters: Mapping[str, Counts], sizes: Mapping[str, Sequence[int]], material: Material
) -> list[str]:
    """Three tables of all models."""
    empty, lights, places = [EMPTY_HEADER], [LIGHT_HEADER], [PLACE_HEADER]
    for name, one in counters.items():
        counter = Once(one)
        empty += empty_rows(name, {k: phantoms(counter, p) for k, p in material.empty.items()})
        fair = {k: p for k, p in material.lights.items() if is_fair(sizes[name], p)}
        lights += light_rows(name, {k: measure(counter, p) for k, p in fair.items()})
        fair = {k: p for k, p in material.places.items() if is_fair(sizes[name], p)}
        places += place_rows(name, {k: measure(counter, p) for k, p in fair.items()})
    return ["\n".join(lines) for lines in (empty, lights, places)]
