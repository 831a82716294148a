"""`redroad label`: a unit's label for its cabinet, to be printed at 300 dpi on 100 x 62 mm.

The code is a short form of the unit's name, to be read out over the telephone; it is no secret. The
QR code has the same, and the whole fingerprint: `redroad:SITE/UNIT?code=CODE&sha256=FINGERPRINT`.
"""

import base64
import hashlib
import io
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import click
import segno
from PIL import Image, ImageDraw, ImageFont

from edge.commands.check.certificates import certificates_in, date
from edge.common.atomic_write import atomic_write
from edge.common.errors import PictureError
from edge.site import Site

DPI = 300
WIDTH_MM, HEIGHT_MM = 100.0, 62.0
KINDS = {".png": "PNG", ".pdf": "PDF"}
LETTERS = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # Crockford's: no I, L, O, U to be misread
BASE32 = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
QUIET = 4  # modules of white around a QR code
REFERENCE_PX = 100
READABLE_MM = 2.2
QR_MM = 47.0  # at most, for the names need their room
LINE = 1.16  # from line to line, of the letters' size
INK, FAINT, WHITE = 0, 90, 255


@dataclass(frozen=True)
class Label:
    """What a label says; `sha256` and `until` are of the unit's certificate, where it has one."""

    site: str
    unit: str
    sha256: str | None = None
    until: str | None = None

    @classmethod
    def of(cls, site: Site) -> "Label":
        """SiteError where the certificate cannot be read."""
        file = site.upstream.cert_file
        if file is None:
            return cls(site.site.name, site.site.unit)
        own = certificates_in("upstream.cert_file", site.path(file))[0]
        return cls(site.site.name, site.site.unit, own.sha256, date(own.end_s))

    @property
    def code(self) -> str:
        """Eight letters, 40 bits of the name's digest: the same for as long as the name is."""
        digest = hashlib.sha256(f"{self.site}/{self.unit}".encode()).digest()[:5]
        letters = base64.b32encode(digest).translate(bytes.maketrans(BASE32, LETTERS)).decode()
        return f"{letters[:4]}-{letters[4:]}"

    @property
    def address(self) -> str:
        """What the QR code says."""
        known = "" if self.sha256 is None else f"&sha256={self.sha256}"
        return f"redroad:{self.site}/{self.unit}?code={self.code}{known}"


def write_label(site: Site, out: Path) -> str:
    """Draw and write it; return what was written, in one line."""
    kind = KINDS.get(out.suffix.lower())
    if kind is None:
        raise click.UsageError(f"--out is {str(out)!r}, must end in .png or .pdf")
    label, file = Label.of(site), io.BytesIO()
    draw_label(label).save(file, kind, dpi=(DPI, DPI), resolution=DPI, quality=95)
    try:
        atomic_write(out, file.getvalue(), lasting=False)
    except OSError as error:
        raise PictureError(f"cannot write {out}: {error.strerror}; choose another place") from error
    return f"{out}: {WIDTH_MM:g} x {HEIGHT_MM:g} mm at {DPI} dpi, code {label.code}"


def draw_label(label: Label) -> Image.Image:
    """Return it in greys: the QR code left, what people read right, the fingerprint below."""
    image = Image.new("L", (_px(WIDTH_MM), _px(HEIGHT_MM)), WHITE)
    draw = ImageDraw.Draw(image)
    frame = (_px(1.5), _px(1.5), image.width - _px(1.5), image.height - _px(1.5))
    draw.rounded_rectangle(frame, _px(3), outline=INK, width=_px(0.3))
    foot = HEIGHT_MM - 4 - (14 if label.sha256 else 0)
    side = min(foot - 2.5, QR_MM)
    image.paste(_qr(label.address, _px(side)), (_px(2.5), _px(1 + (foot - side) / 2)))
    _write_names(draw, label, left=side + 4.5, foot=foot)
    if label.sha256 is not None:
        _write_fingerprint(draw, label, top=foot + 1)
    return image


def _qr(words: str, side_px: int) -> Image.Image:
    """As large as whole pixels for each module allow, in the middle of its square."""
    code = segno.make_qr(words, error="m", boost_error=False)
    file = io.BytesIO()
    modules = code.symbol_size(border=QUIET)[0]
    code.save(file, kind="png", scale=side_px // modules, border=QUIET)
    drawn = Image.open(file).convert("L")
    square = Image.new("L", (side_px, side_px), WHITE)
    square.paste(drawn, ((side_px - drawn.width) // 2, (side_px - drawn.height) // 2))
    return square


def _write_names(draw: ImageDraw.ImageDraw, label: Label, left: float, foot: float) -> None:
    """Site, unit and code, one below the other, each as large as its room allows."""
    room = (foot - 5) / 3
    rows = (("site", label.site), ("unit", label.unit), ("code", label.code))
    for number, (caption, words) in enumerate(rows):
        top = 5 + number * room
        draw.text((_px(left), _px(top)), caption, FAINT, _font(_px(2.6)))
        lines, size = _fitted(words, _px(WIDTH_MM - 5 - left), _px(room - 5), _px(8))
        for line_number, line in enumerate(lines):
            y = _px(top + 3.2) + round(line_number * LINE * size)
            draw.text((_px(left), y), line, INK, _font(size), stroke_width=size // 40)


def _write_fingerprint(draw: ImageDraw.ImageDraw, label: Label, top: float) -> None:
    """Two rows of eight groups of four, each in its column."""
    caption = f"SHA-256 of the certificate, good until {label.until}"
    draw.line((_px(4), _px(top), _px(WIDTH_MM - 4), _px(top)), FAINT, _px(0.2))
    draw.text((_px(5), _px(top + 1)), caption, FAINT, _font(_px(2.6)))
    for number, group in enumerate(textwrap.wrap((label.sha256 or "").upper(), 4)):
        row, column = divmod(number, 8)
        place = (_px(5 + column * 11.4), _px(top + 4.4 + row * 4.2))
        draw.text(place, group, INK, _font(_px(3.4)))


def _fitted(words: str, width: int, height: int, most: int) -> tuple[list[str], int]:
    """Return lines and the size of their letters: the largest that fits, at most `most`.

    A name breaks behind its hyphens, and within a word only where it could not be read else.
    """
    ways = list(_ways(words, (width, height), most, within_words=False))
    if max(size for _, size in ways) < _px(READABLE_MM):
        ways += _ways(words, (width, height), most, within_words=True)
    return max(ways, key=lambda way: way[1])


def _ways(
    words: str, room: tuple[int, int], most: int, *, within_words: bool
) -> Iterator[tuple[list[str], int]]:
    for count in range(1, 5):
        lines = textwrap.wrap(words, -(-len(words) // count), break_long_words=within_words)
        widest = max(_font(REFERENCE_PX).getlength(line) for line in lines)
        by_width, by_height = REFERENCE_PX * room[0] / widest, room[1] / (LINE * len(lines))
        yield lines, int(min(by_width, by_height, most))


def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size)


def _px(mm: float) -> int:
    return round(mm / 25.4 * DPI)
