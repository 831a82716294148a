"""The network in float, counting like the appliance's counter: what int8 is compared with."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from edge.common.sighting import HeadMap
from edge.watch.manifest import ModelEntry
from models.crops import as_input
from models.network import BLOCK, CELL, HeadCounter, counts
from models.pictures import letterbox

WEIGHTS = Path(__file__).parent / "street.pt"


def load_weights(path: Path = WEIGHTS) -> HeadCounter:
    """A network ready to compute, from weights that are kept or a run's checkpoint's average."""
    state = torch.load(path, weights_only=True, map_location="cpu")
    model = HeadCounter()
    model.load_state_dict(state.get("average", state))
    return model.eval()


class FloatCounter:
    """One input size (width, height) of a network."""

    def __init__(self, model: HeadCounter, size: Sequence[int], scale: float = 1.0) -> None:
        self._model = model.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self._size, self._scale = size, scale

    @torch.no_grad()
    def count(self, pixels: NDArray[np.uint8]) -> HeadMap:
        """The heads in a picture of shape (height, width, 3), RGB; no interval is known."""
        canvas, ratio = letterbox(pixels, self._size)
        height, width, _ = pixels.shape
        logits = self._model(as_input(torch.from_numpy(canvas)[None]))
        cells = [_cells(part, height, width, ratio) for part in counts(logits)]
        heads, variance = self._scale * cells[0], self._scale**2 * cells[1]
        return HeadMap(heads, variance, CELL / ratio, width, height, 0.0)


def twin_of(entry: ModelEntry, network: HeadCounter) -> FloatCounter | None:
    """The network in float that a file was made of, with a scale of its own.

    None for a file that was fitted to a site: its weights in float are not kept.
    """
    scale = entry.scores.get("float_scale")
    return None if scale is None else FloatCounter(network, entry.input, scale)


def _cells(blocks: torch.Tensor, height: int, width: int, ratio: float) -> NDArray[np.float32]:
    """Sums of (1, H / 8, W / 8) over cells, as far as the picture reaches."""
    side = CELL // BLOCK
    sums = torch.nn.functional.avg_pool2d(blocks[:, None], side)[0, 0] * side**2
    rows, columns = (int(np.ceil(n * ratio / CELL - 1e-6)) for n in (height, width))
    return sums[:rows, :columns].numpy()
