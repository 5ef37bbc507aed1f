"""Regret over simulated training time: every algorithm, two hurdle rules and other tools on tabular benchmarks.

`--table nasbench201.csv` searches the cells of NAS-Bench-201 (12 epochs and 200), `--table accel_nasbench.csv` the
stages of Accel-NASBench. Every search may spend the time of 300 full trainings, in which a child that was trained
before costs nothing. Regret is the accuracy of the best individual less that of the best one trained to the end so
far; where the best individual is not known, that of the best found by any search stands for it. Ours and the others
propose one child at a time; seconds are CPU time, the look-up included, and nothing is recorded.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from autoglyph.algorithms import catalog
from autoglyph.algorithms.hurdles.no_hurdles import NoHurdles
from autoglyph.algorithms.hurdles.progressive_dynamic_hurdles import ProgressiveDynamicHurdles
from autoglyph.algorithms.hurdles.successive_halving import SuccessiveHalving
from autoglyph.experiments.benchmarks import search_peers, tabular_problems
from autoglyph.experiments.benchmarks.regret_report import Regrets, rank_tests, save_curves
from autoglyph.experiments.benchmarks.search_peers import BudgetSpent, Fitness, Peer
from autoglyph.experiments.benchmarks.simulated_training import Floats, simulate
from autoglyph.experiments.benchmarks.tabular_problems import TabularProblem

SEEDS = 50
REFERENCE = "regularized_evolution"
POPULATION, TOURNAMENT = 50, 10
_ALGORITHM_FIELDS = {"algorithm", "first", "inner", "outer", "then"}  # of flows, which are made of algorithms
SETTINGS: Mapping[str, Mapping[str, Any]] = {
    "regularized_evolution": {"population_size": POPULATION, "tournament_size": TOURNAMENT},
    "tournament_evolution": {"population_size": POPULATION, "tournament_size": 15, "mutation_rate": 0.25},
    "nsga2": {"population_size": 20, "mutation_rate": 0.25},
}
PEERS: Mapping[str, Peer] = {
    "pg.evolution regularized_evolution": search_peers.pg_evolution(
        "regularized_evolution", population_size=POPULATION, tournament_size=TOURNAMENT
    ),
    "pymoo GA population 50": search_peers.pymoo(POPULATION),
    "Optuna NSGA-II": search_peers.optuna("nsga2"),
    "Optuna TPE": search_peers.optuna("tpe"),
}
_MAX_REPEATS = 3  # evaluations a training of the budget: searches that repeat themselves end there


class Found(NamedTuple):
    """One search.

    Attributes:
        spent: (n,) simulated time when each child that was trained to the end was done.
        accuracy: (n,) of these children, percent.
        trained: children in all.
        seconds: CPU time.
    """

    spent: Floats
    accuracy: Floats
    trained: int
    seconds: float


def run(*, quick: bool = False, table: Path | None = None, picture: Path | None = None) -> dict[str, Any]:
    """Searches with all tools.

    Args:
        quick: three seeds and a tenth of the budget.
        table: NAS-Bench-201 or Accel-NASBench, as CSV.
        picture: file for the curves of regret, .png or .svg; None for none.

    Returns:
        "ratios": the median final regret of regularized evolution over that of each other tool, and how many times
        faster it is; "figures": median final regret, mean rank, rank tests and children per second.

    Raises:
        ValueError: if no table is given, or it is none of the two.
    """
    if table is None:
        raise ValueError("Give nasbench201.csv or accel_nasbench.csv with --table: trainings are looked up there.")
    problem = _problem(table)
    seeds = range(3 if quick else SEEDS)
    budget = problem.budget / (10 if quick else 1)
    tools = _tools(problem)
    found: dict[str, list[Found]] = {name: [] for name in tools}
    for name, search in tools.items():
        for seed in seeds:
            found[name].append(search(budget, seed))
        print(f"{name}: {len(seeds)} searches done", file=sys.stderr, flush=True)
    best = problem.best
    if best is None:
        best = max(float(each.accuracy.max()) for searches in found.values() for each in searches)
    regrets = Regrets.of({name: [(f.spent, f.accuracy) for f in each] for name, each in found.items()}, best, budget)
    speeds = {n: sum(f.trained for f in each) / sum(f.seconds for f in each) for n, each in found.items()}
    if picture is not None:
        title = f"{problem.name}: median of {len(seeds)} seeds, band of the middle half"
        save_curves(regrets, title, f"simulated time ({problem.units})", list(PEERS), REFERENCE, picture)
    final = regrets.final
    mine = float(np.median(final[REFERENCE]))
    ratios = {}
    for name in tools:
        if name != REFERENCE:
            theirs = float(np.median(final[name]))
            ratios[f"median final regret: {REFERENCE} / {name}"] = mine / theirs if theirs else float("nan")
            ratios[f"children per second: {REFERENCE} / {name}"] = speeds[REFERENCE] / speeds[name]
    figures: dict[str, float] = {"seeds": float(len(seeds)), f"budget, {problem.units}": budget, "best accuracy": best}
    for name in sorted(tools, key=lambda n: float(np.median(final[n]))):
        figures[f"median final regret, {name}"] = float(np.median(final[name]))
        figures[f"children per second, {name}"] = speeds[name]
    figures |= rank_tests(final, REFERENCE)
    return {"bench": "algorithms", "ratios": ratios, "figures": figures}


def _problem(table: Path) -> TabularProblem:
    if not table.is_file():
        raise ValueError(f"There is no file {str(table)!r}: give nasbench201.csv or accel_nasbench.csv with --table.")
    with table.open(encoding="utf-8") as file:
        header = file.readline()
    if "arch_str" in header:
        return tabular_problems.nasbench201(table)
    return tabular_problems.accel_nasbench(table)


def _tools(problem: TabularProblem) -> dict[str, Callable[[float, int], Found]]:
    """Searches by name: (budget, seed) -> what it found."""
    rungs = problem.curves(problem.genome.random(1, np.random.default_rng(0))).shape[1]
    tools: dict[str, Callable[[float, int], Found]] = {}
    for name in catalog.available():
        is_flow = bool(_ALGORITHM_FIELDS & {str(key) for key in catalog.get(name)().sym_keys()})
        if name != "exhaustive" and not is_flow:
            tools[name] = _ours(problem, name, None)
    if rungs > 1:
        for short in ("asha", "pdh"):
            tools[f"tournament_evolution with {short}"] = _ours(problem, "tournament_evolution", short)
    for name, peer in PEERS.items():
        tools[name] = _peer(problem, peer)
    return tools


def _ours(problem: TabularProblem, name: str, hurdles: str | None) -> Callable[[float, int], Found]:
    def search(budget: float, seed: int) -> Found:
        algorithm = catalog.get(name)(**SETTINGS.get(name, {}))
        if hurdles is None:
            rule: Any = NoHurdles()
        else:
            rule = SuccessiveHalving() if hurdles == "asha" else ProgressiveDynamicHurdles(children_per_hurdle=50)
        last = slice(None) if hurdles else slice(-1, None)
        started = time.process_time()
        done = simulate(
            problem.genome,
            algorithm,
            rule,
            lambda rows: problem.curves(rows)[:, last],
            lambda rows: problem.amounts(rows)[:, last],
            budget,
            seed,
        )
        seconds = time.process_time() - started
        complete = done.rungs == problem.curves(done.rows)[:, last].shape[1]
        return Found(done.spent[complete], done.fitness[complete], len(done.rows), seconds)

    return search


def _peer(problem: TabularProblem, peer: Peer) -> Callable[[float, int], Found]:
    sizes = [int(n) for n in problem.genome.cardinalities]

    def search(budget: float, seed: int) -> Found:
        seen: set[bytes] = set()
        spent: list[float] = []
        accuracy: list[float] = []

        def evaluate(rows: Any) -> Fitness:
            given = rows.astype(problem.genome.dtype)
            values = problem.curves(given)[:, -1:]
            costs = problem.amounts(given)[:, -1]
            for row, value, cost in zip(given, values[:, 0], costs, strict=True):
                if (spent[-1] if spent else 0.0) >= budget:
                    raise BudgetSpent
                if (key := row.tobytes()) not in seen:
                    seen.add(key)
                    spent.append((spent[-1] if spent else 0.0) + float(cost))
                    accuracy.append(float(value))
            return np.asarray(values, np.float64)

        trials = _MAX_REPEATS * tabular_problems.TRAININGS
        _, seconds = peer(evaluate, sizes, 1, trials, seed)
        return Found(np.array(spent), np.array(accuracy), len(spent), seconds)

    return search
