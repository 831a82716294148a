from datetime import datetime
from pathlib import Path

import pytest

from edge.common.errors import PictureError
from edge.watch.recording import TimedFrame, frames_of, length
from hil.testkit.data import CLIP, needs
from tests.watch.films import film
from tests.watch.made import cut, noise, save_picture, save_video


def read(source: Path, every_s: float | None = None) -> tuple[list[TimedFrame], list[str]]:
    """All frames, and what was reported as bad."""
    bad: list[str] = []
    frames = list(
        frames_of(source, every_s=every_s, on_bad=lambda path, error: bad.append(f"{error}"))
    )
    return frames, bad


def test_all_frames_of_a_video_come_with_their_times(tmp_path: Path) -> None:
    """Twenty frames at ten a second."""
    video = save_video(tmp_path / "a.mp4")
    frames, bad = read(video)
    assert [frame.at_s for frame in frames] == pytest.approx([i / 10 for i in range(20)])
    assert length(video, every_s=None) == 20
    assert not bad


def test_a_video_is_thinned(tmp_path: Path) -> None:
    """One frame a second; fewer than asked for where the video has fewer."""
    video = save_video(tmp_path / "a.mp4", frames=30)
    frames, _ = read(video, every_s=1.0)
    assert [frame.at_s for frame in frames] == pytest.approx([0, 1, 2])
    assert length(video, every_s=1.0) == 3
    assert len(read(video, every_s=0.001)[0]) == 30


def test_a_gap_in_a_video_adds_no_picture(tmp_path: Path) -> None:
    """After an hour without any, one a second again."""
    times_s = [*(n / 10 for n in range(20)), *(3600 + n / 10 for n in range(20))]
    frames, bad = read(film(tmp_path / "a.mkv", times_s), every_s=1.0)
    assert [frame.at_s for frame in frames] == pytest.approx([0, 1, 3600, 3601])
    assert not bad


def test_a_cut_off_video_gives_what_there_is_and_reports(tmp_path: Path) -> None:
    """The missing end is not passed over in silence."""
    whole = save_video(tmp_path / "whole.mp4", movflags="faststart")
    frames, bad = read(cut(whole, tmp_path / "a.mp4", 0.7))
    assert 5 < len(frames) < 20
    assert len(bad) == 1 and "is cut off after" in bad[0]


@pytest.mark.parametrize("content", [b"", b"no video" * 100])
def test_no_video_is_an_error(tmp_path: Path, content: bytes) -> None:
    """An empty one has its own words."""
    (tmp_path / "a.mp4").write_bytes(content)
    with pytest.raises(PictureError, match=r"a\.mp4: (is empty|cannot be read)"):
        read(tmp_path / "a.mp4")
    with pytest.raises(PictureError):
        length(tmp_path / "a.mp4", every_s=None)


def test_a_folder_keeps_its_pictures_times_and_reports_bad_ones(tmp_path: Path) -> None:
    """Replay of a day: minutes may lie between two pictures."""
    save_picture(tmp_path / "s-20160620091221.png", noise())
    save_picture(tmp_path / "s-20160620091321.png", noise())
    (tmp_path / "s-20160620091231.png").write_bytes(b"")
    frames, bad = read(tmp_path)
    assert [(frame.at_s, frame.wall) for frame in frames] == [
        (0.0, datetime(2016, 6, 20, 9, 12, 21)),
        (60.0, datetime(2016, 6, 20, 9, 13, 21)),
    ]
    assert len(bad) == 1 and "s-20160620091231.png: is empty" in bad[0]
    assert length(tmp_path, every_s=None) == 3


def test_pictures_without_times_stand_a_second_apart(tmp_path: Path) -> None:
    """In the order of the files' own times."""
    for name in ("b.png", "a.png"):
        save_picture(tmp_path / name, noise())
    frames, _ = read(tmp_path)
    assert [frame.at_s for frame in frames] == [0.0, 1.0]
    assert {frame.wall for frame in frames} == {None}


def test_a_folder_of_bad_pictures_is_an_error(tmp_path: Path) -> None:
    """After each of them was reported."""
    (tmp_path / "a.png").write_bytes(b"")
    with pytest.raises(PictureError, match="none of its 1 pictures"):
        read(tmp_path)


def test_one_picture_is_a_recording(tmp_path: Path) -> None:
    """Of one frame, with its own name."""
    frames, _ = read(save_picture(tmp_path / "a.png", noise()))
    assert [(frame.name, frame.at_s) for frame in frames] == [("a.png", 0.0)]


@needs(CLIP)
def test_a_real_clip_is_read_to_its_end() -> None:
    """139.4 s, once a second."""
    frames, bad = read(CLIP, every_s=10.0)
    assert [frame.at_s for frame in frames] == pytest.approx([10.0 * i for i in range(14)])
    assert not bad


def test_small_pictures_are_told(tmp_path: Path) -> None:
    """Their counts are confident, and far too low; the video is of 160x96 px."""
    small, usual = noise(90, 319), noise(90, 320)
    assert "pictures of 319x90 px are small" in notes_of(save_picture(tmp_path / "a.png", small))
    assert not notes_of(save_picture(tmp_path / "b.png", usual))
    assert "pictures of 160x96 px are small" in notes_of(save_video(tmp_path / "a.mp4"))


def notes_of(source: Path) -> str:
    """What had to be assumed."""
    bad, notes = list[str](), list[str]()
    frames = frames_of(
        source,
        every_s=1.0,
        on_bad=lambda _path, error: bad.append(f"{error}"),
        on_note=lambda _path, text: notes.append(text),
    )
    assert list(frames) and not bad
    return "; ".join(notes)
