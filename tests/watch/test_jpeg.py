"""JPEGs whose data was damaged, by copies in text mode, bad disks and lost pieces."""

import io
from collections.abc import Callable
from fractions import Fraction
from functools import cache
from pathlib import Path

import av
import numpy as np
import pytest
from av.video.stream import VideoStream
from PIL import Image

from edge.common.errors import PictureError
from edge.watch.frame import Pixels
from edge.watch.pictures import picture_of, pictures_of, read_picture
from edge.watch.video import decode
from tests.watch.quiet import Quiet, quiet


@cache
def pixels() -> Pixels:
    return next(iter(quiet(1.0, 1.0, Quiet(night=False))))


def street(**how: object) -> bytes:
    """A picture of a street, as a JPEG."""
    data = io.BytesIO()
    Image.fromarray(pixels()).save(data, "JPEG", **how)
    return data.getvalue()


def text_mode(data: bytes) -> bytes:
    return data.replace(b"\n", b"\r\n")


def lost_piece(data: bytes) -> bytes:
    return data[: len(data) // 3] + data[len(data) // 2 :]


def other_sector(data: bytes) -> bytes:
    at = len(data) // 2
    return data[:at] + np.random.default_rng(0).bytes(512) + data[at + 512 :]


def early_end(data: bytes) -> bytes:
    return data[: len(data) // 2] + b"\xff\xd9"


DAMAGES = [text_mode, lost_piece, other_sector, early_end]
KINDS: list[dict[str, object]] = [{}, {"progressive": True}, {"restart_marker_rows": 1}]


@pytest.mark.parametrize("how", KINDS, ids=str)
@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_one_is_refused(
    damage: Callable[[bytes], bytes], how: dict[str, object], tmp_path: Path
) -> None:
    """As a file, and as a snapshot."""
    path = tmp_path / "street.jpg"
    path.write_bytes(street(**how))
    read_picture(path)
    path.write_bytes(damage(street(**how)))
    with pytest.raises(PictureError, match="is damaged or cut off"):
        read_picture(path)
    with pytest.raises(PictureError, match="is a damaged picture"):
        picture_of(damage(street(**how)))


@pytest.mark.parametrize("mode", ["L", "RGB", "CMYK"])
@pytest.mark.parametrize("size", [(1, 1), (7, 5), (641, 353)])
def test_whole_ones_of_all_shapes_are_read(
    mode: str, size: tuple[int, int], tmp_path: Path
) -> None:
    with Image.open(io.BytesIO(street())) as image:
        image.convert(mode).resize(size).save(tmp_path / "street.jpg")
    assert read_picture(tmp_path / "street.jpg").shape == (size[1], size[0], 3)


def test_what_follows_a_whole_one_is_no_damage(tmp_path: Path) -> None:
    """Phones put films and maps there."""
    (tmp_path / "street.jpg").write_bytes(street() + bytes(1000))
    read_picture(tmp_path / "street.jpg")


def test_each_picture_of_a_file_is_looked_at(tmp_path: Path) -> None:
    """The second of two eyes, in an MPO."""
    path = tmp_path / "eyes.mpo"
    with Image.open(io.BytesIO(street())) as image:
        image.save(path, save_all=True, append_images=[image.copy()])
    assert len(list(pictures_of(path))) == 2
    data = path.read_bytes()
    at = len(data) * 3 // 4
    path.write_bytes(data[:at] + np.random.default_rng(0).bytes(512) + data[at + 512 :])
    with pytest.raises(PictureError, match="after 1 pictures"):
        list(pictures_of(path))


def test_a_damaged_picture_of_motion_jpeg_is_left_out(tmp_path: Path) -> None:
    """The one after it stands by itself."""
    path = tmp_path / "street.avi"
    data = street()
    with av.open(path, "w") as container:
        stream = container.add_stream("mjpeg", rate=5)
        assert isinstance(stream, VideoStream)
        stream.pix_fmt, stream.width, stream.height = "yuvj420p", 640, 352
        for number in range(4):
            packet = av.Packet(data if number != 1 else lost_piece(data))
            packet.stream, packet.pts, packet.dts = stream, number, number
            packet.time_base = Fraction(1, 5)
            container.mux_one(packet)
    times = []
    with av.open(path) as container, pytest.raises(PictureError, match="1 of its pictures"):
        for each in decode(container):
            times.append(round(each.at_s, 1))
    assert times == [0.0, 0.4, 0.6]
