"""A driver in a process of its own."""

import os
import signal
import time

import psutil
import pytest
from PIL import Image, ImageDraw

from edge.common.errors import DriverError
from edge.show.driver_process import DriverProcess
from edge.site.outputs import Sign

WIDTH, HEIGHT = (
    next(limit.le for limit in Sign.model_fields[side].metadata if hasattr(limit, "le"))
    for side in ("width", "height")
)


class Answers:
    """A driver that tells the size of what it was given."""

    def take(self, request: Image.Image) -> tuple[int, int]:
        return request.size

    def pass_time(self) -> float:
        return 1.0

    def close(self) -> None:
        """Nothing is held."""


def largest() -> Image.Image:
    """The largest panel, full of letters."""
    image = Image.new("RGB", (WIDTH, HEIGHT))
    for row in range(0, HEIGHT, 12):
        ImageDraw.Draw(image).text((0, row), "CRITICAL " * 9, fill=(255, 32, row % 256))
    return image


def answered(apart: DriverProcess[Image.Image, tuple[int, int]]) -> tuple[int, int]:
    end = time.monotonic() + 5.0
    while (answer := apart.answer()) is None:
        assert time.monotonic() < end
        time.sleep(0.01)
    return answer


def test_a_child_that_stopped_while_idle_holds_nobody_up_and_is_told() -> None:
    """Be the image as large as it may; promised is that the other outputs wait at most 1 s."""
    before = set(psutil.Process().children())
    apart = DriverProcess("panel", Answers, largest())
    try:
        apart.send(largest())
        assert answered(apart) == (WIDTH, HEIGHT)
        (child,) = set(psutil.Process().children()) - before
        os.kill(child.pid, signal.SIGSTOP)
        began = time.monotonic()
        apart.send(largest())
        assert time.monotonic() - began < 0.5
        with pytest.raises(DriverError, match="hung"):
            answered(apart)
        assert time.monotonic() - began < 2.0
    finally:
        apart.kill()
