"""How old the pictures of a network camera are when they are counted, and how old they are said to
be, by a film that shows its own time: `python -m hil.container.ages` prints the table.
"""

import os
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing import Queue
from pathlib import Path

import numpy as np

from edge.common.clock import boottime_ns
from edge.common.errors import CameraError
from edge.common.units import seconds
from edge.site.schema import StreamOptions
from edge.watch.cameras.camera import NoFrameError
from edge.watch.cameras.learnt import Learnt
from edge.watch.cameras.reconnecting import LATE_S as REPORTED_S
from edge.watch.cameras.stream import StreamCamera
from edge.watch.frame import Frame, Pixels
from hil.container.rtsp import RtspCamera
from hil.container.weak_link import CAMERA, WeakLink, Weather

FPS = 10.0
PICTURES = 1024  # each shows its number, in squares: black for 0, white for 1
BITS, SQUARE_PX = 10, 24
ROW_PX, INVERTED_ROW_PX = 40, 160
WIDTH, HEIGHT = 320, 240
LATE_S = 1.0
PAUSE_S = 0.5


def make_clock_film(path: Path) -> Path:
    """A film whose pictures show which they are."""
    random = np.random.default_rng(1)
    noise = random.integers(90, 166, (HEIGHT, WIDTH, 3), np.uint8)
    film = np.stack([noise] * PICTURES)
    for number in range(PICTURES):
        for bit in range(BITS):
            for row, value in ((ROW_PX, number), (INVERTED_ROW_PX, ~number)):
                light = 235 if value >> bit & 1 else 20
                left = bit * 28 + 8
                film[number, row : row + SQUARE_PX, left : left + SQUARE_PX] = light
    np.save(path, film)
    return path


def shown_number(pixels: Pixels) -> int | None:
    """Which picture of the film it is; None for one that lost packets have mixed with others."""
    number, inverted = (_number_in(pixels, row) for row in (ROW_PX, INVERTED_ROW_PX))
    return number if number == ~inverted % PICTURES else None


def _number_in(pixels: Pixels, row: int) -> int:
    middle = row + SQUARE_PX // 2
    lights = [
        float(pixels[middle - 4 : middle + 4, 28 * bit + 16 : 28 * bit + 24].mean())
        for bit in range(BITS)
    ]
    return sum(1 << bit for bit, light in enumerate(lights) if light > 128)


@dataclass
class Ages:
    """Of each picture: its true age when it was given, and the age that it was given (s)."""

    true_s: list[float] = field(default_factory=list)
    stated_s: list[float] = field(default_factory=list)
    smeared: int = 0
    faults: list[str] = field(default_factory=list)

    def add(self, frame: Frame) -> None:
        """A picture was given now."""
        now = boottime_ns()
        number = shown_number(frame.pixels)
        if number is None:
            self.smeared += 1
            return
        # The film turns in 102 s.
        self.true_s.append(((seconds(now) * FPS - number) % PICTURES) / FPS)
        self.stated_s.append(seconds(now - frame.taken_at))

    @property
    def hidden_s(self) -> float:
        """The most by which a picture was older than it was said to be."""
        pairs = zip(self.true_s, self.stated_s, strict=True)
        return max((true_s - stated_s for true_s, stated_s in pairs), default=0.0)

    @property
    def unreported(self) -> int:
        """Pictures older than a second, by a film that shows its time to an interval, that were
        not reported."""
        pairs = zip(self.true_s, self.stated_s, strict=True)
        shown_to_s = 1 / FPS
        return sum(
            true_s > LATE_S + shown_to_s and stated_s <= REPORTED_S for true_s, stated_s in pairs
        )

    def as_text(self) -> str:
        """A row of the table."""
        if not self.true_s:
            return f"{0:8}  no picture; {len(self.faults)} faults"
        late = sum(stated_s > REPORTED_S for stated_s in self.stated_s)
        return (
            f"{len(self.true_s):8} {self.true_s[0]:8.2f} {max(self.true_s):8.2f} {late:8} "
            f"{self.hidden_s:8.2f} {self.unreported:10} {self.smeared:8} {len(self.faults):8}"
        )


