"""The simulated street's people: each a dozen or two of ellipsoids, lit and drawn from any side.

A figure stands at the origin and looks along its own "ahead"; `left` and `up` complete its axes.
Metres. It is drawn in parallel perspective from a given elevation, with its head at a known place.
"""

import colorsys
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Colour = tuple[float, float, float]  # RGB, 0 to 255

DRAWN_PX_PER_M = 64
FINER = 2  # figures are drawn this much larger, then averaged down
HALF_WIDTH_M = 0.55
ABOVE_M, BELOW_M = 0.3, 1.9  # how far the drawing reaches from the head's centre
HEAD_RADIUS_M = 0.11
STATURE_M = 1.70  # of the figure as modelled; people are scaled
HEAD_UP_M = 1.58
SKINS: tuple[Colour, ...] = (
    (226, 182, 156), (214, 168, 140), (234, 198, 172), (198, 150, 120), (150, 104, 78),
)  # fmt: skip
HAIRS: tuple[Colour, ...] = (
    (26, 22, 22), (20, 18, 20), (36, 28, 25), (30, 25, 26), (62, 42, 32), (96, 66, 44),
    (142, 136, 132), (158, 118, 76),
)  # fmt: skip
HAIR_ODDS = (0.26, 0.2, 0.18, 0.12, 0.1, 0.06, 0.05, 0.03)


@dataclass(frozen=True)
class Part:
    """An ellipsoid: centre and half axes (ahead, left, up) in metres, lean sideways in radians."""

    centre: tuple[float, float, float]
    half: tuple[float, float, float]
    colour: Colour
    lean: float = 0.0
    pitch: float = 0.0
    gloss: float = 0.0
    grain: float = 0.0


@dataclass(frozen=True)
class Look:
    """A person: its parts, its stature in metres, and how far it turns from its way (radians)."""

    parts: tuple[Part, ...]
    stature_m: float
    turn: float


@dataclass(frozen=True)
class Light:
    """Where the brightest light comes from (X, Y, Z, unit length), and how much of it there is."""

    towards: tuple[float, float, float]
    direct: float
    ambient: float


def make_looks(count: int, rng: np.random.Generator, *, hats: bool = False) -> list[Look]:
    """Different people; with `hats` all of them wear a cap, a hat or a hood."""
    return [_make_look(rng, hats=hats) for _ in range(count)]


def _make_look(rng: np.random.Generator, *, hats: bool) -> Look:
    coat, trousers = _cloth(rng, 0.5), _cloth(rng, 0.8)
    skin = SKINS[int(rng.choice(len(SKINS), p=(0.35, 0.3, 0.2, 0.1, 0.05)))]
    hair = HAIRS[int(rng.choice(len(HAIRS), p=HAIR_ODDS))]
    build = float(rng.normal(1.0, 0.07))
    parts = [
        *_legs(rng, trousers, coat),
        *_trunk(rng, coat, build),
        *_arms(rng, coat, skin, build),
        *_head(rng, coat, skin, hair, hats=hats),
        *_baggage(rng),
    ]
    turn = float(rng.normal(0, 0.3)) if rng.random() < 0.88 else float(rng.choice([-1.4, 1.4]))
    return Look(tuple(parts), float(np.clip(rng.normal(1.69, 0.075), 1.5, 1.87)), turn)


def _cloth(rng: np.random.Generator, dark: float) -> Colour:
    """Mostly black, navy, grey or beige, sometimes white or bright, as in a Korean street."""
    kind = rng.random()
    if kind < dark:
        hue, full, value = rng.uniform(0.5, 0.72), rng.uniform(0, 0.4), rng.uniform(0.1, 0.3)
    elif kind < dark + 0.6 * (1 - dark):
        hue, full, value = rng.uniform(0.05, 0.14), rng.uniform(0, 0.3), rng.uniform(0.4, 0.92)
    else:
        hue, full, value = rng.random(), rng.uniform(0.15, 0.6), rng.uniform(0.25, 0.8)
    red, green, blue = colorsys.hsv_to_rgb(float(hue), float(full), float(value))
    return 255 * red, 255 * green, 255 * blue


