"""What training minimises: heads per square at several scales, and what the count errs by.

Each part is least where the count's mean is right, which not every usual loss is: see
EXPERIMENTS.md. Absolute errors want the median, which is too few where heads are doubtful, so they
are taken of the whole crop alone, where mean and median agree.
"""

import torch
import torch.nn.functional as F
from torch import Tensor

from models.network import counts

# The side of a square in blocks, and the weight of its deviance.
SQUARES = ((1, 0.5), (2, 0.5), (4, 1.0), (8, 1.0), (32, 1.0))
TOTAL_WEIGHT = 0.1
VARIANCE_WEIGHT, VARIANCE_SQUARE = 0.1, 4
# Heads; keeps logarithms finite. Far below what an empty block may say: at 1e-3, the twelve
# thousand blocks of a 1024x768 picture made up twenty heads.
LEAST = 1e-8
LEAST_VARIANCE = 1e-3
FEW_HEADS = 4
PHANTOMS = 4  # times as many counted as there are


def loss(logits: Tensor, heads: Tensor) -> Tensor:
    """Logits (N, 2, H, W) against heads per block (N, H, W).

    A crop's part grows with the root of its heads: otherwise streets that were made small, and so
    full, would outweigh those at their own size. Where far more are counted than there are, it
    grows with the root of those: a leopard's thousand heads would drown a batch of streets.
    """
    expected, variance = counts(logits)
    value = TOTAL_WEIGHT * (expected - heads).sum(dim=(1, 2)).abs()
    for side, weight in SQUARES:
        value = value + weight * _deviance(_sums(expected, side), _sums(heads, side))
    value = value + VARIANCE_WEIGHT * _surprise(expected.detach(), variance, heads)
    counted = expected.detach().sum(dim=(1, 2)) / PHANTOMS
    size = torch.maximum(heads.sum(dim=(1, 2)), counted)
    return (value / torch.sqrt(size + FEW_HEADS)).mean()


def _sums(blocks: Tensor, side: int) -> Tensor:
    return F.avg_pool2d(blocks[:, None], side) * side**2


def _deviance(found: Tensor, truth: Tensor) -> Tensor:
    """Half the Poisson deviance of each crop, (N,)."""
    found = found + LEAST
    least = torch.xlogy(truth, truth) - truth
    return (least - truth * torch.log(found) + found).sum(dim=(1, 2, 3))


def _surprise(expected: Tensor, variance: Tensor, heads: Tensor) -> Tensor:
    """Negative log likelihood of the errors, as normal ones of this variance, (N,).

    In squares of several blocks, so that a head found beside its block is no error.
    """
    spread = _sums(variance, VARIANCE_SQUARE) + LEAST_VARIANCE
    error = _sums(expected - heads, VARIANCE_SQUARE)
    return 0.5 * (torch.log(spread) + error**2 / spread).sum(dim=(1, 2, 3))
