"""The order of a folder's pictures and films, and when each was taken."""

import os
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from PIL import Image

from edge.common.errors import PictureError
from edge.site.schema import PicturesOptions
from edge.watch.cameras.pictures import PicturesCamera
from edge.watch.folder import DATE_TIME_ORIGINAL, EXIF_IFD, moments, pictures_in
from edge.watch.recording import frames_of
from tests.watch.made import noise, save_picture, save_video


def put(folder: Path, *names: str) -> None:
    """Pictures whose files are older the later they are named."""
    for age, name in enumerate(names):
        save_picture(folder / name, noise(16, 16))
        os.utime(folder / name, (1_700_000_000 - age, 1_700_000_000 - age))


def names(folder: Path) -> list[str]:
    return [path.name for path in pictures_in(folder)]


def test_numbered_pictures_come_by_number_whatever_their_files_times(tmp_path: Path) -> None:
    put(tmp_path, "frame_1.png", "frame_2.png", "frame_10.png", "frame_9.png")
    assert names(tmp_path) == ["frame_1.png", "frame_2.png", "frame_9.png", "frame_10.png"]


def test_pictures_without_numbers_come_by_their_files_times(tmp_path: Path) -> None:
    put(tmp_path, "dusk.png", "noon.png")
    assert names(tmp_path) == ["noon.png", "dusk.png"]


def test_a_clock_that_was_never_set_reports_nothing(tmp_path: Path) -> None:
    """All of one EXIF time: the numbers tell, and the pictures are a second apart."""
    exif = Image.Exif()
    exif.get_ifd(EXIF_IFD)[DATE_TIME_ORIGINAL] = "2000:01:01 00:00:00"
    for number in (10, 9, 1):
        Image.new("RGB", (16, 16)).save(tmp_path / f"{number}.jpg", exif=exif)
    assert names(tmp_path) == ["1.jpg", "9.jpg", "10.jpg"]
    found = list(frames_of(tmp_path, every_s=None, on_bad=lambda *_: pytest.fail("bad")))
    assert [(frame.at_s, frame.wall) for frame in found] == [(0.0, None), (1.0, None), (2.0, None)]


def test_pictures_of_one_second_stand_apart_in_it(tmp_path: Path) -> None:
    put(tmp_path, "b1-20240101000000.png", "b2-20240101000000.png", "b-20240101000005.png")
    start = datetime(2024, 1, 1)
    assert moments(pictures_in(tmp_path)) == [
        start, start + timedelta(seconds=0.5), start + timedelta(seconds=5)
    ]  # fmt: skip
    found = list(frames_of(tmp_path, every_s=None, on_bad=lambda *_: pytest.fail("bad")))
    assert [frame.at_s for frame in found] == [0.0, 0.5, 5.0]


def test_a_film_among_pictures_is_read_in_its_place(tmp_path: Path) -> None:
    put(tmp_path, "1.png", "3.png")
    save_video(tmp_path / "2.mp4")
    found = list(frames_of(tmp_path, every_s=1.0, on_bad=lambda *_: pytest.fail("bad")))
    assert [frame.name for frame in found] == ["1.png", "2.mp4@0.00s", "2.mp4@1.00s", "3.png"]
    assert [frame.at_s for frame in found] == [0.0, 1.0, 2.0, 3.0]


def test_a_folder_as_a_camera_reads_as_a_recording_does(tmp_path: Path) -> None:
    """Every picture of an animation, and films, too; the pixels made square as the site says."""
    pages = [Image.fromarray(noise(16, 16, seed=n)) for n in range(2)]
    pages[0].save(tmp_path / "1.gif", save_all=True, append_images=pages[1:], duration=500)
    save_video(tmp_path / "2.mp4", frames=2)
    options = PicturesOptions(
        kind="pictures", folder="unused", every_s=0.01, repeat=False, pixel_aspect=2.0
    )
    camera = PicturesCamera(options, tmp_path)
    shapes = [camera.read(5.0).pixels.shape[:2] for _ in range(3)]
    assert shapes == [(16, 32), (16, 32), (96, 320)]


def test_a_folder_of_folders_says_so(tmp_path: Path) -> None:
    """As recorders export: one for each day."""
    (tmp_path / "2026-10-31").mkdir()
    put(tmp_path / "2026-10-31", "1.png")
    with pytest.raises(PictureError, match=r"only folders, .* name those, such as .*2026-10-31"):
        pictures_in(tmp_path)
