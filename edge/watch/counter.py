"""The head counter: a picture in, heads per cell with their variance out.

The picture is scaled to fit the model's input, kept in shape, and laid at the top left on grey.
The network gives two int8 logits for each block of 8x8 px: softplus of the first is the expected
number of heads, softplus of the second the variance per expected head. That and all sums are done
in float; cells are squares of blocks.
"""

from dataclasses import dataclass

import numpy as np
from msgspec.structs import replace
from numpy.typing import NDArray
from PIL import Image

from edge.common.errors import ModelError
from edge.common.sighting import HeadMap
from edge.site.ground.region import Box
from edge.watch.manifest import Manifest, ModelEntry
from edge.watch.runtime import RuntimeName, make_interpreter

GREY = 128
LOGITS = 2  # of each block


@dataclass(frozen=True)
class Quantization:
    """real = scale * (q - zero)."""

    scale: float
    zero: int


class Counter:
    """One model, loaded and ready."""

    def __init__(
        self, manifest: Manifest, entry: ModelEntry, runtime: RuntimeName, threads: int
    ) -> None:
        self.entry = entry
        self._interpreter = make_interpreter(runtime, manifest.content(entry), threads)
        self._check_form()
        self._table = _pixel_table(self._input)
        width, height = entry.input
        self._canvas = np.full((height, width, 3), GREY, np.uint8)
        self._softplus = _softplus_table(self._output)

    def count(
        self, pixels: NDArray[np.uint8], box: Box | None = None, scale: float = 1.0
    ) -> HeadMap:
        """Return the heads in a picture of shape (height, width, 3), RGB, or in a part of it.

        With a `scale` below 1 it is made so much smaller than what would fill the model's input.
        """
        height, width, _ = pixels.shape
        if box is None:
            return self._count(pixels, scale)
        cut = pixels[box.top : box.bottom, box.left : box.right]
        part = self._count(np.ascontiguousarray(cut), scale)  # or Pillow takes thrice as long
        return replace(part, width=width, height=height, left=float(box.left), top=float(box.top))

    def _count(self, pixels: NDArray[np.uint8], scale: float) -> HeadMap:
        height, width, _ = pixels.shape
        ratio = self._lay(pixels, scale)
        self._interpreter.set_tensor(self._input_index, self._table[self._canvas][np.newaxis])
        self._interpreter.invoke()
        raw = self._interpreter.get_tensor(self._output_index)[0]
        cell = self.entry.cell / ratio
        rows, columns = (
            min(self.entry.input[1] // self.entry.cell, _cells(height, cell)),
            min(self.entry.input[0] // self.entry.cell, _cells(width, cell)),
        )
        side = self.entry.cell // self.entry.block
        count, variance = self._finish(raw[: rows * side, : columns * side], side)
        entry = self.entry
        return HeadMap(count, variance, cell, width, height, entry.interval, entry.relative)

    def _lay(self, pixels: NDArray[np.uint8], scale: float) -> float:
        """Put the picture on the canvas; the ratio of canvas px to picture px."""
        wide, high = self.entry.input
        height, width, _ = pixels.shape
        ratio = scale * min(wide / width, high / height)
        size = (max(1, round(width * ratio)), max(1, round(height * ratio)))
        if size != (width, height):
            scaled = Image.fromarray(pixels).resize(size, Image.Resampling.BILINEAR)
            pixels = np.asarray(scaled)
        self._canvas[size[1] :] = GREY
        self._canvas[: size[1], size[0] :] = GREY
        self._canvas[: size[1], : size[0]] = pixels
        return ratio

    def _finish(
        self, raw: NDArray[np.int8], side: int
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Heads and variance of each cell from int8 logits (rows, columns, 2) of its blocks."""
        heads, dispersion = np.moveaxis(self._softplus[raw.view(np.uint8)], -1, 0)
        scale = np.float32(self.entry.scale)
        return scale * _sums(heads, side), scale * scale * _sums(heads * dispersion, side)

    def _check_form(self) -> None:
        """Refuse a file that is a TFLite model, but not one of ours."""
        inputs = self._interpreter.get_input_details()
        outputs = self._interpreter.get_output_details()
        wide, high = self.entry.input
        block = self.entry.block
        expected_in = [1, high, wide, 3]
        expected_out = [1, high // block, wide // block, LOGITS]
        for name, tensors, shape in (
            ("input", inputs, expected_in),
            ("output", outputs, expected_out),
        ):
            found = [(list(map(int, t["shape"])), np.dtype(t["dtype"]).name) for t in tensors]
            if found != [(shape, "int8")]:
                raise ModelError(
                    f"model {self.entry.file}: {name} is {found}, must be one int8 tensor of shape "
                    f"{shape}; it is not a head counter of ours: reinstall redroad"
                )
        self._input_index, self._output_index = inputs[0]["index"], outputs[0]["index"]
        self._input = Quantization(*inputs[0]["quantization"])
        self._output = Quantization(*outputs[0]["quantization"])


def _pixel_table(to: Quantization) -> NDArray[np.int8]:
    """Return the int8 value of each pixel value 0..255, whose real value is pixel / 127.5 - 1."""
    real = np.arange(256) / 127.5 - 1
    table: NDArray[np.int8] = np.clip(np.rint(real / to.scale + to.zero), -128, 127).astype(np.int8)
    return table


def _softplus_table(of: Quantization) -> NDArray[np.float32]:
    """ln(1 + exp(real value)) of each int8 value, by the byte that holds it."""
    values = np.arange(256, dtype=np.uint8).view(np.int8).astype(np.float64)
    return np.logaddexp(0, (values - of.zero) * of.scale).astype(np.float32)


def _sums(blocks: NDArray[np.float32], side: int) -> NDArray[np.float32]:
    """Sums over squares of `side` x `side` blocks."""
    rows, columns = blocks.shape
    squares = blocks.reshape(rows // side, side, columns // side, side)
    total: NDArray[np.float32] = squares.sum(axis=(1, 3))
    return total


def _cells(length: int, cell: float) -> int:
    return int(np.ceil(length / cell - 1e-6))
