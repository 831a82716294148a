"""Text on the panel: each line in the largest pixel font, at a whole multiple, that fits.

LEDs are on or off: no antialiasing. The fonts are Galmuri (OFL-1.1) and, for simplified Chinese,
parts of Fusion Pixel and of GNU Unifont (OFL-1.1), drawn for these heights. The lines of a page
are as nearly of one height as their scripts allow. Arrows and pictograms (← ↑ → ↓ ⚠ ⛔) are
characters of these fonts. A line that is too wide is broken by the rules of its script.
"""

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.resources import as_file, files

from PIL import Image, ImageColor, ImageDraw, ImageFont

from edge.common.errors import LayoutError
from edge.common.wire import Page
from edge.show.line_break import broken

WHITE = (255, 255, 255)
EVEN = 1.5  # times the smallest letters of a page: larger ones beside them look odd
MISSING = "\uffff"  # a character of no font: drawn as the box for a missing glyph


@dataclass(frozen=True)
class Face:
    """A pixel font: its file, the em at which it was drawn, and its letters' height (px)."""

    file: str
    em: int
    height: int


# Bolder first: of two faces that fill a line alike, the first is taken.
FACES = (
    Face("Galmuri11-Bold.ttf", 16, 11),
    Face("Galmuri11-Condensed.ttf", 16, 11),
    Face("Galmuri11.ttf", 16, 11),
    Face("Galmuri9.ttf", 12, 9),
    Face("Galmuri7.ttf", 10, 7),
)
SMALLEST = FACES[-1]
# For lines that none of the others can draw; the last has all of GB 2312, but comes in one size.
CHINESE = (Face("Sign12-GB2312.ttf", 12, 11), Face("Unifont-GB2312.otf", 16, 15))
CHARACTERS_KNOWN = 4096  # of which it is remembered whether a face has them
MOST_LINES = 4  # that a page may be broken into


@dataclass(frozen=True)
class Setting:
    """A line set in one face at a whole multiple; `ink` are its lit LEDs at multiple 1."""

    face: Face
    multiple: int
    ink: Image.Image

    @property
    def letters(self) -> int:
        """The height of a letter, px."""
        return self.face.height * self.multiple

    @property
    def width(self) -> int:
        """LEDs across."""
        return self.ink.width * self.multiple

    @property
    def height(self) -> int:
        """Rows of LEDs."""
        return self.ink.height * self.multiple

    @property
    def size(self) -> tuple[int, int]:
        """The key by which settings are compared: higher letters are larger, then broader ones."""
        return self.letters, self.width

    def mask(self) -> Image.Image:
        """Return the lit LEDs, enlarged without smoothing (mode "1")."""
        return self.ink.resize((self.width, self.height), Image.Resampling.NEAREST)


def render(page: Page, width: int, height: int) -> Image.Image:
    """Return the page as an RGB image of `width` x `height` px. LayoutError if it does not fit."""
    colour = _colour(page)
    return _draw(Image.new("RGB", (width, height)), _set(page, width, height), colour)


def letter_height(page: Page, width: int, height: int) -> int:
    """Return the height (px) of the page's smallest letters. LayoutError if it does not fit."""
    return _letters(_set(page, width, height))


def render_clipped(page: Page, width: int, height: int) -> Image.Image:
    """Return the page in the smallest font, cut off where it does not fit: no sign stays dark."""
    try:
        colour = _colour(page)
    except LayoutError:
        colour = WHITE
    settings = [Setting(SMALLEST, 1, _ink(line, SMALLEST)) for line in page.lines]
    return _draw(Image.new("RGB", (width, height)), settings, colour)


@lru_cache(maxsize=64)
def _set(page: Page, width: int, height: int) -> list[Setting]:
    """The page's lines, broken where that makes them fit, or a good deal larger.

    LayoutError when they do not fit either way.
    """
    whole = _settings(page.lines, width, height)
    tried = (_settings(lines, width, height) for lines in _broken(page.lines))
    best = max((settings for settings in tried if settings), key=_legibility, default=whole)
    if not best:
        raise LayoutError(_why_not(page, width, height))
    return best if _letters(best) > EVEN * _letters(whole) else whole


def _letters(settings: Sequence[Setting]) -> int:
    """The height of the smallest letters; 0 where there are none."""
    return min((setting.letters for setting in settings), default=0)


def _legibility(settings: Sequence[Setting]) -> tuple[int, int, int]:
    """Higher letters are better, then fewer lines, then lines of like width."""
    widths = [setting.width for setting in settings]
    return _letters(settings), -len(settings), -max(widths)


