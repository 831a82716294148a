"""Families of drawn textures in which nobody is.

`TRAINED` families take part in training; `KEPT_OUT` are never trained on, so that what is measured
on them is how a texture of a kind never seen is counted.
"""

from collections.abc import Callable, Mapping

import cv2
import numpy as np

from models.composed import bands, motifs
from models.pictures import Example
from models.textures import (
    Picture,
    ball,
    cells,
    colour_of,
    corners,
    ellipse,
    grid,
    mixed,
    pair,
    plain,
    shaded,
    soft,
)

Draw = Callable[[np.random.Generator, int], Picture]
SIDE = 512
EACH, EACH_COMPOSED, SEED = 24, 160, 1  # of training


def drawn(families: Mapping[str, Draw], each: int, seed: int, side: int = SIDE) -> list[Example]:
    """`each` pictures of every family, with no heads; the same seed draws the same pictures."""
    nobody = np.zeros((0, 2), np.float32)
    return [
        Example(f"{name}-{n}", draw(np.random.default_rng([seed, kind, n]), side), nobody)
        for kind, (name, draw) in enumerate(sorted(families.items()))
        for n in range(each)
    ]


def spots(rng: np.random.Generator, side: int) -> Picture:
    """Rosettes and blotches of an animal's coat, or of cloth printed like one."""
    back, mark = pair(rng)
    canvas, step = plain(back, side), rng.uniform(9, 36)
    ring = rng.random() < 0.5
    for at in grid(rng, side, step, 0.45):
        radius = step * rng.uniform(0.15, 0.42)
        axes = (radius, radius * rng.uniform(0.6, 1.0))
        width = max(1, round(radius / 2.5)) if ring else -1
        ellipse(canvas, at, axes, rng.uniform(0, 180), mark, width)
    return shaded(canvas, 1 + 0.12 * soft(rng, side, 90))


def dots(rng: np.random.Generator, side: int) -> Picture:
    """Printed dots, regular or nearly so, of one colour or of many."""
    back, mark = pair(rng)
    canvas, step, many = plain(back, side), rng.uniform(8, 44), rng.random() < 0.3
    radius, jitter = step * rng.uniform(0.18, 0.42), rng.choice([0.0, 0.0, 0.1, 0.3])
    for at in grid(rng, side, step, jitter):
        colour = colour_of(rng) if many else mark
        ellipse(canvas, at, (radius, radius), 0, colour)
    return canvas


def pebbles(rng: np.random.Generator, side: int) -> Picture:
    """Rounded stones, each lit, with dark gaps."""
    step = rng.uniform(9, 40)
    border, stones = cells(rng, side, step)
    tones = rng.uniform(0.55, 1.2, int(stones.max()) + 1).astype(np.float32)
    height = np.clip(border / (step * rng.uniform(0.2, 0.4)), 0, 1)
    tilt = 1 + rng.uniform(0.1, 0.5) * np.gradient(np.sqrt(height))[0] * step / 4
    light = np.sqrt(height) * tones[stones] * np.clip(tilt, 0.4, 1.6)
    return shaded(plain(colour_of(rng, 90, 190), side), light.astype(np.float32))


def gravel(rng: np.random.Generator, side: int) -> Picture:
    """Fine grains without any order."""
    grain = rng.uniform(2, 7)
    light = 1 + rng.uniform(0.25, 0.6) * soft(rng, side, grain) + 0.2 * soft(rng, side, 3 * grain)
    return shaded(plain(colour_of(rng, 60, 170), side), light)


def bricks(rng: np.random.Generator, side: int) -> Picture:
    """Rows of bricks or of square tiles in mortar."""
    stone, mortar = pair(rng)
    high = rng.uniform(7, 40)
    wide, gap = high * rng.choice([1.0, 2.0, 3.0]), max(1, round(high * rng.uniform(0.06, 0.2)))
    canvas, shift = plain(mortar, side), rng.choice([0.0, 0.5])
    for row in range(int(side / high) + 1):
        for column in range(-1, int(side / wide) + 1):
            x, y = round((column + shift * (row % 2)) * wide), round(row * high)
            tone = rng.uniform(0.75, 1.2)
            end = (round(x + wide) - gap, round(y + high) - gap)
            cv2.rectangle(canvas, (x, y), end, [min(255, tone * v) for v in stone], -1)
    return shaded(canvas, 1 + 0.1 * soft(rng, side, 4))


