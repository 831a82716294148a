"""The drawing of the simulated street without people: paving, shop fronts, planters, lamps."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from edge.street.figures import DRAWN_PX_PER_M, Light, Look, Part, draw_figure
from edge.street.pinhole import PinholeCamera
from edge.street.textures import (
    FLOOR_HALF_M,
    LENGTH_M,
    PX_PER_M,
    WALL_HIGH_M,
    WALL_M,
    Texture,
    paving,
    shop_fronts,
)

Floats = NDArray[np.float64]

BAND_PX = 32
FINER = 2  # the street is drawn with this many parts to a pixel, each way
HAZE_M = 90.0
WARM = (1.0, 0.92, 0.8)  # the colour of lamps


@dataclass(frozen=True)
class Weather:
    """The light of a picture: the sun as figures take it, or lamps along the street by night.

    `lamps` (N, 2) are X and Y in metres.
    """

    light: Light
    night: bool
    sunny: bool
    lamps: Floats


def make_weather(rng: np.random.Generator, *, night: bool, sunny: bool) -> Weather:
    """Lamps alternate on both sides of the street; the sun stands anywhere above the houses."""
    along = np.arange(float(rng.uniform(3, 7)), 40, 6.5)
    lamps = np.column_stack([np.where(np.arange(len(along)) % 2, 3.1, -3.1), along])
    azimuth, high = float(rng.uniform(0, 2 * math.pi)), math.radians(float(rng.uniform(40, 65)))
    towards = (
        math.cos(high) * math.cos(azimuth), math.cos(high) * math.sin(azimuth), math.sin(high)
    )  # fmt: skip
    if night:
        return Weather(Light((0.2, -0.3, 0.93), 0.55, 0.85), True, False, lamps)
    direct, ambient = (0.62, 0.85) if sunny else (0.15, 1.12)
    return Weather(Light(towards, direct, ambient), False, sunny, lamps)


def lamp_light(weather: Weather, x: Floats, y: Floats) -> Floats:
    """How brightly lamps and shop windows light a place on the street at night, about 0.3 to 1."""
    light = np.full(np.broadcast(x, y).shape, 0.3)
    for lamp_x, lamp_y in weather.lamps:
        light += 0.6 * np.exp(-((x - lamp_x) ** 2 + (y - lamp_y) ** 2) / (2 * 2.6**2))
    light += 0.18 * np.exp(-(WALL_M - np.abs(x)) / 1.2)
    return np.asarray(np.minimum(light, 1.1), np.float64)


def draw_background(view: PinholeCamera, weather: Weather, rng: np.random.Generator) -> Image.Image:
    """The empty street as the camera sees it; drawn in bands, or it takes 140 MB."""
    surfaces = Surfaces(paving(rng), shop_fronts(rng), shop_fronts(rng))
    picture = Image.new("RGB", (view.width, view.height))
    for top in range(0, view.height, BAND_PX):
        rows = range(top, min(top + BAND_PX, view.height))
        picture.paste(_band(view, rows, surfaces, weather), (0, top))
    _furnish(picture, view, weather, rng)
    return _bloom(picture) if weather.night else picture


@dataclass(frozen=True)
class Surfaces:
    """What the street is covered with."""

    floor: Texture
    left: Texture
    right: Texture


def _band(view: PinholeCamera, rows: range, surfaces: Surfaces, weather: Weather) -> Image.Image:
    """Some rows of the empty street."""
    across, along, up = view.rays(rows, FINER)
    to_ground = -view.height_m / np.minimum(up, -1e-3)
    side = np.where(across < 0, -1.0, 1.0)
    to_wall = (side * WALL_M - view.across_m) / (side * np.maximum(np.abs(across), 1e-6))
    ground = to_ground < to_wall
    reach = np.minimum(to_ground, to_wall)
    place = Place(view.across_m + reach * across, reach * along, view.height_m + reach * up)
    colour = np.empty((*ground.shape, 3), np.float32)
    colour[ground] = _ground_colour(surfaces.floor, place.only(ground), weather)
    for texture, here in (
        (surfaces.left, ~ground & (side < 0)), (surfaces.right, ~ground & (side >= 0))
    ):  # fmt: skip
        colour[here] = _wall_colour(texture, place.only(here), weather)
    _haze(colour, reach, night=weather.night)
    return Image.fromarray(colour.clip(0, 255).astype(np.uint8)).reduce(FINER)


@dataclass(frozen=True)
class Place:
    """Points on the street's surfaces: X, Y, Z in metres, arrays of one shape."""

    x: Floats
    y: Floats
    z: Floats

    def only(self, mask: NDArray[np.bool_]) -> "Place":
        """Those where the mask is true."""
        return Place(self.x[mask], self.y[mask], self.z[mask])


