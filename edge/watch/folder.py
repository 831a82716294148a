"""The pictures and videos of a folder, in the order in which they were taken."""

import re
from datetime import datetime, timedelta
from pathlib import Path

from edge.common.errors import PictureError
from edge.watch.pictures import DAMAGE, SUFFIXES, opened

VIDEO_SUFFIXES = (
    ".mp4", ".m4v", ".mov", ".mkv", ".webm", ".avi", ".ts", ".m2ts", ".mts", ".mpg", ".mpeg",
    ".vob", ".3gp", ".flv", ".wmv", ".asf", ".h264", ".264", ".h265", ".265", ".hevc", ".mjpg",
    ".mjpeg", ".dav", ".ogv",
)  # fmt: skip
EXIF_IFD, DATE_TIME_ORIGINAL = 0x8769, 0x9003
_TIME_IN_NAME = re.compile(
    r"(?<!\d)((?:19|20)\d\d)[-_.]?(\d\d)[-_.]?(\d\d)[-_.T ]?(\d\d)[-_.h]?(\d\d)[-_.m]?(\d\d)"
)


def is_video(path: Path) -> bool:
    """By its name."""
    return path.suffix.lower() in VIDEO_SUFFIXES


def is_picture(path: Path) -> bool:
    """By its name; by its content where the name says nothing."""
    suffix = path.suffix.lower()
    if suffix in SUFFIXES or suffix in VIDEO_SUFFIXES:
        return suffix in SUFFIXES
    try:
        with opened(path):
            return True
    except DAMAGE:
        return False


def picture_time(path: Path) -> datetime | None:
    """Return when a file was taken, local time: by its name (YYYYMMDDhhmmss), else by its EXIF."""
    for match in _TIME_IN_NAME.finditer(path.name):
        taken = _time_of(*match.groups())
        if taken is not None:
            return taken
    return None if is_video(path) else _exif_time(path)


def _exif_time(path: Path) -> datetime | None:
    try:
        with opened(path) as image:
            text = image.getexif().get_ifd(EXIF_IFD).get(DATE_TIME_ORIGINAL, "")
    except DAMAGE:
        return None
    digits = re.findall(r"\d+", str(text))
    return _time_of(*digits) if len(digits) == 6 else None


def _time_of(*parts: str) -> datetime | None:
    year, month, day, hour, minute, second = (int(part) for part in parts)
    try:
        return datetime(year, month, day, hour, minute, second)
    except ValueError:
        return None


def pictures_in(folder: Path) -> list[Path]:
    """Return the pictures and videos in `folder`, not in folders within it, in order.

    By the times in their names or EXIF; where there are none, by the numbers in their names;
    where they have none, by the files' own times.
    """
    try:
        files = [path for path in folder.iterdir() if _counts(path)]
        within = sorted(path for path in folder.iterdir() if path.is_dir())
    except OSError as error:
        raise PictureError(
            f"folder {folder}: cannot be read ({error.strerror}); check the path"
        ) from error
    if not files and within:
        raise PictureError(
            f"folder {folder}: holds no picture or video, only folders, which are not looked into; "
            f"name those, such as {within[0]}"
        )
    if not files:
        raise PictureError(
            f"folder {folder}: holds no picture or video; put JPEG, PNG, HEIC, MP4 or the like "
            "into it"
        )
    return _ordered(files)


def _counts(path: Path) -> bool:
    return path.suffix.lower() in SUFFIXES + VIDEO_SUFFIXES and not path.name.startswith(".")


def _ordered(files: list[Path]) -> list[Path]:
    times = {path: picture_time(path) for path in files}
    known = [taken for taken in times.values() if taken is not None]
    dated = len(set(known)) > 1 or len(files) == len(known) == 1
    if not dated and all(re.search(r"\d", path.stem) for path in files):
        return sorted(files, key=lambda path: _natural(path.name))
    return sorted(
        files,
        key=lambda path: (times[path] or datetime.fromtimestamp(_mtime(path)), _natural(path.name)),
    )


def moments(paths: list[Path]) -> list[datetime | None]:
    """Return when each file was taken, of files in order.

    Several of one second stand evenly in it; one time for all of a folder is a clock that was
    never set, and is ignored.
    """
    times = [picture_time(path) for path in paths]
    if len(times) > 1 and len(set(times)) == 1:
        return [None] * len(times)
    return [
        None if taken is None else taken + timedelta(seconds=_place(times, index))
        for index, taken in enumerate(times)
    ]


def _place(times: list[datetime | None], index: int) -> float:
    """Return the part of a second that has passed for the file, of those with the same time."""
    taken = times[index]
    first, last = index, index
    while first > 0 and times[first - 1] == taken:
        first -= 1
    while last + 1 < len(times) and times[last + 1] == taken:
        last += 1
    return (index - first) / (last + 1 - first)


def _mtime(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:  # a link to nowhere: reading it will say so
        return 0.0


def _natural(name: str) -> list[tuple[int, int, str]]:
    """Sorts "2.jpg" before "10.jpg"."""
    return [
        (0, int(part), "") if part.isdecimal() else (1, 0, part)
        for part in re.split(r"(\d+)", name)
        if part
    ]