def roof(rng: np.random.Generator, side: int) -> Picture:
    """Rows of rounded tiles, each throwing a shadow on the next."""
    colour, wide = colour_of(rng, 70, 190), rng.uniform(9, 34)
    high = wide * rng.uniform(0.6, 1.4)
    y, x = np.mgrid[0:side, 0:side].astype(np.float32)
    row = np.floor(y / high)
    across = (x / wide + rng.choice([0.0, 0.5]) * (row % 2)) % 1
    down = (y / high) % 1
    light = (0.45 + 0.75 * np.sin(np.pi * across)) * (1 - 0.5 * (down < 0.2))
    return shaded(plain(colour, side), light * (1 + 0.08 * soft(rng, side, 5)))


def fence(rng: np.random.Generator, side: int) -> Picture:
    """Bars or a lattice before something out of focus."""
    canvas = mixed(*pair(rng), 0.5 + 0.3 * soft(rng, side, rng.uniform(20, 80)))
    colour, step = colour_of(rng), rng.uniform(7, 40)
    width = max(1, round(step * rng.uniform(0.1, 0.4)))
    slants = rng.choice([0, 1, 2])
    lean = (0.0,) if slants == 0 else ((0.0, np.inf) if slants == 1 else (-1.0, 1.0))
    for slope in lean:
        for n in range(-int(side / step), int(2 * side / step)):
            at = round(n * step)
            ends = (
                ((0, at), (side, at))
                if slope == np.inf
                else ((at, 0), (round(at + slope * side), side))
            )
            cv2.line(canvas, *ends, colour, width, cv2.LINE_AA)
    return canvas


def foliage(rng: np.random.Generator, side: int) -> Picture:
    """Leaves in sun and shade, with dark holes between them."""
    leaf = np.array([rng.uniform(30, 190), rng.uniform(60, 190), rng.uniform(10, 90)])
    canvas = mixed((8, 14, 8), tuple(0.7 * leaf), 0.4 + 0.5 * soft(rng, side, rng.uniform(12, 60)))
    size = rng.uniform(2, 11)
    for x, y in rng.uniform(0, side, (round(9000 / size**1.3), 2)):
        colour = tuple(np.clip(leaf * rng.uniform(0.3, 1.5), 0, 255))
        axes = (size * rng.uniform(0.5, 1.2), size * rng.uniform(0.3, 0.6))
        ellipse(canvas, np.array([x, y]), axes, rng.uniform(0, 180), colour)
    return shaded(canvas, np.clip(1 + 0.35 * soft(rng, side, rng.uniform(20, 90)), 0.2, 2))


def blotches(rng: np.random.Generator, side: int) -> Picture:
    """Thresholded noise of one or several sizes: hedges, lichen, rust, camouflage."""
    size = rng.uniform(4, 30)
    value = soft(rng, side, size) + rng.uniform(0, 0.7) * soft(rng, side, size / 2.5)
    sharp = rng.uniform(0.6, 6)
    return mixed(*pair(rng), 0.5 + sharp * (value - rng.uniform(-0.6, 0.8)))


def branches(rng: np.random.Generator, side: int) -> Picture:
    """Bare trees: twigs of every width before a sky."""
    twig, sky = colour_of(rng, 10, 90), colour_of(rng, 130, 250)
    canvas = plain(sky, side)
    tips = [(rng.uniform(0, side), float(side), -np.pi / 2, rng.uniform(6, 14)) for _ in range(5)]
    while tips and len(tips) < 2500:
        x, y, angle, width = tips.pop(0)
        long = rng.uniform(3, 7) * width**0.7 + 6
        end = (x + long * np.cos(angle), y + long * np.sin(angle))
        ends = (round(x), round(y)), (round(end[0]), round(end[1]))
        cv2.line(canvas, *ends, twig, max(1, round(width)), cv2.LINE_AA)
        if width > 0.5:
            turns = rng.uniform(-0.8, 0.8, 2 if rng.random() < 0.75 else 1)
            tips += [(*end, angle + turn, width * rng.uniform(0.7, 0.93)) for turn in turns]
    return canvas


