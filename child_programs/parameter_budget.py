"""Fitting the widths of an encoder-decoder to a budget of parameters."""

from __future__ import annotations

from autoglyph.child_programs.base import ChildFailed
from autoglyph.hardware_models import record
from autoglyph.search_spaces.architectures.evolved_transformer import EvolvedTransformer

SMALLEST, LARGEST = 1 / 64, 8.0
_HALVINGS = 14


def fit_to_parameters(network: EvolvedTransformer, parameters: int, *, tolerance: float = 0.04) -> EvolvedTransformer:
    """The same decisions at the multiplier of all relative dimensions that comes nearest to so many parameters.

    The Evolved Transformer's search did so to keep its networks within 59.1 to 64.1 million parameters. Widths are
    whole multiples of 16, so a small network takes few different sizes; the embeddings stay as they are.

    Args:
        network: an individual, its own multiplier is not used.
        parameters: wanted, embeddings among them.
        tolerance: allowed deviation as a share of `parameters`.

    Raises:
        ChildFailed: if no multiplier comes so near.
    """
    sizes: dict[float, int] = {}
    low, high = SMALLEST, LARGEST
    for multiplier in (low, high):
        sizes[multiplier] = _parameters(network, multiplier)
    for _ in range(_HALVINGS):
        middle = (low * high) ** 0.5
        sizes[middle] = _parameters(network, middle)
        low, high = (middle, high) if sizes[middle] < parameters else (low, middle)
    best = min(sizes, key=lambda multiplier: abs(sizes[multiplier] - parameters))
    if abs(sizes[best] - parameters) > tolerance * parameters:
        raise ChildFailed(
            f"The network cannot have about {parameters:,} parameters: the nearest of its sizes has {sizes[best]:,}."
        )
    return _at(network, best)


def _at(network: EvolvedTransformer, multiplier: float) -> EvolvedTransformer:
    fitted: EvolvedTransformer = network.clone(deep=True)
    fitted.rebind(multiplier=multiplier, raise_on_no_change=False)
    return fitted


def _parameters(network: EvolvedTransformer, multiplier: float) -> int:
    """Parameters at a multiplier; more than any budget where a hidden state becomes too wide."""
    try:
        return int(record(_at(network, multiplier)).parameters)
    except ValueError:
        return 1 << 62
