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
SMALLEST, LARGEST = 1 / 64, 8.0
"""Multipliers that are tried; channels below 16 become 16."""
_HALVINGS = 16


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
    """The same individual with the multiplier of its output dimensions that comes nearest to a budget of parameters.

    Bisection on the multiplier. Widths are whole multiples of 16, so a small network takes few different sizes; the
    embeddings stay as they are.

    Args:
        architecture: the individual; its own multiplier is not used.
        parameters: wanted, embeddings included.
        tolerance: how far off they may be.

    Raises:
        ValueError: in one sentence, if no multiplier meets the budget: the individual is to be discarded; or if it
            cannot be built at all.
    """
    if parameters < 1 or tolerance < 0:
        raise ValueError(f"The budget is {parameters} +- {tolerance} parameters: give 1 or more, and no less than 0.")
    low, high = SMALLEST, LARGEST
    sizes: dict[float, float] = {low: count_weights(_at(architecture, low)), high: _count_at(architecture, high)}
    for _ in range(_HALVINGS):
        middle = math.sqrt(low * high)
        sizes[middle] = _count_at(architecture, middle)
        low, high = (middle, high) if sizes[middle] < parameters else (low, middle)
    best = min(sizes, key=lambda multiplier: abs(sizes[multiplier] - parameters))
    if abs(sizes[best] - parameters) > tolerance:
        raise ValueError(
            f"No multiplier of output dimensions brings this individual to {parameters:,} +- {tolerance:,} parameters "
            f"(the nearest has {sizes[best]:,.0f}): discard it, or change its dimension or the budget."
        )
    return _at(architecture, best)


def _at(architecture: EvolvedTransformer, multiplier: float) -> EvolvedTransformer:
    fitted: EvolvedTransformer = architecture.clone(deep=True)
    fitted.rebind(multiplier=multiplier, raise_on_no_change=False)
    return fitted


def _count_at(architecture: EvolvedTransformer, multiplier: float) -> float:
    """Parameters at a multiplier; infinitely many where a hidden state becomes too wide."""
    try:
        return count_weights(_at(architecture, multiplier))
    except ValueError:
        return math.inf
