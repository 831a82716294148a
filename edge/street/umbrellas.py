"""Umbrellas, opened over their owners' heads: plain, printed, and clear ones.

A canopy is a cap of a sphere on eight ribs. Lengths in metres, for a figure of `STATURE_M`.
"""

import colorsys
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from edge.street.figures import (
    DRAWN_PX_PER_M,
    FINER,
    HEAD_UP_M,
    Colour,
    Light,
    lighting,
    turned_to,
    view_axes,
)
from edge.street.placed import Figure

Floats = NDArray[np.float32]
# Where a print has its second colour, 0 to 1, by a place on the canopy: angle, and distance from
# the top as a part of the rim's, each (N,).
Print = Callable[[Floats, Floats], Floats]

REACH_M = 0.95  # of the drawing, each way from the head's centre
DEPTH_M = 0.2  # from the top of the canopy down to its rim
RIB = math.pi / 4
GRIP_UP_M = 1.12
CLEAR_ALPHA = 84
FERRULE = 0.045


@dataclass(frozen=True)
class Umbrella:
    """How wide it is, how high its rim is held, how it leans, and its cloth.

    `held` (ahead, left) is where its shaft stands beside the head's centre; `lean` the angle by
    which it leans towards `lean_way` of the person's own directions, both in radians. One that is
    `clear` hides nothing.
    """

    radius_m: float
    rim_up_m: float
    held: tuple[float, float]
    lean: float
    lean_way: float
    colours: tuple[Colour, Colour]
    printed: str
    clear: bool = False


def make_umbrellas(people: int, share: float, rng: np.random.Generator) -> list[Umbrella | None]:
    """One for each of so many people, or None for those without; `share` of them have one."""
    carries = rng.permutation(people) < round(share * people)
    each = [_make_umbrella(rng) for _ in range(people)]
    return [umbrella if has else None for umbrella, has in zip(each, carries, strict=True)]


def _make_umbrella(rng: np.random.Generator) -> Umbrella:
    kind = rng.random()
    clear, printed = kind < 0.12, "plain"
    if kind > 0.5:
        printed = str(rng.choice(sorted(PRINTS)))
    return Umbrella(
        radius_m=float(rng.uniform(0.46, 0.56)),
        rim_up_m=float(rng.uniform(1.64, 1.8)),
        held=(float(rng.uniform(0.0, 0.1)), float(rng.choice([-0.1, 0.1]))),
        lean=float(rng.uniform(0, 0.2)),
        lean_way=float(rng.uniform(-math.pi, math.pi)),
        colours=((214, 224, 230), (244, 246, 248)) if clear else _colours(rng),
        printed=printed,
        clear=clear,
    )


def _colours(rng: np.random.Generator) -> tuple[Colour, Colour]:
    """Most are black or navy; prints are dark on light, or light on dark."""
    if rng.random() < 0.5:
        value = float(rng.uniform(0.08, 0.22))
        first = colorsys.hsv_to_rgb(
            float(rng.uniform(0.55, 0.7)), float(rng.uniform(0, 0.5)), value
        )
    else:
        value = float(rng.uniform(0.35, 0.95))
        first = colorsys.hsv_to_rgb(float(rng.random()), float(rng.uniform(0.1, 0.65)), value)
    hue, light = float(rng.random()), 0.9 if value < 0.6 else 0.3
    second = colorsys.hsv_to_rgb(hue, float(rng.uniform(0.05, 0.6)), light)
    return tuple(255 * part for part in first), tuple(255 * part for part in second)  # type: ignore[return-value]


def _panels(angle: Floats, _out: Floats) -> Floats:
    """Every other panel."""
    return np.asarray(np.floor(angle / RIB) % 2, np.float32)


def _border(_angle: Floats, out: Floats) -> Floats:
    """A band along the rim."""
    return ((out > 0.72) & (out < 0.88)).astype(np.float32)


def _circles(_angle: Floats, out: Floats) -> Floats:
    """Rings around the top."""
    return np.asarray(np.floor(out * 7) % 2, np.float32)


