"""Text on the panel: the largest pixel font, at a whole multiple, that a page's lines fit in.

LEDs are on or off: no antialiasing. The fonts are Galmuri (OFL-1.1), drawn for these heights.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib.resources import as_file, files

from PIL import Image, ImageColor, ImageDraw, ImageFont

from edge.errors import LayoutError
from edge.wire import Page

WHITE = (255, 255, 255)
MISSING = "\uffff"  # a character of no font: drawn as the box that stands for what is missing


@dataclass(frozen=True)
class Face:
    """A pixel font: its file, the em at which it was drawn, and its letters' height (px)."""

    file: str
    em: int
    height: int


# Bolder first: of two faces that fill the panel alike, the first is taken.
FACES = (
    Face("Galmuri11-Bold.ttf", 16, 11),
    Face("Galmuri11-Condensed.ttf", 16, 11),
    Face("Galmuri11.ttf", 16, 11),
    Face("Galmuri9.ttf", 12, 9),
    Face("Galmuri7.ttf", 10, 7),
)
SMALLEST = FACES[-1]


@dataclass(frozen=True)
class Block:
    """Lines set in one face: the px it takes at multiple 1, and where its ink begins."""

    face: Face
    width: int
    line_height: int
    top: int


def render(page: Page, width: int, height: int) -> Image.Image:
    """The page as an RGB image of `width` x `height` px. LayoutError when it does not fit."""
    colour = _colour(page)
    fitting = list(_fitting(page, width, height))
    if not fitting:
        raise LayoutError(_why_not(page, width, height))
    block, multiple = max(fitting, key=_filled)
    return _draw(Image.new("RGB", (width, height)), page, block, multiple, colour)


def render_clipped(page: Page, width: int, height: int) -> Image.Image:
    """The page in the smallest font, cut off where it does not fit: better than a dark sign."""
    try:
        colour = _colour(page)
    except LayoutError:
        colour = WHITE
    return _draw(Image.new("RGB", (width, height)), page, _block(page, SMALLEST), 1, colour)


def _fitting(page: Page, width: int, height: int) -> Iterator[tuple[Block, int]]:
    """Every face that has all the characters, at the largest multiple that fits."""
    margin = min(width, height) // 32
    for face in FACES:
        if _missing(face, page):
            continue
        block = _block(page, face)
        count = len(page.lines)
        tall = count * block.line_height + count - 1  # a row of the font between two lines
        multiple = min((width - 2 * margin) // max(1, block.width), (height - margin) // tall)
        if multiple >= 1:
            yield block, multiple


def _filled(fit: tuple[Block, int]) -> int:
    """Large letters count most, and of equally high ones the broader."""
    block, multiple = fit
    return block.width * block.line_height * multiple * multiple


def _block(page: Page, face: Face) -> Block:
    boxes = [_font(face).getbbox(line, mode="1") for line in page.lines]
    top = min(box[1] for box in boxes)
    bottom = max(box[3] for box in boxes)
    return Block(
        face, int(max(box[2] - box[0] for box in boxes)), max(1, int(bottom - top)), int(top)
    )


def _draw(
    image: Image.Image, page: Page, block: Block, multiple: int, colour: tuple[int, ...]
) -> Image.Image:
    width, height = image.size
    high = block.line_height * multiple
    count = len(page.lines)
    gap = max(multiple, min((height - count * high) // (count + 1), high * 2 // 3))
    y = (height - count * high - (count - 1) * gap) // 2
    for line in page.lines:
        mask = _line_mask(line, block, multiple)
        image.paste(colour, ((width - mask.width) // 2, y), mask)
        y += high + gap
    return image


def _line_mask(line: str, block: Block, multiple: int) -> Image.Image:
    """The line's ink, enlarged `multiple` times without smoothing."""
    font = _font(block.face)
    left, _, right, _ = (int(edge) for edge in font.getbbox(line, mode="1"))
    mask = Image.new("1", (max(1, right - left), block.line_height))
    ImageDraw.Draw(mask).text((-left, -block.top), line, font=font, fill=1)
    ink = mask.getbbox()
    if ink:  # centred by what is lit, not by the space around the letters
        mask = mask.crop((ink[0], 0, ink[2], mask.height))
    return mask.resize((mask.width * multiple, mask.height * multiple), Image.Resampling.NEAREST)


def _colour(page: Page) -> tuple[int, ...]:
    try:
        return ImageColor.getrgb(page.colour)[:3]
    except ValueError as error:
        raise LayoutError(
            f"colour {page.colour!r} of the page {page.lines} is none; write it as '#rrggbb'"
        ) from error


def _why_not(page: Page, width: int, height: int) -> str:
    panel = f"a panel of {width} x {height} px"
    unknown = min((_missing(face, page) for face in FACES), key=len)
    if unknown:
        return f"no font has the characters {unknown!r} of {page.lines}; write it otherwise"
    widest = max(page.lines, key=lambda line: _font(SMALLEST).getlength(line))
    return (
        f"line {widest!r} of {len(page.lines)} lines does not fit on {panel}, even in the "
        "smallest font; shorten it, or use fewer lines"
    )


def _missing(face: Face, page: Page) -> str:
    """The page's characters that the face cannot draw."""
    return "".join(sorted(c for c in set("".join(page.lines)) if not _has(face, c)))


@cache
def _has(face: Face, character: str) -> bool:
    font = _font(face)
    drawn, missing = (font.getmask(text, mode="1") for text in (character, MISSING))
    return character == " " or drawn.size != missing.size or bytes(drawn) != bytes(missing)


@cache
def _font(face: Face) -> ImageFont.FreeTypeFont:
    with as_file(files("edge.show") / "fonts" / face.file) as path:
        return ImageFont.truetype(path, face.em, layout_engine=ImageFont.Layout.BASIC)