def text(rng: np.random.Generator, side: int) -> Picture:
    """Lines of print: posters, menus, signs."""
    ink, paper = pair(rng)
    canvas, y = plain(paper, side), 0.0
    while y < side:
        size = rng.uniform(0.25, 1.3)
        y += 32 * size * rng.uniform(0.9, 1.5)
        letters = "".join(chr(code) for code in rng.integers(33, 122, 80))
        font = int(rng.choice([0, 1, 2, 3, 4]))
        at = (round(rng.uniform(-20, 20)), round(y))
        cv2.putText(canvas, letters, at, font, size, ink, rng.integers(1, 3), cv2.LINE_AA)
    return canvas


def strokes(rng: np.random.Generator, side: int) -> Picture:
    """Signs built of strokes in squares, as Hangul and Chinese are."""
    ink, paper = pair(rng)
    canvas, em = plain(paper, side), rng.uniform(9, 50)
    width = max(1, round(em * rng.uniform(0.06, 0.14)))
    for at in grid(rng, side, em, 0.0):
        for _ in range(rng.integers(3, 7)):
            a, b = at + em * 0.8 * rng.random(2), em * 0.6 * rng.uniform(0.2, 1)
            if rng.random() < 0.25:
                ellipse(canvas, a, (b / 2, b / 2), 0, ink, width)
                continue
            end = a + (np.array([b, 0]) if rng.random() < 0.5 else np.array([0, b]))
            cv2.line(canvas, a.astype(int), end.astype(int), ink, width, cv2.LINE_AA)
    return canvas


def plaid(rng: np.random.Generator, side: int) -> Picture:
    """Woven stripes and checks of cloth."""
    y, x = np.mgrid[0:side, 0:side].astype(np.float32)
    turn, canvas = rng.uniform(0, np.pi), np.full((side, side, 3), colour_of(rng), np.float32)
    for n in range(rng.integers(1, 5)):
        angle = turn + (n % 2) * np.pi / 2
        along = (x * np.cos(angle) + y * np.sin(angle)) / rng.uniform(6, 60)
        stripe = (along % 1 < rng.uniform(0.15, 0.6))[..., None]
        canvas = np.where(stripe, 0.5 * canvas + 0.5 * np.array(colour_of(rng)), canvas)
    folds = np.clip(1 + 0.15 * soft(rng, side, 70), 0.4, 1.6)
    return shaded(canvas.astype(np.uint8), folds)


def bokeh(rng: np.random.Generator, side: int) -> Picture:
    """Lights out of focus in the dark: discs, faint or bright, that add up where they overlap."""
    light, blur = np.zeros((side, side, 3), np.float32), rng.uniform(0, 3)
    size, palette = rng.uniform(2, 22), [colour_of(rng, 90, 255) for _ in range(4)]
    for x, y in rng.uniform(0, side, (rng.integers(30, 500), 2)):
        disc, radius = np.zeros((side, side, 3), np.uint8), size * rng.uniform(0.6, 1.3)
        x0, y0 = (max(0, int(v - radius - 2)) for v in (x, y))
        part = np.s_[y0 : int(y + radius + 3), x0 : int(x + radius + 3)]
        ellipse(
            disc[part], np.array([x - x0, y - y0]), (radius, radius), 0, palette[rng.integers(4)]
        )
        light[part] += rng.uniform(0.2, 1.0) * disc[part]
    if blur > 0.5:
        light = cv2.GaussianBlur(light, (0, 0), blur)
    back = np.array(colour_of(rng, 0, 50))
    return np.asarray(np.clip(light + back, 0, 255), np.uint8)


