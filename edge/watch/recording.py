"""Recordings for `count`, `replay` and `calibrate`, and for a folder as a camera: a video, one or
more pictures, a folder of both, or a scenario.

A scenario of the simulated street is written `scene:NAME`; a file of that name comes first.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from math import ceil
from pathlib import Path

import av

from edge.common.errors import PictureError
from edge.site.scenarios import known_scenario
from edge.street.scenarios import StagedScenario
from edge.watch.aspect import suspicion
from edge.watch.folder import is_picture, moments, picture_time, pictures_in
from edge.watch.frame import Pixels
from edge.watch.pictures import pictures_of
from edge.watch.video import (
    AS_STATED,
    Decoded,
    Reading,
    decode,
    open_file,
    stated_length_s,
    stated_rate,
    video_stream,
)

OnBad = Callable[[Path, PictureError], None]
OnNote = Callable[[Path, str], None]

# Between the pictures of a folder that have no time, and the pages of one file.
UNTIMED_EVERY_S = 1.0
# Of pictures that are made smaller half of the people are lost at 320 to 120 px on the longer side,
# by how far away they are, and nearly all below 80.
SMALL_PX = 320
SMALL = "most of the people in it may be missed; give them as large as the camera takes them"
SCENARIO = "scene:"
SCENARIO_EVERY_S = 0.5
_ADDRESS = re.compile(r"(rtsps?|rtmps?|https?|udp|rtp|srt)://?", re.IGNORECASE)


@dataclass(frozen=True, eq=False)
class TimedFrame:
    """`pixels` (height, width, 3), RGB, `at_s` seconds after the recording's first frame.

    `size` is its width and height before a very large picture was made smaller. `wall` is the
    local time at which it was taken, where the recording has it.
    """

    name: str
    pixels: Pixels
    at_s: float
    wall: datetime | None
    size: tuple[int, int]


@dataclass(frozen=True)
class Bad:
    """What could not be read of a recording."""

    path: Path
    error: PictureError


@dataclass(frozen=True)
class Note:
    """What had to be assumed of a recording."""

    path: Path
    text: str


Read = TimedFrame | Bad | Note


def frames_of(
    source: Path,
    *,
    every_s: float | None,
    on_bad: OnBad,
    on_note: OnNote = lambda _path, _text: None,
    how: Reading = AS_STATED,
) -> Iterator[TimedFrame]:
    """The frames of `source` in time order; of films one per `every_s` seconds, or all.

    What cannot be read of a folder or a film goes to `on_bad`, what had to be assumed to
    `on_note`. PictureError when there is no readable picture at all.
    """
    good, bad = 0, 0
    for read in read_all(source, every_s=every_s, how=how):
        if isinstance(read, Note):
            on_note(read.path, read.text)
        elif isinstance(read, TimedFrame):
            good += 1
            yield read
        elif source.is_dir() or good:
            bad += 1
            on_bad(read.path, read.error)
        else:
            raise read.error
    if bad and not good:
        raise PictureError(
            f"folder {source}: none of its {bad} pictures can be read; copy them again"
        )


def read_all(source: Path, *, every_s: float | None, how: Reading = AS_STATED) -> Iterator[Read]:
    """Frames, what could not be read and what was assumed, in order, as `frames_of` has them.

    The one way by which pictures come from files. PictureError for a source that is none.
    """
    if scenario := _scenario(source):
        return _of_scenario(scenario, every_s or SCENARIO_EVERY_S)
    if source.is_dir():
        return _of_folder(pictures_in(source), every_s, how)
    return _of_file(source, picture_time(source), every_s, how)


def length(source: Path, *, every_s: float | None) -> int | None:
    """About how many frames `frames_of` will give; None when the video does not say."""
    if scenario := _scenario(source):
        return ceil(StagedScenario(scenario).length_s / (every_s or SCENARIO_EVERY_S))
    if source.is_dir():
        return len(pictures_in(source))
    if is_picture(source):
        return 1
    try:
        with open_file(source) as container:
            length_s = stated_length_s(container)
            rate = 1 / every_s if every_s else stated_rate(video_stream(container))
            return ceil(length_s * rate) if length_s and rate else None
    except (av.FFmpegError, PictureError) as error:
        raise _bad_video(source, error) from error


def is_scenario(source: Path) -> bool:
    """Return whether the source is one of the simulated street, or would be."""
    return str(source).startswith(SCENARIO) and not source.exists()


def _scenario(source: Path) -> str | None:
    """Return the name in `scene:NAME`; PictureError when no scenario is named so."""
    if not is_scenario(source):
        return None
    try:
        return known_scenario(str(source).removeprefix(SCENARIO))
    except ValueError as error:
        raise PictureError(str(error)) from error


def _of_scenario(name: str, every_s: float) -> Iterator[TimedFrame]:
    """A scenario once, from its beginning to its end."""
    staged = StagedScenario(name)
    for number in range(ceil(staged.length_s / every_s)):
        at_s = number * every_s
        pixels = staged.at(at_s).pixels
        yield TimedFrame(f"{SCENARIO}{name}@{at_s:.2f}s", pixels, at_s, None, _size(pixels))


def _of_folder(paths: list[Path], every_s: float | None, how: Reading) -> Iterator[Read]:
    """Each file in turn: at its time, else a second after what came before."""
    first: datetime | None = None
    last_s = -UNTIMED_EVERY_S
    for path, wall in zip(paths, moments(paths), strict=True):
        begins_s = last_s + UNTIMED_EVERY_S
        if wall is not None:
            first = first or wall - timedelta(seconds=max(last_s, 0.0))
            begins_s = max(last_s, (wall - first).total_seconds())
        for read in _of_file(path, wall, every_s, how):
            if isinstance(read, TimedFrame):
                last_s = begins_s + read.at_s
                yield replace(read, at_s=last_s)
            else:
                yield read


def _of_file(
    path: Path, wall: datetime | None, every_s: float | None, how: Reading
) -> Iterator[Read]:
    reads = _of_pictures(path, how) if is_picture(path) else _of_video(path, every_s, how)
    small: tuple[int, int] | None = None
    for read in reads:
        if isinstance(read, TimedFrame) and max(read.size) < SMALL_PX:
            small = read.size
        if isinstance(read, TimedFrame) and wall is not None:
            yield replace(read, wall=wall + timedelta(seconds=read.at_s))
        else:
            yield read
    if small is not None:
        yield Note(path, "pictures of {}x{} px are small: {}".format(*small, SMALL))


def _of_pictures(path: Path, how: Reading) -> Iterator[Read]:
    """Every picture of a file, of an animation at its time, of pages a second apart."""
    notes: list[str] = []
    try:
        for page, picture in enumerate(pictures_of(path, how.pixel_aspect, notes.append)):
            if page == 0 and how.pixel_aspect is None and (doubt := suspicion(*picture.size)):
                notes.append(f"{doubt} as --pixel-aspect")
            if picture.at_s is None:
                name = path.name if page == 0 else f"{path.name}#{page + 1}"
                at_s = page * UNTIMED_EVERY_S
            else:
                name, at_s = f"{path.name}@{picture.at_s:.2f}s", picture.at_s
            yield TimedFrame(name, picture.pixels, at_s, None, picture.size)
    except PictureError as error:
        yield Bad(path, error)
    for text in notes:
        yield Note(path, text)


def _of_video(path: Path, every_s: float | None, how: Reading) -> Iterator[Read]:
    notes: list[str] = []
    try:
        with open_file(path) as container:
            for decoded in _sparse(decode(container, how=how, on_note=notes.append), every_s):
                name = f"{path.name}@{decoded.at_s:.2f}s"
                yield TimedFrame(name, decoded.pixels(), decoded.at_s, None, decoded.size)
    except (av.FFmpegError, PictureError) as error:
        yield Bad(path, _bad_video(path, error))
    for text in notes:
        yield Note(path, text)


def _sparse(pictures: Iterator[Decoded], every_s: float | None) -> Iterator[Decoded]:
    """One picture per `every_s`, or all."""
    due_s = 0.0
    for decoded in pictures:
        if decoded.at_s >= due_s - 1e-6:
            due_s += every_s or 0.0
            if due_s <= decoded.at_s:  # after a gap
                due_s = decoded.at_s + (every_s or 0.0)
            yield decoded


def _size(pixels: Pixels) -> tuple[int, int]:
    return pixels.shape[1], pixels.shape[0]


def _bad_video(source: Path, error: av.FFmpegError | PictureError) -> PictureError:
    if isinstance(error, PictureError):
        return PictureError(f"video {source}: {error}")
    if not source.exists():
        if _ADDRESS.match(str(source)):
            return PictureError(
                "an address is no recording; put it into a site file as camera.url and use redroad "
                "check or redroad run, or record some of it into a file"
            )
        return PictureError(f"{source} does not exist; check the path")
    if source.stat().st_size == 0:
        return PictureError(f"video {source}: is empty (0 bytes); copy it again")
    unknown = isinstance(error, av.error.PatchWelcomeError)
    why = "FFmpeg does not know its kind" if unknown else error.strerror
    return PictureError(f"video {source}: cannot be read ({why}); give a whole video, or a picture")
