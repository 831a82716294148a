"""`python -m tests.bench.region [scenes | alley | street | far]`: how zones are counted by looks at
whole pictures, at the zones' part, and at their far end besides.

Not a test. The simulated street has the truth of a zone in metres; of the street val pictures a
rectangle stands for the zone, as they have no ground plane. They lie beside the checkout (or in
$REDROAD_DATA).
"""

import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from edge.common.sighting import HeadMap
from edge.decide.zones import ZoneCounter
from edge.site import Site
from edge.site.ground.region import Box, Region, region_of
from edge.site.schema import DEMO_ZONE, Ground, SceneOptions, Zone
from edge.street.crowd import Street
from edge.street.pinhole import PinholeCamera
from edge.street.scene import FARTHEST_M, LOOKS, Scene
from edge.watch.counter import Counter
from edge.watch.frame import Frame
from edge.watch.look import look_at, whole
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
FAR_PART = (0.2, 0.8, 0.15, 0.5)  # left, right, top and bottom of a picture
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

    size: tuple[int, int] = SIZE
    zone: Zone = DEMO_ZONE

    @property
    def camera(self) -> PinholeCamera:
        return PinholeCamera.of(*self.size, self.height_m, self.tilt_deg, self.lens_deg)

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
            {
                "camera": SceneOptions(),
                "ground": ground,
                "zone": [self.zone],
                "counter": counter,
            }
        )


VIEWS = (View("lens of 70°", 8.5, 30.0, 70.0), View("lens of 95°", 8.5, 28.0, 95.0),
         View("lens of 95°, 6 m up", 6.0, 22.0, 95.0))  # fmt: skip


ALLEY = View(
    "alley of 17 m, 1920x1088 px", 6.0, 20.0, 60.0, (1920, 1088),
    Zone(name="alley", ground=[(-2.0, 9.0), (2.0, 9.0), (2.0, 26.0), (-2.0, 26.0)]),
)  # fmt: skip


def scenes() -> None:
    """Density and peak of the stretch, persons per m2, against the truth."""
    _table(VIEWS, (False, True), ("picture", "zones"))


def alley() -> None:
    """Of a zone whose far end is small in its own part of the picture, too."""
    _table((ALLEY,), (False,), ("picture", "zones", "far"))


def _table(views: Sequence[View], nights: Sequence[bool], ways: Sequence[str]) -> None:
    print(
        "| camera | light | looks at | head px far, near | off | of a picture | peak off | "
        "off those who are seen | of a picture |\n|---|---|---|---|---|---|---|---|---|"
    )
    for view in views:
        zone = TrueZone(view.zone)
        for night in nights:
            seen = list(_seen(view, night))
            for looks_at in ways:
                _print(view, night, looks_at, seen, zone)


Feet = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Seen:
    """A picture, where everybody stands, and where those do whose heads are not hidden."""

    frame: Frame
    feet: Feet
    seen: Feet


def _seen(view: View, night: bool) -> Iterator[Seen]:
    """Pictures from nearly empty to crowded, and where everybody stands."""
    for index, density in enumerate(DENSITIES):
        people = Street(((0.0, density), (150.0, density)), SEED + index, LOOKS, FARTHEST_M)
        scene = Scene(*view.size, seed=SEED + index, night=night, view=view.camera, people=people)
        picture = scene.at(MOMENT_S)
        seen = picture.ground.astype(np.float64)
        yield Seen(Frame(picture.pixels, 1), people.at(MOMENT_S).feet, seen)


