"""The cheap judgements of a batch: analytic cost and batch scores, in the driver."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from autoglyph.experiments.domain import Candidates, Domain
from autoglyph.experiments.experiment import Experiment
from autoglyph.experiments.objectives import FloatArray, fitness_function
from autoglyph.search_spaces import Rows, plugins
from autoglyph.search_spaces.accelerator import Accelerator
from autoglyph.search_spaces.architecture import Architecture
from autoglyph.search_spaces.codesign import CoDesign


class CheapEvaluator:
    """Everything about an individual that can be told without training it.

    Args:
        experiment: which device and score to use.
        domain: where they come from.

    Raises:
        ValueError: if an objective needs a metric that nothing gives.
    """

    def __init__(self, experiment: Experiment, domain: Domain) -> None:
        self._genome = domain.space.genome
        self._objectives = list(experiment.objectives)
        self._needed = {m for o in self._objectives for m in o.metrics}
        self._fitness = fitness_function(self._objectives)
        self._constraints = list(experiment.constraints)
        self._score = domain.score_function(experiment.accuracy)
        probe = self._genome.random(1, np.random.default_rng(0))
        self._cost = _cost(experiment, domain, self._genome.decode(probe[0]))
        self.metric_names = list(self.metrics(probe))
        trained = experiment.accuracy == "trained"
        wanted = [m for o in self._objectives for m in o.metrics] if not trained else []
        for metric in [*wanted, *(c.metric for c in self._constraints)]:
            if metric not in self.metric_names:
                raise plugins.unknown_name(f"metric of {experiment.domain} without training", metric, self.metric_names)

    def metrics(self, rows: Rows) -> dict[str, FloatArray]:
        """(n,) values by metric name.

        Args:
            rows: (n, L) canonical rows.

        Raises:
            ValueError: if a score gives something else than n numbers.
        """
        found: dict[str, FloatArray] = {}
        if self._cost is not None:
            found.update(self._cost(rows))
        if self._score is not None:
            for name, values in self._score(Candidates(self._genome, rows)).items():
                array = np.asarray(values, np.float64)
                if array.shape != (len(rows),):
                    raise ValueError(
                        f"The score {name!r} has shape {array.shape} for {len(rows)} candidates: "
                        "return one number for each."
                    )
                found[name] = array
        return found

    def within_constraints(self, metrics: Mapping[str, FloatArray], n: int) -> NDArray[np.bool_]:
        """(n,) mask of individuals within all bounds."""
        mask = np.ones(n, bool)
        for constraint in self._constraints:
            mask &= constraint.holds(metrics)
        return mask

    def fitness(self, metrics: Mapping[str, FloatArray], n: int) -> FloatArray:
        """(n, M) values to maximise; -inf where a metric is missing or not finite."""
        if not self._needed <= metrics.keys():
            return np.full((n, len(self._objectives)), -np.inf)
        return self._fitness(metrics)

    def fitness_of_one(self, metrics: Mapping[str, float | None]) -> FloatArray:
        """(M,) values to maximise of one individual; -inf where a metric is missing or not finite."""
        known = {name: metrics.get(name) for name in self._needed}
        if any(value is None for value in known.values()):
            return np.full(len(self._objectives), -np.inf)
        values: FloatArray = self._fitness({name: np.array([v], np.float64) for name, v in known.items()})[0]
        return values


def _cost(experiment: Experiment, domain: Domain, individual: Any) -> Callable[[Rows], dict[str, FloatArray]] | None:
    """The cost model of an experiment: rows -> metrics; None where there is none."""
    if isinstance(individual, CoDesign | Accelerator) and experiment.device is not None:
        raise ValueError(
            f"Individuals of {domain.space.name} bring their own accelerator: "
            f"leave out the device {experiment.device!r}."
        )
    if isinstance(individual, CoDesign):
        from autoglyph.hardware_models import PairCost

        return PairCost(domain.space, batch=1 if experiment.batch is None else experiment.batch)
    if isinstance(individual, Architecture) and experiment.device is not None:
        from autoglyph.hardware_models import PopulationCost, load_device

        return PopulationCost(domain.space, load_device(experiment.device), batch=experiment.batch)
    return None


def rows_of_metrics(metrics: Mapping[str, Any], n: int) -> list[dict[str, float | None]]:
    """Columns to one dictionary an individual, None where a value is not finite."""
    names = list(metrics)
    columns = []
    for name in names:
        values = np.asarray(metrics[name], np.float64)
        columns.append([v if f else None for v, f in zip(values.tolist(), np.isfinite(values).tolist(), strict=True)])
    return [dict(zip(names, row, strict=True)) for row in zip(*columns, strict=True)] if names else [{}] * n
