"""`redroad count`: heads in one's own pictures and videos."""

import json
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from edge.commands.labels import Labelled, Truth
from edge.commands.labels.match import Rightness
from edge.commands.notes import Notes
from edge.commands.overlays import Overlays
from edge.common.errors import LabelsError, PictureError
from edge.common.sighting import Estimate, HeadMap
from edge.site import Site
from edge.watch.counter import Counter
from edge.watch.frame import Frame, Pixels
from edge.watch.health import HealthJudge
from edge.watch.look import Look, choose_look
from edge.watch.main import look_of, manifest_of
from edge.watch.manifest import Manifest, ModelEntry, shipped_manifest
from edge.watch.recording import OnNote, TimedFrame, frames_of
from edge.watch.video import AS_STATED, Reading

LIMIT_GMAC = 2.3
VIDEO_EVERY_S = 1.0


@dataclass(frozen=True)
class Counted:
    """The heads in one picture and the seconds that counting took.

    `picture` names what is wrong with it; then nothing but the count itself is known. `truth` is
    the true number where it is known, `overlay` the picture that was drawn, `part` the part of the
    picture that was looked at, where a site says so.
    """

    file: str
    heads: Estimate
    seconds: float
    truth: int | None = None
    overlay: Path | None = None
    picture: tuple[str, ...] = ()
    part: Look | None = None

    def as_json(self) -> str:
        """One line of JSON."""
        fields: dict[str, object] = {
            "file": self.file,
            "count": round(self.heads.people, 2),
            "low": 0.0 if self.picture else round(self.heads.low, 2),
            "high": None if self.picture else round(self.heads.high, 2),
            "seconds": round(self.seconds, 4),
            "picture": " ".join(self.picture) or "good",
        }
        if self.truth is not None:
            fields["truth"] = self.truth
        if self.overlay is not None:
            fields["overlay"] = str(self.overlay)
        if self.part is not None:
            fields["looks_at"] = str(self.part)
        return json.dumps(fields, ensure_ascii=False)

    def as_text(self) -> str:
        """One line for people."""
        heads = self.heads
        line = f"{self.file}: {heads.people:.1f} heads"
        if self.picture:
            line += f" (0 to any number: the picture is {' and '.join(self.picture)})"
        else:
            line += f" ({heads.low:.0f} to {heads.high:.0f})"
        if self.part is not None:
            line += f" in {self.part}"
        return line if self.truth is None else f"{line}, truly {self.truth}"


class PictureCounter:
    """Counts pictures of any size, each with the model that suits its shape.

    With a site, as its unit does: in the part of the picture that holds the zones.
    """

    def __init__(self, model: str = "auto", threads: int = 2, site: Site | None = None) -> None:
        self._manifest = Manifest(shipped_manifest()) if site is None else manifest_of(site)
        self._model, self._site = model, site
        if site is not None and model != "auto":
            counter = site.counter.model_copy(update={"model": model})
            self._site = site.model_copy(update={"counter": counter})
        self._threads = threads
        self._counters: dict[str, Counter] = {}
        self._looks: dict[tuple[int, int], Look] = {}
        if model != "auto":
            self._manifest.named(model)

    @property
    def of_a_site(self) -> bool:
        """Whether parts of pictures are counted, and not whole ones."""
        return self._site is not None

    def look(self, pixels: Pixels) -> Look:
        """Return the model and the part of the picture for a picture (height, width, 3)."""
        height, width, _ = pixels.shape
        size = (width, height)
        if size not in self._looks:
            self._looks[size] = (
                choose_look(self._manifest, None, size, LIMIT_GMAC, name=self._model)
                if self._site is None
                else look_of(self._site, size, LIMIT_GMAC)
            )
        return self._looks[size]

    def heads(self, pixels: Pixels) -> HeadMap:
        """Return the heads in a picture of shape (height, width, 3), RGB."""
        look = self.look(pixels)
        return look.count(self._counter(look.entry), pixels)

    def _counter(self, entry: ModelEntry) -> Counter:
        if entry.name not in self._counters:
            self._counters[entry.name] = Counter(self._manifest, entry, "litert", self._threads)
        return self._counters[entry.name]


