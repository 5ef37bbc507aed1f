"""Regret over simulated training time: every algorithm, two hurdle rules and other tools on tabular benchmarks.

`--table nasbench201.csv` searches the cells of NAS-Bench-201 (12 epochs and 200), `--table accel_nasbench.csv` the
stages of Accel-NASBench. Every search may spend the time of 300 full trainings, in which a child that was trained
before costs nothing, and ends in any case after three times as many proposals as it could pay for. Regret is the
accuracy of the best individual less that of the best one trained to the end so far; where the best individual is not
known, that of the best found by any search stands for it. Ours and the others propose one child at a time; regularized
evolution also runs with all seeds side by side in one array. Speeds are proposals and searches a second of CPU time,
the look-up included, and nothing is recorded.
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
from autoglyph.algorithms.regularized_evolution import RegularizedEvolution
from autoglyph.experiments.benchmarks import search_peers, seeds_at_once, tabular_problems
from autoglyph.experiments.benchmarks.regret_report import Regrets, rank_tests, save_curves
from autoglyph.experiments.benchmarks.search_peers import BudgetSpent, Fitness, Peer
from autoglyph.experiments.benchmarks.simulated_training import Floats, simulate
from autoglyph.experiments.benchmarks.tabular_problems import TabularProblem

SEEDS = 50
REFERENCE = "regularized_evolution"
AT_ONCE = "regularized_evolution, all seeds at once"
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
_MAX_REPEATS = 3  # proposals for every training that the budget pays for: searches that repeat themselves end there


class Found(NamedTuple):
    """One search.

    Attributes:
        spent: (n,) simulated time when each child that was trained to the end was done.
        accuracy: (n,) of these children, percent.
        proposed: children in all, those that were trained before included.
        seconds: CPU time.
    """

    spent: Floats
    accuracy: Floats
    proposed: int
    seconds: float


def run(*, quick: bool = False, table: Path | None = None, picture: Path | None = None) -> dict[str, Any]:
    """Searches with all tools.

    Args:
        quick: three seeds and a tenth of the budget.
        table: NAS-Bench-201 or Accel-NASBench, as CSV.
        picture: file for the curves of regret, .png or .svg; None for none.

    Returns:
        "ratios": the median final regret of regularized evolution over that of each other tool, where that is not
        zero, and how many times the searches of each peer it makes a second; "figures": median and mean final regret,
        mean rank, rank tests, proposals and searches per second.

    Raises:
        ValueError: if no table is given, or it is none of the two.
    """
    if table is None:
        raise ValueError("Give nasbench201.csv or accel_nasbench.csv with --table: trainings are looked up there.")
    problem = _problem(table)
    seeds = range(3 if quick else SEEDS)
    budget = problem.budget / (10 if quick else 1)
    found: dict[str, list[Found]] = {}
    for name, search in _tools(problem).items():
        found[name] = [search(budget, seed) for seed in seeds]
        print(f"{name}: {len(seeds)} searches done", file=sys.stderr, flush=True)
    found[AT_ONCE] = _at_once(problem, budget, len(seeds))
    best = problem.best
    if best is None:
        best = max(float(each.accuracy.max()) for searches in found.values() for each in searches)
    regrets = Regrets.of({name: [(f.spent, f.accuracy) for f in each] for name, each in found.items()}, best, budget)
    seconds = {name: sum(each.seconds for each in searches) for name, searches in found.items()}
    if picture is not None:
        title = f"{problem.name}: median of {len(seeds)} seeds, band of the middle half"
        save_curves(regrets, title, f"simulated time ({problem.units})", list(PEERS), REFERENCE, picture)
    final = regrets.final
    ratios: dict[str, float] = {}
    for name in found:
        theirs = float(np.median(final[name]))
        if name not in (REFERENCE, AT_ONCE) and theirs:
            ratios[f"median final regret, {REFERENCE} / {name}"] = float(np.median(final[REFERENCE])) / theirs
    for ours in (AT_ONCE, REFERENCE):
        ratios |= {f"searches per second, {ours} / {name}": seconds[name] / seconds[ours] for name in PEERS}
    figures: dict[str, float] = {"seeds": float(len(seeds)), f"budget, {problem.units}": budget, "best accuracy": best}
    for name in sorted(found, key=lambda n: (float(np.median(final[n])), float(np.mean(final[n])))):
        figures[f"median final regret, {name}"] = float(np.median(final[name]))
        figures[f"mean final regret, {name}"] = float(np.mean(final[name]))
        figures[f"proposals per second, {name}"] = sum(each.proposed for each in found[name]) / seconds[name]
        figures[f"searches per second, {name}"] = len(found[name]) / seconds[name]
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
        amounts = problem.amounts(problem.genome.random(1, np.random.default_rng(0)))[0, last]
        most = round(_most_proposals(problem, budget) * amounts[-1] / amounts[0])
        started = time.process_time()
        done = simulate(
            problem.genome,
            algorithm,
            rule,
            lambda rows: problem.curves(rows)[:, last],
            lambda rows: problem.amounts(rows)[:, last],
            budget,
            seed,
            most=most,
        )
        seconds = time.process_time() - started
        complete = done.rungs == problem.curves(done.rows)[:, last].shape[1]
        return Found(done.spent[complete], done.fitness[complete], done.asked, seconds)

    return search


def _peer(problem: TabularProblem, peer: Peer) -> Callable[[float, int], Found]:
    sizes = [int(n) for n in problem.genome.cardinalities]

    def search(budget: float, seed: int) -> Found:
        seen: set[bytes] = set()
        spent: list[float] = []
        accuracy: list[float] = []
        proposed = 0

        def evaluate(rows: Any) -> Fitness:
            nonlocal proposed
            given = rows.astype(problem.genome.dtype)
            values = problem.curves(given)[:, -1:]
            costs = problem.amounts(given)[:, -1]
            for row, value, cost in zip(given, values[:, 0], costs, strict=True):
                if (spent[-1] if spent else 0.0) >= budget:
                    raise BudgetSpent
                proposed += 1
                if (key := row.tobytes()) not in seen:
                    seen.add(key)
                    spent.append((spent[-1] if spent else 0.0) + float(cost))
                    accuracy.append(float(value))
            return np.asarray(values, np.float64)

        _, seconds = peer(evaluate, sizes, 1, _most_proposals(problem, budget), seed)
        return Found(np.array(spent), np.array(accuracy), proposed, seconds)

    return search


def _at_once(problem: TabularProblem, budget: float, searches: int) -> list[Found]:
    """Regularized evolution of as many seeds, side by side."""
    settings = RegularizedEvolution(**SETTINGS[REFERENCE])
    children = _most_proposals(problem, budget)
    found = []
    started = time.process_time()
    for row, accuracy in zip(*seeds_at_once.evolve(problem, settings, searches, children, 0), strict=True):
        paid = seeds_at_once.first_trainings(problem.genome, row)
        spent = np.cumsum(problem.amounts(row[paid])[:, -1])
        within = np.concatenate([[0.0], spent[:-1]]) < budget  # the last child may end after the budget
        found.append(Found(spent[within], accuracy[paid][within], children, 0.0))
    seconds = (time.process_time() - started) / searches
    return [each._replace(seconds=seconds) for each in found]


def _most_proposals(problem: TabularProblem, budget: float) -> int:
    """Where searches end that train little because they repeat themselves."""
    return round(_MAX_REPEATS * tabular_problems.TRAININGS * budget / problem.budget)
