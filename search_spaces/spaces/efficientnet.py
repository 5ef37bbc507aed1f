"""The Accel-NASBench space: seven EfficientNet-B0-style stages, 36 choices each.

Per stage: expansion {1, 4, 6}, kernel {3, 5}, layers {1, 2, 3}, squeeze-and-excitation {no, yes}; strides
and channels are those of EfficientNet-B0, the resolution is 224 (Accel-NASBench, Ahmad et al. 2024). The
parameters of its networks equal the table's exactly.
"""

from __future__ import annotations

import pyglove as pg

from autoglyph.search_spaces.architectures.efficientnet import STRIDES, EfficientNet, Stage
from autoglyph.search_spaces.architectures.efficientnet_family import B0_STAGES, efficientnet_members
from autoglyph.search_spaces.space import SearchSpace

EXPANSIONS = (1, 4, 6)
KERNELS = (3, 5)
LAYERS = (1, 2, 3)
SE_RATIOS = (0.0, 0.25)


def _space() -> EfficientNet:
    return EfficientNet(
        stages=[
            Stage(
                filters=published.filters,
                stride=stride,
                repeats=pg.oneof(list(LAYERS)),
                kernel=pg.oneof(list(KERNELS)),
                expansion=pg.oneof(list(EXPANSIONS)),
                se_ratio=pg.oneof(list(SE_RATIOS)),
            )
            for published, stride in zip(B0_STAGES, STRIDES, strict=True)
        ]
    )


SPACE = SearchSpace(
    "efficientnet",
    _space,
    individuals=efficientnet_members(),
    description="Seven MBConv stages: expansion, kernel, layers and squeeze-and-excitation by stage",
)
