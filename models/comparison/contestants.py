"""Who takes part in `make bench-models`: our counter, its peers, OpenCV's pedestrian detector.

Each is opened for a number of threads and then takes pictures, so that all are timed alike: from a
picture of any size to what the network gives, scaling included.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from edge.watch.counter import Counter
from edge.watch.manifest import Manifest, ModelEntry, shipped_manifest
from edge.watch.runtime import make_interpreter
from models.comparison.cost import Cost, cost_of_file

PEERS = Path(__file__).parent / "peers"
Pixels = NDArray[np.uint8]
Work = Callable[[Pixels], float | None]  # a picture (height, width, 3) in, heads out if it counts


class Contestant(Protocol):
    """One network at one input size, or one method."""

    @property
    def name(self) -> str:
        """What the table calls it."""

    @property
    def kind(self) -> Literal["ours", "peer", "detector"]:
        """Peers have random weights: they are timed, and count nothing."""

    @property
    def size(self) -> tuple[int, int] | None:
        """Width and height of the input; None when it takes pictures as they are."""

    def cost(self) -> Cost | None:
        """None when it is no network."""

    def open(self, threads: int) -> Work:
        """Load it; an Error of its own when that cannot be."""


@dataclass(frozen=True)
class Ours:
    """The appliance's own counter, from the picture to the count."""

    manifest: Manifest
    entry: ModelEntry
    kind: Literal["ours"] = "ours"

    @property
    def name(self) -> str:
        """Without its size, which stands beside it."""
        return "ours"

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of the input."""
        return self.entry.input

    def cost(self) -> Cost:
        """From the shipped file."""
        return cost_of_file(self.manifest.content(self.entry))

    def open(self, threads: int) -> Work:
        """Counts heads."""
        counter = Counter(self.manifest, self.entry, "litert", threads)
        return lambda pixels: counter.count(pixels).total().people


@dataclass(frozen=True)
class Peer:
    """A file of `models/comparison/peers/`, its name ending in its size."""

    path: Path
    kind: Literal["peer"] = "peer"

    @property
    def name(self) -> str:
        """Without its size."""
        return self.path.stem.rpartition("-")[0]

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of the input."""
        wide, high = self.path.stem.rpartition("-")[2].split("x")
        return int(wide), int(high)

    def cost(self) -> Cost:
        """From the file."""
        return cost_of_file(self.path.read_bytes())

    def open(self, threads: int) -> Work:
        """Runs the network and counts nothing: its weights are random."""
        interpreter = make_interpreter("litert", self.path.read_bytes(), threads)
        details = interpreter.get_input_details()[0]
        scale, zero = details["quantization"]
        real = np.arange(256) / 127.5 - 1
        table = np.clip(np.rint(real / scale + zero), -128, 127).astype(np.int8)

        def work(pixels: Pixels) -> None:
            scaled = Image.fromarray(pixels).resize(self.size, Image.Resampling.BILINEAR)
            interpreter.set_tensor(details["index"], table[np.asarray(scaled)][np.newaxis])
            interpreter.invoke()

        return work


@dataclass(frozen=True)
class Pedestrians:
    """OpenCV's HOG detector with the weights that come with it (Dalal and Triggs 2005).

    It finds upright people of 96 px and more; what it groups into one box counts as one person.
    """

    stride: int = 8
    padding: int = 8
    step: float = 1.05  # between the sizes at which it looks
    name: str = "OpenCV HOG people"
    kind: Literal["detector"] = "detector"
    size: None = None

    def cost(self) -> None:
        """No network."""

    def open(self, threads: int) -> Work:
        """Counts the boxes it finds. OpenCV has one number of threads for the whole process."""
        import cv2

        hog = cv2.HOGDescriptor()
        hog.setSVMDetector(cv2.HOGDescriptor.getDefaultPeopleDetector())
        stride, padding = (self.stride, self.stride), (self.padding, self.padding)

        def work(pixels: Pixels) -> float:
            cv2.setNumThreads(threads)
            grey = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)
            boxes, _ = hog.detectMultiScale(
                grey, winStride=stride, padding=padding, scale=self.step
            )
            return float(len(boxes))

        return work


def label(contestant: Contestant) -> str:
    """Name and size, by which one is told from all others."""
    size = contestant.size
    return contestant.name if size is None else f"{contestant.name} {size[0]}x{size[1]}"


def all_contestants(peers: Path = PEERS) -> list[Contestant]:
    """Ours, every peer that is there, and OpenCV's."""
    manifest = Manifest(shipped_manifest())
    ours = [Ours(manifest, entry) for entry in manifest.entries]
    found = [Peer(path) for path in sorted(peers.glob("*.tflite"))]
    return [*ours, *found, Pedestrians()]
