"""Networks of one size: output dimensions scaled until the parameters meet a budget.

So, Liang and Le 2019 compare networks of 59.1 to 64.1 million parameters: relative output dimensions are taken
times one factor per individual, and an individual that no factor brings there is discarded.
"""

from __future__ import annotations

import math

from autoglyph.search_spaces.architecture import Architecture
from autoglyph.search_spaces.architectures.evolved_transformer import EvolvedTransformer
from autoglyph.search_spaces.net import Net, Tensor
from autoglyph.search_spaces.ops import Op

PARAMETERS = 61_600_000
TOLERANCE = 2_500_000
"""59.1 to 64.1 million, the paper's range."""
SMALLEST, LARGEST = 1 / 64, 4.0
"""Multipliers that are tried; channels below 16 become 16."""
_HALVINGS = 30


class _ParameterCount(Net):
    def __init__(self) -> None:
        super().__init__()
        self.parameters = 0

    def apply(self, op: Op, *inputs: Tensor) -> Tensor:
        shapes = [x.shape for x in inputs]
        self.parameters += sum(math.prod(weight) for weight in op.weights(*shapes).values())
        return Tensor(op.output(*shapes))


def count_weights(architecture: Architecture) -> int:
    """Trainable parameters of a network.

    Raises:
        ValueError: if it cannot be built.
    """
    net = _ParameterCount()
    architecture.build(net)
    return net.parameters


def fit_to_budget(
    architecture: EvolvedTransformer, parameters: int = PARAMETERS, tolerance: int = TOLERANCE
) -> EvolvedTransformer:
    """The same individual with the multiplier of its output dimensions that meets a budget of parameters.

    Bisection on the multiplier, which stays as it is where it meets the budget already.

    Args:
        architecture: the individual.
        parameters: wanted, embeddings included.
        tolerance: how far off they may be.

    Raises:
        ValueError: in one sentence, if no multiplier meets the budget: the individual is to be discarded.
    """
    if parameters < 1 or tolerance < 0:
        raise ValueError(f"The budget is {parameters} +- {tolerance} parameters: give 1 or more, and no less than 0.")
    fitted: EvolvedTransformer = architecture.clone(deep=True)
    low, high = SMALLEST, LARGEST
    multiplier = float(architecture.multiplier)
    for _ in range(_HALVINGS):
        fitted.rebind(multiplier=multiplier, raise_on_no_change=False)
        count = _count_or_infinity(fitted)
        if abs(count - parameters) <= tolerance:
            return fitted
        low, high = (multiplier, high) if count < parameters else (low, multiplier)
        multiplier = math.sqrt(low * high)
    raise ValueError(
        f"No multiplier of output dimensions brings this individual to {parameters:,} +- {tolerance:,} parameters: "
        "discard it, or change its dimension or the budget."
    )


def _count_or_infinity(architecture: EvolvedTransformer) -> float:
    try:
        return count_weights(architecture)
    except ValueError:
        if architecture.multiplier <= SMALLEST * 1.001:
            raise
        return math.inf
