"""A simulated street with exactly known heads: same seed and time, same picture."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageChops, ImageDraw

from edge.watch.cameras.draw import (
    HEAD_CENTRE_PX,
    SPRITE_PX,
    SPRITE_WIDTH_PX,
    as_picture,
    draw_background,
    make_looks,
    night_light,
    soften,
)
from edge.watch.cameras.street import DEMO, Crowd, Script, Street
from edge.watch.cameras.view import View

LOOKS = 48
HEAD_M = 1.65
# The counted stretch: X from -2.5 to 2.5, Y from 8 to 16 m.
ZONE_M = ((-2.5, 16.0), (2.5, 16.0), (2.5, 8.0), (-2.5, 8.0))
ZONE_AREA_M2 = 40.0
SIZE_STEP_PX = 2
FRAME_SEED = 7


@dataclass(frozen=True)
class Picture:
    """A rendered moment: pixels (H, W, 3) RGB, and for each head in the picture its centre in px
    (N, 2) and its person's feet on the street in metres (N, 2). `hidden` of all heads are covered
    by somebody nearer; they are not in the lists.
    """

    pixels: NDArray[np.uint8]
    heads: NDArray[np.float32]
    ground: NDArray[np.float32]
    hidden: int


class Scene:
    """A street seen by one camera. Pure: no clock, no files."""

    def __init__(
        self,
        width: int = 640,
        height: int = 352,
        *,
        seed: int = 0,
        night: bool = False,
        script: Script = DEMO,
        vary: bool = False,
    ) -> None:
        rng = np.random.default_rng([seed, 2])
        self.view = _varied_view(width, height, rng) if vary else standard_view(width, height)
        self._street = Street(script, seed, LOOKS)
        self._looks = make_looks(LOOKS, rng)
        self._background = soften(as_picture(draw_background(self.view, rng)), 0.7)
        self._light = as_picture(255 * night_light(self.view, rng)) if night else None
        self._sun = float(rng.uniform(-0.8, 0.8))
        self._seed = seed
        self._sprites: dict[tuple[int, bool, int, int], Image.Image] = {}

    @property
    def zone(self) -> list[tuple[float, float]]:
        """The counted stretch at head height, in fractions of the picture."""
        corners = np.array([(x, y, HEAD_M) for x, y in ZONE_M])
        x, y, _ = self.view.project(corners)
        return [
            (float(a / self.view.width), float(b / self.view.height))
            for a, b in zip(x, y, strict=True)
        ]

    def people_in_zone(self, t_s: float) -> int:
        """How many people truly stand on the counted stretch."""
        x, y = self._street.at(t_s).feet.T
        return int(np.sum((np.abs(x) <= 2.5) & (y >= 8.0) & (y <= 16.0)))

    def at(self, t_s: float) -> Picture:
        """The picture at a time in seconds."""
        crowd = self._street.at(t_s)
        order = np.argsort(-crowd.feet[:, 1])  # far to near
        crowd = Crowd(crowd.feet[order], crowd.away[order], crowd.look[order])
        boxes = self._boxes(crowd)
        canvas = self._shadowed(boxes)
        for (left, top, wide, high), away, look in zip(boxes, crowd.away, crowd.look, strict=True):
            sprite = self._sprite(int(look), bool(away), round(wide), round(high))
            canvas.paste(sprite, (round(left), round(top)), sprite)
        pixels = self._finish(canvas, t_s)
        return self._with_truth(pixels, crowd, boxes)

    def _boxes(self, crowd: Crowd) -> NDArray[np.float64]:
        """Left, top, width and height in px of everybody's drawing, (N, 4)."""
        if len(crowd.feet) == 0:
            return np.zeros((0, 4))
        stature = np.array([look.stature_m for look in self._looks])[crowd.look]
        feet = np.column_stack([crowd.feet, np.zeros(len(stature))])
        tops = np.column_stack([crowd.feet, stature])
        _, foot_y, _ = self.view.project(feet)
        x, top_y, depth = self.view.project(tops)
        wide = self.view.focal_px / depth * stature * SPRITE_WIDTH_PX / SPRITE_PX
        high = (foot_y - top_y) * 1.04
        return np.column_stack([x - wide / 2, top_y, wide, high])

    def _shadowed(self, boxes: NDArray[np.float64]) -> Image.Image:
        """The empty street with everybody's shadow on it."""
        veil = Image.new("L", (self.view.width, self.view.height), 255)
        draw = ImageDraw.Draw(veil)
        sun = 0.0 if self._light is not None else self._sun
        for left, top, wide, high in boxes:
            x, y = left + wide / 2, top + high * 0.97
            draw.ellipse((x - wide * 0.42, y - wide * 0.16, x + wide * 0.42, y + wide * 0.16), 120)
            if sun:
                tip = (x + sun * high, y - 0.25 * high)
                draw.line((x, y, *tip), fill=165, width=max(1, round(wide * 0.45)))
        shade = soften(veil, 1.0)
        return ImageChops.multiply(self._background, Image.merge("RGB", [shade] * 3))

    def _sprite(self, look: int, away: bool, wide: int, high: int) -> Image.Image:
        """A person's drawing at a size, rounded to a few sizes that are kept."""
        wide = max(2, SIZE_STEP_PX * round(wide / SIZE_STEP_PX))
        high = max(4, SIZE_STEP_PX * round(high / SIZE_STEP_PX))
        key = (look, away, wide, high)
        if key not in self._sprites:
            chosen = self._looks[look]
            drawing = chosen.back if away else chosen.front
            self._sprites[key] = drawing.resize((wide, high), Image.Resampling.BOX)
        return self._sprites[key]

    def _finish(self, canvas: Image.Image, t_s: float) -> NDArray[np.uint8]:
        """Night, lens and sensor. The noise follows from the time, so that pictures repeat."""
        if self._light is not None:
            canvas = ImageChops.multiply(canvas, self._light)
        pixels = np.asarray(soften(canvas, 0.45), np.int16)
        rng = np.random.default_rng([self._seed, FRAME_SEED, round(t_s * 1000)])
        noise = rng.integers(-4, 5, (*pixels.shape[:2], 1), np.int8)
        return (pixels + noise).clip(0, 255).astype(np.uint8)

    def _with_truth(
        self, pixels: NDArray[np.uint8], crowd: Crowd, boxes: NDArray[np.float64]
    ) -> Picture:
        """Keep the heads that are inside the picture and not covered by somebody nearer."""
        x = boxes[:, 0] + boxes[:, 2] / 2
        y = boxes[:, 1] + boxes[:, 3] * HEAD_CENTRE_PX / SPRITE_PX
        inside = (x >= 0) & (y >= 0) & (x < self.view.width) & (y < self.view.height)
        seen = inside & ~_covered(x, y, boxes)
        heads = np.column_stack([x, y])[seen].astype(np.float32)
        ground = crowd.feet[seen].astype(np.float32)
        return Picture(pixels, heads, ground, int(np.sum(inside & ~seen)))


