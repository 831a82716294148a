"""A street at 4 a.m.: nobody is there, leaves and a flag move in the wind, one sign blinks.

The wind comes in gusts and lulls of random length; every leaf cluster swings by itself, so that
nothing comes back exactly. A sensor's noise, anew in each picture, lies over all of it.
"""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.street.scene import Scene
from edge.watch.frame import Pixels
from edge.watch.view import Samples

Floats = NDArray[np.float32]

CLUSTER_PX = 10  # leaves that swing together
SWING_PX = 2.2  # standard deviation of their way, in the mean wind
NIGHT_NOISE, DAY_NOISE = 4.5, 2.6
# Left, top, width, height of tree crowns and the flag, px of 640 x 352.
CROWNS = ((500, 6, 110, 80), (20, 90, 70, 60), (470, 150, 50, 50))
FLAG = (290, 60, 56, 36)
SIGN = (70, 200, 60, 24)


@dataclass
class Wind:
    """Its strength, 1 on average: gusts of seconds on spells of minutes (log-normal)."""

    rng: np.random.Generator
    gust: float = 0.0
    spell: float = 0.0

    def blow(self, seconds: float) -> float:
        self.gust = _wander(self.rng, self.gust, seconds / 6)
        self.spell = _wander(self.rng, self.spell, seconds / 240)
        return math.exp(0.5 * self.gust + 0.5 * self.spell - 0.25)


def _wander(rng: np.random.Generator, value: float, share: float) -> float:
    """An Ornstein-Uhlenbeck step of spread 1; `share` of its time constant passes."""
    keeps = math.exp(-share)
    return keeps * value + math.sqrt(1 - keeps * keeps) * float(rng.normal())