def _shade(colour: Colour, factor: float) -> Colour:
    red, green, blue = (min(255.0, part * factor) for part in colour)
    return red, green, blue


def _legs(rng: np.random.Generator, trousers: Colour, coat: Colour) -> list[Part]:
    step = float(rng.uniform(0.05, 0.3))
    shoe: Colour = (232, 230, 226) if rng.random() < 0.35 else (34, 32, 34)
    bare = rng.random() < 0.12
    parts = []
    for side, ahead in ((0.085, step), (-0.085, -step)):
        tone: Colour = (206, 162, 136) if bare else trousers
        leg = Part((ahead / 2, side, 0.46), (0.085, 0.08, 0.46), tone, pitch=-ahead, grain=0.1)
        parts.append(leg)
        parts.append(Part((ahead + 0.04, side, 0.045), (0.14, 0.05, 0.05), shoe))
    skirt = bare or rng.random() < 0.1
    if skirt:
        parts.append(Part((0, 0, 0.72), (0.165, 0.185, 0.28), trousers, grain=0.08))
    if rng.random() < 0.25:  # a long coat
        parts.append(Part((0, 0, 0.78), (0.14, 0.17, 0.46), _shade(coat, 0.95), grain=0.08))
    parts.append(Part((0, 0, 0.93), (0.125, 0.15, 0.15), trousers, grain=0.08))
    return parts


def _trunk(rng: np.random.Generator, coat: Colour, build: float) -> list[Part]:
    parts = [
        Part((0, 0, 1.1), (0.118 * build, 0.158 * build, 0.34), coat, grain=0.12),
        Part((0.0, 0, 1.24), (0.118 * build, 0.165 * build, 0.21), coat, grain=0.12),
    ]
    for side in (1, -1):
        place = (0.0, side * 0.1 * build, 1.38)
        parts.append(Part(place, (0.08, 0.122, 0.055), coat, lean=-side * 0.28, grain=0.1))
    if rng.random() < 0.25:  # an open coat over something lighter
        inner = _shade((225, 222, 214), float(rng.uniform(0.4, 1)))
        parts.append(Part((0.07, 0, 1.16), (0.085, 0.055, 0.25), inner, grain=0.05))
    if rng.random() < 0.3:  # a hood or a collar lies on the shoulders
        parts.append(Part((-0.06, 0, 1.4), (0.1, 0.11, 0.065), _shade(coat, 0.9), grain=0.1))
    if rng.random() < 0.12:
        scarf = _cloth(rng, 0.1)
        parts.append(Part((0.01, 0, 1.42), (0.095, 0.1, 0.055), scarf, grain=0.15))
    return parts


def _arms(rng: np.random.Generator, coat: Colour, skin: Colour, build: float) -> list[Part]:
    parts = []
    phone = rng.random() < 0.2
    short = rng.random() < 0.25
    swing = float(rng.uniform(-0.35, 0.35))
    for side, pitch in ((1, swing), (-1, -swing)):
        out = side * 0.198 * build
        parts.append(
            Part((-0.1 * pitch, out, 1.22), (0.05, 0.046, 0.2), coat, side * 0.1, pitch, grain=0.1)
        )
        bent = phone and side < 0
        tone = skin if short else _shade(coat, 0.93)
        hand = (0.26, out * 0.7, 1.14) if bent else (-0.55 * pitch, out * 1.1, 0.8)
        lower = (0.14, out * 0.9, 1.09) if bent else (-0.35 * pitch, out * 1.07, 0.98)
        parts.append(Part(lower, (0.044, 0.04, 0.15), tone, 0, -1.3 if bent else pitch, grain=0.1))
        parts.append(Part(hand, (0.045, 0.035, 0.06), skin))
        if bent:
            parts.append(Part((0.3, out * 0.65, 1.17), (0.01, 0.035, 0.07), (190, 205, 225)))
    return parts


