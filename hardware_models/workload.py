"""Workloads: a network as the list of kernels that a chip runs, with their sizes for one example."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from autoglyph.hardware_models.fusion import FUSIONS, Fusion, KernelRow
from autoglyph.hardware_models.kernels import KERNEL, KINDS, VECTOR
from autoglyph.hardware_models.recorder import BlockKey, ReadBlock, read_segment
from autoglyph.search_spaces import plugins
from autoglyph.search_spaces.architecture import Architecture
from autoglyph.search_spaces.net import Shapes


@dataclass(frozen=True, eq=False)
class Workload:
    """The kernels of a network in inference.

    Attributes:
        kernels: structured array with the fields of `kernels.KERNEL`, in the order they run. Sizes are
            elements and steps for one example; weights do not depend on the batch.
        fusion: the regime under which operations were joined to kernels.
    """

    kernels: NDArray[Any]
    fusion: Fusion

    def __len__(self) -> int:
        return len(self.kernels)

    @property
    def parameters(self) -> int:
        """Trainable weight elements."""
        return int(self.kernels["parameters"].sum())

    @property
    def madds(self) -> int:
        """Multiply-adds of convolutions and matrix products for one example."""
        return int(self.kernels["madds"].sum())

    @property
    def activations(self) -> int:
        """Elements that convolutions and matrix products put out for one example (Dollar et al. 2021)."""
        return int(activations(self.kernels).sum())

    def rows(self) -> list[dict[str, int | str]]:
        """The kernels as plain dictionaries, ready for JSON."""
        fields = self.kernels.dtype.names or ()
        return [
            {field: KINDS[value] if field == "kind" else value for field, value in zip(fields, row, strict=True)}
            for row in self.kernels.tolist()
        ]


def kernel_array(rows: Iterable[KernelRow]) -> NDArray[Any]:
    """Kernels as a structured array."""
    return np.array(list(rows), KERNEL)


def activations(kernels: NDArray[Any]) -> NDArray[np.int64]:
    """Elements that the convolution or matrix product of each kernel puts out, 0 for element-wise work."""
    elements = kernels["m"] * kernels["n"] * kernels["groups"]
    return np.where(kernels["kind"] == VECTOR, 0, elements)


def check_fusion(fusion: str) -> Fusion:
    """The regime of that name.

    Raises:
        ValueError: if there is none.
    """
    for known in FUSIONS:
        if fusion == known:
            return known
    raise plugins.unknown_name("fusion regime", fusion, FUSIONS)


def record(architecture: Architecture, *, fusion: Fusion = "full") -> Workload:
    """The workload of an architecture in inference.

    Args:
        architecture: what to read.
        fusion: "eager" (every operation a kernel), "chain" (normalisation, activation and residual sum ride
            on the kernel before) or "full" (pooling, gating and concatenation join their neighbours too).

    Raises:
        ValueError: if there is no such regime, or the architecture cannot be built.
    """
    regime = check_fusion(fusion)
    blocks: dict[BlockKey, ReadBlock] = {}
    shape: Shapes | None = None
    kernels: list[KernelRow] = []
    for segment in architecture.segments():
        reading = read_segment(segment, [*map(architecture.part, segment.parts)], shape, regime, blocks)
        kernels += itertools.chain.from_iterable(placed.kernels() for placed in reading.pieces)
        shape = reading.output
    return Workload(kernel_array(kernels), regime)
