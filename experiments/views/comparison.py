"""Several runs side by side: fronts, hypervolume over one reference point, and attainment over seeds."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from autoglyph.experiments.front import front_hypervolume
from autoglyph.experiments.objectives import FloatArray
from autoglyph.experiments.run import Run
from autoglyph.experiments.views.progress import CHECKPOINTS, hypervolumes


class Growth(NamedTuple):
    """Hypervolume of a run above the common reference point.

    Attributes:
        trials: (k,) finished trials.
        values: (k,) hypervolume.
    """

    trials: FloatArray
    values: FloatArray


class Attainment(NamedTuple):
    """What a share of the runs of a group reached (Fonseca and Fleming 1996).

    Attributes:
        share: of the runs, from above 0 to 1.
        second: (k,) values of the second objective, from worst to best.
        first: (k,) best value of the first objective that so many runs reached at that second value or better.
    """

    share: float
    second: FloatArray
    first: FloatArray


@dataclass(frozen=True)
class Comparison:
    """Runs with the same objectives.

    Attributes:
        runs: in the order given.
        reference: (M,) the worst of their reference points, as fitness.
        hypervolume: of each run.
        growth: of each run.
        groups: indices of runs that differ in nothing but their seeds.
        attainment: by group, of at least two runs of two objectives; empty else.
    """

    runs: list[Run]
    reference: FloatArray
    hypervolume: list[float]
    growth: list[Growth]
    groups: list[list[int]]
    attainment: list[list[Attainment]]


def compare(runs: Sequence[Run]) -> Comparison:
    """Compares runs.

    Raises:
        ValueError: if there are none, or they do not have the same objectives.
    """
    if not runs:
        raise ValueError("Name at least one run to compare.")
    wanted = [(o.name, o.sign) for o in runs[0].objectives]
    for run in runs[1:]:
        if [(o.name, o.sign) for o in run.objectives] != wanted:
            raise ValueError(f"The runs {runs[0].name} and {run.name} have other objectives: compare runs of the same.")
    references = np.array([r.reference for r in runs if len(r.front)]).reshape(-1, len(wanted))
    reference = references.min(axis=0) if len(references) else np.zeros(len(wanted))
    growth, volumes = [], []
    for run in runs:
        at = np.unique(np.geomspace(1, max(1, len(run)), CHECKPOINTS).round().astype(np.int64))
        at = at if len(run) else at[:0]
        growth.append(Growth(at.astype(np.float64), hypervolumes(run.fitness, reference, at)))
        volumes.append(front_hypervolume(run.fitness[run.front], reference))
    groups: dict[str, list[int]] = {}
    for i, run in enumerate(runs):
        groups.setdefault(_but_seed(run), []).append(i)
    attained = [_attainment([runs[i] for i in group]) for group in groups.values()]
    return Comparison(list(runs), reference, volumes, growth, list(groups.values()), attained)


def _attainment(runs: Sequence[Run]) -> list[Attainment]:
    """The best, the middle and the worst of what runs reached."""
    if len(runs) < 2 or len(runs[0].objectives) != 2:
        return []
    fronts = [run.fitness[run.front] for run in runs if len(run.front)]
    seconds = np.unique(np.concatenate([front[:, 1] for front in fronts])) if fronts else np.zeros(0)
    if len(seconds) > 2 * CHECKPOINTS:
        seconds = seconds[np.linspace(0, len(seconds) - 1, 2 * CHECKPOINTS).round().astype(int)]
    reached = np.full((len(runs), len(seconds)), -np.inf)
    for row, front in zip(reached, fronts, strict=False):
        ordered = front[np.argsort(front[:, 1])]
        best = np.maximum.accumulate(ordered[::-1, 0])[::-1]
        place = np.searchsorted(ordered[:, 1], seconds)
        row[place < len(best)] = best[place[place < len(best)]]
    ranked = -np.sort(-reached, axis=0)
    signs = [o.sign for o in runs[0].objectives]
    found = []
    for count in dict.fromkeys([1, (len(runs) + 1) // 2, len(runs)]):
        there = np.isfinite(ranked[count - 1])
        found.append(Attainment(count / len(runs), signs[1] * seconds[there], signs[0] * ranked[count - 1][there]))
    return found


def _but_seed(run: Run) -> str:
    return json.dumps({k: v for k, v in run.record.experiment.items() if k != "seed"}, sort_keys=True)