def goods(rng: np.random.Generator, side: int) -> Picture:
    """Shelves and crates of things that are alike: fruit, bottles, boxes, shoes."""
    canvas, step = plain(colour_of(rng, 10, 120), side), rng.uniform(12, 46)
    palette, kind = [colour_of(rng, 40, 240) for _ in range(3)], rng.integers(3)
    for at in grid(rng, side, step, rng.choice([0.03, 0.15])):
        colour = palette[int(at[1] / (3 * step)) % 3] if kind else palette[rng.integers(3)]
        if kind == 0:
            ball(canvas, at, step * rng.uniform(0.38, 0.55), colour)
            continue
        wide = step * (0.25 if kind == 1 else 0.42)
        cv2.rectangle(
            canvas, *corners(at, wide, 0.42 * step), [rng.uniform(0.7, 1.2) * v for v in colour], -1
        )
        if kind == 1:
            ellipse(canvas, at - np.array([0, 0.42 * step]), (wide * 0.5, wide * 0.6), 0, colour)
    return canvas


def fur(rng: np.random.Generator, side: int) -> Picture:
    """Short strokes that lie nearly the same way: coats, grass, straw."""
    first, second = pair(rng)
    canvas, lie, long = plain(first, side), rng.uniform(0, np.pi), rng.uniform(5, 26)
    for x, y in rng.uniform(0, side, (2500, 2)):
        angle, share = lie + rng.normal(0, 0.4), rng.random()
        end = (round(x + long * np.cos(angle)), round(y + long * np.sin(angle)))
        colour = [a + share * (b - a) for a, b in zip(first, second, strict=True)]
        cv2.line(canvas, (round(x), round(y)), end, colour, rng.integers(1, 4), cv2.LINE_AA)
    return canvas


def waves(rng: np.random.Generator, side: int) -> Picture:
    """Ripples of water, sand and corrugated sheet."""
    y, x = np.mgrid[0:side, 0:side].astype(np.float32)
    turn, step = rng.uniform(0, np.pi), rng.uniform(6, 40)
    bent = rng.uniform(0, 1.5) * soft(rng, side, rng.uniform(15, 80))
    value = np.sin(2 * np.pi * (x * np.cos(turn) + y * np.sin(turn)) / step + 3 * bent)
    return mixed(*pair(rng), 0.5 + rng.uniform(0.3, 1.0) * value)


def windows(rng: np.random.Generator, side: int) -> Picture:
    """The front of a tall building, some windows lit."""
    wall, glass = pair(rng)
    canvas, step = plain(wall, side), rng.uniform(8, 50)
    wide, high = step * rng.uniform(0.2, 0.42), step * rng.uniform(0.2, 0.45)
    lit, lamp = rng.choice([0.0, 0.1, 0.5]), colour_of(rng, 180, 255)
    for row in range(int(side / step) + 1):
        for column in range(int(side / step) + 1):
            at = step * np.array([column + 0.5, row + 0.5])
            tone = rng.uniform(0.7, 1.2)
            colour = lamp if rng.random() < lit else [min(255, tone * v) for v in glass]
            cv2.rectangle(canvas, *corners(at, wide, high), colour, -1)
    return canvas


def rings(rng: np.random.Generator, side: int) -> Picture:
    """Pipes' ends, wheels, plates: circles within circles."""
    canvas, step = plain(colour_of(rng), side), rng.uniform(12, 60)
    for at in grid(rng, side, step, rng.choice([0.0, 0.3])):
        for part in sorted(rng.uniform(0.1, 0.5, 3), reverse=True):
            ellipse(canvas, at, (part * step, part * step), 0, colour_of(rng))
    return canvas


def cobbles(rng: np.random.Generator, side: int) -> Picture:
    """Paving of rounded stones in bent rows."""
    canvas, step = plain(colour_of(rng, 20, 80), side), rng.uniform(11, 38)
    colour, bend = np.array(colour_of(rng, 90, 190)), rng.uniform(0, 0.25) * side
    for at in grid(rng, int(1.3 * side), step, 0.1):
        moved = at - np.array([0, bend * np.sin(np.pi * at[0] / side)])
        tone = tuple(np.clip(colour * rng.uniform(0.7, 1.25), 0, 255))
        dark = tuple(0.7 * v for v in tone)
        ellipse(canvas, moved + np.array([0, 0.05 * step]), (0.46 * step, 0.42 * step), 0, dark)
        ellipse(canvas, moved, (0.42 * step, 0.36 * step), 0, tone)
    return shaded(canvas, 1 + 0.08 * soft(rng, side, 4))