def watched(camera_url: str, transport: str, for_s: float, learnt: Learnt) -> Iterator[Frame | str]:
    """Frames, and faults in words; opened anew after each, as `watch` does."""
    options = StreamOptions.model_validate(
        {"kind": "stream", "url": camera_url, "transport": transport, "fps": FPS}
    )
    until = time.monotonic() + for_s
    while time.monotonic() < until:
        camera = StreamCamera(options, Path, learnt)
        try:
            while time.monotonic() < until:
                try:
                    yield camera.read(0.5)
                except NoFrameError:
                    continue
        except CameraError as error:
            yield str(error)
            time.sleep(PAUSE_S)
        finally:
            camera.close()


def measure(
    link: WeakLink, url: str, transport: str, weathers: list[tuple[float, Weather]]
) -> Ages:
    """Watch the film through one weather after the other, each for so many seconds."""

    def watch() -> Ages:
        ages, learnt = Ages(), Learnt()
        link.weather = weathers[0][1]
        began, turns = time.monotonic(), list(weathers)
        for got in watched(url, transport, sum(for_s for for_s, _ in weathers), learnt):
            if time.monotonic() - began > turns[0][0] and len(turns) > 1:
                began += turns.pop(0)[0]
                link.weather = turns[0][1]
            if isinstance(got, str):
                ages.faults.append(got)
            else:
                ages.add(got)
        return ages

    return link.at_unit(watch)


def watch_apart(url: str, transport: str, for_s: float, done: "Queue[Ages]") -> None:
    """Watch in a process of its own, that can be stopped; its ages go into `done` at the end."""
    ages = Ages()
    for got in watched(url, transport, for_s, Learnt()):
        if isinstance(got, str):
            ages.faults.append(got)
        else:
            ages.add(got)
    done.put(ages)


CLEAR = Weather()
STREAM_BYTES_S = 240_000.0  # with the heads of its packets
CACHE_S, CACHED = 4, 600  # packets: about 40 pictures
HALF = Weather(rate_bytes_s=0.5 * STREAM_BYTES_S)
FROM_CACHE = "the camera first gives 4 s that it kept"
WEATHERS: dict[str, list[tuple[float, Weather]]] = {
    "clear": [(12, CLEAR)],
    FROM_CACHE: [(10, CLEAR)],
    "delay 0.3 s, jitter 0.1 s": [(15, Weather(delay_s=0.3, jitter_s=0.1))],
    "delay 1.2 s": [(40, Weather(delay_s=1.2))],
    "loss 2 %": [(15, Weather(loss=0.02, delay_s=0.02))],
    "loss 8 %, delay 0.1 s": [(20, Weather(loss=0.08, delay_s=0.1, jitter_s=0.03))],
    "half the rate, after 8 s": [(8, CLEAR), (16, HALF), (10, CLEAR)],
    "half the rate from the start": [(20, HALF)],
    "nine tenths from the start": [(30, Weather(rate_bytes_s=0.9 * STREAM_BYTES_S))],
    "a stall of 4 s": [(8, CLEAR), (4, Weather(rate_bytes_s=1)), (12, CLEAR)],
}


@contextmanager
def served(link: WeakLink, film: Path, cached: int = 0) -> Iterator[RtspCamera]:
    """The film, at the camera's end."""
    camera = link.at_camera(lambda: RtspCamera(CAMERA, film, FPS, cached=cached))
    try:
        yield camera
    finally:
        camera.end()


def main() -> None:
    """Print the table, or the rows whose names are given."""
    names = sys.argv[1:] or list(WEATHERS)
    print(
        f"{'':42} {'pictures':>8} {'first':>8} {'oldest':>8} {'late':>8} {'hidden':>8} "
        f"{'unreported':>10} {'smeared':>8} {'faults':>8}"
    )
    with tempfile.TemporaryDirectory() as folder:
        film = make_clock_film(Path(folder) / "clock.npy")
        for name in names:
            for transport in ("tcp", "udp"):
                link = WeakLink()
                with served(link, film, CACHED if name == FROM_CACHE else 0) as camera:
                    time.sleep(CACHE_S if name == FROM_CACHE else 0)
                    ages = measure(link, camera.url, transport, WEATHERS[name])
                    print(f"{name + ', ' + transport:42} {ages.as_text()}", flush=True)
                    if os.environ.get("FAULTS"):
                        print(ages.faults)
                link.end()


if __name__ == "__main__":
    main()