class Crown:
    """Leaves in a rectangle."""

    def __init__(self, place: tuple[int, int, int, int], rng: np.random.Generator, light: float):
        self.left, self.top, self.width, self.height = place
        self._rng = rng
        grid = (2, self.height // CLUSTER_PX + 2, self.width // CLUSTER_PX + 2)
        self._way = np.zeros(grid, np.float32)
        self._leaves = _foliage(rng, self.height, self.width, light)
        self._rows, self._columns = np.mgrid[: self.height, : self.width].astype(np.float32)
        middle = np.hypot(
            (self._rows / self.height - 0.5) * 2, (self._columns / self.width - 0.5) * 2
        )
        self._mask = np.clip((1.0 - middle) * 6, 0, 1)[..., None]

    def draw(self, canvas: Floats, seconds: float, wind: float) -> None:
        keeps = math.exp(-seconds / 0.6)
        fresh = self._rng.normal(0, 1, self._way.shape).astype(np.float32)
        self._way = keeps * self._way + math.sqrt(1 - keeps * keeps) * fresh
        field = [
            cv2.resize(part, (self.width, self.height), interpolation=cv2.INTER_CUBIC)
            for part in self._way * SWING_PX * min(wind, 4.0)
        ]
        moved = cv2.remap(
            self._leaves, self._columns + field[0], self._rows + field[1], cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_REFLECT,
        )  # fmt: skip
        _lay(canvas, moved, self._mask, self.left, self.top)


def _foliage(rng: np.random.Generator, height: int, width: int, light: float) -> Floats:
    tones = rng.normal(0, 1, (height, width)).astype(np.float32)
    tones = cv2.GaussianBlur(tones, (0, 0), 1.6) * 3 + cv2.GaussianBlur(tones, (0, 0), 6) * 8
    level = np.clip(70 + 42 * tones, 8, 190) * light
    return np.asarray(np.stack([0.7 * level, level, 0.5 * level], axis=-1), np.float32)


def _lay(canvas: Floats, patch: Floats, mask: Floats, left: int, top: int) -> None:
    under = canvas[top : top + patch.shape[0], left : left + patch.shape[1]]
    under += mask * (patch - under)


class Flag:
    """Stripes that wave; the wave runs the faster the harder it blows."""

    def __init__(self, light: float) -> None:
        self.left, self.top, self.width, self.height = FLAG
        stripes = np.zeros((self.height, self.width, 3), np.float32)
        stripes[:] = (210, 210, 205)
        stripes[self.height // 3 : 2 * self.height // 3] = (180, 30, 40)
        stripes[:, : self.width // 3] = (30, 40, 120)
        self._cloth = stripes * light
        self._rows, self._columns = np.mgrid[: self.height, : self.width].astype(np.float32)
        self._phase = 0.0

    def draw(self, canvas: Floats, seconds: float, wind: float) -> None:
        self._phase += seconds * 5.0 * wind
        along = self._columns / self.width
        wave = np.sin(7 * along - self._phase) + 0.5 * np.sin(12 * along - 1.7 * self._phase + 1)
        lift = 3.0 * min(wind, 2.0) * along * wave
        moved = cv2.remap(
            self._cloth, self._columns, self._rows + lift, cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_REPLICATE,
        )  # fmt: skip
        shade = 1 + 0.25 * np.cos(7 * along - self._phase)[..., None]
        _lay(canvas, moved * shade, np.ones((1, 1, 1), np.float32), self.left, self.top)


def _sign(canvas: Floats, at_s: float) -> None:
    """One second on, one off; its light falls on what is around it."""
    if int(at_s) % 2:
        return
    left, top, width, height = SIGN
    canvas[top : top + height, left : left + width] = (230, 60, 160)
    around = canvas[top - 20 : top + height + 20, left - 20 : left + width + 20]
    around += np.array((18.0, 5.0, 12.0), np.float32)


Part = str
PARTS: tuple[Part, ...] = ("leaves", "flag", "sign")


@dataclass(frozen=True)
class Quiet:
    """What moves in the street, when, and how hard the wind blows; another street of each seed."""

    parts: tuple[Part, ...] = PARTS
    night: bool = True
    calm: float = 1.0
    seed: int = 0

    @property
    def spread(self) -> float:
        """The standard deviation of a pixel's noise."""
        return NIGHT_NOISE if self.night else DAY_NOISE


ALL = Quiet()


def quiet(every_s: float, seconds: float, street: Quiet = ALL) -> Iterator[Pixels]:
    """The street from the start on, every so many seconds."""
    rng = np.random.default_rng([street.seed, 12])
    noise = _noise(rng, street.spread)
    for canvas in _drawn(every_s, seconds, street):
        yield _sensed(canvas, noise, rng)


def quiet_samples(every_s: float, seconds: float, street: Quiet = ALL) -> Iterator[Samples]:
    """The same as picture health samples it, some five times as fast."""
    rng = np.random.default_rng([street.seed, 13])
    noise = _noise(rng, street.spread / 2)[..., 0]  # four pixels make a sample
    for canvas in _drawn(every_s, seconds, street):
        grey = cv2.resize(canvas[..., 1], (320, 176), interpolation=cv2.INTER_AREA)
        row, column = rng.integers(512 - 176), rng.integers(1024 - 320)
        yield np.clip(grey + noise[row : row + 176, column : column + 320], 0, 255)


def _drawn(every_s: float, seconds: float, street: Quiet) -> Iterator[Floats]:
    rng = np.random.default_rng([street.seed, 11])
    empty, light = backdrop(night=street.night), 0.6 if street.night else 1.0
    wind = Wind(rng)
    crowns = [Crown(place, rng, light) for place in CROWNS] if "leaves" in street.parts else []
    flag = Flag(light) if "flag" in street.parts else None
    for number in range(round(seconds / every_s)):
        blows = street.calm * wind.blow(every_s)
        canvas = empty.copy()
        for crown in crowns:
            crown.draw(canvas, every_s, blows)
        if flag:
            flag.draw(canvas, every_s, blows)
        if "sign" in street.parts:
            _sign(canvas, number * every_s)
        yield canvas


def _noise(rng: np.random.Generator, spread: float, shape: tuple[int, int] = (352, 640)) -> Floats:
    """Noise of a picture of `shape`, with room to be shifted in."""
    return rng.normal(0, spread, (shape[0] + 160, shape[1] + 384, 3)).astype(np.float32)


def _sensed(canvas: Floats, noise: Floats, rng: np.random.Generator) -> Pixels:
    height, width = canvas.shape[:2]
    row, column = rng.integers(noise.shape[0] - height), rng.integers(noise.shape[1] - width)
    canvas += noise[row : row + height, column : column + width]
    return np.clip(np.rint(canvas), 0, 255).astype(np.uint8)


@cache
def backdrop(*, night: bool) -> Floats:
    """The simulated street without anybody, and without noise."""
    scene = Scene(night=night, script=0.0)
    pictures = [scene.at(float(at)).pixels for at in range(12)]
    return np.asarray(np.mean(pictures, axis=0, dtype=np.float32), np.float32)


def noisy(pixels: Pixels, spread: float, seed: int = 0) -> Callable[[], Pixels]:
    """A picture that stands, with noise that is new each time."""
    rng = np.random.default_rng(seed)
    noise = _noise(rng, spread, (pixels.shape[0], pixels.shape[1]))
    return lambda: _sensed(pixels.astype(np.float32), noise, rng)
