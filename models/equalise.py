"""Gives the channels of each linear bottleneck like ranges, so that int8 serves each of them.

All channels of a tensor share one int8 scale, and a bottleneck's channels differ tenfold. What a
channel is divided by, the convolutions that read it are multiplied by: nothing lies between but
additions, so that the network counts as before (cross-layer equalisation, Nagel et al. 2019,
arXiv:1906.04721, with ranges of activations instead of weights).
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from models.network import Conv, HeadCounter, InvertedResidual

STRENGTH = 0.5  # of 1, which would make ranges equal and leave int8's error to the weights alone


@dataclass(frozen=True)
class _Stream:
    """Blocks whose outputs are added up, and so share channels, and what reads them."""

    blocks: tuple[InvertedResidual, ...]
    readers: tuple[Conv, ...]


@torch.no_grad()
def equalise(model: HeadCounter, pictures: Iterable[Tensor]) -> None:
    """Rescale in place, by ranges that pictures (1, 3, H, W) cause."""
    streams = list(_streams(model))
    ranges = _ranges(model, streams, pictures)
    for stream, most in zip(streams, ranges, strict=True):
        by = (most / most.log().mean().exp()) ** STRENGTH
        for block in stream.blocks:
            block.project.weight /= by[:, None, None, None]
            block.project.bias /= by  # type: ignore[operator]
        for reader in stream.readers:
            reader.weight *= by[None, :, None, None]


def _streams(model: HeadCounter) -> Iterator[_Stream]:
    blocks: list[InvertedResidual] = list(model.blocks)  # type: ignore[arg-type]
    firsts = [n for n, block in enumerate(blocks) if not block.residual]
    for first, after in zip(firsts, [*firsts[1:], len(blocks)], strict=True):
        readers = [block.expand for block in blocks[first + 1 : after + 1]]
        last = [model.from_32] if after == len(blocks) else []
        yield _Stream(tuple(blocks[first:after]), (*readers, *last))  # type: ignore[arg-type]


def _ranges(model: HeadCounter, streams: list[_Stream], pictures: Iterable[Tensor]) -> list[Tensor]:
    """The largest magnitude of each channel of each stream."""
    most = [torch.full((stream.blocks[0].project.out_channels,), 1e-3) for stream in streams]

    def note(index: int, output: Tensor) -> None:
        most[index] = torch.maximum(most[index], output.abs().amax(dim=(0, 2, 3)))

    hooks = [
        block.register_forward_hook(lambda _m, _x, y, index=index: note(index, y[0]))
        for index, stream in enumerate(streams)
        for block in stream.blocks
    ]
    for picture in pictures:
        model(picture)
    for hook in hooks:
        hook.remove()
    return most
