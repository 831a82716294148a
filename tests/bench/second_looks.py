"""`python -m tests.bench.second_looks`: how differently a second look counts crowds and phantoms.

Not a test; takes minutes. It needs the research pictures beside the checkout (or $REDROAD_DATA).
Zones are stood for by whole pictures and by their quarters. A phantom is a picture, or a quarter,
of nobody in which the first look counts ten heads or more.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edge.decide.opinion import AMONG_FEW, DOUBT_FROM
from edge.watch.counter import Counter
from edge.watch.frame import Pixels
from edge.watch.manifest import Manifest, shipped_manifest
from hil.testkit.data import HEADS
from models.empty import empty_sets
from models.pictures import Example, load_set

FIRST = "street-640x352"
PHANTOM_FROM = 10.0
EACH = 25  # pictures of the station and of dense crowds

Floats = NDArray[np.float64]
Quarters = Callable[[Pixels], Floats]  # heads in each quarter of a picture, (4,)


@dataclass(frozen=True)
class Look:
    """A second look by name, what it costs, and what it counts."""

    name: str
    gmac: float
    count: Quarters


def looks(manifest: Manifest) -> list[Look]:
    """The first look, and those that may be the second."""
    counters = {
        name: Counter(manifest, manifest.named(name), "litert", 1)
        for name in (FIRST, "street-640x480", "street-1024x768")
    }
    first = counters[FIRST]
    return [
        Look("first", first.entry.gmac, _quarters(first)),
        *(
            Look(f"the same at {scale:g}", first.entry.gmac, _quarters(first, scale))
            for scale in (0.8, 0.7, 0.6)
        ),
        Look("the same, flipped", first.entry.gmac, _flipped(first)),
        *(
            Look(name, counter.entry.gmac, _quarters(counter))
            for name, counter in counters.items()
            if name != FIRST
        ),
    ]


def _quarters(counter: Counter, scale: float = 1.0) -> Quarters:
    def count(pixels: Pixels) -> Floats:
        heads = counter.count(pixels, None, scale)
        rows, columns = heads.count.shape
        below = (np.arange(rows) + 0.5) * heads.cell > heads.height / 2
        right = (np.arange(columns) + 0.5) * heads.cell > heads.width / 2
        sums = np.zeros((2, 2))
        np.add.at(sums, (below[:, None].astype(int), right[None].astype(int)), heads.count)
        return sums.ravel()

    return count


def _flipped(counter: Counter) -> Quarters:
    plain = _quarters(counter)
    return lambda pixels: plain(np.ascontiguousarray(pixels[:, ::-1]))[[1, 0, 3, 2]]


def counted(ways: Sequence[Look], examples: Iterable[Example], least: float) -> Floats:
    """Heads by each look (pictures, looks, 4), of pictures with so many by the first."""
    rows = []
    for example in examples:
        first = ways[0].count(example.pixels)
        if first.sum() >= least:
            rows.append([first, *(way.count(example.pixels) for way in ways[1:])])
    return np.array(rows).reshape(-1, len(ways), 4)


def row(way: int, ways: Sequence[Look], real: Floats, nobody: Floats) -> str:
    """A line of the table."""
    cells = [ways[way].name, f"{ways[way].gmac:.2f}"]
    for real_zones, empty in ((_whole(real), _whole(nobody)), (_parts(real), _parts(nobody))):
        phantoms = empty[empty[:, 0] >= PHANTOM_FROM]
        ratio = _ratio(real_zones, way)
        differ = np.maximum(ratio, 1 / ratio)
        less = _ratio(phantoms, way)
        found = np.maximum(less, 1 / less) > DOUBT_FROM
        cells += [
            f"{np.median(differ):.2f}, {np.quantile(differ, 0.99):.2f}",
            f"{100 * (differ > DOUBT_FROM).mean():.1f} %",
            f"{100 * found.mean():.0f} % of {len(found)}",
            f"{100 * (1 / less > DOUBT_FROM).mean():.0f} %",
        ]
    return f"| {' | '.join(cells)} |"


def _whole(heads: Floats) -> Floats:
    return np.asarray(heads.sum(axis=2))


def _parts(heads: Floats) -> Floats:
    return np.asarray(heads.transpose(0, 2, 1).reshape(-1, heads.shape[1]))


def _ratio(zones: Floats, way: int) -> Floats:
    return np.asarray((zones[:, way] + AMONG_FEW) / (zones[:, 0] + AMONG_FEW))


def main() -> None:
    """Print the table."""
    ways = looks(Manifest(shipped_manifest()))
    sets: Mapping[str, list[Example]] = {
        name: load_set(HEADS, name, "val") for name in ("street", "station", "dense", "nobody")
    }
    some = [e for name in ("station", "dense") for e in sets[name][:: len(sets[name]) // EACH or 1]]
    real = counted(ways, [*sets["street"], *some], 0.0)
    empty = [e for part in empty_sets(HEADS, sets["nobody"]).values() for e in part]
    nobody = counted(ways, empty, PHANTOM_FROM)
    one = "real: median, 99 % | real in doubt | phantoms in doubt | counted less"
    print(f"| second look | GMAC | pictures: {one} | quarters: {one} |\n|{'---|' * 10}")
    for way in range(1, len(ways)):
        print(row(way, ways, real, nobody))


if __name__ == "__main__":
    main()
