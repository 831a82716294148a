"""What FFmpeg is asked for, as it reaches it."""

import shutil
import subprocess
from contextlib import suppress
from pathlib import Path

import pytest
from pydantic import ValidationError

from edge.common.errors import CameraError
from edge.site.schema import StreamOptions
from edge.watch.address import address_of
from edge.watch.cameras.camera import NoFrameError
from edge.watch.cameras.opening import ffmpeg_options, usb_options
from edge.watch.cameras.stream import StreamCamera


def stream(url: str, **options: object) -> StreamOptions:
    return StreamOptions.model_validate({"kind": "stream", "url": url, **options})


def test_a_usb_camera_is_asked_for_format_size_and_rate() -> None:
    options = stream("/dev/video0", input_format="mjpeg", width=1280, height=720, rate=15.0)
    asked = ffmpeg_options(options, address_of(options, Path), None)
    assert asked == {"input_format": "mjpeg", "video_size": "1280x720", "framerate": "15"}


def test_yuyv_has_another_name_in_ffmpeg() -> None:
    assert usb_options(stream("/dev/video0", input_format="yuyv")) == {"input_format": "yuyv422"}


def test_without_options_it_gives_what_it_has() -> None:
    options = stream("/dev/video0")
    assert ffmpeg_options(options, address_of(options, Path), None) == {}


@pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="needs Debian's package ffmpeg")
def test_ffmpeg_knows_these_options_by_these_names() -> None:
    """Its own list."""
    asked = ["ffmpeg", "-hide_banner", "-h", "demuxer=v4l2"]
    known = subprocess.run(asked, capture_output=True, text=True, check=True).stdout
    options = stream("/dev/video0", input_format="yuyv", width=640, height=480, rate=30.0)
    for name in usb_options(options):
        assert f"-{name} " in known


def test_a_usb_camera_that_does_not_give_it_is_reported_which_options() -> None:
    camera = StreamCamera(stream("/dev/video63", width=640, height=480), Path)
    with pytest.raises(CameraError, match="v4l2-ctl --list-formats-ext"):
        for _ in range(20):
            with suppress(NoFrameError):
                camera.read(0.5)
    camera.close()


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"url": "/dev/video0", "width": 640}, "camera.width and camera.height"),
        ({"url": "rtsp://h/x", "input_format": "mjpeg"}, "belongs to a USB camera"),
        ({"url": "rtsp://h/x", "rate": 10.0}, "belongs to a USB camera"),
        ({"url": "/dev/video0", "transport": "tcp"}, "belongs to an address of rtsp"),
        ({"url": "rtsp://h/x", "every_s": 1.0}, "belongs to an address of http"),
    ],
)
def test_an_option_that_would_do_nothing_is_a_mistake(
    options: dict[str, object], says: str
) -> None:
    with pytest.raises(ValidationError, match=says):
        StreamOptions.model_validate({"kind": "stream", **options})