def _head(
    rng: np.random.Generator, coat: Colour, skin: Colour, hair: Colour, *, hats: bool
) -> list[Part]:
    up = HEAD_UP_M
    parts = [
        Part((-0.005, 0, 1.44), (0.055, 0.055, 0.09), _shade(skin, 0.8)),
        Part((0.012, 0, up - 0.01), (0.093, 0.079, 0.117), skin, gloss=0.12),
        Part((0.09, 0, up - 0.03), (0.022, 0.014, 0.024), skin),  # nose
    ]
    for side in (1, -1):
        parts.append(Part((0.083, side * 0.033, up + 0.005), (0.02, 0.018, 0.011), (52, 38, 34)))
    if rng.random() < 0.2:  # a mask
        white: Colour = (228, 230, 232) if rng.random() < 0.6 else (40, 40, 44)
        parts.append(Part((0.052, 0, up - 0.055), (0.063, 0.07, 0.052), white))
    return parts + _on_the_head(rng, coat, hair, hats=hats)


def _on_the_head(rng: np.random.Generator, coat: Colour, hair: Colour, *, hats: bool) -> list[Part]:
    """Hair, and seldom something over it; with `hats` always."""
    up, kind = HEAD_UP_M, rng.random()
    if hats:
        kind = 0.5 + 0.23 * kind
    crown = Part((-0.02, 0, up + 0.028), (0.104, 0.093, 0.107), hair, gloss=0.5, grain=0.22)
    parts = [crown]
    if kind < 0.42:  # long
        fall = float(rng.uniform(0.1, 0.21))
        back = (-0.055, 0.0, up - 0.6 * fall)
        parts.append(Part(back, (0.065, 0.1, fall + 0.04), hair, gloss=0.3, grain=0.22))
    elif kind < 0.5:  # tied up
        parts.append(Part((-0.115, 0, up + 0.04), (0.05, 0.045, 0.05), hair, gloss=0.4, grain=0.2))
    elif kind < 0.62:  # a cap, worn either way
        cap = _cloth(rng, 0.5)
        way = -1 if rng.random() < 0.15 else 1
        parts.append(Part((-0.01, 0, up + 0.045), (0.108, 0.096, 0.09), cap, grain=0.06))
        parts.append(Part((way * 0.105, 0, up + 0.045), (0.07, 0.07, 0.013), _shade(cap, 0.85)))
    elif kind < 0.68:  # a woollen hat
        wool = _cloth(rng, 0.4)
        parts.append(Part((-0.012, 0, up + 0.045), (0.111, 0.099, 0.104), wool, grain=0.25))
    elif kind < 0.71:  # a hood, up
        cloth = _shade(coat, 0.95)
        parts.append(Part((-0.035, 0, up + 0.005), (0.115, 0.108, 0.135), cloth, grain=0.12))
    elif kind < 0.73:  # a sun hat
        straw = _cloth(rng, 0.2)
        parts.append(Part((-0.01, 0, up + 0.06), (0.107, 0.097, 0.08), straw, grain=0.1))
        parts.append(Part((-0.01, 0, up + 0.035), (0.17, 0.16, 0.016), _shade(straw, 0.92)))
    return parts


def _baggage(rng: np.random.Generator) -> list[Part]:
    kind, cloth = rng.random(), _cloth(rng, 0.5)
    if kind < 0.2:
        return [Part((-0.19, 0, 1.17), (0.1, 0.14, 0.2), cloth, grain=0.1)]
    if kind < 0.36:
        side = float(rng.choice([-1.0, 1.0]))
        return [Part((0, side * 0.27, 0.88), (0.15, 0.055, 0.13), cloth, grain=0.05)]
    if kind < 0.44:  # a shopping bag
        paper = _shade((226, 216, 200), float(rng.uniform(0.6, 1.1)))
        return [Part((0.02, 0.3, 0.55), (0.14, 0.06, 0.17), paper)]
    return []


