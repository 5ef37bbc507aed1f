"""Accel-NASBench: EfficientNets by expansion, kernel, layers and squeeze-and-excitation of seven stages.

Throughputs at 224 x 224 pixels (Ahmed et al. 2024). TPUs were measured on one core at batch 64 (v2) and
128 (v3); the batch of the GPUs is not known and taken to be 128.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from autoglyph.hardware_models.fusion import Fusion
from autoglyph.hardware_models.measured import Column, MeasuredTable, Row, number
from autoglyph.hardware_models.workload import Workload, record
from autoglyph.search_spaces.architectures.efficientnet import STRIDES, EfficientNet, Stage
from autoglyph.search_spaces.architectures.efficientnet_family import B0_STAGES

HEADINGS = frozenset(("block_e", "block_k", "block_l", "block_se"))
SE_RATIO = 0.25

_MEASURED = {  # column -> device, batch
    "throughput_tpuv2": ("tpu_v2", 64),
    "throughput_tpuv3": ("tpu_v3", 128),
    "throughput_a100": ("a100", 128),
    "throughput_3090": ("rtx3090", 128),
}


def architecture(expansions: str, kernels: str, layers: str, squeezes: str) -> EfficientNet:
    """The network that four strings such as "1-4-6-4-6-1-6" describe, one number a stage.

    Args:
        expansions: factors on the channels inside a block.
        kernels: sides of the depthwise kernels.
        layers: blocks of the stages, 1 to 4.
        squeezes: 1 for squeeze-and-excitation with a quarter of the block's input channels, 0 for none.

    Raises:
        ValueError: if a string does not have a number for each of the seven stages.
    """
    texts = (expansions, kernels, layers, squeezes)
    stages = [[int(figure) for figure in text.split("-")] for text in texts]
    for text, figures in zip(texts, stages, strict=True):
        if len(figures) != len(STRIDES):
            raise ValueError(f"{text!r} has {len(figures)} numbers; give one for each of {len(STRIDES)} stages.")
    return EfficientNet(
        stages=[
            Stage(
                filters=published.filters,
                stride=stride,
                expansion=expansion,
                kernel=kernel,
                repeats=repeats,
                se_ratio=SE_RATIO * squeeze,
            )
            for published, stride, expansion, kernel, repeats, squeeze in zip(B0_STAGES, STRIDES, *stages, strict=True)
        ]
    )


def read(rows: Sequence[Row]) -> MeasuredTable:
    """The networks of the rows and their throughputs as latencies."""
    codes = [(row["block_e"], row["block_k"], row["block_l"], row["block_se"]) for row in rows]

    def workload(index: int, fusion: Fusion) -> Workload:
        return record(architecture(*codes[index]), fusion=fusion)

    columns = {
        name: Column(device, batch, batch / np.array([number(row[name]) for row in rows]))
        for name, (device, batch) in _MEASURED.items()
        if name in rows[0]
    }
    return MeasuredTable(["/".join(code) for code in codes], workload, columns)
