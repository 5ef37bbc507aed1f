"""Other search tools on spaces of categorical decisions, each by its own public interface and unrecorded."""

from __future__ import annotations

import contextlib
import time
import warnings
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Fitness = NDArray[np.float64]
Evaluate = Callable[[NDArray[np.int_]], Fitness]  # (n, L) rows -> (n, M), larger is better
Peer = Callable[[Evaluate, Sequence[int], int, int, int], tuple[Fitness, float]]
"""(evaluate, candidates of each decision, objectives, trials, seed) -> ((trials, M) fitness, seconds of CPU time)."""


class BudgetSpent(Exception):
    """Raised by an evaluation to end a search before it has made all its trials."""


def pg_evolution(method: str, **settings: int) -> Peer:
    """PyGlove's own evolution, through pg.sample, its default sizes unless others are given."""

    def run(
        evaluate: Evaluate, cardinalities: Sequence[int], objectives: int, trials: int, seed: int
    ) -> tuple[Fitness, float]:
        import pyglove as pg

        space = pg.List([pg.oneof(list(range(n))) for n in cardinalities])
        mutator = pg.evolution.mutators.Uniform(seed=seed)
        if method == "regularized_evolution":
            algorithm = pg.evolution.regularized_evolution(mutator, seed=seed, **settings)
        elif method == "hill_climb":
            algorithm = pg.evolution.hill_climb(mutator, seed=seed)
        else:
            algorithm = pg.evolution.nsga2(mutator, seed=seed)
        names = ["reward"] if objectives == 1 else [f"m{i}" for i in range(objectives)]
        found = []
        started = time.process_time()
        with contextlib.suppress(BudgetSpent):
            for example, feedback in pg.sample(space, algorithm, num_examples=trials, metrics_to_optimize=names):
                values = evaluate(np.array([list(example)]))[0]
                found.append(values)
                if objectives == 1:
                    feedback(float(values[0]))
                else:
                    metrics = dict(zip(names, map(float, values), strict=True))
                    feedback(reward=float(values[0]), metrics=metrics)
        return np.array(found), time.process_time() - started

    return run


def pymoo(population_size: int | None) -> Peer:
    """Pymoo's GA or NSGA-II for integer variables, duplicates eliminated as is its default."""

    def run(
        evaluate: Evaluate, cardinalities: Sequence[int], objectives: int, trials: int, seed: int
    ) -> tuple[Fitness, float]:
        from pymoo.algorithms.moo.nsga2 import NSGA2
        from pymoo.algorithms.soo.nonconvex.ga import GA
        from pymoo.core.problem import Problem
        from pymoo.operators.crossover.sbx import SBX
        from pymoo.operators.mutation.pm import PM
        from pymoo.operators.repair.rounding import RoundingRepair
        from pymoo.operators.sampling.rnd import IntegerRandomSampling
        from pymoo.optimize import minimize

        found: list[Fitness] = []

        class Tables(Problem):
            def __init__(self) -> None:
                upper = np.asarray(cardinalities) - 1
                super().__init__(n_var=len(upper), n_obj=objectives, xl=np.zeros_like(upper), xu=upper, vtype=int)

            def _evaluate(self, x: Any, out: dict[str, Any], *args: Any, **kwargs: Any) -> None:
                values = evaluate(np.asarray(x, int))
                found.append(values)
                out["F"] = -values

        sizes = {} if population_size is None else {"pop_size": population_size}
        algorithm = (GA if objectives == 1 else NSGA2)(
            sampling=IntegerRandomSampling(),
            crossover=SBX(prob=0.9, eta=15, vtype=float, repair=RoundingRepair()),
            mutation=PM(eta=20, vtype=float, repair=RoundingRepair()),
            eliminate_duplicates=True,
            **sizes,
        )
        started = time.process_time()
        with contextlib.suppress(BudgetSpent):
            minimize(Tables(), algorithm, ("n_eval", trials), seed=seed, verbose=False)
        return np.concatenate([np.empty((0, objectives)), *found])[:trials], time.process_time() - started

    return run


def optuna(sampler: str) -> Peer:
    """Optuna's samplers over categorical suggestions, its study in memory."""

    def run(
        evaluate: Evaluate, cardinalities: Sequence[int], objectives: int, trials: int, seed: int
    ) -> tuple[Fitness, float]:
        import optuna as library

        library.logging.set_verbosity(library.logging.ERROR)
        samplers = library.samplers
        chosen = samplers.TPESampler(seed=seed) if sampler == "tpe" else samplers.NSGAIISampler(seed=seed)
        directions: Any = ["maximize"] * objectives
        study = library.create_study(sampler=chosen, directions=directions)
        found = []

        def objective(trial: Any) -> Any:
            row = [trial.suggest_categorical(f"x{i}", list(range(n))) for i, n in enumerate(cardinalities)]
            values = evaluate(np.array([row]))[0]
            found.append(values)
            return tuple(map(float, values)) if objectives > 1 else float(values[0])

        started = time.process_time()
        with warnings.catch_warnings(), contextlib.suppress(BudgetSpent):
            warnings.simplefilter("ignore", library.exceptions.ExperimentalWarning)
            study.optimize(objective, n_trials=trials)
        return np.array(found), time.process_time() - started

    return run


SINGLE: dict[str, Peer] = {
    "pg.evolution regularized_evolution": pg_evolution("regularized_evolution"),
    "pg.evolution hill_climb": pg_evolution("hill_climb"),
    "pymoo GA": pymoo(None),
    "pymoo GA population 50": pymoo(50),
    "Optuna NSGA-II": optuna("nsga2"),
    "Optuna TPE": optuna("tpe"),
}
MULTI: dict[str, Peer] = {
    "pg.evolution nsga2": pg_evolution("nsga2"),
    "pymoo NSGA-II": pymoo(None),
    "pymoo NSGA-II population 50": pymoo(50),
    "Optuna NSGA-II": optuna("nsga2"),
    "Optuna TPE": optuna("tpe"),
}
