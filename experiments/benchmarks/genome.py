"""Trials per second of regularized evolution on a compiled space, against PyGlove's own loop.

The space has 30 decisions of 8 values, the reward is the sum of the decoded values. Both sides run the same
algorithm with the same settings (population 100, tournament 10; in batches a population of 16 times the
batch, which costs no search quality) and are timed once their populations are full, in CPU time and in one
run, so that the ratios do not depend on the machine.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pyglove as pg

from autoglyph.algorithms import Outcomes
from autoglyph.algorithms.regularized_evolution import RegularizedEvolution
from autoglyph.search_spaces import Genome

DECISIONS = 30
VALUES = 8
POPULATION = 100
TOURNAMENT = 10
BATCH = 512


def run(*, quick: bool = False) -> dict[str, Any]:
    """Measures PyGlove's loop, the compiled space one trial at a time, and in batches.

    Args:
        quick: measure for a shorter time.

    Returns:
        "ratios": how many times PyGlove's trials per second each way makes; "figures": trials per second, and
        microseconds of CPU of the parts of a trial.
    """
    pyglove = _pyglove_trials_per_s(40 if quick else 200)
    genome = Genome(_space())
    single = _single_trials_per_s(genome, 2_000 if quick else 20_000)
    batched = _batched_trials_per_s(genome, 40 if quick else 400)
    return {
        "bench": "genome",
        "ratios": {"one_at_a_time": single / pyglove, f"batches_of_{BATCH}": batched / pyglove},
        "figures": {
            "pyglove_trials_per_s": pyglove,
            "one_at_a_time_trials_per_s": single,
            f"batches_of_{BATCH}_trials_per_s": batched,
            **_parts_us(genome, 500 if quick else 5_000),
        },
    }


def _space() -> Any:
    return pg.List([pg.oneof(range(VALUES)) for _ in range(DECISIONS)])


def _reward(example: Any) -> float:
    return float(sum(example.sym_values()))


def _pyglove_trials_per_s(trials: int) -> float:
    algorithm = pg.evolution.regularized_evolution(population_size=POPULATION, tournament_size=TOURNAMENT, seed=0)
    start = 0.0
    samples = pg.sample(_space(), algorithm, num_examples=POPULATION + trials)
    for number, (example, feedback) in enumerate(samples):
        if number == POPULATION:
            start = time.process_time()
        feedback(_reward(example))
    return trials / (time.process_time() - start)


def _single_trials_per_s(genome: Genome, trials: int) -> float:
    algorithm = RegularizedEvolution(population_size=POPULATION, tournament_size=TOURNAMENT)
    algorithm.setup(genome, 1, seed=0)

    def step(number: int) -> None:
        rows = algorithm.ask(1).rows
        reward = _reward(genome.decode(rows[0]))
        algorithm.tell(Outcomes(np.array([number]), rows, np.array([[reward]])))

    return 1 / _seconds_per_call(step, trials, warm_up=POPULATION)


def _batched_trials_per_s(genome: Genome, batches: int) -> float:
    algorithm = RegularizedEvolution(population_size=16 * BATCH, tournament_size=TOURNAMENT)
    algorithm.setup(genome, 1, seed=0)

    def step(number: int) -> None:
        rows = algorithm.ask(BATCH).rows
        rewards = np.zeros(BATCH)
        for column in range(genome.length):
            rewards += genome.literals(rows, column)
        trials = np.arange(number * BATCH, (number + 1) * BATCH)
        algorithm.tell(Outcomes(trials, rows, rewards[:, None]))

    return BATCH / _seconds_per_call(step, batches, warm_up=16)


def _parts_us(genome: Genome, calls: int) -> dict[str, float]:
    rng = np.random.default_rng(0)
    row, rows = genome.random(1, rng), genome.random(BATCH, rng)
    parts: dict[str, Callable[[int], object]] = {
        "mutate_us": lambda number: genome.mutate(row, rng),
        "decode_us": lambda number: genome.decode(row[0]),
        "random_us": lambda number: genome.random(1, rng),
        f"mutate_of_{BATCH}_us": lambda number: genome.mutate(rows, rng),
        f"random_of_{BATCH}_us": lambda number: genome.random(BATCH, rng),
    }
    return {name: 1e6 * _seconds_per_call(part, calls, warm_up=10) for name, part in parts.items()}


def _seconds_per_call(step: Callable[[int], object], calls: int, *, warm_up: int) -> float:
    for number in range(warm_up):
        step(number)
    start = time.process_time()
    for number in range(warm_up, warm_up + calls):
        step(number)
    return (time.process_time() - start) / calls
