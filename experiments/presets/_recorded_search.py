"""Searches of presets: carried out once into a record, and read from there ever after."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from autoglyph.experiments.executors.base import ExecutorOptions
from autoglyph.experiments.experiment import define, describe, describe_columns, from_description
from autoglyph.experiments.run import Run
from autoglyph.experiments.search import Search
from autoglyph.experiments.store import Store
from autoglyph.search_spaces.expressions.program import Program
from autoglyph.search_spaces.space import SearchSpace


def recorded(
    name: str,
    store: Path,
    domain: str,
    *,
    trials: int,
    workers: int,
    algorithm: str,
    seed: int = 0,
    in_flight: int = 0,
    settings: Mapping[str, str] | None = None,
) -> Run:
    """The run of a name, searched now unless the record has it; one that was cut short goes on.

    Args:
        name: of the run.
        store: the record.
        domain: see `load_domain`.
        trials: individuals to evaluate.
        workers: processes on Ray; 0 trains in this process.
        algorithm: name in the catalog.
        seed: of all randomness.
        in_flight: children in training at once, 0 for whole batches.
        settings: see `define`.
    """
    experiment, loaded = define(
        domain, algorithm=algorithm, trials=trials, seed=seed, in_flight=in_flight, settings=settings
    )
    with Store(store, create=True) as opened:
        known = {run.name: run for run in opened.runs()}
        record = known.get(name) or opened.create_run(
            name, name, describe(experiment, loaded), describe_columns(loaded)
        )
        done = opened.trial_counts().get(record.run, 0)
        if name in known:
            experiment, loaded = from_description(record.experiment)
        finished = any(kind == "finished" for _, kind, _ in opened.events(record.run))
        if not finished:
            print(f"{name}: {done:,} of {experiment.trials:,} trials are recorded", file=sys.stderr)
            options = ExecutorOptions(workers=workers or None)
            Search(experiment, loaded, executor="ray" if workers else "serial", options=options).run(opened, record)
    return Run.open(name, store)


def evolved_rules(
    name: str, store: Path, domain: str, *, trials: int, workers: int, seed: int, smoke_steps: int | None
) -> Run:
    """The run of a search for rules by regularized evolution with 64 members; see `recorded`.

    Args:
        name: of the run.
        store: the record.
        domain: see `load_domain`.
        trials: individuals to evaluate.
        workers: processes on Ray; 0 trains in this process.
        seed: of all randomness.
        smoke_steps: steps of a training from one seed, in a small search with eight members; None for the whole one.
    """
    members, entrants = ("64", "8") if smoke_steps is None else ("8", "4")
    settings = {"algorithm.population_size": members, "algorithm.tournament_size": entrants}
    if smoke_steps is not None:
        settings |= {"program.seeds": "[0]", "program.steps": str(smoke_steps)}
    return recorded(
        name,
        store,
        domain,
        trials=trials,
        workers=workers,
        algorithm="regularized_evolution",
        seed=seed,
        in_flight=4 * max(1, workers),
        settings=settings,
    )


def search_seconds(run: Run) -> float:
    """Seconds that the search itself took, pauses left out."""
    return sum(float(payload["wall_s"]) for _, kind, payload in run.events if kind in ("finished", "interrupted"))


def counted(run: Run) -> dict[str, float]:
    """Trials of a run, those that cost no training or came to nothing, and the seconds of the search."""
    return {
        "trials": len(run),
        "copied": run.num_copied,
        "infeasible": run.num_infeasible,
        "diverged": run.num_failed,
        "search_s": search_seconds(run),
    }


def best_programs(run: Run, space: SearchSpace, n: int) -> list[tuple[Program, int]]:
    """The n best different individuals and their trials; of those that compute the same the first one."""
    fitness = run.fitness[:, 0]
    order = np.lexsort((np.arange(len(run)), -fitness))
    usable = [int(t) for t in order if np.isfinite(fitness[t]) and run.trials[t].copies is None]
    genome = space.genome
    return [(genome.decode(genome.from_json(json.loads(run.trials[t].genes))), t) for t in usable[:n]]