def draw_figure(
    look: Look, heading: float, elevation: float, light: Light, rng: np.random.Generator
) -> tuple[Image.Image, float, float]:
    """A figure as RGBA at DRAWN_PX_PER_M for its modelled stature, and its head's x, y in px.

    `heading` turns it from "away from the camera" to its left; `elevation` is the angle by which
    the camera looks down on it. Both in radians.
    """
    axes = view_axes(elevation)
    bodies = [_place(part, axes @ turned_to(heading)) for part in look.parts]
    scale = DRAWN_PX_PER_M * FINER
    wide, high = _even(2 * HALF_WIDTH_M * scale), _even((ABOVE_M + BELOW_M) * scale)
    right = ((np.arange(wide) + 0.5) / scale - HALF_WIDTH_M).astype(np.float32)
    up = (ABOVE_M - (np.arange(high) + 0.5) / scale).astype(np.float32)
    near = np.full((high, wide), -np.inf, np.float32)
    which = np.full((high, wide), -1, np.int16)
    for index, body in enumerate(bodies):
        _cover(body, index, right, up, near=near, which=which)
    rows, columns = np.nonzero(which >= 0)
    points = np.stack([right[columns], up[rows], near[rows, columns]], axis=1)
    layers = np.zeros((high, wide, 4), np.uint8)
    grain = _grain(high, wide, rng)[rows, columns]
    shown = which[rows, columns]
    painted = _paint(look.parts, bodies, shown, points, grain=grain, light=light, axes=axes)
    layers[rows, columns, :3] = painted
    layers[rows, columns, 3] = 255
    return _reduce(layers)


def _even(size: float) -> int:
    return 2 * round(size / 2)


