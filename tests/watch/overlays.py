"""What cameras and recorders draw into their pictures: clocks, counters, names, logos, bars."""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from pathlib import Path

import matplotlib
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from edge.watch.frame import Pixels

START = datetime(2026, 11, 28, 3, 57, 20, tzinfo=UTC)
FONTS = {
    "sans": "DejaVuSans.ttf",
    "mono bold": "DejaVuSansMono-Bold.ttf",
    "serif": "DejaVuSerif.ttf",
    "math": "cmtt10.ttf",
}
WHITE, BLACK, YELLOW, RED = (255, 255, 255), (0, 0, 0), (250, 230, 20), (230, 20, 20)
MARGIN = 8

Draw = Callable[[ImageDraw.ImageDraw, int, float], None]


@dataclass(frozen=True)
class Overlay:
    """`lines` of text at a time, or a drawing of `size` px; `place` is where its middle is held:
    0 to 1 of what is left of width and height.
    """

    name: str
    place: tuple[float, float]
    size: int
    font: str = "sans"
    lines: Callable[[float], str] | None = None
    drawn: Draw | None = None
    wide: float = 1.0  # of a drawing, as a multiple of its height; 0 is the picture's width
    boxed: bool = False
    colour: tuple[int, int, int] = WHITE

    def on(self, pixels: Pixels, at_s: float) -> Pixels:
        """The picture with the overlay of this time."""
        height, width = pixels.shape[:2]
        patch, mask = self._patch(width, at_s)
        rows, columns = patch.shape[:2]
        top = MARGIN + round(self.place[1] * (height - 2 * MARGIN - rows))
        left = MARGIN + round(self.place[0] * (width - 2 * MARGIN - columns))
        if self.drawn and not self.wide:
            top, left = (height - rows if self.place[1] > 0.5 else 0), 0
        shown = pixels.copy()
        under = shown[top : top + rows, left : left + columns]
        under[:] = np.rint(under * (1 - mask) + patch * mask).astype(np.uint8)
        return shown

    def _patch(self, width: int, at_s: float) -> tuple[Pixels, NDArray[np.float32]]:
        if self.lines is not None:
            return _text(self.lines(at_s), self.font, self.size, self.colour, self.boxed)
        assert self.drawn is not None
        columns = round(self.wide * self.size) or width
        image = Image.new("RGBA", (columns, self.size), (*BLACK, 160 if self.boxed else 0))
        self.drawn(ImageDraw.Draw(image), self.size, at_s)
        return _split(image)


