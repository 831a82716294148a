"""The station's val days as recordings with labelled heads, and what the ground is there, roughly.

Nobody measured that platform. Fourteen people who stand upright were marked by eye, head and feet,
and taken to be 1.7 m tall: a camera 3.75 m up, whose picture (360 x 640 px, of which the top 96
rows are cut away) has a focal length of 411 px, is off by 13 px on average. Densities may be off
by a fifth; camera and labels share that, so that it hardly tells in a comparison.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from edge.decide.zones import ZoneCounter
from edge.site import Site
from edge.site.schema import Ground, Zone
from edge.watch.folder import picture_time
from edge.watch.pictures import read_picture
from hil.testkit.data import HEADS
from hil.testkit.true_zone import counted
from tests.bench.course import Seen


@dataclass(frozen=True)
class Day:
    """The val pictures of one view: their names' beginning, points of the platform, and a zone."""

    pictures: str
    points: tuple[tuple[float, float, float, float], ...]
    zone: tuple[tuple[float, float], ...]

    @property
    def site(self) -> Site:
        """The platform as a site."""
        ground = Ground(
            picture_width=360, picture_height=544, points=list(self.points),
            camera_height_m=3.75, camera_foot_m=[0.0, 0.0],
        )  # fmt: skip
        return Site(ground=ground, zone=[Zone(name="platform", ground=list(self.zone))])


# Two more views have ten pictures together: too few to calibrate by.
DAYS = {
    "5 May": Day(
        "station_2-20170505",
        ((95, 60, -1.41, 7.37), (215, 60, 0.80, 7.12), (85, 140, -1.34, 4.97),
         (270, 160, 1.28, 4.30), (110, 300, -0.77, 2.24), (280, 330, 0.92, 1.80),
         (120, 450, -0.59, 0.82), (300, 450, 0.87, 0.75)),
        ((-1.4, 4.8), (1.0, 4.8), (1.0, 2.0), (0.55, 0.5), (-0.6, 0.5), (-1.0, 2.0)),
    ),
    "7 May": Day(
        "station_2-20170507",
        ((95, 60, -1.73, 6.75), (215, 60, 0.39, 7.10), (85, 140, -1.44, 4.56),
         (270, 160, 1.18, 4.46), (110, 300, -0.65, 2.07), (280, 330, 1.08, 1.89),
         (120, 450, -0.33, 0.72), (300, 450, 1.15, 0.83)),
        ((-1.35, 4.6), (0.95, 4.6), (0.95, 2.0), (0.7, 0.5), (-0.4, 0.5), (-0.75, 2.0)),
    ),
}  # fmt: skip


def labelled(day: Day) -> Iterator[Seen]:
    """The day's pictures in the order of time; densities and peaks are of the labelled heads."""
    site, began = day.site, None
    zones = ZoneCounter(site.zone, site.ground)
    lines = (HEADS / "station.jsonl").read_text(encoding="utf-8").splitlines()
    for row in sorted(map(json.loads, lines), key=lambda row: str(row["image"])):
        path = HEADS / "station" / row["image"].rsplit("/", 1)[-1]
        if row["split"] != "val" or not path.name.startswith(day.pictures):
            continue
        taken = picture_time(path)
        assert taken is not None
        began = began or taken
        heads = counted(np.array(row["heads"], np.float64).reshape(-1, 2), 360, 544)
        (seen,) = zones.count(heads, 1).zones
        yield Seen((taken - began).total_seconds(), read_picture(path), seen.density, seen.peak)
