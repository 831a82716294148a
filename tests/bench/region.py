"""`python -m tests.bench.region [scenes | street]`: the counter in zones, whole pictures and parts.

Not a test. The simulated street has the truth of a zone in metres; of the street val pictures a
rectangle stands for the zone, as they have no ground plane. They lie beside the checkout (or in
$REDROAD_DATA).
"""

import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edge.decide.zones import ZoneCounter
from edge.ground.region import Box, Region, region_of
from edge.site import Site
from edge.site.schema import DEMO_ZONE, Ground, SceneOptions
from edge.street.crowd import Street
from edge.street.pinhole import PinholeCamera
from edge.street.scene import FARTHEST_M, LOOKS, Scene
from edge.watch.counter import Counter
from edge.watch.frame import Frame
from edge.watch.look import look_at
from edge.watch.main import Counting, look_of
from edge.watch.manifest import Manifest, shipped_manifest
from hil.testkit.data import HEADS
from hil.testkit.true_zone import TrueZone
from models.pictures import Example, load_set

MODEL = "street-640x352"
SIZE = (1280, 704)
DENSITIES = (0.3, 1.0, 2.0, 3.5, 5.5, 7.5)
MOMENT_S = 12.0
PARTS = (0.5, 0.6, 0.75)
MARGIN_PX = 10  # around a rectangle, as MARGIN_M is around a zone
SEED = 700  # of streets that no training saw
MARKS = [(-2.5, 9.0), (2.5, 9.0), (2.5, 15.5), (-2.5, 15.5), (0.0, 12.0), (-2.5, 12.0)]


@dataclass(frozen=True)
class View:
    """A camera over the stretch, which fills a part of its picture."""

    name: str
    height_m: float
    tilt_deg: float
    lens_deg: float

    @property
    def camera(self) -> PinholeCamera:
        return PinholeCamera.of(*SIZE, self.height_m, self.tilt_deg, self.lens_deg)

    def site(self, looks_at: str) -> Site:
        """The stretch as the zone of a site with this camera, looked at in one of the two ways."""
        camera = self.camera
        x, y, _ = camera.project(np.array([(*mark, 0.0) for mark in MARKS]))
        points = [(float(a), float(b), *m) for a, b, m in zip(x, y, MARKS, strict=True)]
        ground = Ground(
            picture_width=camera.width,
            picture_height=camera.height,
            points=points,
            camera_height_m=camera.height_m,
        )
        counter = {"model": MODEL, "look_at": looks_at, "threads": 1}
        return Site.model_validate(
            {"camera": SceneOptions(), "ground": ground, "zone": [DEMO_ZONE], "counter": counter}
        )


VIEWS = (View("lens of 70°", 8.5, 30.0, 70.0), View("lens of 95°", 8.5, 28.0, 95.0),
         View("lens of 95°, 6 m up", 6.0, 22.0, 95.0))  # fmt: skip


def scenes() -> None:
    """Density and peak of the stretch, persons per m2, against the truth."""
    print("| camera | light | looks at | head px far, near | off | of a picture | peak off |")
    print("|---|---|---|---|---|---|---|")
    zone = TrueZone(DEMO_ZONE)
    for view in VIEWS:
        for night in (False, True):
            seen = list(_seen(view, night))
            for looks_at in ("picture", "zones"):
                _print(view, night, looks_at, seen, zone)


Feet = NDArray[np.float64]


def _seen(view: View, night: bool) -> Iterator[tuple[Frame, Feet]]:
    """Pictures from nearly empty to crowded, and where everybody stands."""
    for index, density in enumerate(DENSITIES):
        people = Street(((0.0, density), (150.0, density)), SEED + index, LOOKS, FARTHEST_M)
        scene = Scene(*SIZE, seed=SEED + index, night=night, view=view.camera, people=people)
        yield Frame(scene.at(MOMENT_S).pixels, 1), people.at(MOMENT_S).feet


