"""How well estimates agree with measurements: ranks, and errors after one scale factor."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

SLOW_SHARE = 0.6
_PAIRS_AT_ONCE = 1 << 22


@dataclass(frozen=True)
class Agreement:
    """Agreement of a predictor with measured times.

    Attributes:
        networks: how many were compared.
        spearman: rank correlation, ties at their mean rank.
        kendall: Kendall's tau-b.
        mape: mean absolute error after the scale factor, as a share of the measured time.
        slow60_spearman: rank correlation on the slowest 60 % of the networks, where a floor under all times
            (the input pipeline) hides least.
        scale: the factor, the median of measured over predicted.
    """

    networks: int
    spearman: float
    kendall: float
    mape: float
    slow60_spearman: float
    scale: float


def agreement(predicted: Floats, measured: Floats) -> Agreement:
    """Agreement of (networks,) predictions with measurements.

    Raises:
        ValueError: if there are fewer than three networks.
    """
    if len(measured) < 3:
        raise ValueError(f"The column has {len(measured)} measured networks; ranks need three or more.")
    scale = float(np.median(measured / predicted))
    slow = measured >= np.quantile(measured, 1 - SLOW_SHARE)
    return Agreement(
        networks=len(measured),
        spearman=spearman(predicted, measured),
        kendall=kendall(predicted, measured),
        mape=float(np.mean(np.abs(scale * predicted / measured - 1))),
        slow60_spearman=spearman(predicted[slow], measured[slow]),
        scale=scale,
    )


def spearman(a: Floats, b: Floats) -> float:
    """Spearman's rank correlation; NaN where one side does not vary."""
    ranks_a, ranks_b = (_centred_ranks(each) for each in (a, b))
    norm = np.sqrt((ranks_a @ ranks_a) * (ranks_b @ ranks_b))
    return float(ranks_a @ ranks_b / norm) if norm else float("nan")


def kendall(a: Floats, b: Floats) -> float:
    """Kendall's tau-b; NaN where one side does not vary."""
    concordant = untied_a = untied_b = 0.0
    step = max(1, _PAIRS_AT_ONCE // len(a))
    for start in range(0, len(a), step):
        some = slice(start, start + step)
        signs_a, signs_b = (np.sign(each[some, None] - each[None, :]) for each in (a, b))
        concordant += float(np.sum(signs_a * signs_b))
        untied_a += float(np.count_nonzero(signs_a))
        untied_b += float(np.count_nonzero(signs_b))
    norm = np.sqrt(untied_a * untied_b)
    return float(concordant / norm) if norm else float("nan")


def _centred_ranks(values: Floats) -> Floats:
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    ranks = (last - (counts - 1) / 2)[inverse]
    centred: Floats = ranks - ranks.mean()
    return centred