def _grain(high: int, wide: int, rng: np.random.Generator) -> NDArray[np.float32]:
    """Folds of cloth and strands of hair: soft noise around 0, (high, wide)."""
    small = rng.normal(0, 60, (high // 5, wide // 4)).clip(-127, 127) + 128
    soft = Image.fromarray(small.astype(np.uint8)).resize((wide, high), Image.Resampling.BICUBIC)
    return np.asarray(np.asarray(soft, np.float32) / 128 - 1, np.float32)


@dataclass(frozen=True)
class Body:
    """A part as the camera sees it: centre (right, up, near) from the head, reach, and Q (3, 3).

    Its surface is x^T Q x = 1 around the centre.
    """

    centre: NDArray[np.float32]
    reach: NDArray[np.float32]
    q: NDArray[np.float32]


def _place(part: Part, to_view: NDArray[np.float64]) -> Body:
    centre = to_view @ (np.array(part.centre) - (0, 0, HEAD_UP_M))
    turned, half = to_view @ _tilt(part.lean, part.pitch), np.array(part.half)
    q = (turned / half**2) @ turned.T
    reach = np.sqrt(((turned * half) ** 2).sum(axis=1))
    return Body(*(np.asarray(values, np.float32) for values in (centre, reach, q)))


def _cover(
    body: Body,
    index: int,
    right: NDArray[np.float32],
    up: NDArray[np.float32],
    *,
    near: NDArray[np.float32],
    which: NDArray[np.int16],
) -> None:
    """Note a part wherever it is in front of what was noted before: its index, and how near.

    On each line of sight the surface is a quadratic equation in the nearness.
    """
    columns = slice(*np.searchsorted(right, body.centre[0] + body.reach[0] * np.array([-1, 1])))
    rows = slice(*np.searchsorted(-up, -body.centre[1] + body.reach[1] * np.array([-1, 1])))
    x, y = right[None, columns] - body.centre[0], up[rows, None] - body.centre[1]
    q = body.q
    b = q[0, 2] * x + q[1, 2] * y
    c = q[0, 0] * x**2 + (2 * q[0, 1] * x) * y + (q[1, 1] * y**2 - 1)
    inside = b * b - q[2, 2] * c
    depth = (np.sqrt(np.maximum(inside, 0)) - b) / q[2, 2] + body.centre[2]
    front = (inside > 0) & (depth > near[rows, columns])
    near[rows, columns][front] = depth[front]
    which[rows, columns][front] = index


def _paint(
    parts: Sequence[Part],
    bodies: Sequence[Body],
    which: NDArray[np.int16],
    points: NDArray[np.float32],
    *,
    grain: NDArray[np.float32],
    light: Light,
    axes: NDArray[np.float64],
) -> NDArray[np.uint8]:
    """The colours (N, 3) of surface points (N, 3) on the parts numbered by `which` (N,)."""
    centres = np.stack([body.centre for body in bodies])[which]
    normal = np.einsum("nij,nj->ni", np.stack([body.q for body in bodies])[which], points - centres)
    normal /= np.sqrt((normal**2).sum(axis=1, keepdims=True))
    up_axis = axes[:, 2].astype(np.float32)
    bright, gleam = lighting(normal, light, axes, HEAD_UP_M + points @ up_axis)
    grains = np.array([part.grain for part in parts], np.float32)[which]
    gloss = np.array([110 * part.gloss for part in parts], np.float32)[which]
    colour = np.array([part.colour for part in parts], np.float32)[which]
    lit = colour * (bright * (1 + grains * grain))[:, None] + (gloss * gleam)[:, None]
    return np.asarray(lit.clip(0, 255), np.uint8)


def lighting(
    normal: NDArray[np.float32],
    light: Light,
    axes: NDArray[np.float64],
    height_m: NDArray[np.float32],
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Brightness by sky, sun and the shade among legs; and the gleam on glossy things; (N,)."""
    sun, sky = (axes @ np.array(light.towards)).astype(np.float32), axes[:, 2].astype(np.float32)
    to_sun = np.maximum(0, normal @ sun)
    to_sky = 0.5 + 0.5 * (normal @ sky)
    open_air = (0.5 + 0.42 * height_m).clip(0.45, 1.1)
    bright = open_air * (light.ambient * (0.35 + 0.65 * to_sky) + light.direct * to_sun)
    halfway = sun + sky + np.array((0, 0, 1), np.float32)
    gleam = np.maximum(0, normal @ (halfway / np.linalg.norm(halfway))) ** 14
    return bright, gleam


def view_axes(elevation: float) -> NDArray[np.float64]:
    """From (X, Y, Z) to (right, up, near) as seen by a camera that looks down by `elevation`."""
    cos, sin = math.cos(elevation), math.sin(elevation)
    return np.array([[1, 0, 0], [0, sin, cos], [0, -cos, sin]])


def turned_to(heading: float) -> NDArray[np.float64]:
    """From (ahead, left, up) to (X, Y, Z); heading 0 looks along Y."""
    cos, sin = math.cos(heading), math.sin(heading)
    return np.array([[-sin, -cos, 0], [cos, -sin, 0], [0, 0, 1]])


def _tilt(lean: float, pitch: float) -> NDArray[np.float64]:
    """Lean to the left about "ahead", then pitch forward about "left"."""
    lean_cos, lean_sin = math.cos(lean), math.sin(lean)
    pitch_cos, pitch_sin = math.cos(pitch), math.sin(pitch)
    leaning = np.array([[1, 0, 0], [0, lean_cos, lean_sin], [0, -lean_sin, lean_cos]])
    pitching = np.array([[pitch_cos, 0, pitch_sin], [0, 1, 0], [-pitch_sin, 0, pitch_cos]])
    return np.asarray(pitching @ leaning, np.float64)


def _reduce(layers: NDArray[np.uint8]) -> tuple[Image.Image, float, float]:
    """Average down with colours weighted by their cover, cut to what is drawn; the head's place."""
    drawing = Image.fromarray(layers, "RGBA").convert("RGBa").reduce(FINER).convert("RGBA")
    left, top, right, bottom = drawing.getchannel("A").getbbox() or (0, 0, 1, 1)
    head_x, head_y = HALF_WIDTH_M * DRAWN_PX_PER_M - left, ABOVE_M * DRAWN_PX_PER_M - top
    return drawing.crop((left, top, right, bottom)), head_x, head_y
