"""A simulated street with exactly known heads: same seed and time, same picture."""

import heapq
import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageChops, ImageDraw, ImageFilter

from edge.street.air import Filter
from edge.street.background import dimmed, draw_background, lamp_light, make_weather
from edge.street.crowd import (
    AWAY,
    DEMO,
    FACINGS,
    FAR_M,
    ZONE_AREA_M2,
    ZONE_FAR_M,
    ZONE_HALF_M,
    ZONE_NEAR_M,
    Crowd,
    Script,
    Street,
)
from edge.street.figures import (
    DRAWN_PX_PER_M,
    HEAD_RADIUS_M,
    HEAD_UP_M,
    STATURE_M,
    draw_figure,
    make_looks,
)
from edge.street.lens import Lens
from edge.street.pinhole import PinholeCamera
from edge.street.placed import NOBODY, PLAIN, Decor, Dress, Figure, Placed, Sprite, mask_of
from edge.street.umbrellas import draw_umbrella, make_umbrellas, over

Floats = NDArray[np.float64]

LOOKS = 56
HEAD_M = 1.65  # the zone is outlined at this height, a little over most head centres
ZONE_M = (
    (-ZONE_HALF_M, ZONE_FAR_M),
    (ZONE_HALF_M, ZONE_FAR_M),
    (ZONE_HALF_M, ZONE_NEAR_M),
    (-ZONE_HALF_M, ZONE_NEAR_M),
)
FARTHEST_M = 32.0
SIZES_PER_OCTAVE = 16  # figures are kept in steps of 4 % of size
# Of one size each, about 17 kB. More than stand in the street at once, some 620 in the
# demonstration: with fewer, each would be dropped before it is needed again.
SPRITES_KEPT = 1024
ELEVATION_STEP = math.radians(11)
LIGHT_STEPS = 8
VISIBLE = 0.3  # a head is seen when this part of it is


@dataclass(frozen=True)
class Picture:
    """A rendered moment: pixels (H, W, 3) RGB, and for each head in the picture its centre in px
    (N, 2) and its person's feet on the street in metres (N, 2). `hidden` more heads would be in
    the picture, but less than 0.3 of each can be seen past somebody nearer; they are in no list.
    """

    pixels: NDArray[np.uint8]
    heads: NDArray[np.float32]
    ground: NDArray[np.float32]
    hidden: int


@dataclass(frozen=True)
class Heads:
    """For each person the head's centre in px, the picture's scale there in px per m, (N,)."""

    x: Floats
    y: Floats
    scale: Floats


class People(Protocol):
    """Whoever is on the street."""

    def at(self, t_s: float) -> Crowd:
        """Who is there at a time in seconds."""
        ...