def _dots(angle: Floats, out: Floats) -> Floats:
    """Spots in rows."""
    across, along = _flat(angle, out, 5.0)
    return (np.hypot(across, along) < 0.28).astype(np.float32)


def _flowers(angle: Floats, out: Floats) -> Floats:
    """Five petals each."""
    across, along = _flat(angle, out, 3.2)
    petals = 0.3 + 0.12 * np.cos(5 * np.arctan2(along, across))
    around = np.hypot(across, along)
    return np.asarray((around < petals) & (around > 0.09), np.float32)


def _checks(angle: Floats, out: Floats) -> Floats:
    """Stripes both ways, deeper where they cross."""
    across, along = _flat(angle, out, 4.0)
    return np.asarray(0.5 * (np.abs(across) < 0.2) + 0.5 * (np.abs(along) < 0.2), np.float32)


def _flat(angle: Floats, out: Floats, times: float) -> tuple[Floats, Floats]:
    """Places on the cloth laid flat: from the middle of the nearest of `times` motifs a radius."""
    across, along = times * out * np.cos(angle), times * out * np.sin(angle)
    along = along + 0.5 * (np.floor(across) % 2)
    return across - np.floor(across) - 0.5, along - np.floor(along) - 0.5


PRINTS: Mapping[str, Print] = MappingProxyType(
    {
        "panels": _panels,
        "border": _border,
        "circles": _circles,
        "dots": _dots,
        "flowers": _flowers,
        "checks": _checks,
    }
)


def draw_umbrella(
    umbrella: Umbrella, heading: float, elevation: float, light: Light
) -> tuple[Image.Image, float, float]:
    """It as RGBA at DRAWN_PX_PER_M, and its owner's head's x, y in px of the drawing.

    `heading` and `elevation` as in `figures.draw_figure`.
    """
    axes, scale = view_axes(elevation), DRAWN_PX_PER_M * FINER
    side = 2 * round(REACH_M * scale)
    canvas = Image.new("RGBA", (side, side))
    own = axes @ turned_to(heading)
    _draw_shaft(canvas, umbrella, own, scale)
    canopy = Image.fromarray(_canopy(umbrella, own, side, light=light, axes=axes), "RGBA")
    canvas.alpha_composite(canopy)
    drawing = canvas.convert("RGBa").reduce(FINER).convert("RGBA")
    return drawing, side / FINER / 2, side / FINER / 2


def _rim_middle(umbrella: Umbrella) -> NDArray[np.float64]:
    """Ahead, left and up of the head's centre."""
    return np.array([*umbrella.held, umbrella.rim_up_m - HEAD_UP_M])


def _draw_shaft(
    canvas: Image.Image, umbrella: Umbrella, own: NDArray[np.float64], scale: int
) -> None:
    """From the rim's middle to the hand, where no body is before it."""
    grip = own @ np.array([umbrella.held[0] + 0.16, umbrella.held[1], GRIP_UP_M - HEAD_UP_M])
    if grip[2] < 0:
        return
    ends = [
        (canvas.width / 2 + scale * point[0], canvas.height / 2 - scale * point[1])
        for point in (own @ _rim_middle(umbrella), grip)
    ]
    ImageDraw.Draw(canvas).line(ends, (70, 70, 74, 255), 2 * FINER)


