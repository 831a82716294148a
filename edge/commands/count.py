"""`redroad count`: heads in one's own pictures and videos."""

import json
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from edge.common.errors import PictureError, SiteError
from edge.common.sighting import Estimate, HeadMap
from edge.watch.counter import Counter
from edge.watch.frame import Frame
from edge.watch.health import HealthJudge
from edge.watch.manifest import Manifest, ModelEntry, shipped_manifest
from edge.watch.recording import frames_of

LIMIT_GMAC = 2.3
VIDEO_EVERY_S = 1.0
HEAT = np.array((255, 60, 0), np.float32)


@dataclass(frozen=True)
class Counted:
    """The heads in one picture and the seconds that counting took.

    `picture` names what is wrong with it. Then nothing but the count itself is known.
    """

    file: str
    heads: Estimate
    seconds: float
    picture: tuple[str, ...] = ()

    def as_json(self) -> str:
        """One line of JSON."""
        return json.dumps(
            {
                "file": self.file,
                "count": round(self.heads.people, 2),
                "low": 0.0 if self.picture else round(self.heads.low, 2),
                "high": None if self.picture else round(self.heads.high, 2),
                "seconds": round(self.seconds, 4),
                "picture": " ".join(self.picture) or "good",
            },
            ensure_ascii=False,
        )

    def as_text(self) -> str:
        """One line for people."""
        heads = self.heads
        counted = f"{self.file}: {heads.people:.1f} heads"
        if self.picture:
            return f"{counted} (0 to any number: the picture is {' and '.join(self.picture)})"
        return f"{counted} ({heads.low:.0f} to {heads.high:.0f})"


class PictureCounter:
    """Counts pictures of any size, each with the model that suits its shape."""

    def __init__(self, model: str = "auto", threads: int = 2) -> None:
        self._manifest = Manifest(shipped_manifest())
        self._fixed = None if model == "auto" else self._manifest.named(model)
        self._threads = threads
        self._counters: dict[str, Counter] = {}

    def heads(self, pixels: NDArray[np.uint8]) -> HeadMap:
        """The heads in a picture of shape (height, width, 3), RGB."""
        height, width, _ = pixels.shape
        entry = self._fixed or self._manifest.nearest(width, height, LIMIT_GMAC)
        return self._counter(entry).count(pixels)

    def _counter(self, entry: ModelEntry) -> Counter:
        if entry.name not in self._counters:
            self._counters[entry.name] = Counter(self._manifest, entry, "litert", self._threads)
        return self._counters[entry.name]


def count_all(
    files: Iterable[Path], counter: PictureCounter, overlay: Path | None
) -> Iterator[Counted | PictureError]:
    """Count every picture, and a video once a second; what cannot be read gives its error."""
    for file in files:
        bad = _Complaints()
        try:
            for frame in frames_of(file, every_s=VIDEO_EVERY_S, on_bad=bad.note):
                began = time.perf_counter()
                heads = counter.heads(frame.pixels)
                seconds = time.perf_counter() - began
                if overlay is not None:
                    _save_overlay(overlay, frame.name, frame.pixels, heads)
                faults = HealthJudge(live=False).judge(Frame(frame.pixels, 1)).faults
                yield Counted(_shown_name(file, frame.name), heads.total(), seconds, faults)
        except PictureError as error:
            bad.note(file, error)
        yield from bad.errors


class _Complaints:
    """What could not be read."""

    def __init__(self) -> None:
        self.errors: list[PictureError] = []

    def note(self, _path: Path, error: PictureError) -> None:
        """Keep an error; it names its file itself."""
        self.errors.append(error)


def _shown_name(file: Path, name: str) -> str:
    return str(file) if file.name == name else f"{file}/{name}"


def _save_overlay(folder: Path, name: str, pixels: NDArray[np.uint8], heads: HeadMap) -> None:
    """The picture with a glow where heads are counted, and the number."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        draw_overlay(pixels, heads).save(folder / f"{Path(name).stem}.overlay.png")
    except OSError as error:
        raise SiteError(
            f"--overlay {folder}: {error.strerror}; choose a folder that can be written"
        ) from error


def draw_overlay(pixels: NDArray[np.uint8], heads: HeadMap) -> Image.Image:
    """`pixels` with the head map over it: the redder, the more heads in the cell."""
    height, width, _ = pixels.shape
    rows, columns = heads.count.shape
    strength = Image.fromarray(np.clip(heads.count / 1.5, 0, 1).astype(np.float32))
    covered = (round(columns * heads.cell), round(rows * heads.cell))
    glow = np.asarray(strength.resize(covered, Image.Resampling.BILINEAR))[:height, :width, None]
    glow = np.clip(glow, 0, 1) * 0.65
    mixed = Image.fromarray((pixels * (1 - glow) + HEAT * glow).astype(np.uint8))
    draw = ImageDraw.Draw(mixed)
    font = ImageFont.load_default(size=max(12, height // 18))
    total = heads.total()
    text = f"{total.people:.1f} heads ({total.low:.0f}-{total.high:.0f})"
    draw.text((6, 4), text, fill="white", font=font, stroke_width=2, stroke_fill="black")
    return mixed