def lanterns(rng: np.random.Generator, side: int) -> Picture:
    """Strings of round paper lamps over a street, by day or glowing."""
    night = rng.random() < 0.5
    dark = colour_of(rng, 0, 40 if night else 200)
    light = colour_of(rng, 10, 60 if night else 250)
    canvas = mixed(dark, light, 0.5 + 0.4 * soft(rng, side, 60))
    step, colour = rng.uniform(14, 50), colour_of(rng, 120, 240)
    for at in grid(rng, side, step, 0.2):
        ball(canvas, at, step * rng.uniform(0.25, 0.36), colour)
        left, right = (
            tuple((at + np.array([dx, -0.3 * step])).astype(int)) for dx in (-step, step)
        )
        cv2.line(canvas, left, right, (20, 20, 20), 1, cv2.LINE_AA)
    glow = cv2.GaussianBlur(canvas, (0, 0), step / 4)
    return np.asarray(cv2.add(canvas, glow) if night else canvas, np.uint8)


def flowers(rng: np.random.Generator, side: int) -> Picture:
    """Cloth or beds of flowers: petals around a middle."""
    canvas = mixed(*pair(rng), 0.5 + 0.2 * soft(rng, side, 30))
    step, petal, middle = rng.uniform(14, 60), colour_of(rng, 80, 250), colour_of(rng)
    for at in grid(rng, side, step, 0.35):
        turn, radius = rng.uniform(0, np.pi), step * rng.uniform(0.15, 0.24)
        for angle in turn + np.arange(5) * 2 * np.pi / 5:
            spot = at + radius * np.array([np.cos(angle), np.sin(angle)])
            ellipse(canvas, spot, (0.7 * radius, 0.5 * radius), np.degrees(angle), petal)
        ellipse(canvas, at, (0.45 * radius, 0.45 * radius), 0, middle)
    return canvas


def weave(rng: np.random.Generator, side: int) -> Picture:
    """Baskets and mats: strips that go over and under each other."""
    y, x = np.mgrid[0:side, 0:side].astype(np.float32)
    step = rng.uniform(7, 36)
    over = (np.floor(x / step) + np.floor(y / step)) % 2 == 0
    light = np.where(over, np.sin(np.pi * (x / step % 1)), np.sin(np.pi * (y / step % 1)))
    bent = 0.3 + 0.8 * light + 0.1 * soft(rng, side, 5)
    return shaded(plain(colour_of(rng, 90, 200), side), bent.astype(np.float32))


def stars(rng: np.random.Generator, side: int) -> Picture:
    """Chains of small lamps, each with its halo, at the year's end."""
    light, step = np.zeros((side, side, 3), np.uint8), rng.uniform(8, 40)
    palette = [colour_of(rng, 150, 255) for _ in range(rng.integers(1, 4))]
    for at in grid(rng, side, step, 0.35):
        colour, radius = palette[rng.integers(len(palette))], rng.uniform(1, 3.5)
        ellipse(light, at, (radius, radius), 0, colour)
    halo = cv2.GaussianBlur(light, (0, 0), step / 3)
    back = mixed((0, 0, 5), colour_of(rng, 20, 90), 0.4 + 0.4 * soft(rng, side, 80))
    return np.asarray(cv2.add(cv2.add(back, light), cv2.convertScaleAbs(halo, alpha=2.0)), np.uint8)


def _named(*families: Draw) -> dict[str, Draw]:
    return {draw.__name__: draw for draw in families}


TRAINED = _named(
    spots, dots, pebbles, gravel, bricks, roof, fence, foliage, blotches, branches, text, strokes,
    plaid, bokeh, goods, fur, waves, windows, rings,
)  # fmt: skip
COMPOSED = _named(motifs, bands)
KEPT_OUT = _named(cobbles, lanterns, flowers, weave, stars)


def training_textures() -> list[Example]:
    """Pictures of the families that training draws from."""
    return drawn(TRAINED, EACH, SEED) + drawn(COMPOSED, EACH_COMPOSED, SEED)
