"""Networks of one cost: widths scaled until the multiply-adds meet a budget."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Hashable, Sequence
from typing import Any

from autoglyph.search_spaces.net import Net, Tensor
from autoglyph.search_spaces.ops import Op, Shape

TOLERANCE = 0.02
_SMALLEST, _LARGEST = 1 / 16, 16.0
_HALVINGS = 16


class MaddCount(Net):
    """Counts the multiply-adds of a network, equal blocks read once."""

    def __init__(self) -> None:
        super().__init__()
        self.madds = 0

    def apply(self, op: Op, *inputs: Tensor) -> Tensor:
        """Counts one operation."""
        shapes = [x.shape for x in inputs]
        self.madds += op.madds(*shapes)
        return Tensor(op.output(*shapes))

    def block(self, name: str, build: Callable[..., Any], x: Any, *settings: Hashable) -> Any:
        """Counts a block, read only if no equal one of one input was."""
        if not isinstance(x, Tensor):
            return super().block(name, build, x, *settings)
        madds, shape = _block(build, x.shape, *settings)
        self.madds += madds
        return Tensor(shape)


@functools.lru_cache(maxsize=1 << 16)
def _block(build: Callable[..., Tensor], shape: Shape, *settings: Hashable) -> tuple[int, Shape]:
    net = MaddCount()
    output = build(net, Tensor(shape), *settings)
    return net.madds, output.shape


def fit_widths(
    count: Callable[[Sequence[float]], int], widths: Sequence[float], madds: int, tolerance: float = TOLERANCE
) -> list[float]:
    """Widths times a factor, such that their multiply-adds meet a budget; as they are where they meet it.

    Channels are whole multiples of a step, so the multiply-adds grow by leaps: where bisection on one factor does not
    come near enough, the first width stays, another factor is sought for the rest, and so on.

    Args:
        count: widths -> multiply-adds, which grow with each of them.
        widths: relative ones, those of the costliest parts first.
        madds: the budget.
        tolerance: how far off they may be, as a share of the budget.

    Raises:
        ValueError: if none come that near.
    """
    fitted, nearest = [*widths], count(widths)
    if abs(nearest - madds) <= tolerance * madds:
        return fitted
    for first in range(len(widths)):
        low, high = _SMALLEST, _LARGEST
        for _ in range(_HALVINGS):
            middle = math.sqrt(low * high)
            low, high = (middle, high) if count(_scaled(fitted, first, middle)) < madds else (low, middle)
        candidates = [_scaled(fitted, first, factor) for factor in (low, high)]
        fitted = min(candidates, key=lambda each: abs(count(each) - madds))
        nearest = count(fitted)
        if abs(nearest - madds) <= tolerance * madds:
            return fitted
    raise ValueError(
        f"No factors on the widths meet {madds:,} multiply-adds within {tolerance:.0%} (the nearest have {nearest:,}): "
        "discard these widths, or change the budget."
    )


def _scaled(widths: Sequence[float], first: int, factor: float) -> list[float]:
    return [*widths[:first], *(factor * width for width in widths[first:])]