def _canopy(
    umbrella: Umbrella,
    own: NDArray[np.float64],
    side: int,
    *,
    light: Light,
    axes: NDArray[np.float64],
) -> NDArray[np.uint8]:
    """RGBA (side, side) of what is seen of it from above: where lines of sight meet the cap."""
    lean, way = umbrella.lean, umbrella.lean_way
    top = own @ np.array(
        [math.sin(lean) * math.cos(way), math.sin(lean) * math.sin(way), math.cos(lean)]
    )
    ball_m = (umbrella.radius_m**2 + DEPTH_M**2) / (2 * DEPTH_M)
    middle = own @ _rim_middle(umbrella) - (ball_m - DEPTH_M) * top
    place = (np.arange(side) + 0.5) / side * 2 * REACH_M - REACH_M
    x, y = np.meshgrid(place - middle[0], -place - middle[1])
    near = np.sqrt(np.maximum(ball_m**2 - x**2 - y**2, 0))
    from_middle = np.stack([x, y, near], axis=-1).astype(np.float32)
    high = from_middle @ top.astype(np.float32)
    angle, out = _polar(from_middle, top.astype(np.float32), own[:, 0].astype(np.float32))
    out /= umbrella.radius_m
    seen = (near > 0) & (high > 0) & (out < _rim(angle))
    picture = np.zeros((side, side, 4), np.uint8)
    picture[seen, :3] = _dyed(
        umbrella, angle[seen], out[seen], from_middle[seen] / ball_m, light=light, axes=axes
    )
    rib = _beside_rib(angle[seen]) * out[seen] < 0.02
    alpha = np.where(rib | (out[seen] > 0.93), 200, CLEAR_ALPHA) if umbrella.clear else 255
    picture[seen, 3] = alpha
    return picture


def _polar(points: Floats, top: Floats, ahead: Floats) -> tuple[Floats, Floats]:
    """The angle around `top` and the distance from it, (rows, columns), of points (…, 3)."""
    first = ahead - (ahead @ top) * top
    first /= np.linalg.norm(first)
    second = np.cross(top, first)
    across, along = points @ first, points @ second
    return np.arctan2(along, across), np.hypot(across, along)


def _beside_rib(angle: Floats) -> Floats:
    """How far from the nearest rib, radians."""
    return np.asarray(np.abs((angle + RIB / 2) % RIB - RIB / 2), np.float32)


def _rim(angle: Floats) -> Floats:
    """How far the cloth reaches: to the tips of the ribs, and hollow between them."""
    chord = math.cos(RIB / 2) / np.cos(angle % RIB - RIB / 2)
    return np.asarray(chord**1.3, np.float32)


def _dyed(
    umbrella: Umbrella,
    angle: Floats,
    out: Floats,
    normal: Floats,
    *,
    light: Light,
    axes: NDArray[np.float64],
) -> NDArray[np.uint8]:
    """The colours (N, 3) of the cloth: its print, by the light, and darker along the ribs."""
    first, second = (np.array(colour, np.float32) for colour in umbrella.colours)
    share = PRINTS[umbrella.printed](angle, out)[:, None] if umbrella.printed in PRINTS else 0
    colour = first + (second - first) * np.asarray(share, np.float32)
    colour = np.where((out < FERRULE)[:, None], np.float32(60), colour)
    bright, gleam = lighting(normal, light, axes, np.full(len(angle), 1.3, np.float32))
    between = _beside_rib(angle) / (RIB / 2)
    seam = 0.8 + 0.2 * np.minimum(1, 4 * between * (0.3 + out))
    shone = colour * (bright * seam)[:, None] + 26 * gleam[:, None]
    return np.asarray(shone.clip(0, 255), np.uint8)


def over(figure: Figure, umbrella: tuple[Image.Image, float, float]) -> Figure:
    """A figure under its umbrella, which is a drawing with its owner's head's x, y in px."""
    drawing, x, y = figure.drawing, figure.head_x, figure.head_y
    canopy, canopy_x, canopy_y = umbrella
    left, top = round(max(x, canopy_x)), round(max(y, canopy_y))
    right = round(max(drawing.width - x, canopy.width - canopy_x))
    below = round(max(drawing.height - y, canopy.height - canopy_y))
    both = Image.new("RGBA", (left + right, top + below))
    both.alpha_composite(drawing, (left - round(x), top - round(y)))
    layer = Image.new("RGBA", both.size)
    layer.paste(canopy, (left - round(canopy_x), top - round(canopy_y)))
    both.alpha_composite(layer)
    box = both.getchannel("A").getbbox() or (0, 0, 1, 1)
    hides = layer.getchannel("A").point([255 * (value > 127) for value in range(256)])
    return Figure(both.crop(box), left - box[0], top - box[1], hides.crop(box))
