"""Other search tools on the pairwise tables, each by its own public interface and unrecorded."""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from autoglyph.experiments.benchmarks.pairwise_tables import CANDIDATES, DECISIONS

Fitness = NDArray[np.float64]
Evaluate = Callable[[NDArray[np.int_]], Fitness]  # (n, 30) rows -> (n, M), larger is better
Peer = Callable[[Evaluate, int, int, int], tuple[Fitness, float]]


def pg_evolution(method: str) -> Peer:
    """PyGlove's own evolution, through pg.sample."""

    def run(evaluate: Evaluate, objectives: int, trials: int, seed: int) -> tuple[Fitness, float]:
        import pyglove as pg

        space = pg.List([pg.oneof(list(range(CANDIDATES))) for _ in range(DECISIONS)])
        mutator = pg.evolution.mutators.Uniform(seed=seed)
        if method == "regularized_evolution":
            algorithm = pg.evolution.regularized_evolution(mutator, seed=seed)
        elif method == "hill_climb":
            algorithm = pg.evolution.hill_climb(mutator, seed=seed)
        else:
            algorithm = pg.evolution.nsga2(mutator, seed=seed)
        names = ["reward"] if objectives == 1 else [f"m{i}" for i in range(objectives)]
        found = []
        started = time.process_time()
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

    def run(evaluate: Evaluate, objectives: int, trials: int, seed: int) -> tuple[Fitness, float]:
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
                super().__init__(n_var=DECISIONS, n_obj=objectives, xl=0, xu=CANDIDATES - 1, vtype=int)

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
        minimize(Tables(), algorithm, ("n_eval", trials), seed=seed, verbose=False)
        return np.concatenate(found)[:trials], time.process_time() - started

    return run


def optuna(sampler: str) -> Peer:
    """Optuna's samplers over categorical suggestions, its study in memory."""

    def run(evaluate: Evaluate, objectives: int, trials: int, seed: int) -> tuple[Fitness, float]:
        import optuna as library

        library.logging.set_verbosity(library.logging.ERROR)
        samplers = library.samplers
        chosen = samplers.TPESampler(seed=seed) if sampler == "tpe" else samplers.NSGAIISampler(seed=seed)
        directions: Any = ["maximize"] * objectives
        study = library.create_study(sampler=chosen, directions=directions)
        found = []

        def objective(trial: Any) -> Any:
            row = [trial.suggest_categorical(f"x{i}", list(range(CANDIDATES))) for i in range(DECISIONS)]
            values = evaluate(np.array([row]))[0]
            found.append(values)
            return tuple(map(float, values)) if objectives > 1 else float(values[0])

        started = time.process_time()
        with warnings.catch_warnings():
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
