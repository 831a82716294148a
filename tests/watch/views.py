"""Real pictures of unmoved cameras, for the tests of the reference view.

The station set's two channels were switched between stations and cameras. These stretches of its
pictures, found by eye, show one view each: as many pictures from the named one on, in the order
of their names, from empty to crowded, under cloud, in the sun with hard shadows, and at dusk.
"""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np

from edge.common.errors import PictureError
from edge.common.units import nanoseconds
from edge.street.scene import Scene
from edge.watch.frame import Pixels
from edge.watch.pictures import read_picture
from edge.watch.recording import frames_of
from edge.watch.thumbnail import sampled
from edge.watch.view import View, edges_of
from edge.watch.view_monitor import Seen, ViewMonitor
from hil.testkit.data import CLIP, HEADS

Change = Callable[[Pixels], Pixels]

STATION = HEADS / "station"
STRETCHES = {
    "station_1-20170506103712": 22,
    "station_1-20170506104237": 142,
    "station_1-20170506122225": 32,
    "station_1-20170506130716": 69,
    "station_1-20170506152447": 155,
    "station_1-20170506163038": 93,
    "station_1-20170506180445": 31,
    "station_2-20170505100648": 22,
    "station_2-20170506124051": 76,
    "station_2-20170506145749": 38,
    "station_2-20170506192106": 102,
    "station_2-20170507154735": 48,
}
# These two are the same camera on two days.
ALIKE = {"station_2-20170505100648", "station_2-20170506192106"}
LEARNT_FROM = 8


def stretch(name: str, at_most: int = 1000) -> list[Pixels]:
    """The pictures of one unmoved camera, or evenly chosen ones, in the order of time."""
    paths = sorted(STATION.iterdir())
    first = paths.index(STATION / f"{name}.jpg")
    whole = paths[first : first + STRETCHES[name]]
    return [read_picture(path) for path in whole[:: -(-len(whole) // at_most)]]


def clip() -> list[Pixels]:
    """The clip of people walking by, two frames a second."""
    return [frame.pixels for frame in frames_of(CLIP, every_s=0.5, on_bad=refuse)]


def refuse(path: Path, error: PictureError) -> None:
    """The clip must be whole."""
    raise error


def scene(seconds: int, *, night: bool = False) -> list[Pixels]:
    """A second apart, in the simulated street."""
    street = Scene(night=night)
    return [street.at(float(second)).pixels for second in range(seconds)]


def training(name: str, at_most: int) -> list[Path]:
    """Evenly chosen pictures of a set's training split."""
    lines = (HEADS / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()
    rows = [row for row in map(json.loads, lines) if row["split"] == "train"]
    return [HEADS / name / Path(row["image"]).name for row in rows[:: -(-len(rows) // at_most)]]


def view_of(pictures: list[Pixels]) -> View:
    """A view learnt from these."""
    return View(np.mean([edges_of(sampled(picture)) for picture in pictures], axis=0))


def watched(view: View, pictures: list[Pixels]) -> list[Seen]:
    """What a guard of this view sees, a second apart."""
    guard = ViewMonitor(view)
    return [guard.look(sampled(px), nanoseconds(at)) for at, px in enumerate(pictures, 1)]
