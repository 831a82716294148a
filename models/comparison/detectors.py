"""Two detectors that a user might take in place of a head counter, with random weights.

Written anew from their published shapes, for speed alone: YOLOX-Nano (Ge et al. 2021, 0.91 M
parameters, 0.54 GMAC at 416x416) and YOLOv8n (Ultralytics 2023, 3.16 M, 4.37 GMAC at 640x640).
Both give for each of their anchor points what their own heads give for the 80 classes of COCO.
Turning that into boxes and removing double ones comes on top of what the benchmark measures.
"""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

CLASSES = 80
DISTANCES = 4 * 16  # YOLOv8's boxes: four sides, each a distribution over 16 distances
LEVELS = (64, 128, 256)  # channels at strides 8, 16 and 32, the same in both


def conv(inputs: int, outputs: int, size: int = 1, stride: int = 1, groups: int = 1) -> nn.Module:
    """A convolution (batch normalisation folded in) and SiLU."""
    plain = nn.Conv2d(inputs, outputs, size, stride, size // 2, groups=groups)
    return nn.Sequential(plain, nn.SiLU())


def separable(inputs: int, outputs: int, size: int = 3, stride: int = 1) -> nn.Module:
    """Depthwise, then pointwise."""
    return nn.Sequential(conv(inputs, inputs, size, stride, inputs), conv(inputs, outputs))


class Residual(nn.Module):
    """Adds what goes in to what comes out, where asked."""

    def __init__(self, body: nn.Module, add: bool) -> None:
        super().__init__()
        self.body, self.add = body, add

    def forward(self, x: Tensor) -> Tensor:
        """Same shape."""
        return x + self.body(x) if self.add else self.body(x)


class Pools(nn.Module):
    """Spatial pyramid pooling: the picture's surroundings beside each place."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.into, self.out = conv(channels, channels // 2), conv(2 * channels, channels)

    def forward(self, x: Tensor) -> Tensor:
        """Same shape. Three pools of 5 in a row see what pools of 5, 9 and 13 see."""
        parts = [self.into(x)]
        for _ in range(3):
            parts.append(F.max_pool2d(parts[-1], 5, 1, 2))
        return self.out(torch.cat(parts, 1))  # type: ignore[no-any-return]


class Csp(nn.Module):
    """YOLOX's cross-stage partial layer."""

    def __init__(self, inputs: int, outputs: int, depth: int = 1, add: bool = False) -> None:
        super().__init__()
        half = outputs // 2
        self.main, self.side = conv(inputs, half), conv(inputs, half)
        bodies = (nn.Sequential(conv(half, half), separable(half, half)) for _ in range(depth))
        self.blocks = nn.Sequential(*(Residual(body, add) for body in bodies))
        self.out = conv(outputs, outputs)

    def forward(self, x: Tensor) -> Tensor:
        """(N, inputs, H, W) to (N, outputs, H, W)."""
        return self.out(torch.cat((self.blocks(self.main(x)), self.side(x)), 1))  # type: ignore[no-any-return]


class C2f(nn.Module):
    """YOLOv8's cross-stage partial layer: every block's output is kept."""

    def __init__(self, inputs: int, outputs: int, depth: int = 1, add: bool = False) -> None:
        super().__init__()
        half = outputs // 2
        self.into = conv(inputs, outputs)
        bodies = (nn.Sequential(conv(half, half, 3), conv(half, half, 3)) for _ in range(depth))
        self.blocks = nn.ModuleList(Residual(body, add) for body in bodies)
        self.out = conv((2 + depth) * half, outputs)

    def forward(self, x: Tensor) -> Tensor:
        """(N, inputs, H, W) to (N, outputs, H, W)."""
        parts = list(self.into(x).chunk(2, 1))
        for block in self.blocks:
            parts.append(block(parts[-1]))
        return self.out(torch.cat(parts, 1))  # type: ignore[no-any-return]


class Neck(nn.Module):
    """Features of three strides mixed from coarse to fine, then back (PANet, Liu et al. 2018)."""

    def __init__(self, layer: type[Csp | C2f], down: Sequence[nn.Module], narrow: bool) -> None:
        super().__init__()
        fine, middle, coarse = LEVELS
        self.narrow_32 = conv(coarse, middle) if narrow else nn.Identity()
        self.narrow_16 = conv(middle, fine) if narrow else nn.Identity()
        from_32, from_16 = (middle, fine) if narrow else (coarse, middle)
        self.up_16, self.up_8 = layer(from_32 + middle, middle), layer(from_16 + fine, fine)
        self.down_16, self.down_32 = down
        self.mix_16 = layer(fine + from_16, middle)
        self.mix_32 = layer(middle + from_32, coarse)

    def forward(self, fine: Tensor, middle: Tensor, coarse: Tensor) -> list[Tensor]:
        """Same shapes."""
        at_32 = self.narrow_32(coarse)
        at_16 = self.narrow_16(self.up_16(torch.cat((_up(at_32), middle), 1)))
        fine = self.up_8(torch.cat((_up(at_16), fine), 1))
        middle = self.mix_16(torch.cat((self.down_16(fine), at_16), 1))
        coarse = self.mix_32(torch.cat((self.down_32(middle), at_32), 1))
        return [fine, middle, coarse]


class Branches(nn.Module):
    """The head of one level: a way for the boxes and a way for the classes."""

    def __init__(self, stem: nn.Module, ways: Sequence[nn.Module], last: Sequence[nn.Module]):
        super().__init__()
        self.stem, self.ways, self.last = stem, nn.ModuleList(ways), nn.ModuleList(last)

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) to (N, values per anchor point, H * W)."""
        x = self.stem(x)
        parts = [last(way(x)) for way, last in zip(self.ways, self.last, strict=True)]
        return torch.cat(parts, 1).flatten(2)


class Detector(nn.Module):
    """Trunk, neck and head together: (N, 3, H, W) to (N, values, anchor points, 1)."""

    def __init__(self, stages: Sequence[nn.Module], neck: Neck, heads: Sequence[Branches]) -> None:
        super().__init__()
        self.stages, self.neck, self.heads = nn.ModuleList(stages), neck, nn.ModuleList(heads)

    def forward(self, x: Tensor) -> Tensor:
        """What the head says of every anchor point, finest level first."""
        levels = []
        for stage in self.stages:
            x = stage(x)
            levels.append(x)
        mixed = self.neck(*levels[-3:])
        found = [head(level) for head, level in zip(self.heads, mixed, strict=True)]
        return torch.cat(found, 2).unsqueeze(3)


class Focus(nn.Module):
    """Every second pixel of every second row, four times, as channels."""

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) to (N, 4 C, H / 2, W / 2)."""
        rows = (x[..., ::2, :], x[..., 1::2, :])
        return torch.cat([row[..., start::2] for row in rows for start in (0, 1)], 1)


