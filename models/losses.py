"""What training minimises: is anybody here, how many if so, and sums at several scales.

Each part is least where the count's mean is right, which not every usual loss is: see
EXPERIMENTS.md. Absolute errors want the median, which is too few where heads are doubtful.
"""

import torch
import torch.nn.functional as F
from torch import Tensor

from models.network import BINS, counts

SCALES = (4, 16)
BINS_WEIGHT, SUMS_WEIGHT = 0.2, 0.5
LEAST = 1e-3  # heads; keeps logarithms finite


def loss(logits: Tensor, heads: Tensor) -> Tensor:
    """Logits (N, 1 + bins, H, W) against heads per cell (N, H, W)."""
    _, mean, expected = counts(logits)
    gate = F.binary_cross_entropy_with_logits(logits[:, 0], (heads > 0).float())
    return (
        gate
        + _occupied(mean - heads * torch.log(mean), heads)
        + BINS_WEIGHT * _occupied(_bins(logits, heads), heads)
        + SUMS_WEIGHT * _sums(expected, heads)
    )


def _occupied(losses: Tensor, heads: Tensor) -> Tensor:
    """The sum over cells where anybody is, by the number of all cells."""
    return losses[heads > 0].sum() / heads.numel()


def _bins(logits: Tensor, heads: Tensor) -> Tensor:
    """Cross-entropy with the nearest bin."""
    nearest = (heads[..., None] - torch.tensor(BINS)).abs().argmin(dim=-1)
    return F.cross_entropy(logits[:, 1:], nearest, reduction="none")


def _sums(expected: Tensor, heads: Tensor) -> Tensor:
    """Poisson deviance of the sum over squares of cells, by the square's side."""
    total = expected.new_zeros(())
    for size in SCALES:
        found = F.avg_pool2d(expected[:, None], size) * size**2 + LEAST
        truth = F.avg_pool2d(heads[:, None], size) * size**2 + LEAST
        deviance = truth * torch.log(truth / found) - truth + found
        total = total + deviance.mean() / size
    return total
