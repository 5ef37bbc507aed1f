"""Search quality and speed on the pairwise tables: ours, recorded, against other tools, unrecorded.

One objective: the best z after 1,000 evaluations as a share of the best known, median over tables. Two
objectives (maximise z of table n, minimise z of table n + 1): hypervolume against (0, 0) after 2,000
evaluations, median over tables. Tools that are not slow run five times a table, and the table's figure is
the median of those. Every tool sees the same tables, evaluated by the same function; trials/s
are in CPU time of one process. Every repeat goes round all tools, so that a busy minute of the machine slows
all of them. Ours writes every trial to a record, the others keep theirs in memory.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyglove as pg

from autoglyph.algorithms import catalog, pareto
from autoglyph.experiments.benchmarks import search_peers
from autoglyph.experiments.benchmarks.pairwise_tables import BEST_KNOWN, CANDIDATES, DECISIONS, PairwiseTable
from autoglyph.experiments.benchmarks.search_peers import Fitness, Peer
from autoglyph.experiments.domain import Domain
from autoglyph.experiments.experiment import Experiment, describe, describe_columns
from autoglyph.experiments.objectives import Objective, maximize, minimize
from autoglyph.experiments.run import Run
from autoglyph.experiments.search import Search
from autoglyph.experiments.store import Store
from autoglyph.search_spaces.space import SearchSpace

SINGLE_TRIALS, MULTI_TRIALS = 1000, 2000
TABLES = (1, 2, 3, 4, 5)
REPEATS = 5
SLOW = ("pg.evolution", "Optuna TPE")  # minutes a table: run once
OURS_SINGLE: dict[str, dict[str, Any]] = {"linkage_bocs": {}, "bocs": {}, "regularized_evolution": {}}
OURS_MULTI: dict[str, dict[str, Any]] = {
    "linkage_bocs": {},
    "bocs": {},
    "nsga2": {"population_size": 20, "mutation_rate": 0.2},
}


def run(*, quick: bool = False) -> dict[str, Any]:
    """Runs all tools.

    Args:
        quick: one table and a tenth of the evaluations, to show that it works.

    Returns:
        "ratios": ours against each peer, in score, hypervolume and trials/s; "figures": all of them.
    """
    tables = TABLES[:1] if quick else TABLES
    shrink = 10 if quick else 1
    single = _measure(1, tables, SINGLE_TRIALS // shrink, search_peers.SINGLE, OURS_SINGLE)
    multi = _measure(2, tables, MULTI_TRIALS // shrink, search_peers.MULTI, OURS_MULTI)
    figures = {f"one objective, {k}": v for k, v in single.items()} | {
        f"two objectives, {k}": v for k, v in multi.items()
    }
    return {
        "bench": "search",
        "ratios": {
            **_ratios("score", single, OURS_SINGLE, search_peers.SINGLE),
            **_ratios("hypervolume", multi, OURS_MULTI, search_peers.MULTI),
        },
        "figures": figures,
    }


def _measure(
    objectives: int,
    tables: Sequence[int],
    trials: int,
    peers: Mapping[str, Peer],
    ours: Mapping[str, Mapping[str, Any]],
) -> dict[str, dict[str, Any]]:
    tools: dict[str, Any] = {f"ours {name}": (name, settings) for name, settings in ours.items()} | dict(peers)
    runs = {name: 1 if name.startswith(SLOW) else REPEATS for name in tools}
    found: dict[tuple[str, int], list[float]] = {(name, number): [] for name in tools for number in tables}
    seconds = dict.fromkeys(tools, 0.0)
    for number in tables:
        problem = _Problem(number, objectives)
        for repeat in range(REPEATS):
            seed = 1000 * repeat + number
            for name in _turns(list(tools), repeat):
                if repeat >= runs[name]:
                    continue
                tool = tools[name]
                if isinstance(tool, tuple):
                    fitness, spent = problem.search(tool[0], tool[1], trials, seed=seed)
                else:
                    fitness, spent = tool(problem.evaluate, [CANDIDATES] * DECISIONS, objectives, trials, seed)
                found[name, number].append(problem.quality(fitness))
                seconds[name] += spent
        print(f"{objectives} objective(s), table {number}: all tools done", file=sys.stderr, flush=True)
    measured: dict[str, dict[str, Any]] = {}
    for name in tools:
        qualities = [float(np.median(found[name, number])) for number in tables]
        measured[name] = {
            "median": float(np.median(qualities)),
            "by_table": [round(q, 4) for q in qualities],
            "runs_per_table": runs[name],
            "trials_per_s": trials * len(tables) * runs[name] / seconds[name],
        }
        print(f"{objectives} objective(s), {name}: {measured[name]}", file=sys.stderr, flush=True)
    return measured


def _turns(names: list[str], repeat: int) -> list[str]:
    """The tools in an order that starts with another one at each repeat."""
    first = repeat % len(names)
    return names[first:] + names[:first]


class _Problem:
    """A table, or a pair of them, as a domain and as a plain function."""

    def __init__(self, number: int, objectives: int) -> None:
        self._number = number
        self._tables = [PairwiseTable(number + i) for i in range(objectives)]
        self._signs = (1, -1)[:objectives]
        wanted: list[Objective] = [maximize("z0"), minimize("z1")]
        self._domain = Domain(
            space=_SPACE,
            score=lambda candidates: {f"z{i}": t.z(candidates.rows) for i, t in enumerate(self._tables)},
            objectives=wanted[:objectives],
        )

    def evaluate(self, rows: Any) -> Fitness:
        """(n, M) values to maximise."""
        return np.stack([sign * t.z(rows) for sign, t in zip(self._signs, self._tables, strict=True)], axis=1)

    def quality(self, fitness: Fitness) -> float:
        """Share of the best known, or hypervolume against the point (0, 0)."""
        if len(self._tables) == 1:
            return float(fitness.max() / BEST_KNOWN[self._number])
        return pareto.hypervolume(fitness, np.zeros(2))

    def search(self, algorithm: str, settings: Mapping[str, Any], trials: int, *, seed: int) -> tuple[Fitness, float]:
        """A search with everything recorded."""
        experiment = Experiment(
            domain="pairwise_tables",
            algorithm=catalog.get(algorithm)(**settings),
            algorithm_name=algorithm,
            objectives=list(self._domain.objectives),
            trials=trials,
            seed=seed,
            accuracy="score",
        )
        with tempfile.TemporaryDirectory() as folder, Store(Path(folder) / "record.db", create=True) as store:
            description, columns = describe(experiment, self._domain), describe_columns(self._domain)
            record = store.create_run("run", "run", description, columns)
            started = time.process_time()
            Search(experiment, self._domain).run(store, record)
            spent = time.process_time() - started
            return Run(record, store.trials(record.run)).fitness, spent


def _ratios(
    quality: str, measured: Mapping[str, Mapping[str, Any]], ours: Mapping[str, Any], peers: Mapping[str, Any]
) -> dict[str, float]:
    ratios = {}
    for name in ours:
        mine = measured[f"ours {name}"]
        for peer in peers:
            ratios[f"{quality}: {name} vs {peer}"] = mine["median"] / measured[peer]["median"]
            ratios[f"trials/s for {quality}: {name}, recorded, vs {peer}, unrecorded"] = (
                mine["trials_per_s"] / measured[peer]["trials_per_s"]
            )
    return ratios


_SPACE = SearchSpace(
    "pairwise_tables",
    lambda: pg.Dict(**{f"x{i:02d}": pg.oneof(list(range(CANDIDATES))) for i in range(DECISIONS)}),
    description="30 decisions of 8 values",
)