def _covered(
    x: NDArray[np.float64], y: NDArray[np.float64], boxes: NDArray[np.float64]
) -> NDArray[np.bool_]:
    """Whose head's centre lies behind the head or the body of somebody drawn later."""
    left, top, wide, high = boxes.T
    nearer = np.arange(len(x))[:, None] < np.arange(len(x))[None, :]
    aside = np.abs(x[:, None] - (left + wide / 2)[None, :]) / wide[None, :]
    down = (y[:, None] - top[None, :]) / high[None, :]
    by_head = (aside < 0.13) & (down > 0.02) & (down < 0.18)
    by_body = (aside < 0.30) & (down >= 0.18) & (down < 0.65)
    covered: NDArray[np.bool_] = np.any(nearer & (by_head | by_body), axis=1)
    return covered


def standard_view(width: int, height: int) -> View:
    """The demonstration's camera: 8.5 m up, 33 degrees down."""
    return View.of(width, height, 8.5, 33.0, 46.0)


def _varied_view(width: int, height: int, rng: np.random.Generator) -> View:
    """Another street's camera, that sees about the same stretch."""
    height_m = rng.uniform(5.0, 10.0)
    tilt = np.degrees(np.arctan2(height_m - 1.0, rng.uniform(9.0, 13.0)))
    return View.of(width, height, float(height_m), float(tilt), float(rng.uniform(38.0, 60.0)))