def yolox_nano() -> Detector:
    """Depth 0.33, width 0.25, depthwise."""
    fine, middle, coarse = LEVELS
    stages = (
        nn.Sequential(
            Focus(), conv(12, 16, 3), separable(16, 32, stride=2), Csp(32, 32, 1, add=True)
        ),
        nn.Sequential(separable(32, fine, stride=2), Csp(fine, fine, 3, add=True)),
        nn.Sequential(separable(fine, middle, stride=2), Csp(middle, middle, 3, add=True)),
        nn.Sequential(separable(middle, coarse, stride=2), Pools(coarse), Csp(coarse, coarse)),
    )
    down = (separable(fine, fine, stride=2), separable(middle, middle, stride=2))
    return Detector(stages, Neck(Csp, down, narrow=True), [_yolox_head(n) for n in LEVELS])


def _yolox_head(channels: int) -> Branches:
    ways = [nn.Sequential(separable(64, 64), separable(64, 64)) for _ in range(2)]
    return Branches(conv(channels, 64), ways, [nn.Conv2d(64, 5, 1), nn.Conv2d(64, CLASSES, 1)])


def yolov8n() -> Detector:
    """Depth 0.33, width 0.25."""
    fine, middle, coarse = LEVELS
    stages = (
        nn.Sequential(conv(3, 16, 3, 2), conv(16, 32, 3, 2), C2f(32, 32, 1, add=True)),
        nn.Sequential(conv(32, fine, 3, 2), C2f(fine, fine, 2, add=True)),
        nn.Sequential(conv(fine, middle, 3, 2), C2f(middle, middle, 2, add=True)),
        nn.Sequential(conv(middle, coarse, 3, 2), C2f(coarse, coarse, 1, add=True), Pools(coarse)),
    )
    down = (conv(fine, fine, 3, 2), conv(middle, middle, 3, 2))
    return Detector(stages, Neck(C2f, down, narrow=False), [_yolov8_head(n) for n in LEVELS])


def _yolov8_head(channels: int) -> Branches:
    widths = (64, CLASSES)
    ways = [nn.Sequential(conv(channels, wide, 3), conv(wide, wide, 3)) for wide in widths]
    last = [nn.Conv2d(64, DISTANCES, 1), nn.Conv2d(CLASSES, CLASSES, 1)]
    return Branches(nn.Identity(), ways, last)


def _up(x: Tensor) -> Tensor:
    return F.interpolate(x, scale_factor=2.0, mode="nearest")