def _broken(lines: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    """The lines broken evenly, one or more of them, into at most MOST_LINES together."""
    spare = MOST_LINES - len(lines)
    for extra in itertools.product(range(spare + 1), repeat=len(lines)):
        if 0 < sum(extra) <= spare:
            parts = [broken(line, more + 1) for line, more in zip(lines, extra, strict=True)]
            yield tuple(itertools.chain(*parts))


def _settings(lines: tuple[str, ...], width: int, height: int) -> list[Setting]:
    """The lines with the smallest letters as large as they can be, the others a little larger."""
    room = height - height // 48
    choices = [[c for c in _choices(line, width) if c.height <= room] for line in lines]
    for floor in sorted({choice.letters for line in choices for choice in line}, reverse=True):
        settings = [_smallest(line, floor) for line in choices]
        found = [setting for setting in settings if setting is not None]
        if len(found) == len(settings) and _tall(found) <= room:
            return _grown(found, choices, room)
    return []


def _smallest(choices: Sequence[Setting], floor: int) -> Setting | None:
    """The first of the choices from the floor up."""
    return next((choice for choice in choices if choice.letters >= floor), None)


def _grown(
    settings: Sequence[Setting], choices: Sequence[Sequence[Setting]], room: int
) -> list[Setting]:
    """Each line in turn as large as the room allows, and as looks well beside the smallest."""
    limit = EVEN * min(setting.letters for setting in settings)
    grown = list(settings)
    for index, line in enumerate(choices):
        for choice in sorted(line, key=lambda choice: choice.size):
            tried = [*grown[:index], choice, *grown[index + 1 :]]
            larger = choice.size > grown[index].size
            if larger and choice.letters <= limit and _tall(tried) <= room:
                grown = tried
    return grown


@lru_cache(maxsize=256)
def _choices(line: str, width: int) -> tuple[Setting, ...]:
    """Every face that has all the line's characters, at every multiple that fits in the width.

    The lowest first; of equally high ones the broadest.
    """
    inks = [(face, _ink(line, face)) for face in _faces(line)]
    choices = (
        Setting(f, times, ink) for f, ink in inks for times in range(1, width // ink.width + 1)
    )
    return tuple(sorted(choices, key=lambda choice: (choice.letters, -choice.width)))


def _faces(line: str) -> Sequence[Face]:
    """The faces that have all characters of a line."""
    own = [face for face in FACES if not _missing(face, line)]
    return own or [face for face in CHINESE if not _missing(face, line)]


def _tall(settings: Sequence[Setting]) -> int:
    """Rows that the lines take, with a row of the font between two of them."""
    gaps = [setting.multiple for setting in settings[1:]]
    return sum(setting.height for setting in settings) + sum(gaps)


def _draw(image: Image.Image, settings: Sequence[Setting], colour: tuple[int, ...]) -> Image.Image:
    width, height = image.size
    count, rows = len(settings), sum(setting.height for setting in settings)
    widest = min((setting.letters for setting in settings), default=0) * 2 // 3
    least = max((setting.multiple for setting in settings), default=1)
    gap = max(min(least, (height - rows) // max(1, count - 1)), 0)
    gap = max(gap, min((height - rows) // (count + 1), widest))
    y = (height - rows - (count - 1) * gap) // 2
    for setting in settings:
        image.paste(colour, ((width - setting.width) // 2, y), setting.mask())
        y += setting.height + gap
    return image


@lru_cache(maxsize=512)
def _ink(line: str, face: Face) -> Image.Image:
    """The line's lit LEDs and no more; at least one."""
    font, room = _font(face), 2 * face.em  # the font's own box leaves out strokes that stick out
    mask = Image.new("1", (round(font.getlength(line)) + 2 * room, face.em + 2 * room))
    ImageDraw.Draw(mask).text((room, room), line, font=font, fill=1)
    return mask.crop(mask.getbbox() or (0, 0, 1, 1))


def _colour(page: Page) -> tuple[int, ...]:
    try:
        return ImageColor.getrgb(page.colour)[:3]
    except ValueError as error:
        raise LayoutError(
            f"colour {page.colour!r} of the page {page.lines} is none; write it as '#rrggbb'"
        ) from error


def _why_not(page: Page, width: int, height: int) -> str:
    panel = f"a panel of {width} x {height} px"
    for line in page.lines:
        unknown = min((_missing(face, line) for face in (*FACES, *CHINESE)), key=len)
        if unknown:
            return f"no font has the characters {unknown!r} of {line!r}; write it otherwise"
    wide = [line for line in page.lines if not _choices(line, width)]
    if wide:
        return f"line {wide[0]!r} does not fit on {panel}, even in the smallest font; shorten it"
    return f"{len(page.lines)} lines, {page.lines}, do not fit on {panel}; use fewer lines"


def _missing(face: Face, line: str) -> str:
    """The line's characters that the face cannot draw."""
    return "".join(sorted(c for c in set(line) if not _has(face, c)))


@lru_cache(maxsize=CHARACTERS_KNOWN)
def _has(face: Face, character: str) -> bool:
    font = _font(face)
    drawn, missing = (font.getmask(text, mode="1") for text in (character, MISSING))
    return character == " " or drawn.size != missing.size or bytes(drawn) != bytes(missing)


@cache
def _font(face: Face) -> ImageFont.FreeTypeFont:
    with as_file(files("edge.show") / "fonts" / face.file) as path:
        return ImageFont.truetype(path, face.em, layout_engine=ImageFont.Layout.BASIC)
