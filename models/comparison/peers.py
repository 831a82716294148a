"""Makes the benchmarks' peers: `python -m models.comparison.peers`.

Other networks of the same tasks and of the same inputs, quantised like our own models, with random
weights: they say what a picture costs, and nothing of accuracy. Every file in
`models/comparison/peers/` takes part in `make bench-models`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import click
import numpy as np
import torch
from torch import Tensor, nn

from models.comparison.detectors import yolov8n, yolox_nano
from models.comparison.effcc import Effcc
from models.export import convert
from models.network import HeadCounter
from models.pictures import Example

PEERS = Path(__file__).parent / "peers"
SMALL, LARGE = (640, 352), (1024, 768)


class Trunk(HeadCounter):
    """A plain MobileNetV2 0.5, stem and seventeen blocks: our arithmetic without our decoder."""

    def forward(self, x: Tensor) -> Tensor:
        """(N, 3, H, W) to (N, 160, H / 32, W / 32)."""
        x = self.stem(x)
        for block in self.blocks:
            x, _ = block(x)
        return x


class Mcnn(nn.Module):
    """The multi-column network of Zhang et al. (CVPR 2016, figure 2), 0.13 M parameters."""

    def __init__(self) -> None:
        super().__init__()
        columns = ((16, 9, 7), (20, 7, 5), (24, 5, 3))  # width, first kernel, the others
        self.columns = nn.ModuleList(self._column(*column) for column in columns)
        self.density = nn.Conv2d(8 + 10 + 12, 1, 1)

    @staticmethod
    def _column(width: int, first: int, later: int) -> nn.Sequential:
        return nn.Sequential(
            nn.Conv2d(3, width, first, padding="same"), nn.ReLU(), nn.MaxPool2d(2),
            nn.Conv2d(width, 2 * width, later, padding="same"), nn.ReLU(), nn.MaxPool2d(2),
            nn.Conv2d(2 * width, width, later, padding="same"), nn.ReLU(),
            nn.Conv2d(width, width // 2, later, padding="same"), nn.ReLU(),
        )  # fmt: skip

    def forward(self, x: Tensor) -> Tensor:
        """(N, 3, H, W) to a density (N, 1, H / 4, W / 4)."""
        return self.density(torch.cat([column(x) for column in self.columns], 1))  # type: ignore[no-any-return]


@dataclass(frozen=True)
class Peer:
    """A network and the inputs (width, height) that it is made for."""

    name: str
    build: Callable[[], nn.Module]
    sizes: tuple[tuple[int, int], ...]


ALL = (
    Peer("mobilenetv2-0.5", Trunk, (SMALL,)),
    Peer("mcnn", Mcnn, (SMALL, LARGE)),
    Peer("effcc-half", Effcc, (SMALL, LARGE)),
    Peer("yolox-nano", yolox_nano, (SMALL, LARGE)),
    Peer("yolov8n", yolov8n, (SMALL, LARGE)),
)


def make(peer: Peer, size: tuple[int, int]) -> bytes:
    """The peer's int8 file, its ranges measured on noise."""
    torch.manual_seed(0)
    rng = np.random.default_rng(0)
    wide, high = size
    noise = [
        Example(f"noise-{n}", rng.integers(0, 256, (high, wide, 3), np.uint8), np.zeros((0, 2)))
        for n in range(2)
    ]
    return convert(peer.build().eval(), size, noise)


@click.command()
@click.option("--again", is_flag=True, help="Make files anew that are there already.")
def main(again: bool) -> None:
    """Write the peers' files that are missing."""
    PEERS.mkdir(exist_ok=True)
    for size, peer in ((size, peer) for size in (SMALL, LARGE) for peer in ALL):
        path = PEERS / f"{peer.name}-{size[0]}x{size[1]}.tflite"
        if size in peer.sizes and (again or not path.exists()):
            path.write_bytes(make(peer, size))
            click.echo(f"{path}: {path.stat().st_size} bytes")


if __name__ == "__main__":
    main()
