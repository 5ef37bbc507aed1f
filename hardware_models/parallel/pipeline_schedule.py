"""Pipelines of stages: where to cut, and when each stage works on which micro-batch (GPipe, Huang et al. 2019)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def best_partition(costs: Sequence[float] | Floats, stages: int, borders: Sequence[float] | Floats = ()) -> list[int]:
    """Cuts a row of layers in stages so that the most expensive stage costs least.

    Exact, by dynamic programming over the last cut. Of all such partitions it is one with the smallest sum of
    what crosses the borders.

    Args:
        costs: (layers,) of each layer, 0 or more.
        stages: how many stages, none of them empty.
        borders: (layers,) size of what a cut before each layer moves; the first one is not read.

    Returns:
        The first layer of every stage, beginning with 0.

    Raises:
        ValueError: if there are more stages than layers, or a cost is negative.
    """
    cost = np.asarray(costs, np.float64)
    layers = len(cost)
    if not 1 <= stages <= layers:
        raise ValueError(f"Cannot cut {layers} layers in {stages} stages: give 1 to {layers}.")
    if not (cost >= 0).all():
        raise ValueError("Expected costs of 0 or more, received a negative one or NaN.")
    moved = np.asarray(borders, np.float64) if len(borders) else np.zeros(layers)
    until = np.concatenate([[0.0], np.cumsum(cost)])
    span = until[None, :] - until[:, None]
    span[np.tril_indices(layers + 1)] = np.inf
    bottleneck = span[0]
    for _ in range(stages - 1):
        bottleneck = np.maximum(bottleneck[:, None], span).min(0)
    allowed = np.where(span <= bottleneck[layers], 0.0, np.inf)

    traffic = allowed[0]
    last_cuts: list[NDArray[np.intp]] = []
    for _ in range(stages - 1):
        through = (traffic + np.append(moved, 0.0))[:, None] + allowed
        last_cuts.append(through.argmin(0))
        traffic = through.min(0)
    starts: list[int] = []
    end = layers
    for cuts in reversed(last_cuts):
        end = int(cuts[end])
        starts.append(end)
    return [0, *reversed(starts)]


def bubble_fraction(stages: int, micro_batches: int) -> float:
    """Share of the time in which a stage of a pipeline of equal stages idles: (K - 1) / (M + K - 1)."""
    return (stages - 1) / (micro_batches + stages - 1)


@dataclass(frozen=True, eq=False)
class Schedule:
    """When each stage of a pipeline works.

    Attributes:
        forward_s: (stages, micro-batches, 2) start and end of the forward passes.
        backward_s: (stages, micro-batches, 2) start and end of the backward passes, re-computation included.
        step_s: from the first start to the last end.
        bubble: share of the stages' time in which they idle.
    """

    forward_s: Floats
    backward_s: Floats
    step_s: float
    bubble: float


def simulate(
    forward_s: Sequence[float],
    backward_s: Sequence[float],
    micro_batches: int,
    *,
    recomputation_s: Sequence[float] = (),
    transfers_s: Sequence[float] = (),
    early_recomputation: bool = False,
) -> Schedule:
    """Runs one GPipe step: all forward passes, then all backward passes, the last micro-batch first.

    A stage works on one micro-batch at a time. A link carries one tensor at a time while the stages work on,
    activations down and gradients of the same size up. For equal stages and free links a step takes
    (M + K - 1) (forward + re-computation + backward), and with early re-computation
    (M + K - 1) (forward + backward) + M re-computation.

    Args:
        forward_s: (stages,) of one micro-batch.
        backward_s: (stages,) of one micro-batch.
        micro_batches: how many.
        recomputation_s: (stages,) of one micro-batch before its backward pass; none where left out.
        transfers_s: (stages - 1,) over each border; free where left out.
        early_recomputation: whether a stage re-computes while it waits for the gradient.

    Raises:
        ValueError: if there is no micro-batch or the lengths do not fit.
    """
    stages = len(forward_s)
    again = list(recomputation_s) or [0.0] * stages
    transfers = list(transfers_s) or [0.0] * (stages - 1)
    if micro_batches < 1:
        raise ValueError(f"micro_batches is {micro_batches}: give 1 or more.")
    if not len(backward_s) == len(again) == len(transfers) + 1 == stages:
        raise ValueError(f"Expected times of {stages} stages and {stages - 1} borders: give one of each.")
    forward, backward = np.zeros((stages, micro_batches, 2)), np.zeros((stages, micro_batches, 2))
    arrivals = np.zeros(micro_batches)
    for stage in range(stages):
        free = link_free = 0.0
        for i in range(micro_batches):
            start = max(free, float(arrivals[i]))
            free = start + forward_s[stage]
            forward[stage, i] = start, free
            if stage + 1 < stages:
                link_free = arrivals[i] = max(free, link_free) + transfers[stage]
    arrivals = np.zeros(micro_batches)
    for stage in reversed(range(stages)):
        free, link_free = float(forward[stage, -1, 1]), 0.0
        for i in reversed(range(micro_batches)):
            gradient = float(arrivals[i])
            start = free if early_recomputation else max(free, gradient)
            ready = max(start + again[stage], gradient)
            free = ready + backward_s[stage]
            backward[stage, i] = start, free
            if stage:
                link_free = arrivals[i] = max(free, link_free) + transfers[stage - 1]
    step_s = float(backward[:, :, 1].max())
    busy_s = micro_batches * (sum(forward_s) + sum(again) + sum(backward_s))
    return Schedule(forward, backward, step_s, max(0.0, 1 - busy_s / (stages * step_s)) if step_s else 0.0)
