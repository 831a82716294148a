"""The network: a MobileNetV2 0.5 trunk to stride 32, summed back up to blocks of 8 px.

For each block it gives two logits: softplus of the first is the expected number of heads, softplus
of the second the variance per expected head. Both are taken outside the network, in float.

Activations are bounded (ReLU6) but for the linear bottlenecks, so that quantisation costs little.
Strided convolutions pad right and below, as TensorFlow's SAME does, and fold into the convolution
when converted.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

BLOCK = 8
CELL = 16  # of the head map, into which the appliance adds blocks up
CHANNELS = 2
RARE = -4.0  # the first logit's bias at the start: few blocks hold a head
DECODER = 96
REFINED = 2  # times that the sums at stride 8 are gone over once more


@dataclass(frozen=True)
class Block:
    """One inverted residual of the trunk."""

    channels: int
    stride: int = 1
    expand: int = 6


# MobileNetV2 at width 0.5 (Sandler et al. 2018, table 2).
TRUNK = (
    Block(8, expand=1),
    Block(12, 2),
    Block(12),
    Block(16, 2),
    Block(16),
    Block(16),
    Block(32, 2),
    Block(32),
    Block(32),
    Block(32),
    Block(48),
    Block(48),
    Block(48),
    Block(80, 2),
    Block(80),
    Block(80),
    Block(160),
)
# The blocks whose expansions are the features at strides 4, 8 and 16.
SKIP_4, SKIP_8, SKIP_16 = 3, 6, 13


class Conv(nn.Conv2d):
    """A convolution with its activation; SAME padding as TensorFlow's."""

    def __init__(
        self, inputs: int, outputs: int, size: int = 1, stride: int = 1, *, depthwise: bool = False,
        relu: bool = True,
    ) -> None:  # fmt: skip
        padding = size // 2 if stride == 1 else 0
        groups = inputs if depthwise else 1
        super().__init__(inputs, outputs, size, stride, padding, groups=groups)
        self.relu = relu
        nn.init.kaiming_normal_(self.weight, mode="fan_out" if not depthwise else "fan_in")
        nn.init.zeros_(self.bias)  # type: ignore[arg-type]

    def forward(self, x: Tensor) -> Tensor:
        """(N, inputs, H, W) to (N, outputs, H / stride, W / stride)."""
        if self.training and self.groups > 1 and self.stride[0] == 2:
            weight, bias = self.weight.to(x.dtype), self.bias.to(x.dtype)  # type: ignore[union-attr]
            y = StridedDepthwise.apply(x, weight) + bias[:, None, None]
        else:
            if self.stride[0] == 2:
                x = F.pad(x, (0, 1, 0, 1))
            y = F.conv2d(x, self.weight, self.bias, self.stride, self.padding, 1, self.groups)
        return F.relu6(y) if self.relu else y


class StridedDepthwise(torch.autograd.Function):
    """A 3x3 depthwise convolution of stride 2, with the gradient of the one of stride 1.

    On CPUs the gradient of the strided one takes three times as long, more than half of a step.
    """

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor) -> Tensor:  # type: ignore[override]
        """(N, C, H, W) to (N, C, H / 2, W / 2), padded right and below."""
        ctx.save_for_backward(x, weight)
        return F.conv2d(F.pad(x, (0, 1, 0, 1)), weight, None, 2, 0, 1, x.shape[1])

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, Tensor]:  # type: ignore[override]
        """Output (i, j) of stride 2 is output (2i + 1, 2j + 1) of stride 1."""
        x, weight = ctx.saved_tensors
        spread = torch.zeros_like(x)
        spread[:, :, 1::2, 1::2] = gradient
        ones, both = [1, 1], [ctx.needs_input_grad[0], ctx.needs_input_grad[1], False]
        of_x, of_weight, _ = torch.ops.aten.convolution_backward(
            spread, x, weight, None, ones, ones, ones, False, [0, 0], x.shape[1], both
        )
        return of_x, of_weight


class InvertedResidual(nn.Module):
    """Expand, filter, project; gives the expansion too, which serves as a skip."""

    def __init__(self, inputs: int, block: Block) -> None:
        super().__init__()
        wide = inputs * block.expand
        self.expand = Conv(inputs, wide) if block.expand > 1 else nn.Identity()
        self.filter = Conv(wide, wide, 3, block.stride, depthwise=True)
        self.project = Conv(wide, block.channels, relu=False)
        self.residual = block.stride == 1 and inputs == block.channels

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """The block's output and its expansion."""
        wide = self.expand(x)
        y = self.project(self.filter(wide))
        return (x + y if self.residual else y), wide


class Separable(nn.Module):
    """A depthwise and a pointwise convolution."""

    def __init__(self, channels: int, stride: int = 1) -> None:
        super().__init__()
        self.filter = Conv(channels, channels, 3, stride, depthwise=True)
        self.mix = Conv(channels, channels)

    def forward(self, x: Tensor) -> Tensor:
        """Same channels, smaller by `stride`."""
        return self.mix(self.filter(x))  # type: ignore[no-any-return]


