"""The part of the picture that holds the zones, and the look that a model takes at it."""

import math

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from edge.common.errors import GroundError
from edge.common.sighting import HeadMap
from edge.decide.zones import ZoneCounter
from edge.site.ground.region import Box, Region, region_of
from edge.site.schema import DEMO_GROUND, DEMO_ZONE, Ground, Zone
from edge.street.pinhole import PinholeCamera
from edge.watch.look import LARGEST_HEAD_PX, choose_look, look_at, whole
from edge.watch.manifest import Manifest, shipped_manifest
from edge.watch.parts import joined
from tests.site.views import WIDE, ground_of

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


def region(box: Box, farthest_px: float, nearest_px: float) -> Region:
    """A region of one box, with heads of so many px."""
    ends = [(box.left, box.top, box.right, box.bottom)] * 2
    return Region(np.array(ends, np.float64), np.array([farthest_px, nearest_px]))


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
    near = region(Box(900, 900, 1000, 1000), 100.0, LARGEST_HEAD_PX * 2)
    assert look_at(SMALL, near, 3840, 2112).ratio <= 0.5


def test_the_demonstration_is_looked_at_whole() -> None:
    """Its picture has no more px than the model."""
    region = region_of([DEMO_ZONE], DEMO_GROUND, 640, 352)
    assert choose_look(MANIFEST, region, (640, 352), 1.0) == whole(SMALL, 640, 352)


def test_a_model_that_costs_more_is_taken_where_it_gives_more() -> None:
    seen, size = region(Box(150, 100, 1150, 660), 8.0, 20.0), (1280, 704)
    cheap, dear = (choose_look(MANIFEST, seen, size, limit) for limit in (0.6, 2.3))
    assert dear.ratio > cheap.ratio
    assert dear.entry.gmac > cheap.entry.gmac
    named = choose_look(MANIFEST, seen, size, 2.3, name="street-384x544")
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


# An alley, long beside what is wide, from a pole of 6 m.
ALLEY = PinholeCamera.of(1920, 1088, 6.0, 20.0, 60.0)
ALLEY_ZONE = zone_of(-2.0, 2.0, 9.0, 26.0)


def test_the_far_end_of_an_alley_is_looked_at_closer_where_there_is_time() -> None:
    seen = region_of([ALLEY_ZONE], ground_of(ALLEY), ALLEY.width, ALLEY.height)
    assert seen is not None
    size = (ALLEY.width, ALLEY.height)
    one, two = (
        choose_look(MANIFEST, seen, size, 1.0, name=SMALL.name, budget_gmac=budget)
        for budget in (1.0, 1.25)
    )
    assert one.far is None and two.far is not None
    assert two.far_ratio >= 1.25 * two.ratio
    assert two.box.left <= two.far.left and two.far.right <= two.box.right
    far_end = ground_of_picture([(-1.9, 25.9), (1.9, 25.9)])
    assert np.all(two.ratios(far_end) == two.far_ratio)
    near_end = ground_of_picture([(-1.9, 9.1), (1.9, 9.1)])
    assert np.all(two.ratios(near_end) == two.ratio)


def ground_of_picture(feet: list[tuple[float, float]]) -> NDArray[np.float64]:
    """The px of heads over these feet."""
    x, y, _ = ALLEY.project(np.column_stack([np.array(feet), np.full(len(feet), 1.65)]))
    return np.column_stack([x, y])


def test_heads_that_are_large_enough_need_no_second_part() -> None:
    seen = region(Box(150, 100, 1150, 660), 30.0, 60.0)
    assert choose_look(MANIFEST, seen, (1280, 704), 1.0, budget_gmac=9.0).far is None


@settings(max_examples=60, deadline=None)
@given(st.floats(0, 40), st.floats(0, 40), st.floats(3, 30), st.integers(0, 12), st.integers(0, 12))
def test_two_looks_joined_lose_no_head(
    left: float, top: float, cell: float, rows: int, columns: int
) -> None:
    """Of an even crowd each cell has as many as before, wherever the closer look lies."""
    per_px = 0.001
    near = even_map(16.0, 8, 10, (8.0, 4.0), per_px)
    far = even_map(cell, rows, columns, (left, top), per_px)
    found = joined(near, far)
    assert found.count == pytest.approx(near.count, rel=1e-4)
    assert found.variance == pytest.approx(near.variance, rel=1e-4)
    assert (found.cell, found.left, found.top) == (near.cell, near.left, near.top)


def even_map(
    cell: float, rows: int, columns: int, corner: tuple[float, float], per_px: float
) -> HeadMap:
    heads = np.full((rows, columns), per_px * cell * cell, np.float32)
    return HeadMap(heads, heads, cell, 200, 160, 1.645, 0.0, *corner)


def test_the_closer_look_counts_what_lies_within_it() -> None:
    near, far = even_map(16.0, 8, 10, (0.0, 0.0), 0.0), even_map(8.0, 6, 6, (30.0, 30.0), 0.01)
    found = joined(near, far)
    assert found.count[3, 3] == pytest.approx(0.01 * 16 * 16)
    assert np.count_nonzero(found.count) == 1  # 38..70 px but for the seam: one whole cell each way
