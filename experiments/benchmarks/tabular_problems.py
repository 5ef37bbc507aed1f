"""Problems without training: known accuracies and known costs of training, so that a search takes a moment."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from autoglyph.experiments.benchmarks.simulated_training import Floats
from autoglyph.search_spaces import Genome, Rows

TRAININGS = 300
"""Full trainings that the budget of a search pays for."""


@dataclass(frozen=True)
class TabularProblem:
    """What a search on a tabular benchmark needs.

    Attributes:
        name: of the benchmark.
        units: of simulated time.
        genome: the space.
        curves: (n, L) rows to (n, rungs) accuracy in percent; -inf where it is not known.
        amounts: (n, L) rows to (n, rungs) simulated time from the start of a training to each rung.
        budget: simulated time of a search.
        best: accuracy of the best individual, percent; None where it is not known.
    """

    name: str
    units: str
    genome: Genome
    curves: Callable[[Rows], Floats]
    amounts: Callable[[Rows], Floats]
    budget: float
    best: float | None


def nasbench201(path: Path) -> TabularProblem:
    """NAS-Bench-201: accuracy after 12 epochs and after 200, looked up by the number of a cell.

    Args:
        path: a table with the columns arch_str, acc12_cifar10_val and acc200_cifar10_test_mean.

    Raises:
        ValueError: if the file has no such columns.
        FileNotFoundError: if there is no such file.
    """
    from autoglyph.child_programs.nats_bench_table import NAME, RUNGS
    from autoglyph.child_programs.tabular import load_table
    from autoglyph.search_spaces.spaces.nasbench201 import SPACE, cell_text

    known = load_table(str(path), NAME, list(RUNGS), cell_text)
    genome, epochs = SPACE.genome, list(RUNGS.values())
    sizes = tuple(int(n) for n in genome.cardinalities)

    def numbers(rows: Rows) -> NDArray[np.intp]:
        return np.asarray(np.ravel_multi_index(tuple(rows.T.astype(np.intp)), sizes))

    everything = genome.rows_at(0, int(np.prod(sizes)))
    table = np.full((len(everything), len(epochs)), -np.inf)
    for number, row in zip(numbers(everything), everything, strict=True):
        measured = known.values.get(known.name_of(genome.decode(row)), ())
        table[number, : len(measured)] = measured
    return TabularProblem(
        name="nasbench201",
        units="epochs",
        genome=genome,
        curves=lambda rows: table[numbers(rows)],
        amounts=lambda rows: np.tile(epochs, (len(rows), 1)),
        budget=TRAININGS * epochs[-1],
        best=float(table[:, -1].max()),
    )


def accel_nasbench(path: Path) -> TabularProblem:
    """Accel-NASBench: accuracy and duration of a 16-epoch training, by regressions on its table.

    Args:
        path: the table of the benchmark.

    Raises:
        ValueError: if it is not the table.
    """
    from autoglyph.child_programs.accel_nasbench import ACCURACY, TRAINING, load_accel_nasbench
    from autoglyph.search_spaces.spaces.efficientnet import SPACE

    fitted = load_accel_nasbench(str(path)).surrogates
    accuracy, training = fitted[ACCURACY], fitted[TRAINING]

    def seconds(rows: Rows) -> Floats:
        return np.exp(training.predict(rows))[:, None]

    average = float(seconds(SPACE.genome.random(1000, np.random.default_rng(0))).mean())
    return TabularProblem(
        name="accel_nasbench",
        units="training seconds",
        genome=SPACE.genome,
        curves=lambda rows: accuracy.predict(rows)[:, None],
        amounts=seconds,
        budget=TRAININGS * average,
        best=None,
    )
