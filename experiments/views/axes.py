"""What a run can be looked at by: its objectives, and every other metric it recorded."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from autoglyph.experiments.front import pareto_indices
from autoglyph.experiments.objectives import FloatArray, parse_objective
from autoglyph.experiments.pictures.pareto_front import axis_label
from autoglyph.experiments.run import Run
from autoglyph.search_spaces import plugins


class Axis(NamedTuple):
    """One number of every trial.

    Attributes:
        name: of the objective or metric.
        label: with its unit.
        sign: 1 if larger is better, -1 if smaller is.
        values: (n,) in its own unit; NaN where a trial failed or has none.
        is_objective: whether the search wanted it.
    """

    name: str
    label: str
    sign: int
    values: FloatArray
    is_objective: bool


def axis_names(run: Run) -> list[str]:
    """Names of the axes there are: the objectives first, then the other metrics."""
    objectives = [o.name for o in run.objectives]
    return [*objectives, *(name for name in run.metrics if name not in objectives)]


def axis(run: Run, name: str) -> Axis:
    """The axis of a name.

    Raises:
        ValueError: if the run has none, with the nearest names.
    """
    for i, objective in enumerate(run.objectives):
        if objective.name == name:
            values = objective.sign * run.fitness[:, i]
            return Axis(name, axis_label(name), objective.sign, np.where(np.isfinite(values), values, np.nan), True)
    if name not in run.metrics:
        raise plugins.unknown_name(f"metric of the run {run.name}", name, axis_names(run))
    values = np.where(run.completed & np.isfinite(run.metrics[name]), run.metrics[name], np.nan)
    sign = parse_objective(name).sign if name.isidentifier() else -1
    return Axis(name, axis_label(name), sign, values, False)


def default_axes(run: Run) -> list[str]:
    """The first three objectives; with one, that and the first other metric where there is one."""
    names = [o.name for o in run.objectives][:3]
    return names if len(names) > 1 else axis_names(run)[:2]


def front_of(axes: list[Axis]) -> NDArray[np.int64]:
    """Trials that no other beats in all of these axes, by the first from worst to best; exact, however many trials."""
    values = np.stack([a.sign * a.values for a in axes], axis=1)
    usable = np.flatnonzero(np.isfinite(values).all(axis=1))
    if len(usable) == 0:
        return usable
    front = usable[pareto_indices(values[usable])]
    return front[np.argsort(values[front, 0], kind="stable")]
