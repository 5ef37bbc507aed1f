"""The published members of the EfficientNet and EfficientNet-X families.

Sources: tensorflow/tpu models/official/efficientnet/tpu efficientnet_builder.py and
efficientnet_x_builder.py for stages and scaling coefficients. The squeeze-and-excitation coefficient of
EfficientNet-X (4 for b0, 2 for b1, 1 beyond) is folded into the ratio of every stage.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import NamedTuple

from autoglyph.search_spaces.architectures.efficientnet import STRIDES, EfficientNet, Scaling, Stage


class BaseStage(NamedTuple):
    """A stage of EfficientNet-B0."""

    repeats: int
    kernel: int
    expansion: int
    filters: int


B0_STAGES = (
    BaseStage(1, 3, 1, 16),
    BaseStage(2, 3, 6, 24),
    BaseStage(2, 5, 6, 40),
    BaseStage(3, 3, 6, 80),
    BaseStage(3, 5, 6, 112),
    BaseStage(4, 5, 6, 192),
    BaseStage(1, 3, 6, 320),
)

Coefficients = tuple[float, float, int]  # width, depth, resolution

COMPOUND: tuple[Coefficients, ...] = (
    (1.0, 1.0, 224),
    (1.0, 1.1, 240),
    (1.1, 1.2, 260),
    (1.2, 1.4, 300),
    (1.4, 1.8, 380),
    (1.6, 2.2, 456),
    (1.8, 2.6, 528),
    (2.0, 3.1, 600),
)
LACS_TPU: tuple[Coefficients, ...] = (
    (1.0, 1.0, 224),
    (1.05, 1.09, 229),
    (1.13, 1.29, 244),
    (1.27, 1.62, 263),
    (1.54, 2.38, 299),
    (1.96, 2.76, 332),
    (2.75, 3.01, 328),
    (3.26, 3.44, 350),
)
LACS_GPU: tuple[Coefficients, ...] = (
    (1.0, 1.0, 224),
    (1.05, 1.09, 229),
    (1.13, 1.24, 237),
    (1.31, 1.63, 255),
    (1.63, 2.4, 282),
    (1.94, 3.29, 306),
    (2.25, 4.28, 328),
    (2.58, 5.46, 350),
)
H_COMPOUND: dict[int, Coefficients] = {5: (1.92, 2.2, 456), 6: (2.16, 2.6, 528), 7: (2.4, 3.1, 600)}
H_LACS_TPU: dict[int, Coefficients] = {5: (2.3, 2.76, 332), 6: (3.0, 3.01, 328), 7: (3.6, 3.44, 350)}

X_FUSED_STAGES = (1, 2)
X_SE_COEFFICIENTS = (4, 2)


def efficientnet(coefficients: Coefficients) -> EfficientNet:
    """EfficientNet-B0 scaled by (width, depth, resolution)."""
    stages = [
        Stage(filters=s.filters, repeats=s.repeats, stride=stride, kernel=s.kernel, expansion=s.expansion)
        for s, stride in zip(B0_STAGES, STRIDES, strict=True)
    ]
    return EfficientNet(stages=stages, scaling=_scaling(coefficients))


def efficientnet_x(coefficients: Coefficients, *, se_coefficient: int = 1, expansion_4: bool = False) -> EfficientNet:
    """EfficientNet-X-b0 scaled by (width, depth, resolution).

    Args:
        coefficients: width, depth and resolution.
        se_coefficient: factor on the squeeze-and-excitation ratio 0.25.
        expansion_4: expansion 4 in stages 2 to 4 (the H variant).
    """
    stages = []
    for i, (s, stride) in enumerate(zip(B0_STAGES, STRIDES, strict=True)):
        fused = i in X_FUSED_STAGES
        stages.append(
            Stage(
                filters=s.filters,
                repeats=s.repeats,
                stride=stride,
                op="fused_mbconv" if fused else "mbconv",
                kernel=s.kernel,
                expansion=4 if expansion_4 and i in (1, 2, 3) else s.expansion,
                se_ratio=0.25 * se_coefficient,
                activation="swish" if fused else "relu",
                space_to_depth=i == 0,
            )
        )
    return EfficientNet(stages=stages, activation="relu", scaling=_scaling(coefficients))


def efficientnet_members() -> dict[str, Callable[[], EfficientNet]]:
    """EfficientNet "b0" to "b7"."""
    return {f"b{i}": functools.partial(efficientnet, c) for i, c in enumerate(COMPOUND)}


def efficientnet_x_members() -> dict[str, Callable[[], EfficientNet]]:
    """EfficientNet-X "x-b0" to "x-b7", the LACS families "x-tpu-b*" and "x-gpu-b*", and the H variants."""
    members: dict[str, Callable[[], EfficientNet]] = {}
    for prefix, family in (("x", COMPOUND), ("x-tpu", LACS_TPU), ("x-gpu", LACS_GPU)):
        for i, coefficients in enumerate(family):
            se = X_SE_COEFFICIENTS[i] if i < len(X_SE_COEFFICIENTS) else 1
            members[f"{prefix}-b{i}"] = functools.partial(efficientnet_x, coefficients, se_coefficient=se)
    for prefix, variants in (("h", H_COMPOUND), ("h-tpu", H_LACS_TPU)):
        for i, coefficients in variants.items():
            members[f"{prefix}-b{i}"] = functools.partial(efficientnet_x, coefficients, expansion_4=True)
    return members


def published_scalings() -> list[Coefficients]:
    """All published (width, depth, resolution), from small to large width."""
    every = {*COMPOUND, *LACS_TPU, *LACS_GPU, *H_COMPOUND.values(), *H_LACS_TPU.values()}
    return sorted(every)


def _scaling(coefficients: Coefficients) -> Scaling:
    width, depth, resolution = coefficients
    return Scaling(width=width, depth=depth, resolution=resolution)