class Scene:
    """A street seen by one camera. Pure: no clock, no files.

    `script` says how many persons per m2 stand on the counted stretch: points of (seconds,
    density), linear in between and repeated for ever, or one density. `vary` makes another
    street, camera and weather of each seed; without it only the people differ. `people` come
    instead of those of the script; `view` is another camera's; `before_lens` changes what the lens
    is about to take, given the picture and the time; `dress` is how people go, `decor` what stands
    and lies on the street.
    """

    def __init__(
        self,
        width: int = 640,
        height: int = 352,
        *,
        seed: int = 0,
        night: bool = False,
        script: Script | float = DEMO,
        vary: bool = False,
        sunny: bool = True,
        view: PinholeCamera | None = None,
        people: People | None = None,
        before_lens: Filter | None = None,
        dress: Dress = PLAIN,
        decor: Decor | None = None,
    ) -> None:
        rng = np.random.default_rng([seed, 2])
        street_rng = rng if vary else np.random.default_rng([0, 3])
        any_view = varied_view(width, height, rng) if vary else standard_view(width, height)
        self.view = view or any_view
        sunny = bool(rng.random() < 0.5) if vary else sunny
        self._weather = make_weather(street_rng, night=night, sunny=sunny)
        self._lens = Lens.of(width, height, rng, night=night, vary=vary)
        self._background = draw_background(self.view, self._weather, street_rng)
        self._standing = decor.stand(self.view, self._weather) if decor else None
        if decor:
            self._background = decor.lay(self._background, self.view, self._weather)
        far_m = min(max(FAR_M, self.view.farthest_m(HEAD_M) + 2.5), FARTHEST_M)
        points = script if isinstance(script, tuple) else ((0.0, script), (150.0, script))
        self._people = people or Street(points, seed, LOOKS, far_m)
        self._before_lens = before_lens
        self._looks = make_looks(LOOKS, rng, hats=dress.hats)
        umbrella_rng = np.random.default_rng([seed, 8])
        self._umbrellas = make_umbrellas(LOOKS, dress.umbrellas, umbrella_rng)
        self._stature_m = np.array([look.stature_m for look in self._looks])
        self._seed = seed
        self._figures: dict[tuple[int, int, int], Figure] = {}
        self._sprite = lru_cache(SPRITES_KEPT)(self._make_sprite)

    @property
    def zone(self) -> list[tuple[float, float]]:
        """The counted stretch at head height, in fractions of the picture.

        Heads inside it belong to people who stand on the stretch, but for the spread of statures.
        """
        corners = np.array([(x, y, HEAD_M) for x, y in ZONE_M])
        x, y, _ = self.view.project(corners)
        return [
            (float(a / self.view.width), float(b / self.view.height))
            for a, b in zip(x, y, strict=True)
        ]

    @property
    def zone_area_m2(self) -> float:
        """The counted stretch's area."""
        return ZONE_AREA_M2

    def people_in_zone(self, t_s: float) -> int:
        """How many people truly stand on the counted stretch."""
        return self._people.at(t_s).in_zone()

    def heads(self, t_s: float) -> Floats:
        """Everybody's head centre (N, 2) in px, hidden or outside the picture too."""
        heads = self._heads(self._people.at(t_s))
        return np.column_stack([heads.x, heads.y])

    @property
    def head_height_m(self) -> float:
        """How high people's head centres are, on average."""
        return float(HEAD_UP_M / STATURE_M * self._stature_m.mean())

    def at(self, t_s: float) -> Picture:
        """The picture at a time in seconds."""
        crowd = self._people.at(t_s).far_to_near()
        heads = self._heads(crowd)
        canvas = self._shadowed(crowd)
        owners = Image.new("I", canvas.size, NOBODY)
        things = self._standing.at(t_s) if self._standing else ()
        people = self._placed(crowd, heads)
        for placed in heapq.merge(people, things, key=lambda thing: -thing.along_m):
            sprite, corner = placed.sprite, placed.corner
            canvas.paste(sprite.drawing, corner, sprite.drawing)
            box = (*corner, *_far_corner(corner, sprite.mask))
            owners.paste(placed.owner, box, sprite.mask)
            if sprite.hides:
                owners.paste(NOBODY, box, sprite.hides)
        if self._before_lens:
            canvas = self._before_lens(canvas, t_s)
        pixels = self._lens.take(canvas, self._seed, t_s)
        return _with_truth(pixels, crowd, heads, np.asarray(owners))

    def _heads(self, crowd: Crowd) -> Heads:
        up = HEAD_UP_M / STATURE_M * self._stature_m[crowd.look]
        x, y, depth = self.view.project(np.column_stack([crowd.feet, up]))
        return Heads(x, y, self.view.focal_px / depth * self._stature_m[crowd.look] / STATURE_M)

    def _placed(self, crowd: Crowd, heads: Heads) -> Iterator[Placed]:
        """Everybody where they stand, in the crowd's order."""
        for index, sprite in enumerate(self._chosen(crowd, heads)):
            corner = (
                round(heads.x[index] - sprite.head_x),
                round(heads.y[index] - sprite.head_y),
            )
            yield Placed(float(crowd.feet[index, 1]), index, sprite, corner)

    def _chosen(self, crowd: Crowd, heads: Heads) -> list[Sprite]:
        """Everybody's drawing at the right size, from the right side, in the light of the place."""
        octaves = np.log2(np.maximum(heads.scale, 1) / DRAWN_PX_PER_M)
        sizes = np.round(octaves * SIZES_PER_OCTAVE).astype(int)
        elevations = self.view.elevation(crowd.feet[:, 1], 1.0) / ELEVATION_STEP
        lights = np.full(len(sizes), LIGHT_STEPS)
        if self._weather.night:
            bright = lamp_light(self._weather, crowd.feet[:, 0], crowd.feet[:, 1])
            lights = np.round(bright * LIGHT_STEPS).astype(int)
        rows = zip(
            crowd.look.tolist(), crowd.facing.tolist(), np.round(elevations).astype(int).tolist(),
            sizes.tolist(), lights.tolist(), strict=True,
        )  # fmt: skip
        return [self._sprite(*row) for row in rows]

    def _make_sprite(self, look: int, facing: int, elevation: int, size: int, light: int) -> Sprite:
        figure = self._figure(look, facing, elevation)
        drawing = figure.drawing
        scale = 2 ** (size / SIZES_PER_OCTAVE)
        wide, high = max(1, round(drawing.width * scale)), max(1, round(drawing.height * scale))
        small = drawing.resize((wide, high), Image.Resampling.BILINEAR)
        if self._weather.night:
            small = dimmed(small, light / LIGHT_STEPS)
        hides = None
        if figure.hides:
            hides = mask_of(figure.hides.resize((wide, high), Image.Resampling.BILINEAR))
        x, y = figure.head_x * wide / drawing.width, figure.head_y * high / drawing.height
        return Sprite(small, mask_of(small.getchannel("A")), x, y, hides)

    def _figure(self, look: int, facing: int, elevation: int) -> Figure:
        """A person as seen from one height; drawn when it is needed first."""
        key = (look, facing, elevation)
        if key not in self._figures:
            chosen, umbrella = self._looks[look], self._umbrellas[look]
            heading = chosen.turn + self.view.turn + (1 + 2 * facing / FACINGS) % 2 * math.pi
            rng = np.random.default_rng([self._seed, 4, look, facing // AWAY, elevation])
            angle, light = elevation * ELEVATION_STEP, self._weather.light
            figure = Figure(*draw_figure(chosen, heading, angle, light, rng))
            if umbrella:
                figure = over(figure, draw_umbrella(umbrella, heading, angle, light))
            self._figures[key] = figure
        return self._figures[key]

    def _shadowed(self, crowd: Crowd) -> Image.Image:
        """The empty street with everybody's shadow on it, drawn at half the size and smoothed."""
        half = (self.view.width // 2, self.view.height // 2)
        veil = Image.new("L", half, 255)
        draw = ImageDraw.Draw(veil)
        for polygon, tone in self._shadows(crowd):
            draw.polygon(polygon, tone)
        soft = veil.filter(ImageFilter.BoxBlur(1.2)).resize(self._background.size)
        return ImageChops.multiply(self._background, Image.merge("RGB", [soft] * 3))

    def _shadows(self, crowd: Crowd) -> list[tuple[list[float], int]]:
        """Outlines in half px, with brightness: the sun's long shadows, then those at the feet."""
        around = np.linspace(0, 2 * math.pi, 10, endpoint=False)
        ring = 0.26 * np.column_stack([np.cos(around), np.sin(around)])
        shadows = []
        if self._weather.sunny:
            x, y, z = self._weather.light.towards
            cast = -1.6 * np.array((x, y)) / z
            stretched = ring * 0.8 + cast * (ring @ cast > 0)[:, None]
            shadows += [(outline, 150) for outline in self._outlines(crowd.feet, stretched)]
        return shadows + [(outline, 110) for outline in self._outlines(crowd.feet, ring)]

    def _outlines(self, feet: Floats, ring: Floats) -> list[list[float]]:
        """A closed line on the street around everybody's feet, as polygons in half px."""
        points = (feet[:, None] + ring[None]).reshape(-1, 2)
        x, y, _ = self.view.project(np.column_stack([points, np.zeros(len(points))]))
        flat = np.stack([x / 2, y / 2], axis=1).reshape(len(feet), 2 * len(ring))
        outlines: list[list[float]] = flat.tolist()
        return outlines


def _far_corner(corner: tuple[int, int], mask: Image.Image) -> tuple[int, int]:
    return corner[0] + mask.width, corner[1] + mask.height


def _with_truth(
    pixels: NDArray[np.uint8], crowd: Crowd, heads: Heads, owners: NDArray[np.int32]
) -> Picture:
    """Keep the heads that are inside the picture and not covered by somebody nearer.

    `owners` (H, W) has the number of the person whom each pixel shows.
    """
    high, wide = owners.shape
    inside = (heads.x >= 0) & (heads.y >= 0) & (heads.x < wide) & (heads.y < high)
    across, down = (part.ravel() for part in np.meshgrid(*[np.linspace(-0.75, 0.75, 5)] * 2))
    disc = np.hypot(across, down) < 0.9
    radius = HEAD_RADIUS_M * heads.scale[:, None]
    columns = np.floor(heads.x[:, None] + radius * across[disc]).astype(int)
    rows = np.floor(heads.y[:, None] + radius * down[disc]).astype(int)
    framed = (columns >= 0) & (columns < wide) & (rows >= 0) & (rows < high)
    shown = owners[rows.clip(0, high - 1), columns.clip(0, wide - 1)]
    own = framed & (shown == np.arange(len(heads.x))[:, None])
    seen = inside & (own.mean(axis=1) >= VISIBLE)
    centres = np.column_stack([heads.x, heads.y])[seen].astype(np.float32)
    ground = crowd.feet[seen].astype(np.float32)
    return Picture(pixels, centres, ground, int(np.sum(inside & ~seen)))


def standard_view(width: int, height: int) -> PinholeCamera:
    """The demonstration's camera: 8.5 m up, 33 degrees down."""
    return PinholeCamera.of(width, height, 8.5, 33.0, 46.0)


def varied_view(width: int, height: int, rng: np.random.Generator) -> PinholeCamera:
    """Another street's camera, that sees about the same stretch."""
    height_m = float(rng.uniform(4.5, 10.0))
    tilt = float(np.degrees(np.arctan2(height_m - 1.0, rng.uniform(8.5, 13.0))))
    lens, turn, across = rng.uniform(38, 62), rng.uniform(-10, 10), rng.uniform(-2, 2)
    return PinholeCamera.of(
        width, height, height_m, tilt, float(lens), turn_deg=float(turn), across_m=float(across)
    )