def _ground_colour(floor: Texture, place: Place, weather: Weather) -> Floats:
    rows = np.floor((place.y % LENGTH_M) * PX_PER_M).astype(int)
    columns = np.floor((place.x + FLOOR_HALF_M) * PX_PER_M).astype(int)
    rows, columns = (
        rows.clip(0, floor.day.shape[0] - 1), columns.clip(0, floor.day.shape[1] - 1)
    )  # fmt: skip
    colour = floor.day[rows, columns].astype(np.float64)
    beside_wall = (WALL_M - np.abs(place.x)).clip(0, 0.8)
    colour *= (0.7 + 0.3 * beside_wall / 0.8)[:, None]
    if weather.night:
        lit = lamp_light(weather, place.x, place.y)[:, None] * np.array(WARM)
        return np.asarray(colour * lit, np.float64)
    return np.asarray(colour * (1.25 if weather.sunny else 1.1), np.float64)


def _wall_colour(texture: Texture, place: Place, weather: Weather) -> Floats:
    high, wide = texture.glow.shape
    rows = np.floor((WALL_HIGH_M - place.z) * PX_PER_M).astype(int).clip(0, high - 1)
    columns = np.floor((place.y % LENGTH_M) * PX_PER_M).astype(int).clip(0, wide - 1)
    colour = texture.day[rows, columns].astype(np.float64)
    if weather.night:
        lit = 0.55 * lamp_light(weather, np.sign(place.x) * 3.2, place.y)
        lit = lit * np.exp(-np.maximum(0, place.z - 3) / 4)
        glow = texture.glow[rows, columns].astype(np.float64)[:, None] / 255
        shone = colour * lit[:, None] * np.array(WARM) + glow * (0.75 * colour + 60)
        return np.asarray(shone, np.float64)
    facing_sun = weather.light.towards[0] * -np.sign(place.x)
    bright = 1.0 + (0.25 * facing_sun.clip(-1, 1) if weather.sunny else 0.0)
    return np.asarray(colour * np.reshape(bright, (-1, 1)), np.float64)


def _haze(colour: NDArray[np.float32], reach: Floats, *, night: bool) -> None:
    """Far things fade."""
    clear = np.exp(-np.minimum(reach, 200) / HAZE_M)[..., None]
    air = np.array((30, 30, 38) if night else (188, 194, 200), np.float32)
    colour *= clear
    colour += air * (1 - clear)


def _furnish(
    picture: Image.Image, view: PinholeCamera, weather: Weather, rng: np.random.Generator
) -> None:
    """Planters with shrubs stand along the kerbs, far ones first."""
    for along in np.arange(34.0, 3.0, -float(rng.uniform(2.2, 4.0))):
        side = float(rng.choice([-1.0, 1.0]))
        place = (side * 3.45, float(along))
        _stand(picture, view, weather, _planter(rng), place=place, rng=rng)


def _planter(rng: np.random.Generator) -> Look:
    """A tub of earth with leaves, drawn by the same means as people."""
    stone = float(rng.uniform(90, 160))
    parts = [Part((0, 0, 0.2), (0.3, 0.3, 0.28), (stone, 0.95 * stone, 0.88 * stone), grain=0.1)]
    for _ in range(9):
        x, y, z = (float(v) for v in rng.uniform((-0.24, -0.24, 0.5), (0.24, 0.24, 0.95)))
        red, green, blue, size = (
            float(v) for v in rng.uniform((45, 70, 35, 0.1), (80, 100, 60, 0.2))
        )
        leaves = Part((x, y, z), (size, size, size), (red, green, blue), grain=0.8)
        parts.append(leaves)
    return Look(tuple(parts), 1.7, float(rng.uniform(-3, 3)))


def _stand(
    picture: Image.Image,
    view: PinholeCamera,
    weather: Weather,
    look: Look,
    *,
    place: tuple[float, float],
    rng: np.random.Generator,
) -> None:
    """Draw a thing where it stands on the street."""
    x, y, depth = (float(v[0]) for v in view.project(np.array([[*place, 1.58]])))
    if depth < 1 or not -60 < x < view.width + 60:
        return
    elevation = float(view.elevation(np.array([place[1]]), 1.0)[0])
    drawing, head_x, head_y = draw_figure(look, look.turn, elevation, weather.light, rng)
    scale = view.focal_px / depth / DRAWN_PX_PER_M
    size = (max(1, round(drawing.width * scale)), max(1, round(drawing.height * scale)))
    small = drawing.resize(size, Image.Resampling.BOX)
    if weather.night:
        level = float(lamp_light(weather, np.array(place[0]), np.array(place[1])))
        small = dimmed(small, level)
    picture.paste(small, (round(x - head_x * scale), round(y - head_y * scale)), small)


def dimmed(drawing: Image.Image, level: float) -> Image.Image:
    """A figure by the warm light of lamps; `level` of about 0.3 to 1."""
    bands = drawing.split()
    lit = [band.point([round(min(255, v * level * k)) for v in range(256)])
           for band, k in zip(bands[:3], WARM, strict=True)]  # fmt: skip
    return Image.merge("RGBA", [*lit, bands[3]])


def _bloom(picture: Image.Image) -> Image.Image:
    """Bright signs spread a little in the lens."""
    values = np.asarray(picture, np.float32)
    bright = Image.fromarray((values * (values > 150)).astype(np.uint8))
    spread = np.asarray(bright.filter(ImageFilter.GaussianBlur(7)), np.float32)
    return Image.fromarray((values + 0.5 * spread).clip(0, 255).astype(np.uint8))
