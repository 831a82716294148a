"""Films as recorders, phones and cameras make them, and files named as people name them."""

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from av.video.stream import VideoStream

from edge.common.errors import PictureError
from edge.watch.recording import TimedFrame, frames_of
from edge.watch.video import AS_STATED, Reading
from tests.watch.films import film, joined
from tests.watch.made import noise, save_picture, save_video

TENTHS = [n / 10 for n in range(20)]


def read(path: Path, how: Reading = AS_STATED) -> tuple[list[TimedFrame], list[str], list[str]]:
    """All frames, what was bad, and what was noted, but that the films made here are small."""
    bad: list[str] = []
    notes: list[str] = []
    frames = frames_of(
        path,
        every_s=None,
        on_bad=lambda _, error: bad.append(str(error)),
        on_note=lambda _, text: notes.append(text),
        how=how,
    )
    taken = list(frames)
    return taken, bad, [note for note in notes if "are small" not in note]


def times(frames: list[TimedFrame]) -> list[float]:
    return [frame.at_s for frame in frames]


@pytest.mark.parametrize(("suffix", "codec"), [(".h264", "libx264"), (".hevc", "libx265")])
def test_a_raw_stream_has_its_encoder_s_rate_and_says_so(
    tmp_path: Path, suffix: str, codec: str
) -> None:
    raw = save_video(tmp_path / f"pi{suffix}", codec=codec)
    frames, bad, notes = read(raw)
    assert times(frames) == pytest.approx(TENTHS)
    assert not bad
    assert len(notes) == 1 and "10 a second are assumed" in notes[0]
    assert times(read(raw, Reading(rate=5))[0]) == pytest.approx([2 * t for t in TENTHS])


def test_a_transport_stream_that_starts_again_is_read_whole(tmp_path: Path) -> None:
    part = film(tmp_path / "a.ts", TENTHS)
    frames, bad, notes = read(joined(tmp_path / "both.ts", [part, part]))
    assert len(frames) == 40
    assert times(frames) == pytest.approx([n / 10 for n in range(40)], abs=0.001)
    assert not bad
    assert len(notes) == 1 and "its time starts again or jumps after 2.0 s" in notes[0]


def test_a_stray_time_in_a_transport_stream_moves_no_other(tmp_path: Path) -> None:
    parts = [
        film(tmp_path / f"{n}.ts", part)
        for n, part in enumerate((TENTHS[:9], [5000.9], TENTHS[10:]))
    ]
    frames, bad, _ = read(joined(tmp_path / "stray.ts", parts))
    assert len(frames) == 20
    assert frames[-1].at_s == pytest.approx(1.9, abs=0.05)
    assert not bad


def test_a_variable_rate_is_kept(tmp_path: Path) -> None:
    uneven = [0.0, 0.1, 0.15, 1.4, 1.5, 6.0]
    frames, bad, notes = read(film(tmp_path / "a.mp4", uneven))
    assert times(frames) == pytest.approx(uneven, abs=0.001)
    assert not bad and not notes


@pytest.mark.parametrize("suffix", [".mkv", ".mp4"])
def test_sound_that_goes_on_longer_cuts_nothing_off(tmp_path: Path, suffix: str) -> None:
    frames, bad, notes = read(film(tmp_path / f"a{suffix}", TENTHS, sound_s=8.0))
    assert len(frames) == 20
    assert not bad and not notes


def test_a_film_with_sound_that_is_cut_off_is_reported(tmp_path: Path) -> None:
    whole = film(tmp_path / "whole.mkv", [n / 10 for n in range(60)], sound_s=6.0)
    data = whole.read_bytes()
    (tmp_path / "cut.mkv").write_bytes(data[: len(data) // 2])
    frames, bad, _ = read(tmp_path / "cut.mkv")
    assert 5 < len(frames) < 60
    assert len(bad) == 1 and "is cut off after" in bad[0]


@pytest.mark.parametrize(
    ("stored", "aspect", "square"),
    [((96, 108), Fraction(2), (192, 108)), ((72, 96), Fraction(1, 2), (72, 192))],
)
def test_pixels_become_square_as_the_stream_states(
    tmp_path: Path, stored: tuple[int, int], aspect: Fraction, square: tuple[int, int]
) -> None:
    path = film(tmp_path / "dvr.mp4", TENTHS[:3], size=stored, aspect=aspect)
    frames, _, notes = read(path)
    assert {frame.size for frame in frames} == {square}
    assert frames[0].pixels.shape == (square[1], square[0], 3)
    assert not notes
    assert {frame.size for frame in read(path, Reading(pixel_aspect=1.0))[0]} == {stored}


def test_pixels_become_square_as_the_user_says(tmp_path: Path) -> None:
    path = film(tmp_path / "dvr.mp4", TENTHS[:3], size=(96, 108))
    assert read(path, Reading(pixel_aspect=2.0))[0][0].size == (192, 108)


def test_a_shape_whose_pixels_are_seldom_square_is_doubted(tmp_path: Path) -> None:
    _, _, notes = read(film(tmp_path / "dvr.mp4", TENTHS[:2], size=(720, 576)))
    assert len(notes) == 1 and "1.42 (a 16:9 street) or 1.07 (a 4:3 street)" in notes[0]


def test_grey_film_of_sixteen_bits_is_not_black(tmp_path: Path) -> None:
    """As a thermal camera's of 12 bits."""
    with av.open(str(tmp_path / "a.mkv"), "w") as container:
        stream = container.add_stream("ffv1", rate=10)
        assert isinstance(stream, VideoStream)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "gray16le"
        grey = np.full((48, 64), 2048, np.uint16)
        grey[0, 0] = 4095
        container.mux(stream.encode(av.VideoFrame.from_ndarray(grey, format="gray16le")))
        container.mux(stream.encode())
    (frame,), _, _ = read(tmp_path / "a.mkv")
    assert frame.pixels[10:].mean() == pytest.approx(128, abs=2)


@pytest.mark.parametrize(
    "name", ["16:38:41.mp4", "-x.mp4", "%d.mp4", "http:x.mp4", "%03d.mjpg", "concat:a|b.mp4"]
)
def test_a_name_is_a_path_and_never_a_guess(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    save_video(tmp_path / "a.mp4").rename(tmp_path / name)
    monkeypatch.chdir(tmp_path)
    frames, bad, _ = read(Path(name))
    assert len(frames) == 20 and not bad


def test_a_file_named_like_a_scenario_is_a_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save_video(tmp_path / "a.mp4").rename(tmp_path / "scene:surge")
    monkeypatch.chdir(tmp_path)
    assert len(read(Path("scene:surge"))[0]) == 20


def test_an_address_is_reported_where_it_belongs(tmp_path: Path) -> None:
    with pytest.raises(PictureError, match=r"an address is no recording; .*camera\.url") as caught:
        read(Path("rtsp://user:secret@camera/stream"))
    assert "secret" not in str(caught.value)


def test_a_raw_stream_of_jpegs_has_no_times_either(tmp_path: Path) -> None:
    """FFmpeg makes some up, of a rate that nobody has stated."""
    parts = [save_picture(tmp_path / f"{n}.jpg", noise(seed=n)) for n in range(10)]
    raw = joined(tmp_path / "a.mjpg", parts)
    frames, _, notes = read(raw)
    assert len(notes) == 1 and "says no times" in notes[0]
    assert times(read(raw, Reading(rate=2))[0]) == pytest.approx([n / 2 for n in range(10)])
    assert len(frames) == 10
