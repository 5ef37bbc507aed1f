"""What an operation of the architecture language is: shapes, weights and multiply-adds, and nothing else."""

from __future__ import annotations

import abc
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Shape = tuple[int, ...]
Sizes = int | tuple[int, ...]
"""One number for every spatial dimension, or one for each."""
ActivationKind = Literal[
    "relu",
    "swish",
    "sigmoid",
    "gelu",
    "tanh",
    "hard_swish",
    "softmax",
    "relu6",
    "leaky_relu",
    "elu",
    "selu",
    "hard_sigmoid",
    "softplus",
    "softsign",
    "exponential",
    "mish",
]
PoolKind = Literal["max", "average"]
Padding = Literal["same", "valid", "causal"]


@dataclass(frozen=True, kw_only=True)
class Op(abc.ABC):
    """One operation.

    Attributes:
        name: its own name; the reading prefixes the scope.
    """

    name: str

    @abc.abstractmethod
    def output(self, *inputs: Shape) -> Shape:
        """Output shape for these input shapes; ValueError if they do not fit."""

    def weights(self, *inputs: Shape) -> Mapping[str, Shape]:
        """Trainable weights by name."""
        return {}

    def statistics(self, *inputs: Shape) -> Mapping[str, Shape]:
        """Weights that are kept but not trained, such as moving averages."""
        return {}

    def madds(self, *inputs: Shape) -> int:
        """Multiply-adds for one example, of convolutions and matrix products only."""
        return 0


@dataclass(frozen=True, kw_only=True)
class Input(Op):
    """The place where data enters."""

    shape: Shape

    def output(self, *inputs: Shape) -> Shape:
        """The given shape."""
        return self.shape
