"""Compound scaling of a base network: latency-aware (LACS) and by multiply-adds.

Li et al. 2021 (EfficientNet-X) scale depth, width and resolution by alpha^phi, beta^phi and gamma^phi where the
latency on a chip doubles with phi; Tan and Le 2019 (EfficientNet) did so with multiply-adds. Both maximise

    ACC (COST / T)^w,  T = 2^phi times the cost of the base.

In that product T is a constant factor, which cannot move the maximum. The doubling is therefore a condition: only
networks whose cost is within a tolerance below T compete, and the product ranks them.

Networks are built and costed as they are after rounding. Depths are the largest ones that give the same repeats,
widths a grid, and for each pair the resolution is the largest integer within T; the search is exhaustive over the
coarse grid and then over a fine one around its best points, so it has no seed.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from autoglyph.search_spaces.architectures.efficientnet import Scaling

COARSE_WIDTH_STEP, FINE_WIDTH_STEP, COARSE_DEPTH_RATIO = 0.08, 0.02, 1.08
MAX_DEPTH_FACTOR, MAX_WIDTH_FACTOR, MAX_RESOLUTION_FACTOR = 9.0, 2.5, 3.0
REFINED_POINTS = 3
DEFAULT_W, DEFAULT_TOLERANCE = -0.07, 0.02
_DEPTH_DIGITS = 4

Cost = Callable[[Scaling], float]
Accuracy = Callable[[Scaling], float | None]


@dataclass(frozen=True)
class Optimum:
    """The best scaling for one target.

    Attributes:
        phi: doublings of the base's cost that were allowed.
        scaling: of the network.
        cost: in the unit of the cost.
        top1: percent.
        reward: ACC (COST / T)^w in percent.
        compared: networks within the tolerance below the target.
    """

    phi: int
    scaling: Scaling
    cost: float
    top1: float
    reward: float
    compared: int


@dataclass(frozen=True)
class Exponents:
    """Growth per doubling of the cost.

    Attributes:
        alpha: of depth.
        beta: of width.
        gamma: of resolution.
    """

    alpha: float
    beta: float
    gamma: float

    @property
    def width_to_depth(self) -> float:
        """Ln beta / ln alpha, infinite where depth does not grow."""
        return _ratio(self.beta, self.alpha)

    @property
    def resolution_to_depth(self) -> float:
        """Ln gamma / ln alpha, infinite where depth does not grow."""
        return _ratio(self.gamma, self.alpha)

    def scaled(self, base: Scaling, phi: float) -> Scaling:
        """The base scaled by alpha^phi, beta^phi and gamma^phi."""
        return Scaling(
            width=base.width * self.beta**phi,
            depth=base.depth * self.alpha**phi,
            resolution=round(base.resolution * self.gamma**phi),
        )


def _ratio(of: float, to: float) -> float:
    return math.log(of) / math.log(to) if to > 1 else math.inf


def exponents(base: Scaling, members: Iterable[tuple[float, Scaling]]) -> Exponents:
    """Least-squares growth per doubling of a family, through its base.

    Args:
        base: where the family starts.
        members: (doublings of the cost, scaling) of the others.

    Raises:
        ValueError: if there is no member with another cost than the base's.
    """
    points = list(members)
    squares = sum(phi**2 for phi, _ in points)
    if not squares:
        raise ValueError("Growth per doubling needs a member that costs more than the base: give one doubling or more.")

    def growth(value: Callable[[Scaling], float]) -> float:
        return math.exp(sum(phi * math.log(value(s) / value(base)) for phi, s in points) / squares)

    return Exponents(growth(lambda s: s.depth), growth(lambda s: s.width), growth(lambda s: s.resolution))


def depth_steps(base_depth: float, repeats: Iterable[int], factor: float) -> list[float]:
    """The largest depth of every set of networks that have the same repeats, from the base's to a factor of it.

    Args:
        base_depth: least depth.
        repeats: of the stages before scaling.
        factor: greatest depth as a multiple of the base's.
    """
    limit = base_depth * factor
    ends = {k / r for r in set(repeats) for k in range(1, math.floor(limit * r) + 1)}
    floor = 10**_DEPTH_DIGITS
    return [base_depth, *sorted({math.floor(d * floor) / floor for d in ends if d > base_depth})]


def best_scaling(
    cost: Cost,
    accuracy: Accuracy,
    *,
    base: Scaling,
    depths: Sequence[float],
    phi: int,
    w: float = DEFAULT_W,
    tolerance: float = DEFAULT_TOLERANCE,
    shortlist: int | None = None,
) -> Optimum:
    """The depth, width and resolution that maximise accuracy x (cost / T)^w where the cost doubles phi times.

    Args:
        cost: of a network of that scaling: seconds, or multiply-adds.
        accuracy: of it in percent, None where it cannot be told.
        base: scaling of the base; nothing gets smaller.
        depths: candidates, from `depth_steps`.
        phi: doublings.
        w: exponent of the cost.
        tolerance: share of the target by which the cost may fall short of it.
        shortlist: how many candidates to judge, spread out over those of equal cost; None for all, with a fine
            search around the best.

    Raises:
        ValueError: if no network is within the tolerance.
    """
    target = cost(base) * 2.0**phi
    found: dict[tuple[float, float], Optimum] = {}

    def judge(scaling: Scaling, value: float) -> None:
        top1 = accuracy(scaling)
        if top1 is not None:
            reward = top1 * (value / target) ** w
            found[scaling.depth, scaling.width] = Optimum(phi, scaling, value, top1, reward, 0)

    candidates = list(equal_cost(cost, base=base, depths=depths, target=target, tolerance=tolerance))
    for candidate in candidates if shortlist is None else spread_out(candidates, shortlist):
        judge(*candidate)
    for point in _ranked(found)[:REFINED_POINTS] if shortlist is None else []:
        at = depths.index(point.scaling.depth)
        low, high = point.scaling.width - COARSE_WIDTH_STEP, point.scaling.width + COARSE_WIDTH_STEP
        for depth in depths[max(0, at - 2) : at + 3]:
            for width in _widths(base.width, FINE_WIDTH_STEP, low, high):
                fitting = largest_resolution(cost, base, depth, width, target)
                if fitting is not None and fitting[1] >= (1 - tolerance) * target:
                    judge(*fitting)
    if not found:
        raise ValueError(
            f"No network of this base has {2**phi} times its cost, to {tolerance:.0%}, within the ranges of the "
            "accuracy source: ask for fewer doublings, or raise the tolerance."
        )
    best = _ranked(found)[0]
    return dataclasses.replace(best, compared=len(found))


def equal_cost(
    cost: Cost, *, base: Scaling, depths: Sequence[float], target: float, tolerance: float
) -> Iterator[tuple[Scaling, float]]:
    """Scalings on the coarse grid whose cost is within the tolerance below a target, with their costs."""
    last = 0.0
    for depth in depths:
        if depth < last * COARSE_DEPTH_RATIO:
            continue
        last = depth
        for width in _widths(base.width, COARSE_WIDTH_STEP, base.width, base.width * MAX_WIDTH_FACTOR):
            if cost(_with(base, depth, width, base.resolution)) > 1.1 * target:
                break
            fitting = largest_resolution(cost, base, depth, width, target)
            if fitting is not None and fitting[1] >= (1 - tolerance) * target:
                yield fitting


def spread_out(candidates: Sequence[tuple[Scaling, float]], count: int) -> list[tuple[Scaling, float]]:
    """A few candidates far from one another in the logarithms of depth, width and resolution.

    Starts at the candidate nearest to the mean; each next one is the farthest from those chosen.
    """
    if len(candidates) <= count:
        return list(candidates)
    places = np.log([[s.depth, s.width, s.resolution] for s, _ in candidates])
    chosen = [int(np.square(places - places.mean(0)).sum(1).argmin())]
    while len(chosen) < count:
        distances = np.square(places[:, None] - places[chosen]).sum(2).min(1)
        chosen.append(int(distances.argmax()))
    return [candidates[i] for i in chosen]


def largest_resolution(
    cost: Cost, base: Scaling, depth: float, width: float, target: float
) -> tuple[Scaling, float] | None:
    """The scaling of that depth and width with the largest resolution within a cost, and its cost."""
    low = int(base.resolution)
    high = int(low * MAX_RESOLUTION_FACTOR)
    least = cost(_with(base, depth, width, low))
    if least > target:
        return None
    reached = least
    guess = int(low * math.sqrt(target / least))
    for middle in (guess, guess + 3, guess - 3):  # a bracket around what a cost of r^2 would allow
        if low < middle < high:
            value = cost(_with(base, depth, width, middle))
            if value <= target:
                low, reached = middle, value
            else:
                high = middle
    while high - low > 1:
        middle = (low + high) // 2
        value = cost(_with(base, depth, width, middle))
        if value <= target:
            low, reached = middle, value
        else:
            high = middle
    return _with(base, depth, width, low), reached


def _with(base: Scaling, depth: float, width: float, resolution: int) -> Scaling:
    return Scaling(width=width, depth=depth, resolution=resolution)


def _widths(base: float, step: float, low: float, high: float) -> Iterator[float]:
    """Widths on the grid base + n step between two bounds, not below the base."""
    first = max(0, round((low - base) / step))
    for n in range(first, round((high - base) / step) + 1):
        yield round(base + n * step, 4)


def _ranked(found: dict[tuple[float, float], Optimum]) -> list[Optimum]:
    return sorted(found.values(), key=lambda o: (-o.reward, o.scaling.depth, o.scaling.width))
