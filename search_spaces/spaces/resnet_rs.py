"""ResNets between ResNet-50 and ResNet-RS-420 (He et al. 2016, Bello et al. 2021).

Per stage: blocks (every published count and smaller ones) and squeeze-and-excitation {no, yes}. For the whole
network: stem, shortcut, width, and resolution from 128 to 320 pixels. All published members but for their
regularisation are points of it.
"""

from __future__ import annotations

import pyglove as pg

from autoglyph.search_spaces.architectures.efficientnet import Scaling
from autoglyph.search_spaces.architectures.resnet_rs import STAGE_FILTERS, ResNet, ResNetStage, resnet_members
from autoglyph.search_spaces.space import SearchSpace

REPEATS = ((2, 3, 4), (2, 3, 4, 8, 24, 29, 36, 44), (2, 4, 6, 23, 36, 53, 72, 87), (2, 3, 4))
SE_RATIOS = (0.0, 0.25)
STEMS = ("conv7", "resnet_d", "resnet_rs")
WIDTHS = (0.5, 0.75, 1.0, 1.25, 1.5, 2.0)
RESOLUTIONS = (128, 160, 192, 224, 256, 288, 320)


def _space() -> ResNet:
    return ResNet(
        stages=[
            ResNetStage(
                filters=filters,
                repeats=pg.oneof(list(repeats)),
                stride=1 if i == 0 else 2,
                se_ratio=pg.oneof(list(SE_RATIOS)),
            )
            for i, (filters, repeats) in enumerate(zip(STAGE_FILTERS, REPEATS, strict=True))
        ],
        stem=pg.oneof(list(STEMS)),
        pooled_shortcut=pg.oneof([False, True]),
        scaling=Scaling(width=pg.oneof(list(WIDTHS)), resolution=pg.oneof(list(RESOLUTIONS))),
    )


SPACE = SearchSpace(
    "resnet_rs",
    _space,
    individuals=resnet_members(),
    description="Bottleneck ResNets: blocks and squeeze-and-excitation by stage, stem, width and resolution",
)
