"""Textures of no family: random motifs laid out at random, and noise of random bands.

A counter that has learnt some families by heart still takes the next one for a crowd; these have
hardly anything in common but that nobody is in them.
"""

import cv2
import numpy as np

from models.textures import (
    Colour,
    Field,
    Picture,
    Point,
    colour_of,
    ellipse,
    grid,
    mixed,
    pair,
    plain,
    shaded,
    soft,
)

PARTS = (1, 6)  # of a motif


def motifs(rng: np.random.Generator, side: int) -> Picture:
    """One motif of a few shapes, again and again: in rows, jittered or strewn, at times lit."""
    canvas = mixed(*pair(rng), 0.5 + rng.uniform(0, 0.6) * soft(rng, side, rng.uniform(8, 90)))
    step, parts = rng.uniform(9, 64), [_Part(rng) for _ in range(rng.integers(*PARTS))]
    turned, toned = rng.choice([0.0, 0.2, np.pi]), rng.choice([0.0, 0.25, 0.6])
    for at in _layout(rng, side, step):
        size, turn = step * rng.uniform(0.8, 1.15), rng.uniform(-turned, turned)
        tone = 1 + rng.uniform(-toned, toned)
        for part in parts:
            part.draw(canvas, at, size, turn, tone)
    if rng.random() < 0.3:
        glow = cv2.GaussianBlur(canvas, (0, 0), float(step * rng.uniform(0.1, 0.5)))
        canvas = np.asarray(cv2.add(canvas, glow), np.uint8)
    return shaded(canvas, np.clip(1 + rng.uniform(0, 0.3) * soft(rng, side, 70), 0.2, 1.8))


class _Part:
    """One shape of a motif, in the motif's own size."""

    def __init__(self, rng: np.random.Generator) -> None:
        self.at = rng.normal(0, 0.18, 2)
        self.axes = rng.uniform(0.06, 0.42, 2)
        self.turn = rng.uniform(0, np.pi)
        self.kind = rng.integers(4)
        self.width = float(rng.choice([0.0, 0.0, 0.06, 0.12]))
        self.colour: Colour = colour_of(rng)

    def draw(self, canvas: Picture, at: Point, size: float, turn: float, tone: float) -> None:
        """Around a point of the canvas."""
        cos, sin = np.cos(turn), np.sin(turn)
        centre = at + size * np.array([[cos, -sin], [sin, cos]]) @ self.at
        colour = tuple(float(np.clip(tone * value, 0, 255)) for value in self.colour)
        width = max(1, round(self.width * size)) if self.width else -1
        wide, high = size * self.axes
        if self.kind < 2:
            axes = (wide, high) if self.kind else (wide, wide)
            ellipse(canvas, centre, axes, float(np.degrees(self.turn + turn)), colour, width)
            return
        box = (tuple(centre.tolist()), (2 * wide, 2 * high), float(np.degrees(self.turn + turn)))
        points = cv2.boxPoints(box)[: 4 if self.kind == 2 else 3].astype(np.int32)
        if width < 0:
            cv2.fillPoly(canvas, [points], colour, cv2.LINE_AA)
        else:
            cv2.polylines(canvas, [points], True, colour, width, cv2.LINE_AA)


def _layout(rng: np.random.Generator, side: int, step: float) -> list[Point]:
    """Where the motifs stand: a grid, a jittered one, or anywhere; some slanted, some with gaps."""
    if rng.random() < 0.3:
        many = min(4000, round(rng.uniform(0.5, 1.8) * (side / step) ** 2))
        return list(rng.uniform(0, side, (many, 2)))
    points = list(grid(rng, side, step, rng.choice([0.0, 0.08, 0.3, 0.5])))
    lean = rng.choice([0.0, rng.uniform(-0.3, 0.3)])
    kept = rng.random(len(points)) < rng.choice([1.0, 1.0, 0.7])
    return [
        at + np.array([lean * at[1] % step, 0])
        for at, stays in zip(points, kept, strict=True)
        if stays
    ]


def bands(rng: np.random.Generator, side: int) -> Picture:
    """Noise of one or two bands of size, as sharp or soft and as regular as it comes."""
    value = _band(rng, side)
    if rng.random() < 0.5:
        value = value + rng.uniform(0.3, 1.0) * _band(rng, side)
    if rng.random() < 0.3:
        value = np.abs(value) - 0.7
    picture = mixed(*pair(rng), 0.5 + rng.uniform(0.3, 4) * value)
    if rng.random() < 0.4:
        third = (_band(rng, side) > rng.uniform(0.3, 1.2)).astype(np.float32)
        picture = np.where(third[..., None] > 0, plain(colour_of(rng), side), picture)
    return shaded(picture, np.clip(1 + rng.uniform(0, 0.3) * soft(rng, side, 60), 0.2, 1.8))


def _band(rng: np.random.Generator, side: int) -> Field:
    """Noise between two sizes, longer in one direction than in the other at times; spread 1."""
    y, x = np.meshgrid(np.fft.fftfreq(side), np.fft.rfftfreq(side), indexing="ij")
    turn, longer = rng.uniform(0, np.pi), rng.choice([1.0, 1.0, rng.uniform(1.5, 4)])
    along, across = x * np.cos(turn) + y * np.sin(turn), y * np.cos(turn) - x * np.sin(turn)
    away = np.hypot(along * longer, across)
    centre, width = 1 / rng.uniform(6, 48), rng.uniform(0.1, 0.7)
    weight = np.exp(-((np.log(np.maximum(away, 1e-6) / centre) / width) ** 2))
    noise = np.fft.irfft2(weight * np.fft.rfft2(rng.normal(0, 1, (side, side))), (side, side))
    return np.asarray(noise / noise.std(), np.float32)