class HeadCounter(nn.Module):
    """(N, 3, H, W) from -1 to 1 gives logits (N, 2, H / 8, W / 8); H, W divide by 32."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = Conv(3, 16, 3, 2)
        inputs = 16
        blocks = []
        for block in TRUNK:
            blocks.append(InvertedResidual(inputs, block))
            inputs = block.channels
        self.blocks = nn.ModuleList(blocks)
        self.from_32 = Conv(160, DECODER)
        self.from_16 = Conv(48 * 6, DECODER)
        self.from_8 = Conv(16 * 6, DECODER)
        self.from_4 = nn.Sequential(
            Conv(12 * 6, 12 * 6, 3, 2, depthwise=True), Conv(12 * 6, DECODER)
        )
        self.at_16 = Separable(DECODER)
        self.at_8 = nn.Sequential(Separable(DECODER), Separable(DECODER))
        self.refine = nn.ModuleList(_refinement() for _ in range(REFINED))
        self.head = Conv(DECODER, CHANNELS, relu=False)
        nn.init.normal_(self.head.weight, std=0.01)
        with torch.no_grad():
            self.head.bias.copy_(torch.tensor([RARE, 0.0]))  # type: ignore[union-attr]

    def forward(self, x: Tensor) -> Tensor:
        """Logits of heads and of their variance for each block."""
        x = self.stem(x)
        skips = {}
        for index, block in enumerate(self.blocks):
            x, wide = block(x)
            if index in (SKIP_4, SKIP_8, SKIP_16):
                skips[index] = wide
        x = _up(self.from_32(x)) + self.from_16(skips[SKIP_16])
        fine = self.from_8(skips[SKIP_8]) + self.from_4(skips[SKIP_4])
        x = self.at_8(_up(self.at_16(x)) + fine)
        for block in self.refine:
            x, _ = block(x)
        return self.head(x)  # type: ignore[no-any-return]

    def load_narrower(self, state: Mapping[str, Tensor]) -> None:
        """Take weights, of a network with fewer channels or parts too, and count as it does.

        Channels that are new start at random, and what was there before takes nothing from them.
        """
        grown = self.state_dict()
        for name, old in state.items():
            new = grown[name]
            if new.ndim > 1:
                new[: old.shape[0], old.shape[1] :] = 0.0
            new[tuple(slice(0, length) for length in old.shape)] = old
        self.load_state_dict(grown)

    def freeze(self, parts: int) -> None:
        """Keep the first parts of the trunk, the stem among them, as they are."""
        for part in (self.stem, *self.blocks)[:parts]:
            part.requires_grad_(False)

    def trunk_parameters(self) -> list[nn.Parameter]:
        """What comes pretrained."""
        return [*self.stem.parameters(), *self.blocks.parameters()]

    def load_trunk(self, path: Path) -> None:
        """Take the trunk from a quantised DeepLab MobileNetV2 0.5 file, in the order of its ops."""
        trunk = (self.stem, *self.blocks)
        convolutions = [c for part in trunk for c in part.modules() if isinstance(c, Conv)]
        for module, (weight, bias) in zip(convolutions, _constants(path), strict=False):
            shape = module.weight.shape
            order = (3, 0, 1, 2) if module.groups > 1 else (0, 3, 1, 2)
            taken = torch.from_numpy(weight.transpose(order).copy())
            if taken.shape != shape:
                raise ValueError(f"{path}: weight is {tuple(taken.shape)}, must be {tuple(shape)}")
            module.weight.data.copy_(taken)
            assert module.bias is not None
            module.bias.data.copy_(torch.from_numpy(bias))


def _refinement() -> InvertedResidual:
    """A residual block that changes nothing at first, so that a trained network can be given it."""
    block = InvertedResidual(DECODER, Block(DECODER, expand=1))
    nn.init.zeros_(block.project.weight)
    return block


def _up(x: Tensor) -> Tensor:
    return F.interpolate(x, scale_factor=2.0, mode="bilinear", align_corners=False)


def _constants(path: Path) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Weights and biases of a TFLite file's convolutions, dequantised, in order."""
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(str(path))
    interpreter.allocate_tensors()
    details = {tensor["index"]: tensor for tensor in interpreter.get_tensor_details()}
    for op in interpreter._get_ops_details():
        if op["op_name"] in {"CONV_2D", "DEPTHWISE_CONV_2D"}:
            _, weight, bias = op["inputs"]
            yield _real(interpreter, details[weight]), _real(interpreter, details[bias])


def _real(interpreter: object, tensor: dict[str, object]) -> np.ndarray:
    scale, zero = tensor["quantization"]  # type: ignore[misc]
    raw = interpreter.get_tensor(tensor["index"])  # type: ignore[attr-defined]
    return ((raw.astype(np.float32) - zero) * scale).astype(np.float32)  # type: ignore[no-any-return]


def counts(logits: Tensor) -> tuple[Tensor, Tensor]:
    """Expected heads per block and their variance, each (N, H, W)."""
    heads = F.softplus(logits[:, 0])
    return heads, heads * F.softplus(logits[:, 1])


def gmac(input_size: Sequence[int]) -> float:
    """Multiply-accumulates of one picture (width, height), in thousands of millions."""
    total = 0
    model = HeadCounter().eval()

    def note(module: nn.Module, _inputs: object, output: Tensor) -> None:
        nonlocal total
        assert isinstance(module, Conv)
        per_output = module.weight[0].numel()
        total += per_output * output.numel()

    for module in model.modules():
        if isinstance(module, Conv):
            module.register_forward_hook(note)
    width, height = input_size
    with torch.no_grad():
        model(torch.zeros(1, 3, height, width))
    return total / 1e9
