"""The TFLite interpreter: LiteRT, or tflite-runtime where the site file says so."""

from typing import Literal, Protocol, TypedDict

import numpy as np
from numpy.typing import NDArray

from edge.common.errors import ModelError

RuntimeName = Literal["litert", "tflite-runtime"]
REMEDIES: dict[RuntimeName, str] = {
    "litert": "install ai-edge-litert, or set it to 'tflite-runtime'",
    "tflite-runtime": "install redroad-edge's extra [tflite] (Python 3.11), or set it to 'litert'",
}


class TensorDetails(TypedDict):
    """What the interpreter reports of a tensor, as far as it is used here."""

    index: int
    shape: NDArray[np.int32]
    dtype: type
    quantization: tuple[float, int]  # scale, zero point


class Interpreter(Protocol):
    """The part of TFLite's Python interface that both packages share and we use."""

    def allocate_tensors(self) -> None:
        """Reserve memory for all tensors."""

    def get_input_details(self) -> list[TensorDetails]:
        """Describe the inputs."""

    def get_output_details(self) -> list[TensorDetails]:
        """Describe the outputs."""

    def set_tensor(self, index: int, value: NDArray[np.int8]) -> None:
        """Give an input."""

    def invoke(self) -> None:
        """Run the network."""

    def get_tensor(self, index: int) -> NDArray[np.int8]:
        """Take an output."""


def make_interpreter(runtime: RuntimeName, content: bytes, threads: int) -> Interpreter:
    """An interpreter with the model in `content`; ModelError when it cannot be had."""
    try:
        if runtime == "litert":
            from ai_edge_litert.interpreter import Interpreter as Implementation  # noqa: PLC0415
        else:
            from tflite_runtime.interpreter import Interpreter as Implementation  # noqa: PLC0415
    except ImportError as error:
        raise ModelError(
            f"option counter.runtime = {runtime!r}: not installed ({error}); {REMEDIES[runtime]}"
        ) from error
    try:
        interpreter: Interpreter = Implementation(model_content=content, num_threads=threads)
        interpreter.allocate_tensors()
    except (ValueError, RuntimeError, SystemError) as error:
        raise ModelError(
            f"the model file is not one that {runtime} understands: {error}; reinstall redroad"
        ) from error
    return interpreter