def _print(
    view: View, night: bool, looks_at: str, seen: Sequence[tuple[Frame, Feet]], zone: TrueZone
) -> None:
    site = view.site(looks_at)
    look = look_of(site, SIZE)
    rows = []
    for frame, feet in seen:
        heads = Counting(site, live=False).sighting(frame).heads
        assert heads is not None, "the picture is not trusted"
        (found,) = ZoneCounter(site.zone, site.ground).count(heads, 1).zones
        rows.append((zone.density(feet), found.density, zone.peak(feet), found.peak))
    true, counted, peak, counted_peak = np.array(rows).T
    region = region_of(site.zone, site.ground, *SIZE)
    assert region is not None
    far, near = (look.ratio * px for px in (region.farthest_head_px, region.nearest_head_px))
    print(
        f"| {view.name} | {'night' if night else 'day'} | {looks_at} ({look.box}) | "
        f"{far:.1f}, {near:.1f} | {100 * (counted.sum() / true.sum() - 1):+.0f} % | "
        f"{100 * np.abs(counted - true).sum() / true.sum():.0f} % | "
        f"{100 * (counted_peak.sum() / peak.sum() - 1):+.0f} % |",
        flush=True,
    )


def street() -> None:
    """Heads in a rectangle in the middle of the street val pictures."""
    manifest = Manifest(shipped_manifest())
    counter = Counter(manifest, manifest.named(MODEL), "litert", 1)
    examples = load_set(HEADS, "street", "val")
    print("| part of each side | looks at | heads in it | MAE | bias |\n|---|---|---|---|---|")
    for part in PARTS:
        for name, looking in (("picture", _whole), ("zones", _part)):
            pairs = np.array([_counted(counter, example, part, looking) for example in examples])
            true, error = pairs[:, 0], pairs[:, 1] - pairs[:, 0]
            print(
                f"| {part:g} | {name} | {true.mean():.0f} | {np.abs(error).mean():.1f} | "
                f"{100 * error.sum() / true.sum():+.0f} % |",
                flush=True,
            )


Looking = Callable[[Counter, Box, tuple[int, int]], Box]


def _whole(_counter: Counter, _box: Box, size: tuple[int, int]) -> Box:
    return Box(0, 0, *size)


def _part(counter: Counter, box: Box, size: tuple[int, int]) -> Box:
    width, height = size
    around = Box(
        max(0, box.left - MARGIN_PX),
        max(0, box.top - MARGIN_PX),
        min(width, box.right + MARGIN_PX),
        min(height, box.bottom + MARGIN_PX),
    )
    return look_at(counter.entry, Region(around, 20.0, 6.0), width, height).box


def _counted(
    counter: Counter, example: Example, part: float, looking: Looking
) -> tuple[float, float]:
    """True heads in the rectangle, and those counted, cells by their share of it."""
    height, width, _ = example.pixels.shape
    sides = np.array((width, height))
    corner = (sides * (1 - part) / 2).round().astype(int)
    (left, top), (right, bottom) = corner.tolist(), (sides - corner).tolist()
    look = looking(counter, Box(left, top, right, bottom), (width, height))
    heads = counter.count(example.pixels, look)
    rows, columns = heads.count.shape
    weights = np.outer(
        _share(heads.top, rows, heads.cell, (top, bottom)),
        _share(heads.left, columns, heads.cell, (left, right)),
    )
    inside = (example.heads >= (left, top)) & (example.heads < (right, bottom))
    found = heads.weighted(weights.astype(np.float32)).people
    return float(inside.all(axis=1).sum()), found


def _share(begin: float, cells: int, cell: float, ends: tuple[int, int]) -> Feet:
    """The part of each cell that lies between the ends, along one side."""
    low = begin + cell * np.arange(cells)
    return np.asarray(((np.minimum(low + cell, ends[1]) - np.maximum(low, ends[0])) / cell).clip(0))


if __name__ == "__main__":
    parts = {"scenes": scenes, "street": street}
    for name in sys.argv[1:] or parts:
        parts[name]()
