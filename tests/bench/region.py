"""`python -m tests.bench.region [scenes | street]`: the counter on zones, with and without a look at
their part of the picture alone.

Not a test. The simulated street has the truth of a zone in metres; of the street val pictures a
rectangle stands for the zone, as they have no ground plane. They lie beside the checkout (or in
$REDROAD_DATA).
"""

import sys
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from edge.decide.zones import ZoneCounter
from edge.ground.region import Box, Region
from edge.site import Site
from edge.site.schema import DEMO_ZONE, Ground, SceneOptions
from edge.street.pinhole import PinholeCamera
from edge.street.scene import Scene
from edge.watch.counter import Counter
from edge.watch.frame import Frame
from edge.watch.look import choose_look, whole
from edge.watch.main import LIMIT_GMAC, Counting, look_of
from edge.watch.manifest import Manifest, shipped_manifest
from hil.testkit.data import HEADS as DATA
from hil.testkit.true_zone import TrueZone
from models.pictures import load_set

MODEL = "street-640x352"
SIZE = (1280, 704)
DENSITIES = (0.3, 1.0, 2.0, 3.5, 5.5, 7.5)
MOMENT_S = 12.0
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

    def site(self, look_at: str) -> Site:
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
        counter = {"model": MODEL, "look_at": look_at, "threads": 1}
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
            for look_at in ("picture", "zones"):
                _print(view, night, look_at, seen, zone)


Seen = tuple[Frame, np.ndarray[tuple[int, int], np.dtype[np.float64]]]


def _seen(view: View, night: bool) -> Iterator[Seen]:
    """Pictures from nearly empty to crowded, and where everybody stands."""
    for index, density in enumerate(DENSITIES):
        scene = Scene(
            *SIZE, seed=SEED + index, night=night, view=view.camera,
            script=((0.0, density), (150.0, density)),
        )  # fmt: skip
        crowd = scene._people.at(MOMENT_S)
        yield Frame(scene.at(MOMENT_S).pixels, 1), crowd.feet


def _print(view: View, night: bool, look_at: str, seen: list[Seen], zone: TrueZone) -> None:
    site = view.site(look_at)
    look = look_of(site, SIZE)
    rows = []
    for frame, feet in seen:
        heads = Counting(site, live=False).sighting(frame).heads
        assert heads is not None, "the picture is not trusted"
        (found,) = ZoneCounter(site.zone, site.ground).count(heads, 1).zones
        rows.append((zone.density(feet), found.density, zone.peak(feet), found.peak))
    true, counted, peak, counted_peak = np.array(rows).T
    region = region_px(site)
    far, near = (look.ratio * px for px in (region.farthest_head_px, region.nearest_head_px))
    print(
        f"| {view.name} | {'night' if night else 'day'} | {look_at} ({look.box}) | "
        f"{far:.1f}, {near:.1f} | {100 * (counted.sum() / true.sum() - 1):+.0f} % | "
        f"{100 * np.abs(counted - true).sum() / true.sum():.0f} % | "
        f"{100 * (counted_peak.sum() / peak.sum() - 1):+.0f} % |",
        flush=True,
    )


def region_px(site: Site) -> Region:
    from edge.ground.region import region_of

    region = region_of(site.zone, site.ground, *SIZE)
    assert region is not None
    return region


def street() -> None:
    """Heads in the middle of the street val pictures: the half and the third of each side."""
    manifest = Manifest(shipped_manifest())
    entry = manifest.named(MODEL)
    counter = Counter(manifest, entry, "litert", 1)
    examples = load_set(DATA, "street", "val")
    print("| part of each side | looks at | heads in it | MAE | bias |\n|---|---|---|---|---|")
    for part in (0.5, 0.6, 0.75):
        for look_at in ("picture", "zones"):
            pairs = np.array([_pair(counter, e, part, look_at, manifest) for e in examples])
            error = pairs[:, 1] - pairs[:, 0]
            print(
                f"| {part:g} | {look_at} | {pairs[:, 0].mean():.0f} | {np.abs(error).mean():.1f} | "
                f"{100 * error.sum() / pairs[:, 0].sum():+.0f} % |",
                flush=True,
            )


def _pair(counter, example, part, look_at, manifest):
    height, width, _ = example.pixels.shape
    side = np.array((width, height)) * part
    low = (np.array((width, height)) - side) / 2
    high = low + side
    box = Box(*low.round().astype(int).tolist(), *high.round().astype(int).tolist())
    look = whole(counter.entry, width, height)
    if look_at == "zones":
        grown = Box(
            max(0, box.left - 10),
            max(0, box.top - 10),
            min(width, box.right + 10),
            min(height, box.bottom + 10),
        )
        look = choose_look(manifest, Region(grown, 20.0, 6.0), (width, height), LIMIT_GMAC, MODEL)
    heads = counter.count(example.pixels, look.box)
    rows, columns = heads.count.shape
    weights = np.outer(
        _share(heads.top + heads.cell * np.arange(rows), heads.cell, box.top, box.bottom),
        _share(heads.left + heads.cell * np.arange(columns), heads.cell, box.left, box.right),
    )
    inside = (
        (example.heads >= (box.left, box.top)) & (example.heads < (box.right, box.bottom))
    ).all(axis=1)
    return float(inside.sum()), heads.weighted(weights.astype(np.float32)).people


def _share(begin, cell, low, high):
    return ((np.minimum(begin + cell, high) - np.maximum(begin, low)) / cell).clip(0, 1)


if __name__ == "__main__":
    parts = {"scenes": scenes, "street": street}
    for name in sys.argv[1:] or parts:
        parts[name]()
