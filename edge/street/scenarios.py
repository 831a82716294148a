"""Scenarios on the simulated street: recorded crowds, and what may happen to the picture."""

from dataclasses import dataclass, replace
from functools import cache
from importlib.resources import as_file, files

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from edge.street.air import Cover, Filter, foggy, glaring, infrared, rainy
from edge.street.autumn import AUTUMN
from edge.street.crowd import Crowd
from edge.street.lamps import strung
from edge.street.pinhole import PinholeCamera
from edge.street.placed import PLAIN, Decor, Dress
from edge.street.scene import LOOKS, People, Picture, Scene, standard_view
from edge.street.trajectories import Trajectories
from edge.street.truth import Truth

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Knock:
    """At `at_s` the camera is turned to the right and up, by degrees, and stays so."""

    at_s: float
    turn_deg: float
    up_deg: float


@dataclass(frozen=True)
class Scenario:
    """Which recorded crowd comes, in which light, and what happens to the picture."""

    crowd: str
    night: bool = False
    fog_m: float | None = None
    rain: bool = False
    glare: bool = False
    cover: Cover | None = None
    knock: Knock | None = None
    dress: Dress = PLAIN
    decor: Decor | None = None
    lamps: bool = False
    infrared: bool = False

    @property
    def sunny(self) -> bool:
        """Whether people cast shadows."""
        return not (self.night or self.fog_m or self.rain or self.infrared)


# The names stand in `edge/site/scenarios.py`, for the site file.
SCENARIOS = {
    "morning": Scenario("morning"),
    "evening": Scenario("evening", night=True),
    "surge": Scenario("surge"),
    "jam": Scenario("jam"),
    "streams": Scenario("streams"),
    "parade": Scenario("parade"),
    # What befalls the camera does so while the crowd grows, when it matters most.
    "knocked": Scenario("surge", knock=Knock(36.0, 11.0, 7.0)),
    "covered": Scenario("surge", cover=Cover(40.0, 75.0)),
    "glare": Scenario("streams", night=True, glare=True),
    "fog": Scenario("jam", fog_m=28.0),
    "rain": Scenario("surge", night=True, rain=True),
    "umbrellas": Scenario("surge", rain=True, dress=Dress(umbrellas=0.85)),
    "hats": Scenario("jam", dress=Dress(hats=True)),
    "autumn": Scenario("streams", dress=Dress(umbrellas=0.1), decor=AUTUMN, lamps=True),
    "illuminations": Scenario("parade", night=True, decor=AUTUMN, lamps=True),
    "infrared": Scenario("surge", infrared=True),
}


class StagedScenario:
    """A scenario as the camera sees it, and as it truly is. Pure: no clock.

    After `length_s` it begins again.
    """

    def __init__(self, name: str, width: int = 640, height: int = 352, *, seed: int = 0) -> None:
        self._scenario = SCENARIOS[name]
        self._people = Recorded(load_crowd(self._scenario.crowd), seed)
        view = standard_view(width, height)
        self._scene = scene_of(self._scenario, view, self._people, seed)
        self._knocked = self._scene
        if knock := self._scenario.knock:
            self._knocked = scene_of(self._scenario, _turned(view, knock), self._people, seed)

    @property
    def length_s(self) -> float:
        """How long the scenario takes."""
        return self._people.paths.length_s

    @property
    def zone(self) -> list[tuple[float, float]]:
        """The counted stretch as `Scene.zone` outlines it, before anything befalls the camera."""
        return self._scene.zone

    @property
    def people(self) -> int:
        """How many come in all."""
        return self._people.paths.people

    @property
    def head_height_m(self) -> float:
        """How high people's head centres are, on average."""
        return self._scene.head_height_m

    def truth(self, t_s: float) -> Truth:
        """Where everybody truly stands."""
        return Truth(self._people.at(t_s).feet)

    def heads(self, t_s: float) -> Floats:
        """Everybody's head centre (N, 2) in px, seen or not, before anything befalls the camera."""
        return self._scene.heads(t_s)

    def at(self, t_s: float) -> Picture:
        """The picture at a time in seconds; whom something over the lens hides is `hidden`."""
        t_s %= self.length_s
        knock, cover = self._scenario.knock, self._scenario.cover
        scene = self._knocked if knock and t_s >= knock.at_s else self._scene
        picture = scene.at(t_s)
        if cover and cover.at(t_s):
            nobody = np.zeros((0, 2), np.float32)
            hidden = picture.hidden + len(picture.heads)
            return Picture(picture.pixels, nobody, nobody, hidden)
        return picture


def scene_of(scenario: Scenario, view: PinholeCamera, people: People, seed: int) -> Scene:
    """A scenario's street, seen by a camera, with whatever people."""
    return Scene(
        view.width,
        view.height,
        seed=seed,
        night=scenario.night,
        sunny=scenario.sunny,
        view=view,
        people=people,
        before_lens=_filter(scenario, view, seed),
        dress=scenario.dress,
        decor=scenario.decor,
    )


@dataclass(frozen=True)
class Recorded:
    """The people of a recording, each with a look of their own."""

    paths: Trajectories
    seed: int

    def at(self, t_s: float) -> Crowd:
        """Who is there at a time."""
        look = np.random.default_rng([self.seed, 5]).integers(LOOKS, size=self.paths.people)
        return self.paths.at(t_s, look)


@cache
def load_crowd(name: str) -> Trajectories:
    """A recorded crowd that is shipped."""
    with as_file(files("edge.street") / "crowds" / f"{name}.npz") as file:
        return Trajectories.load(file)


def _turned(view: PinholeCamera, knock: Knock) -> PinholeCamera:
    turn, up = np.radians((knock.turn_deg, knock.up_deg))
    return replace(view, turn=view.turn + float(turn), tilt=view.tilt - float(up))


def _filter(scenario: Scenario, view: PinholeCamera, seed: int) -> Filter:
    filters: list[Filter] = []
    if scenario.lamps:
        filters.append(strung(view, seed, night=scenario.night))
    if scenario.infrared:
        filters.append(infrared(view, seed))
    if scenario.glare:
        filters.append(glaring(view))
    if scenario.fog_m:
        filters.append(foggy(view, scenario.fog_m))
    if scenario.rain:
        filters.append(rainy(view, seed))
    if scenario.cover:
        filters.append(scenario.cover.filter)

    def through_all(canvas: Image.Image, t_s: float) -> Image.Image:
        for layer in filters:
            canvas = layer(canvas, t_s)
        return canvas

    return through_all
