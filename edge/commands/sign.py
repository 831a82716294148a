"""`redroad sign preview`: every page of every message as it looks in LEDs.

A page is drawn LED by LED, each a disc on black with a little of its light around it. The contact
sheet has a row for each message.
"""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

import click
from PIL import Image, ImageDraw, ImageFilter, ImageFont

from edge.common.errors import PictureError
from edge.common.wire import Page
from edge.decide.orders import pages_of
from edge.messages import MESSAGES
from edge.show.layout import letter_height, render
from edge.site import Site
from edge.site.outputs import Sign

LED_PX = 5  # side of an LED's square; its disc is a little smaller
GLOW_PX, GLOW = 4, 0.35
MARGIN, CAPTION_PX = 12, 16
BACKGROUND, UNLIT, INK = (34, 34, 38), (20, 20, 22), (200, 200, 205)


def preview(site: Site, folder: Path, size: str | None) -> list[Path]:
    """Draw every page of every message, on a panel of `size` ("192x96") or the site's own."""
    site = _with_panel(site, size)
    messages = {row.name: pages_of(row, site) for row in MESSAGES.values()}
    return write_preview(messages, site.sign.width, site.sign.height, folder)


def _with_panel(site: Site, size: str | None) -> Site:
    """Return the site with a panel of another size."""
    if size is None:
        return site
    match = re.fullmatch(r"(\d+)x(\d+)", size)
    try:
        if match is None:
            raise ValueError(size)
        changed = {**site.sign.model_dump(), "width": int(match[1]), "height": int(match[2])}
        return site.model_copy(update={"sign": Sign(**changed)})
    except ValueError as error:
        raise click.UsageError(
            f"--size is {size!r}, must be WIDTHxHEIGHT in LEDs, from 32x16 to 384x384"
        ) from error


def write_preview(
    messages: Mapping[str, Sequence[Page]], width: int, height: int, folder: Path
) -> list[Path]:
    """A picture of each page, and `sheet.png` with all; LayoutError when one does not fit."""
    sheet: dict[str, list[tuple[Page, Image.Image]]] = {}
    written = []
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, pages in messages.items():
            sheet[name] = [(page, as_leds(render(page, width, height))) for page in pages]
            for number, (_, picture) in enumerate(sheet[name], 1):
                written.append(folder / f"{name}-{number}.png")
                picture.save(written[-1])
        written.append(folder / "sheet.png")
        contact_sheet(sheet, width, height).save(written[-1])
    except OSError as error:
        raise PictureError(f"cannot write to {folder}: {error.strerror}; choose another") from error
    return written


def as_leds(image: Image.Image) -> Image.Image:
    """An image of the panel, each of its pixels a lit or dark LED of LED_PX x LED_PX."""
    size = (image.width * LED_PX, image.height * LED_PX)
    mask = Image.new("L", (4 * LED_PX, 4 * LED_PX))
    ImageDraw.Draw(mask).ellipse((2, 2, 4 * LED_PX - 3, 4 * LED_PX - 3), fill=255)
    disc = mask.resize((LED_PX, LED_PX), Image.Resampling.LANCZOS)
    discs = Image.new("L", size)
    for x in range(0, size[0], LED_PX):
        discs.paste(disc, (x, 0))
    row = discs.crop((0, 0, size[0], LED_PX))
    for y in range(0, size[1], LED_PX):
        discs.paste(row, (0, y))
    lit = image.resize(size, Image.Resampling.NEAREST)
    dark = Image.new("RGB", size, UNLIT)
    dark.paste(lit, (0, 0), lit.convert("L").point(lambda value: 255 * (value > 0)))
    leds = Image.new("RGB", size)
    leds.paste(dark, (0, 0), discs)
    glow = leds.filter(ImageFilter.GaussianBlur(GLOW_PX)).point(lambda value: int(value * GLOW))
    return Image.composite(leds, Image.blend(leds, glow, 0.5), discs)


def contact_sheet(
    messages: Mapping[str, Sequence[tuple[Page, Image.Image]]], width: int, height: int
) -> Image.Image:
    """All pages, a row for each message, with the height of their smallest letters."""
    columns = max(len(pages) for pages in messages.values())
    wide, high = width * LED_PX, height * LED_PX
    row = high + CAPTION_PX + 2 * MARGIN
    sheet = Image.new(
        "RGB", (columns * (wide + MARGIN) + MARGIN, len(messages) * row + MARGIN), BACKGROUND
    )
    draw, font = ImageDraw.Draw(sheet), ImageFont.load_default(CAPTION_PX - 2)
    for y, (name, pages) in zip(range(MARGIN, sheet.height, row), messages.items(), strict=False):
        for x, (page, picture) in zip(
            range(MARGIN, sheet.width, wide + MARGIN), pages, strict=False
        ):
            letters = letter_height(page, width, height)
            caption = f"{name}, {page.seconds:g} s, letters {letters} LEDs high"
            draw.text((x, y), caption, font=font, fill=INK)
            sheet.paste(picture, (x, y + CAPTION_PX + 4))
    return sheet
