"""What a network costs: parameters and multiply-accumulates, of a file or of published layers."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

CONVOLUTIONS = {"CONV_2D", "DEPTHWISE_CONV_2D"}


@dataclass(frozen=True)
class Cost:
    """Weights and biases, and multiply-accumulates of one picture."""

    parameters: int
    mac: int

    @property
    def gmac(self) -> float:
        """Thousands of millions of multiply-accumulates."""
        return self.mac / 1e9


def cost_of_file(content: bytes) -> Cost:
    """The cost of a `.tflite` file's convolutions, which is all but a few parts in a hundred."""
    from ai_edge_litert.interpreter import Interpreter, OpResolverType

    interpreter = Interpreter(
        model_content=content,
        experimental_op_resolver_type=OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES,
    )
    shapes = {
        tensor["index"]: tuple(map(int, tensor["shape"]))
        for tensor in interpreter.get_tensor_details()
    }
    parameters, mac = 0, 0
    for op in interpreter._get_ops_details():
        if op["op_name"] in CONVOLUTIONS:
            _, weight, *biases = (shapes[index] for index in op["inputs"])
            output = shapes[op["outputs"][0]]
            parameters += int(np.prod(weight)) + sum(int(np.prod(bias)) for bias in biases)
            mac += int(np.prod(output)) * _per_output(op["op_name"], weight)
    return Cost(parameters, mac)


def _per_output(kind: str, weight: Sequence[int]) -> int:
    """Multiply-accumulates for one value of the output."""
    if kind == "DEPTHWISE_CONV_2D":  # weight (1, kernel, kernel, channels)
        return int(np.prod(weight[1:3]))
    return int(np.prod(weight[1:]))  # weight (outputs, kernel, kernel, inputs)


@dataclass(frozen=True)
class Conv:
    """A plain convolution that keeps its input's size."""

    outputs: int
    size: int = 3


@dataclass(frozen=True)
class Scale:
    """The picture becomes this many times as wide and high: 0.5 pools, 2 enlarges."""

    factor: float


Layers = Sequence[Conv | Scale]


def cost_of_layers(layers: Layers, size: tuple[int, int], inputs: int = 3) -> Cost:
    """The cost of a chain of layers for a picture of (width, height) px."""
    width, height = size
    parameters, mac = 0, 0
    for layer in layers:
        if isinstance(layer, Scale):
            width, height = int(width * layer.factor), int(height * layer.factor)
            continue
        weights = layer.size**2 * inputs * layer.outputs
        parameters += weights + layer.outputs
        mac += weights * width * height
        inputs = layer.outputs
    return Cost(parameters, mac)