def _print(view: View, night: bool, looks_at: str, seen: Sequence[Seen], zone: TrueZone) -> None:
    site = view.site(looks_at)
    look = look_of(site, view.size)
    rows = []
    for one in seen:
        heads = Counting(site, live=False).sighting(one.frame).heads
        assert heads is not None, "the picture is not trusted"
        (found,) = ZoneCounter(site.zone, site.ground).count(heads, 1).zones
        truth = (zone.density(one.feet), zone.peak(one.feet), zone.density(one.seen))
        rows.append((*truth, found.density, found.peak))
    true, peak, shown, counted, counted_peak = np.array(rows).T
    region = region_of(site.zone, site.ground, *view.size)
    assert region is not None
    far, near = look.far_ratio * region.head_px.min(), look.ratio * region.head_px.max()
    print(
        f"| {view.name} | {'night' if night else 'day'} | {looks_at} ({look}) | "
        f"{far:.1f}, {near:.1f} | {100 * (counted.sum() / true.sum() - 1):+.0f} % | "
        f"{100 * np.abs(counted - true).sum() / true.sum():.0f} % | "
        f"{100 * (counted_peak.sum() / peak.sum() - 1):+.0f} % | "
        f"{100 * (counted.sum() / shown.sum() - 1):+.0f} % | "
        f"{100 * np.abs(counted - shown).sum() / shown.sum():.0f} % |",
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
    return look_at(counter.entry, _region(around), width, height).box


def _region(box: Box) -> Region:
    ends = np.array([(box.left, box.top, box.right, box.bottom)], np.float64)
    return Region(ends, np.array([20.0]))


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
    inside = (example.heads >= (left, top)) & (example.heads < (right, bottom))
    return float(inside.all(axis=1).sum()), _within(heads, (left, top, right, bottom))


def _within(heads: HeadMap, ends: tuple[int, int, int, int]) -> float:
    """Heads in a rectangle (left, top, right, bottom), cells by their share of it."""
    rows, columns = heads.count.shape
    weights = np.outer(
        _share(heads.top, rows, heads.cell, ends[1::2]),
        _share(heads.left, columns, heads.cell, ends[::2]),
    )
    return heads.weighted(weights.astype(np.float32)).people


def _share(begin: float, cells: int, cell: float, ends: Sequence[int]) -> Feet:
    """The part of each cell that lies between the ends, along one side."""
    low = begin + cell * np.arange(cells)
    return np.asarray(((np.minimum(low + cell, ends[1]) - np.maximum(low, ends[0])) / cell).clip(0))


def far() -> None:
    """Heads in the upper middle of the street val pictures, where they are small."""
    manifest = Manifest(shipped_manifest())
    counter = Counter(manifest, manifest.named(MODEL), "litert", 1)
    rows = np.array([_far_counted(counter, e) for e in load_set(HEADS, "street", "val")])
    print("| looks at | heads far | MAE | bias | heads in all | MAE | bias |")
    print("|---|---|---|---|---|---|---|")
    for name, (end, everybody) in zip(("picture", "far"), ((1, 4), (2, 5)), strict=True):
        cells = [
            f"{rows[:, truth].mean():.0f} | {np.abs(rows[:, way] - rows[:, truth]).mean():.1f} | "
            f"{100 * (rows[:, way].sum() / rows[:, truth].sum() - 1):+.0f} %"
            for truth, way in ((0, end), (3, everybody))
        ]
        print(f"| {name} | {' | '.join(cells)} |", flush=True)


def _far_counted(counter: Counter, example: Example) -> list[float]:
    """True heads in the far rectangle, by one look, by both; the same of the whole picture."""
    height, width, _ = example.pixels.shape
    left, right, top, bottom = (
        round(part * length)
        for part, length in zip(FAR_PART, (width, width, height, height), strict=True)
    )
    one = whole(counter.entry, width, height)
    closer = look_at(counter.entry, _region(Box(left, top, right, bottom)), width, height)
    inside = (example.heads >= (left, top)) & (example.heads < (right, bottom))
    maps = [look.count(counter, example.pixels) for look in (one, replace(one, far=closer.box))]
    end = (left, top, right, bottom)
    return [
        float(inside.all(axis=1).sum()),
        *(_within(heads, end) for heads in maps),
        float(len(example.heads)),
        *(heads.total().people for heads in maps),
    ]


if __name__ == "__main__":
    parts = {"scenes": scenes, "alley": alley, "street": street, "far": far}
    for name in sys.argv[1:] or parts:
        parts[name]()
