"""Recordings for `count` and `replay`: a video, a folder of pictures, one picture, or a scenario.

A scenario of the simulated street is written `scene:NAME`.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil
from pathlib import Path

import av

from edge.common.errors import PictureError
from edge.site.scenarios import known_scenario
from edge.street.scenarios import StagedScenario
from edge.watch.frame import Pixels
from edge.watch.pictures import SUFFIXES, picture_time, pictures_in, read_picture
from edge.watch.video import Decoded, decode, stated_length_s, video_stream

OnBad = Callable[[Path, PictureError], None]

# Between the pictures of a folder that tell no time.
UNTIMED_EVERY_S = 1.0
SCENARIO = "scene:"
SCENARIO_EVERY_S = 0.5


@dataclass(frozen=True, eq=False)
class TimedFrame:
    """`pixels` (height, width, 3), RGB, `at_s` seconds after the recording's first frame.

    `wall` is the local time at which it was taken, where the recording tells it.
    """

    name: str
    pixels: Pixels
    at_s: float
    wall: datetime | None


def frames_of(source: Path, *, every_s: float | None, on_bad: OnBad) -> Iterator[TimedFrame]:
    """The frames of `source` in time order; of a video one per `every_s` seconds, or all.

    What cannot be read of a folder, and the missing end of a video, goes to `on_bad`.
    PictureError when there is no readable picture at all.
    """
    if scenario := _scenario(source):
        return _of_scenario(scenario, every_s or SCENARIO_EVERY_S)
    if source.is_dir():
        return _of_pictures(source, pictures_in(source), on_bad)
    if _is_picture(source):
        return iter([TimedFrame(source.name, read_picture(source), 0.0, picture_time(source))])
    return _of_video(source, every_s, on_bad)


def length(source: Path, *, every_s: float | None) -> int | None:
    """About how many frames `frames_of` will give; None when the video does not say."""
    if scenario := _scenario(source):
        return ceil(StagedScenario(scenario).length_s / (every_s or SCENARIO_EVERY_S))
    if source.is_dir():
        return len(pictures_in(source))
    if _is_picture(source):
        return 1
    try:
        with av.open(source) as container:
            length_s = stated_length_s(container)
            rate = 1 / every_s if every_s else video_stream(container).average_rate
            return ceil(length_s * rate) if length_s and rate else None
    except (av.FFmpegError, PictureError) as error:
        raise _bad_video(source, error) from error


def _scenario(source: Path) -> str | None:
    """The name in `scene:NAME`; PictureError when no scenario is named so."""
    if not str(source).startswith(SCENARIO):
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
        yield TimedFrame(f"{SCENARIO}{name}@{at_s:.2f}s", staged.at(at_s).pixels, at_s, None)


def _is_picture(source: Path) -> bool:
    return source.suffix.lower() in SUFFIXES


def _of_pictures(folder: Path, paths: list[Path], on_bad: OnBad) -> Iterator[TimedFrame]:
    any_good = False
    for path, at_s, wall in _timed(paths):
        try:
            pixels = read_picture(path)
        except PictureError as error:
            on_bad(path, error)
            continue
        any_good = True
        yield TimedFrame(path.name, pixels, at_s, wall)
    if not any_good:
        raise PictureError(
            f"folder {folder}: none of its {len(paths)} pictures can be read; copy them again"
        )


def _timed(paths: list[Path]) -> Iterator[tuple[Path, float, datetime | None]]:
    """Each picture with its seconds since the first, and its time if it tells one."""
    first: datetime | None = None
    at_s = -UNTIMED_EVERY_S
    for path in paths:
        wall = picture_time(path)
        if wall is None:
            at_s += UNTIMED_EVERY_S
        else:
            at_s = max(at_s, 0.0)
            first = first or wall - timedelta(seconds=at_s)
            at_s = max(at_s, (wall - first).total_seconds())
        yield path, at_s, wall


def _of_video(source: Path, every_s: float | None, on_bad: OnBad) -> Iterator[TimedFrame]:
    any_good = False
    start = picture_time(source)
    try:
        with av.open(source) as container:
            for decoded in _sparse(decode(container), every_s):
                wall = start and start + timedelta(seconds=decoded.at_s)
                name = f"{source.name}@{decoded.at_s:.2f}s"
                yield TimedFrame(name, decoded.pixels(), decoded.at_s, wall)
                any_good = True
    except (av.FFmpegError, PictureError) as error:
        bad = _bad_video(source, error)
        if not any_good:
            raise bad from error
        on_bad(source, bad)


def _sparse(pictures: Iterator[Decoded], every_s: float | None) -> Iterator[Decoded]:
    """One picture per `every_s`, or all."""
    due_s = 0.0
    for decoded in pictures:
        if decoded.at_s >= due_s - 1e-6:
            due_s = max(due_s, decoded.at_s - (every_s or 0.0)) + (every_s or 0.0)
            yield decoded


def _bad_video(source: Path, error: av.FFmpegError | PictureError) -> PictureError:
    if isinstance(error, PictureError):
        return PictureError(f"video {source}: {error}")
    if source.exists() and source.stat().st_size == 0:
        return PictureError(f"video {source}: is empty (0 bytes); copy it again")
    return PictureError(
        f"video {source}: cannot be read ({error.strerror}); give a whole video, or a picture"
    )
