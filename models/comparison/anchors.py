"""Published counters that ours are drawn beside: accuracy from the papers, cost computed here.

Every error is that of the ShanghaiTech part B *test* pictures (316 of 1024x768 px), in float, whole
pictures. Our street val pictures are 40 of the same part's *training* pictures: alike, but not the
same, so that the drawing shows where a model stands and not which of two near ones is better.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from models.comparison.cost import Conv, Cost, Layers, Scale, cost_of_layers

PART_B = (1024, 768)  # width, height of the pictures, px
POOL = Scale(0.5)


@dataclass(frozen=True)
class Anchor:
    """A published counter: its mean absolute error in heads, and its cost on such a picture."""

    name: str
    mae: float
    rmse: float
    gmac: float
    source: str
    cost_source: str


def _vgg(*blocks: tuple[int, int]) -> list[Conv | Scale]:
    """Blocks of (convolutions, channels), pooled between."""
    layers: list[Conv | Scale] = []
    for depth, channels in blocks:
        layers += [POOL, *([Conv(channels)] * depth)]
    return layers[1:]


CSRNET = (
    *_vgg((2, 64), (2, 128), (3, 256), (3, 512)),  # VGG16 to stride 8
    *[Conv(width) for width in (512, 512, 512, 256, 128, 64)],  # dilated
    Conv(1, 1),
)
DM_COUNT = (
    *_vgg((2, 64), (2, 128), (4, 256), (4, 512), (4, 512)),  # VGG19 to stride 16
    Scale(2),
    Conv(256),
    Conv(128),
    Conv(1, 1),
)
MCNN_COLUMNS = tuple(
    (Conv(n, first), POOL, Conv(2 * n, later), POOL, Conv(n, later), Conv(n // 2, later))
    for n, first, later in ((16, 9, 7), (20, 7, 5), (24, 5, 3))
)
MCNN_MERGED = (POOL, POOL, Conv(1, 1))  # the columns' 8 + 10 + 12 channels become a density


def _sum(costs: Sequence[Cost]) -> Cost:
    return Cost(sum(c.parameters for c in costs), sum(c.mac for c in costs))


def mcnn_cost(size: tuple[int, int]) -> Cost:
    """Three columns and what merges them."""
    columns = [cost_of_layers(column, size) for column in MCNN_COLUMNS]
    return _sum([*columns, cost_of_layers(MCNN_MERGED, size, inputs=8 + 10 + 12)])


def gmac_of(layers: Layers) -> float:
    """GMAC on a part B picture."""
    return cost_of_layers(layers, PART_B).gmac


def by_area(gmac: float, size: tuple[int, int]) -> float:
    """GMAC on a part B picture of a network that takes `gmac` on one of (width, height) px."""
    return gmac * PART_B[0] * PART_B[1] / (size[0] * size[1])


LAYERS = "computed from the paper's layers"
ANCHORS = (
    Anchor("MCNN", 26.4, 41.3, mcnn_cost(PART_B).gmac, "Zhang et al., CVPR 2016", LAYERS),
    Anchor("CSRNet", 10.6, 16.0, gmac_of(CSRNET), "Li et al., CVPR 2018", LAYERS),
    Anchor("DM-Count", 7.4, 11.8, gmac_of(DM_COUNT), "Wang et al., NeurIPS 2020", LAYERS),
    Anchor(
        "ZIP-P", 8.2, 12.6, by_area(0.36, (640, 360)), "Ma et al. 2025 (EBC-ZIP)",
        "0.36 GMAC at 640x360, by area",
    ),
)  # fmt: skip
# Their errors are known, their costs not, and no few layers tell: (name, MAE).
WITHOUT_COST = (
    ("APGCC", 5.6), ("STEERER", 5.8), ("CLIP-EBC", 6.3), ("ZIP-N", 7.7), ("SANet", 8.4),
    ("MobileCount", 9.0),
)  # fmt: skip
