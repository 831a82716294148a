"""The peer `effcc-half`: a distilled EfficientNet-Lite counter of 0.86 M parameters.

From huangzuo/effcc_distilled (MIT), trained on JHU-Crowd++. With random weights it says what a
picture costs, as the other peers do; `python -m models.comparison.effcc student_half.pt` measures
the published weights, in float, on the pictures that ours are measured on.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import click
import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from edge.common.sighting import HeadMap
from models.empty import empty_sets, phantoms
from models.pictures import data_option, load_set
from models.scoring import VAL_SETS, measure

MEAN, DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
MERGED = 112  # channels in which the stages are added up
LEAST_SIDE, MULTIPLE, STRIDE = 512, 32, 8


@dataclass(frozen=True)
class Stage:
    """Blocks of one output width; the first takes the stride."""

    channels: int
    blocks: int
    size: int
    stride: int = 1


STAGES = (
    Stage(16, 2, 3, 2), Stage(24, 2, 5, 2), Stage(48, 2, 3, 2), Stage(64, 2, 5),
    Stage(104, 3, 5, 2), Stage(176, 1, 3),
)  # fmt: skip


def _same(inputs: int, outputs: int, size: int, stride: int = 1, groups: int = 1) -> nn.Conv2d:
    return nn.Conv2d(inputs, outputs, size, stride, size // 2, groups=groups, bias=False)


class Residual(nn.Module):
    """Expand sixfold, filter, project; named as the published tensors are."""

    def __init__(self, inputs: int, outputs: int, size: int, stride: int) -> None:
        super().__init__()
        wide = 6 * inputs
        self.conv_pw, self.bn1 = _same(inputs, wide, 1), nn.BatchNorm2d(wide)
        self.conv_dw = _same(wide, wide, size, stride, wide)
        self.bn2 = nn.BatchNorm2d(wide)
        self.conv_pwl, self.bn3 = _same(wide, outputs, 1), nn.BatchNorm2d(outputs)
        self.adds = stride == 1 and inputs == outputs

    def forward(self, x: Tensor) -> Tensor:
        """(N, inputs, H, W) to (N, outputs, H / stride, W / stride)."""
        y = F.relu6(self.bn1(self.conv_pw(x)))
        y = self.bn3(self.conv_pwl(F.relu6(self.bn2(self.conv_dw(y)))))
        return x + y if self.adds else y


class First(nn.Module):
    """The first block, which does not expand."""

    def __init__(self) -> None:
        super().__init__()
        self.conv_dw, self.bn1 = _same(32, 32, 3, groups=32), nn.BatchNorm2d(32)
        self.conv_pw, self.bn2 = _same(32, 8, 1), nn.BatchNorm2d(8)

    def forward(self, x: Tensor) -> Tensor:
        """(N, 32, H, W) to (N, 8, H, W)."""
        return self.bn2(self.conv_pw(F.relu6(self.bn1(self.conv_dw(x)))))  # type: ignore[no-any-return]


class Effcc(nn.Module):
    """(N, 3, H, W), standardised, to a density (N, 1, H / 8, W / 8) whose absolute values count."""

    def __init__(self) -> None:
        super().__init__()
        self.conv_stem, self.bn1 = _same(3, 32, 3, 2), nn.BatchNorm2d(32)
        stages: list[nn.Module] = [nn.Sequential(First())]
        inputs = 8
        for stage in STAGES:
            parts = []
            for n in range(stage.blocks):
                stride = stage.stride if n == 0 else 1
                parts.append(Residual(inputs, stage.channels, stage.size, stride))
                inputs = stage.channels
            stages.append(nn.Sequential(*parts))
        self.blocks = nn.ModuleList(stages)
        for n, stage in enumerate(STAGES[1:], 1):
            merge = nn.Sequential(
                nn.Conv2d(stage.channels, MERGED, 1), nn.BatchNorm2d(MERGED), nn.ReLU6()
            )
            self.add_module(f"conv{n}", merge)
        self.reg_layer = nn.Sequential(
            nn.Conv2d(MERGED, 64, 3, padding=1), nn.ReLU6(),
            nn.Conv2d(64, 32, 3, padding=1), nn.ReLU6(), nn.Conv2d(32, 1, 1),
        )  # fmt: skip

    def forward(self, x: Tensor) -> Tensor:
        """Sums the stages from stride 8 on at stride 8."""
        x = F.relu6(self.bn1(self.conv_stem(x)))
        merged: Tensor | None = None
        for n, stage in enumerate(self.blocks):
            x = stage(x)
            if n >= 2:
                part = getattr(self, f"conv{n - 1}")(x)
                if merged is None:
                    merged = part
                else:
                    size = merged.shape[2:]
                    merged = merged + F.interpolate(part, size, mode="bilinear")
        assert merged is not None
        return self.reg_layer(F.relu6(merged))  # type: ignore[no-any-return]


class EffccCounter:
    """The published weights, counting pictures at their own size, or enlarged to 512 px."""

    def __init__(self, weights: Path) -> None:
        state = torch.load(weights, weights_only=True, map_location="cpu")
        self._model = Effcc()
        self._model.load_state_dict(state)
        self._model.eval()

    @torch.no_grad()
    def count(self, pixels: NDArray[np.uint8]) -> HeadMap:
        """The heads in a picture of shape (height, width, 3), RGB; no interval is known."""
        height, width, _ = pixels.shape
        wanted = max(1.0, LEAST_SIDE / min(height, width))
        size = [round(side * wanted / MULTIPLE) * MULTIPLE for side in (height, width)]
        x = torch.tensor(pixels).permute(2, 0, 1)[None].float() / 255
        x = (x - _channels(MEAN)) / _channels(DEVIATION)
        if size != [height, width]:
            x = F.interpolate(x, size, mode="bilinear", antialias=True)
        found = self._model(x).abs()[0, 0].numpy()
        cell = STRIDE * width / size[1]
        return HeadMap(found, np.zeros_like(found), cell, width, height, 0.0)


def _channels(values: Sequence[float]) -> Tensor:
    return torch.tensor(values)[:, None, None]


@click.command()
@click.argument("weights", type=click.Path(path_type=Path, exists=True))
@data_option
def main(weights: Path, data: Path) -> None:
    """Print the errors of published weights on the val splits, and what they find in nobody."""
    counter = EffccCounter(weights)
    for name in VAL_SETS:
        score = measure(counter, load_set(data, name, "val"))
        click.echo(f"{name}: MAE {score.mae:.2f}, bias {score.bias:+.2f}")
    for name, pictures in empty_sets(data, load_set(data, "nobody", "val")).items():
        found = phantoms(counter, pictures)
        click.echo(
            f"{name}: median {found.median:.2f}, 20 and more in "
            f"{100 * found.share_of_many:.1f} %, most {found.most:.0f}"
        )


if __name__ == "__main__":
    main()