def count_all(
    files: Iterable[Path],
    counter: PictureCounter,
    overlays: Overlays | None,
    *,
    how: Reading = AS_STATED,
    truth: Truth | None = None,
    on_note: OnNote = lambda _path, _text: None,
) -> Iterator[Counted | PictureError]:
    """Count every picture, and a film once a second; what cannot be read gives its error."""
    for file in files:
        bad = _Complaints()
        try:
            for frame in frames_of(
                file, every_s=VIDEO_EVERY_S, on_bad=bad.note, on_note=on_note, how=how
            ):
                shown = _shown_name(file, frame.name)
                labels = None if truth is None else truth.of(shown)
                if labels is not None and (doubt := labels.misfit(frame.size)) is not None:
                    on_note(file, doubt)
                yield _counted(shown, frame, counter, overlays, labels)
        except PictureError as error:
            bad.note(file, error)
        yield from bad.errors


def _counted(
    shown: str,
    frame: TimedFrame,
    counter: PictureCounter,
    overlays: Overlays | None,
    labels: Labelled | None,
) -> Counted:
    began = time.perf_counter()
    heads = counter.heads(frame.pixels)
    seconds = time.perf_counter() - began
    return Counted(
        file=shown,
        heads=heads.total(),
        seconds=seconds,
        truth=None if labels is None else labels.count,
        overlay=None if overlays is None else overlays.save(frame, heads),
        picture=HealthJudge(live=False).judge(Frame(frame.pixels, 1)).faults,
        part=counter.look(frame.pixels) if counter.of_a_site else None,
    )


class _Complaints:
    """What could not be read."""

    def __init__(self) -> None:
        self.errors: list[PictureError] = []

    def note(self, _path: Path, error: PictureError) -> None:
        """Keep an error; it names its file itself."""
        self.errors.append(error)


def _shown_name(file: Path, name: str) -> str:
    return str(file) if file.name == name else f"{file}/{name}"


@dataclass(frozen=True)
class Line:
    """One line for the user: a result, or, beside the results, a note; `bad` where one failed."""

    text: str
    is_note: bool = False
    bad: bool = False


def count_lines(
    files: Iterable[Path],
    counter: PictureCounter,
    overlays: Overlays | None,
    *,
    how: Reading,
    truth: Truth | None,
    as_json: bool,
) -> Iterator[Line]:
    """Count, and yield line by line; with `truth`, at the end how accurate it was."""
    if truth is not None and counter.of_a_site:
        raise LabelsError("--truth: labels are of whole pictures, and --site of a part; leave one")
    notes, pairs, unlabelled = Notes(), list[tuple[int, Estimate]](), 0
    for result in count_all(files, counter, overlays, how=how, truth=truth, on_note=notes.note):
        yield from (Line(f"redroad: {text}", is_note=True) for text in notes.fresh())
        if isinstance(result, PictureError):
            yield Line(f"redroad: {result}", is_note=True, bad=True)
            continue
        yield Line(result.as_json() if as_json else result.as_text())
        if result.truth is None:
            unlabelled += 1
        else:
            pairs.append((result.truth, result.heads))
    for text in [*notes.fresh(), *notes.rest()]:
        yield Line(f"redroad: {text}", is_note=True)
    if truth is not None:
        yield from _verdict(truth, pairs, unlabelled, as_json)


def _verdict(
    truth: Truth, pairs: Sequence[tuple[int, Estimate]], unlabelled: int, as_json: bool
) -> Iterator[Line]:
    """How right the counts are, and, as notes, which pictures that does not speak of."""
    if unlabelled:
        yield Line(f"redroad: note: {unlabelled} pictures have no labels", is_note=True)
    if unused := truth.unused:
        yield Line(
            f"redroad: note: {len(unused)} labelled pictures were not given, first {unused[0]}",
            is_note=True,
        )
    if not pairs:
        raise LabelsError(
            "--truth: no picture that was counted has labels; are they of these pictures, by name?"
        )
    rightness = Rightness.of(pairs)
    yield Line(rightness.as_json() if as_json else rightness.as_text())
