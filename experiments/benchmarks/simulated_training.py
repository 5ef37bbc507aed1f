"""Searches on known learning curves: algorithm and hurdle rule as in a real search, training by table look-up."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from autoglyph.algorithms import Algorithm, Outcomes
from autoglyph.algorithms.hurdles import Finished, HurdleRule, NewHurdle
from autoglyph.algorithms.hurdles.base import passes_gate
from autoglyph.search_spaces import Genome, Rows

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class SimulatedSearch:
    """What a simulated search did, child by child.

    Attributes:
        rows: (n, L) individuals in the order in which they were trained.
        rungs: (n,) how many rungs each was trained for.
        fitness: (n,) after its last rung.
        spent: (n,) budget spent by the search once it was done.
        hurdles: those that came into force.
        asked: children that were proposed, those trained before included.
    """

    rows: Rows
    rungs: NDArray[np.int64]
    fitness: Floats
    spent: Floats
    hurdles: list[NewHurdle]
    asked: int


def simulate(
    genome: Genome,
    algorithm: Algorithm,
    rule: HurdleRule,
    curves: Callable[[Rows], Floats],
    amounts: Sequence[float] | Callable[[Rows], Floats],
    budget: float,
    seed: int,
    *,
    enough: Callable[[Rows, int], bool] | None = None,
    most: int | None = None,
) -> SimulatedSearch:
    """Searches one child at a time until the budget is spent. Nothing is trained twice.

    Args:
        genome: the space.
        algorithm: settings; it is set up anew.
        rule: settings; it is set up anew, for as many rungs as there are amounts.
        curves: (n, L) rows to (n, rungs) fitness after each rung.
        amounts: budget from the start of a training to each rung, rising; or (n, L) rows to (n, rungs) of them.
        budget: in the same unit, for all children together.
        seed: of the algorithm.
        enough: ends the search early, given a child's row and how many rungs it was trained for.
        most: proposals after which the search ends in any case; None: after 1000 in a row that were trained before.
    """
    algorithm.setup(genome, 1, seed)
    amounts_of = amounts if callable(amounts) else lambda rows: np.tile(amounts, (len(rows), 1))
    rule.setup(amounts_of(genome.rows_at(0, 1)).shape[1], algorithm.initial_population)
    known: dict[bytes, int] = {}
    rows: list[Rows] = []
    trained: list[int] = []
    values: list[float] = []
    spent: list[float] = []
    hurdles: list[NewHurdle] = []
    total, idle, asked = 0.0, 0, 0
    while total < budget and (idle < 1000 if most is None else asked < most):
        asked += 1
        (row,) = algorithm.ask(1).rows
        (key,) = genome.keys(row[None])
        trial = known.get(key, -1)
        idle = idle + 1 if trial >= 0 else 0
        if trial < 0:
            trial = known[key] = len(rows)
            curve = curves(row[None])[0]
            reached = _train(rule, trial, curve)
            total += float(amounts_of(row[None])[0, reached - 1])
            rows.append(row)
            trained.append(reached)
            values.append(float(curve[reached - 1]))
            spent.append(total)
        algorithm.tell(Outcomes(np.array([trial]), row[None], np.array([[values[trial]]])))
        if idle == 0:
            members = algorithm.members()
            told = Finished(trial, values[trial], trained[trial])
            hurdles += rule.tell(told, None if members is None else members.tolist())
            if enough is not None and enough(row, trained[trial]):
                break
    found = np.stack(rows), np.array(trained, np.int64), np.array(values), np.array(spent)
    return SimulatedSearch(*found, hurdles, asked)


def _train(rule: HurdleRule, trial: int, curve: Floats) -> int:
    """How many rungs a child is trained for."""
    gate, rung = rule.gate(), 0
    while rung < len(curve) - 1:
        value = float(curve[rung])
        goes_on = rule.passes(trial, rung, value) if gate is None else passes_gate(gate, rung, value)
        if not goes_on:
            break
        rung += 1
    return rung + 1
