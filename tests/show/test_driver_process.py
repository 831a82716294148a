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


class Sizes:
    """A driver that replies with the size of the image it was sent."""

    def handle(self, request: Image.Image) -> tuple[int, int]:
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


def replied(driver: DriverProcess[Image.Image, tuple[int, int]]) -> tuple[int, int]:
    end = time.monotonic() + 5.0
    while (reply := driver.reply()) is None:
        assert time.monotonic() < end
        time.sleep(0.01)
    return reply


def test_a_child_that_stopped_while_idle_holds_nobody_up_and_is_reported() -> None:
    """Be the image as large as it may; promised is that the other outputs wait at most 1 s."""
    before = set(psutil.Process().children())
    driver = DriverProcess("panel", Sizes, largest())
    try:
        driver.send(largest())
        assert replied(driver) == (WIDTH, HEIGHT)
        (child,) = set(psutil.Process().children()) - before
        os.kill(child.pid, signal.SIGSTOP)
        began = time.monotonic()
        driver.send(largest())
        assert time.monotonic() - began < 0.5
        with pytest.raises(DriverError, match="hung"):
            replied(driver)
        assert time.monotonic() - began < 2.0
    finally:
        driver.kill()
