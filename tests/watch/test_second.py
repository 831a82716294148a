"""When the counter looks twice, and what the second look gives."""

import msgspec
import numpy as np
import pytest

from edge.common.units import NS_PER_S as NS
from edge.decide.zones import ZoneCounter
from edge.site import Site
from edge.street.scene import Scene
from edge.watch.frame import Frame
from edge.watch.main import Counting
from edge.watch.second import AGAIN_S, EVERY_S, SECOND_SCALE, SecondLooks

FPS = 4


def looks(seconds: float, heads: float, looking: SecondLooks, from_s: float = 1.0) -> list[float]:
    """The seconds at which a picture with so many heads is looked at twice."""
    times = [from_s + step / FPS for step in range(round(seconds * FPS))]
    return [at_s for at_s in times if looking.due(heads, round(at_s * NS))]


def test_a_steady_street_is_looked_at_twice_once_a_minute() -> None:
    assert looks(181, 30.0, SecondLooks()) == [1.0, 61.0, 121.0, 181.0]


def test_a_rise_is_looked_at_twice_at_once_and_again_while_it_lasts() -> None:
    looking = SecondLooks()
    assert looks(20, 30.0, looking) == [1.0]
    assert looks(6, 60.0, looking, from_s=21.0) == [21.0, 23.0, 25.0]


def test_a_rise_is_the_usual_after_a_minute() -> None:
    looking = SecondLooks()
    assert looks(5, 30.0, looking) == [1.0]
    seen = looks(120, 60.0, looking, from_s=6.0)
    assert max(seen[:-2]) < 1 + EVERY_S + AGAIN_S
    assert seen[-2:] == [61.0, 121.0]


def test_less_heads_than_before_are_no_rise() -> None:
    looking = SecondLooks()
    assert looks(5, 60.0, looking) == [1.0]
    assert looks(5, 5.0, looking, from_s=6.0) == []


def test_the_second_look_counts_the_same_street_at_another_scale() -> None:
    site, scene = Site(), Scene()
    counting = Counting(site, live=False)
    first, second = (
        counting.sighting(Frame(scene.at(28.0).pixels, at)) for at in (NS, NS + NS // FPS)
    )
    assert first.heads is not None and first.second is not None and second.second is None
    assert first.second.cell == pytest.approx(first.heads.cell / SECOND_SCALE)
    both = [
        ZoneCounter(site.zone, site.ground).count(heads, 1).zones[0].people
        for heads in (first.heads, first.second)
    ]
    assert both[1] == pytest.approx(both[0], rel=0.25)


def test_a_second_look_makes_no_sighting_too_large_for_its_way() -> None:
    """The largest of our models, with motion."""
    from edge.common.sighting import SIGHTINGS, HeadMap, Motion, PictureHealth, Sighting

    cells = np.ones((48, 64), np.float32)
    heads = HeadMap(cells, cells, 16.0, 1024, 768, 1.6)
    sent = Sighting(1, 2, heads, PictureHealth(), "m", Motion(cells, cells, 2.0), heads)
    data = SIGHTINGS.encode(sent)
    assert len(data) < SIGHTINGS.max_bytes
    received = SIGHTINGS.decode(data)
    assert isinstance(received, Sighting) and received.second is not None
    assert msgspec.structs.asdict(received.second)["left"] == 0.0
    assert np.array_equal(received.second.count, cells)
