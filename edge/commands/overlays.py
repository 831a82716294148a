"""The pictures of `redroad count`: where heads are counted, and where they are though nobody is."""

import os
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from edge.commands.phantoms import nobody_of
from edge.common.errors import SiteError
from edge.common.sighting import HeadMap
from edge.watch.baseline import places
from edge.watch.frame import Pixels
from edge.watch.recording import TimedFrame

HEAT = np.array((255, 60, 0), np.float32)
NOBODY = (80, 220, 255)
LONGEST_NAME = 200  # bytes, of the 255 that most disks take, without what is put behind it


class Overlays:
    """The folder of overlays: each picture keeps its own, whatever the others are named.

    `nobody` is what a unit counts where nobody is, in pictures of its camera.
    """

    def __init__(self, folder: Path, nobody: HeadMap | None = None) -> None:
        self._folder, self._nobody = folder, nobody
        self._taken: set[str] = set()

    def save(self, frame: TimedFrame, heads: HeadMap) -> Path:
        """The picture with a glow where heads are counted, and the number; SiteError if not."""
        path = self._folder / self._free_name(frame.name)
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            image = _draw_heads(frame.pixels, heads)
            if self._nobody is not None:
                _draw_nobody(image, self._nobody)
            image.save(path)
        except OSError as error:
            raise SiteError(
                f"--overlay {self._folder}: {error.strerror}; choose a folder that can be written"
            ) from error
        return path

    def _free_name(self, name: str) -> str:
        """By the picture's name without its kind; of one that is taken with a number."""
        base = name if "@" in name or "#" in name else Path(name).stem
        base = os.fsencode(base)[:LONGEST_NAME].decode(errors="ignore")
        number = 1
        while (free := f"{base}.{number}" * (number > 1) or base).casefold() in self._taken:
            number += 1
        self._taken.add(free.casefold())
        return f"{free}.overlay.png"


def overlays_in(folder: Path | None, state: Path | None) -> Overlays | None:
    """The overlays in this folder, if one is given, with what the unit of a state folder knows.

    SiteError where there is nothing to draw that into, ViewError where it knows nothing yet.
    """
    if folder is not None:
        return Overlays(folder, None if state is None else nobody_of(state))
    if state is not None:
        raise SiteError(f"--state {state} is drawn into the pictures of --overlay: give that, too")
    return None


def _draw_heads(pixels: Pixels, heads: HeadMap) -> Image.Image:
    """`pixels` with the head map over it: the redder, the more heads in the cell."""
    height, width, _ = pixels.shape
    rows, columns = heads.count.shape
    strength = Image.fromarray(np.clip(heads.count / 1.5, 0, 1).astype(np.float32))
    covered = (round(columns * heads.cell), round(rows * heads.cell))
    part = Image.new("F", (width, height))
    spot = strength.resize(covered, Image.Resampling.BILINEAR)
    part.paste(spot, (round(heads.left), round(heads.top)))
    glow = np.clip(np.asarray(part), 0, 1)[..., None] * 0.65
    mixed = Image.fromarray((pixels * (1 - glow) + HEAT * glow).astype(np.uint8))
    draw = ImageDraw.Draw(mixed)
    font = ImageFont.load_default(size=max(12, height // 18))
    total = heads.total()
    text = f"{total.people:.1f} heads ({total.low:.0f}-{total.high:.0f})"
    draw.text((6, 4), text, fill="white", font=font, stroke_width=2, stroke_fill="black")
    return mixed


def _draw_nobody(image: Image.Image, nobody: HeadMap) -> None:
    """Frame the places where a unit counts heads though nobody is there, each with how many."""
    draw = ImageDraw.Draw(image)
    font = ImageFont.load_default(size=max(11, image.height // 28))
    across, down = image.width / nobody.width, image.height / nobody.height
    for place in places(nobody):
        left, top = place.box.left * across, place.box.top * down
        text = f"{place.heads:.1f} counted where nobody is"
        draw.text(
            (left + 4, top + 3), text, fill=NOBODY, font=font, stroke_width=2, stroke_fill="black"
        )
        draw.rectangle(
            [left, top, place.box.right * across - 1, place.box.bottom * down - 1],
            outline=NOBODY,
            width=2,
        )
