"""Makes the benchmark's peer: `python -m models.peers`.

A plain MobileNetV2 0.5 trunk (stem and seventeen blocks to stride 32, random weights, nothing
else), quantised like our own models. It says what the same arithmetic costs without our decoder.
"""

from pathlib import Path

import click
import numpy as np
import torch

from models.data import Example
from models.export import convert
from models.network import HeadCounter

ROOT = Path(__file__).parent
SIZE = (640, 352)
PEER = ROOT / "peers" / f"mobilenetv2-0.5-{SIZE[0]}x{SIZE[1]}.tflite"


class Trunk(HeadCounter):
    """The trunk alone."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(N, 3, H, W) to (N, 160, H / 32, W / 32)."""
        x = self.stem(x)
        for block in self.blocks:
            x, _ = block(x)
        return x


@click.command()
def main() -> None:
    """Write the peer's file."""
    torch.manual_seed(0)
    rng = np.random.default_rng(0)
    noise = [
        Example(f"noise-{n}", rng.integers(0, 256, (352, 640, 3), np.uint8), np.zeros((0, 2)))
        for n in range(4)
    ]
    PEER.parent.mkdir(exist_ok=True)
    PEER.write_bytes(convert(Trunk().eval(), SIZE, noise))
    click.echo(f"{PEER}: {PEER.stat().st_size} bytes")


if __name__ == "__main__":
    main()
