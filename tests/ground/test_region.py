"""The part of the picture that holds the zones, and the look that a model takes at it."""

import math

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.common.errors import GroundError
from edge.common.sighting import HeadMap
from edge.decide.zones import ZoneCounter
from edge.ground.region import Box, Region, region_of
from edge.site.schema import DEMO_GROUND, DEMO_ZONE, Ground, Zone
from edge.street.pinhole import PinholeCamera
from edge.watch.look import LARGEST_HEAD_PX, choose_look, look_at, whole
from edge.watch.manifest import Manifest, shipped_manifest
from tests.ground.views import WIDE, ground_of

MANIFEST = Manifest(shipped_manifest())
ENTRIES = {entry.name: entry for entry in MANIFEST.entries}
SMALL = ENTRIES["street-640x352"]

cameras = st.builds(
    PinholeCamera.of,
    st.sampled_from([1280, 1920, 720]),
    st.sampled_from([704, 1080, 960]),
    st.floats(4.5, 12.0),
    st.floats(25.0, 50.0),
    st.floats(60.0, 100.0),
    turn_deg=st.floats(-12.0, 12.0),
)
sides = st.tuples(st.floats(-3.0, 0.5), st.floats(1.0, 3.0), st.floats(7.0, 11.0), st.floats(2, 7))


def zone_of(left: float, right: float, near: float, far: float) -> Zone:
    return Zone(name="z", ground=[(left, near), (right, near), (right, far), (left, far)])


@settings(max_examples=30, deadline=None)
@given(cameras, sides, st.sampled_from(sorted(ENTRIES)))
def test_no_head_of_a_zone_is_left_out(
    camera: PinholeCamera, side: tuple[float, float, float, float], model: str
) -> None:
    """Whoever stands in a zone, from a child to a giant: if the camera sees the head, so does the
    look, whole and with what is around it; and the look is one of whole cells.
    """
    left, width, near, deep = side
    zone, size = zone_of(left, left + width, near, near + deep), (camera.width, camera.height)
    region = region_of([zone], ground_of(camera), *size)
    if region is None:
        return
    entry = ENTRIES[model]
    look = look_at(entry, region, *size)
    rng = np.random.default_rng(0)
    feet = rng.uniform((left, near), (left + width, near + deep), (200, 2))
    x, y, depth = camera.project(np.column_stack([feet, rng.uniform(1.0, 1.95, 200)]))
    head = 0.12 * camera.focal_px / depth
    seen = (x > head) & (x < camera.width - head) & (y > head) & (y < camera.height - head)
    box = look.box
    assert np.all((x - head >= box.left) & (x + head <= box.right) | ~seen)
    assert np.all((y - head >= box.top) & (y + head <= box.bottom) | ~seen)
    assert box.left >= 0 and box.right <= camera.width
    assert box.top >= 0 and box.bottom <= camera.height
    assert look.ratio >= whole(entry, *size).ratio - 1e-9
    cell = entry.cell / look.ratio
    for length, limit in ((box.width, camera.width), (box.height, camera.height)):
        assert length == limit or math.isclose(length / cell, round(length / cell), abs_tol=1e-6)


def test_a_small_zone_gets_all_the_px_that_the_camera_gives_and_no_more() -> None:
    region = region_of([zone_of(-1, 1, 12, 14)], ground_of(WIDE), WIDE.width, WIDE.height)
    assert region is not None
    look = look_at(SMALL, region, WIDE.width, WIDE.height)
    assert look.ratio == 1.0
    assert (look.box.width, look.box.height) == SMALL.input


def test_heads_grow_no_larger_than_the_model_counts_them() -> None:
    region = Region(Box(900, 900, 1000, 1000), LARGEST_HEAD_PX * 2, 100.0)
    assert look_at(SMALL, region, 3840, 2112).ratio <= 0.5


def test_the_demonstration_is_looked_at_whole() -> None:
    """Its picture has no more px than the model."""
    region = region_of([DEMO_ZONE], DEMO_GROUND, 640, 352)
    assert choose_look(MANIFEST, region, (640, 352), 1.0) == whole(SMALL, 640, 352)


def test_a_model_that_costs_more_is_taken_where_it_gives_more() -> None:
    region, size = Region(Box(150, 100, 1150, 660), 20.0, 8.0), (1280, 704)
    cheap, dear = (choose_look(MANIFEST, region, size, limit) for limit in (0.6, 2.3))
    assert dear.ratio > cheap.ratio
    assert dear.entry.gmac > cheap.entry.gmac
    named = choose_look(MANIFEST, region, size, 2.3, "street-384x544")
    assert named.entry.name == "street-384x544"


@pytest.mark.parametrize(
    ("zones", "ground", "size"),
    [
        ([DEMO_ZONE], None, (640, 352)),
        ([DEMO_ZONE], DEMO_GROUND, (640, 480)),
        ([DEMO_ZONE, Zone(name="p", polygon=[(0, 0), (1, 0), (1, 1)], area_m2=9.0)], DEMO_GROUND,
         (640, 352)),
        ([zone_of(-1, 1, -9, -5)], DEMO_GROUND, (640, 352)),
    ],
    ids=["no ground", "another shape", "an outline in the picture", "behind the camera"],
)  # fmt: skip
def test_without_a_known_part_the_whole_picture_is_looked_at(
    zones: list[Zone], ground: Ground | None, size: tuple[int, int]
) -> None:
    assert region_of(zones, ground, *size) is None


def even(look_box: Box, cell: float) -> HeadMap:
    rows, columns = (math.ceil(n / cell) for n in (look_box.height, look_box.width))
    heads = np.full((rows, columns), 0.1, np.float32)
    size = (WIDE.width, WIDE.height)
    corner = (float(look_box.left), float(look_box.top))
    return HeadMap(heads, heads, cell, *size, 1.645, 0.0, *corner)


def test_a_part_of_the_picture_counts_as_it_does_in_the_whole() -> None:
    """Cells at the same places, of which those outside the zone are not there at all."""
    counter = ZoneCounter([DEMO_ZONE], ground_of(WIDE))
    region = region_of([DEMO_ZONE], ground_of(WIDE), WIDE.width, WIDE.height)
    assert region is not None
    cell = 16.0
    box = region.box
    aligned = Box(box.left // 16 * 16, box.top // 16 * 16, box.right, box.bottom)
    (part,) = counter.count(even(aligned, cell), 1).zones
    (all_of_it,) = counter.count(even(Box(0, 0, WIDE.width, WIDE.height), cell), 2).zones
    assert part.people == pytest.approx(all_of_it.people, rel=1e-4)
    assert part.peak == pytest.approx(all_of_it.peak, rel=1e-4)


def test_a_part_that_misses_some_of_a_zone_gives_no_density() -> None:
    counter = ZoneCounter([DEMO_ZONE], ground_of(WIDE))
    region = region_of([DEMO_ZONE], ground_of(WIDE), WIDE.width, WIDE.height)
    assert region is not None
    half = msgspec.structs.replace(even(region.box, 16.0), left=region.box.left + 150.0)
    with pytest.raises(GroundError, match="can be seen at the height of heads"):
        counter.count(half, 1)
