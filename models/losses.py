"""What training minimises: zero-inflated Poisson likelihood, bins, and sums at several scales."""

import torch
import torch.nn.functional as F
from torch import Tensor

from models.network import BINS, counts

SCALES = (1, 2, 4, 16)


def loss(logits: Tensor, heads: Tensor) -> Tensor:
    """Logits (N, 1 + bins, H, W) against heads per cell (N, H, W)."""
    some, mean, expected = counts(logits)
    cells = _likelihood(logits, some, mean, heads) + 0.3 * _bins(logits, heads)
    return cells + _sums(expected, heads)


def _likelihood(logits: Tensor, some: Tensor, mean: Tensor, heads: Tensor) -> Tensor:
    """Negative log-likelihood of the zero-inflated Poisson (Lambert 1992), mean over cells."""
    empty = -torch.log(1 - some + some * torch.exp(-mean) + 1e-6)
    full = F.softplus(-logits[:, 0]) + mean - heads * torch.log(mean)
    return torch.where(heads > 0, full, empty).mean()


def _bins(logits: Tensor, heads: Tensor) -> Tensor:
    """Cross-entropy with the nearest bin, where anybody is."""
    bins = torch.tensor(BINS)
    nearest = (heads[..., None] - bins).abs().argmin(dim=-1)
    losses = F.cross_entropy(logits[:, 1:], nearest, reduction="none")
    return losses[heads > 0].sum() / heads.numel()


def _sums(expected: Tensor, heads: Tensor) -> Tensor:
    """Absolute error of the sum over squares of cells, weighed like a Poisson count's spread."""
    total = expected.new_zeros(())
    for size in SCALES:
        found = F.avg_pool2d(expected[:, None], size) * size**2
        truth = F.avg_pool2d(heads[:, None], size) * size**2
        total = total + ((found - truth).abs() / (truth + size).sqrt()).mean() / size
    return total