@lru_cache(512)
def _text(
    text: str, font: str, size: int, colour: tuple[int, int, int], boxed: bool
) -> tuple[Pixels, NDArray[np.float32]]:
    """As wide as the longest text with these lines, so that it does not move about."""
    face = ImageFont.truetype(str(_font_file(font)), size)
    probe = ImageDraw.Draw(Image.new("RGBA", (1, 1)))
    edge = max(1, size // 14)
    box = probe.multiline_textbbox((0, 0), text, face, stroke_width=edge)
    image = Image.new("RGBA", (math.ceil(box[2]) + 4, math.ceil(box[3]) + 4))
    draw = ImageDraw.Draw(image)
    if boxed:
        draw.rectangle((0, 0, *image.size), fill=(*BLACK, 255))
    draw.multiline_text((2, 2), text, (*colour, 255), face, stroke_width=edge, stroke_fill=BLACK)
    return _split(image)


def _font_file(name: str) -> Path:
    return Path(matplotlib.get_data_path()) / "fonts" / "ttf" / FONTS[name]


def _split(image: Image.Image) -> tuple[Pixels, NDArray[np.float32]]:
    both = np.asarray(image)
    return both[..., :3], both[..., 3:].astype(np.float32) / 255


def clock(at_s: float) -> str:
    return f"{START + timedelta(seconds=at_s):%Y-%m-%d %H:%M:%S}"


def american(at_s: float) -> str:
    return f"{START + timedelta(seconds=at_s):%m/%d/%Y %a %I:%M:%S %p}"


def milliseconds(at_s: float) -> str:
    return f"{START + timedelta(seconds=at_s):%H:%M:%S.%f}"[:-3]


def minutes(at_s: float) -> str:
    return f"CAM 02  {START + timedelta(seconds=at_s):%H:%M}"


def frames(at_s: float) -> str:
    return f"FRAME {12345 + round(at_s * 15):07d}"


def named(at_s: float) -> str:
    """Two lines."""
    return f"Red Road 1-2\n{clock(at_s)}"


def alternating(at_s: float) -> str:
    """The channel's name, and the date, in turns of five seconds."""
    return "CH01 GATE EAST" if int(at_s / 5) % 2 else f"{START + timedelta(seconds=at_s):%d %b %Y}"


def figures(at_s: float) -> str:
    """Bit rate and temperature, each second anew."""
    rng = np.random.default_rng(int(at_s))
    return f"{rng.integers(180, 420)} kbit/s  {rng.integers(21, 24)} C"


def rec(draw: ImageDraw.ImageDraw, size: int, at_s: float) -> None:
    if int(at_s) % 2 == 0:
        draw.ellipse((size * 0.2, size * 0.2, size * 0.8, size * 0.8), fill=RED)


def logo(draw: ImageDraw.ImageDraw, size: int, at_s: float) -> None:
    """Turns once in 2.7 s."""
    turn = 2 * math.pi * at_s / 2.7
    for arm in range(3):
        angle = turn + arm * 2 * math.pi / 3
        end = (size / 2 * (1 + 0.9 * math.cos(angle)), size / 2 * (1 + 0.9 * math.sin(angle)))
        draw.line((size / 2, size / 2, *end), YELLOW, max(3, size // 7))


def spinner(draw: ImageDraw.ImageDraw, size: int, at_s: float) -> None:
    """Fades in and out, once in 4 s."""
    level = round(127 + 127 * math.sin(2 * math.pi * at_s / 4))
    draw.rectangle((2, 2, size - 3, size - 3), fill=(level, level, 255, 255))


def progress(draw: ImageDraw.ImageDraw, size: int, at_s: float) -> None:
    """A recorder's bar, full once a minute."""
    draw.rectangle((0, 0, (at_s % 60) / 60 * 640, size), fill=YELLOW)


def sound(draw: ImageDraw.ImageDraw, size: int, at_s: float) -> None:
    """How loud it is: a bar of steps."""
    level = np.random.default_rng(round(at_s * 15)).integers(1, 9)
    for step in range(int(level)):
        draw.rectangle((step * size, 2, (step + 0.7) * size, size - 2), fill=YELLOW)


def ticker(draw: ImageDraw.ImageDraw, size: int, at_s: float) -> None:
    """Text that runs through, as on a recorder's own line."""
    face = ImageFont.truetype(str(_font_file("sans")), round(0.7 * size))
    text = "HDD 82 % FULL - REMOTE USER ADMIN LOGGED IN - PLEASE CALL SERVICE     "
    shift = (at_s * 40) % draw.textlength(text, face)
    draw.text((-shift, 0), 2 * text, WHITE, face)


CORNERS = {"top left": (0.0, 0.0), "top right": (1.0, 0.0), "bottom left": (0.0, 1.0),
           "bottom right": (1.0, 1.0)}  # fmt: skip
PLACES = CORNERS | {
    "top": (0.5, 0.0), "bottom": (0.5, 1.0), "inner": (0.3, 0.25), "middle": (0.5, 0.5),
}  # fmt: skip


def every() -> Iterator[tuple[Overlay, ...]]:
    """Kinds, fonts, sizes and places; the last ones are several at once."""
    texts = {
        "clock": clock, "American clock": american, "milliseconds": milliseconds,
        "minutes": minutes, "frame counter": frames, "name and clock": named,
        "name and date in turns": alternating, "figures": figures,
    }  # fmt: skip
    sizes, fonts, places = (12, 16, 24, 40), list(FONTS), list(PLACES)
    for number, (name, lines) in enumerate(texts.items()):
        for step in range(3):
            place = places[(3 * number + 5 * step) % len(places)]
            size = sizes[(number + step) % len(sizes)]
            font = fonts[(number + 2 * step) % len(fonts)]
            boxed = step == 1
            label = f"{name}, {font} {size}, {place}"
            yield (Overlay(label, PLACES[place], size, font, lines, boxed=boxed),)
    shapes: dict[str, tuple[Draw, float, int]] = {
        "REC": (rec, 1, 20), "turning logo": (logo, 1, 48), "fading logo": (spinner, 1, 32),
        "sound bar": (sound, 8, 14),
    }  # fmt: skip
    for number, (name, (drawn, wide, size)) in enumerate(shapes.items()):
        for step in range(3):
            place = places[(3 * number + 5 * step + 1) % len(places)]
            label = f"{name}, {size}, {place}"
            yield (Overlay(label, PLACES[place], size, drawn=drawn, wide=wide),)
    for place in ("top", "bottom"):
        yield (Overlay(f"progress bar, {place}", PLACES[place], 10, drawn=progress, wide=0),)
        yield (Overlay(f"ticker, {place}", PLACES[place], 24, drawn=ticker, wide=0, boxed=True),)
    yield together()


def together() -> tuple[Overlay, ...]:
    """In all four corners."""
    return (
        Overlay("four corners", CORNERS["top left"], 20, "sans", clock),
        Overlay("counter", CORNERS["bottom right"], 18, "mono bold", frames),
        Overlay("REC", CORNERS["top right"], 20, drawn=rec),
        Overlay("name", CORNERS["bottom left"], 16, "serif", alternating),
    )
