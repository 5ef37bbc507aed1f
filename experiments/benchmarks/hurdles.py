"""What hurdles save: progressive dynamic hurdles against training every child alike, on known learning curves.

Two sources of curves. Synthetic ones are q - c t^-r with a quality q that depends on pairs of decisions, and on the gap
c: who starts lower tends to end higher. At equal steps, the best child of each search is compared fully trained. With
`--table nasbench201.csv` the cells of NAS-Bench-201 are trained for 12 epochs or for 200, and the epochs that each
search needs to reach the final accuracy of evolution without hurdles are compared.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyglove as pg

from autoglyph.algorithms.hurdles.no_hurdles import NoHurdles
from autoglyph.algorithms.hurdles.progressive_dynamic_hurdles import ProgressiveDynamicHurdles
from autoglyph.algorithms.hurdles.successive_halving import SuccessiveHalving
from autoglyph.algorithms.tournament_evolution import TournamentEvolution
from autoglyph.experiments.benchmarks.simulated_training import Floats, SimulatedSearch, simulate
from autoglyph.search_spaces import Genome, Rows

STEPS = (30.0, 60.0, 90.0, 120.0, 150.0, 180.0)
STEP_BUDGET = 36_000.0
SLOW_END_BETTER = 0.8
DECISIONS = 16
CHOICES = 6

EPOCHS = (12.0, 200.0)
PLAIN_TRIALS = 300
SEEDS = 20


def run(*, quick: bool = False, table: Path | None = None) -> dict[str, Any]:
    """Measures both.

    Args:
        quick: fewer seeds.
        table: NAS-Bench-201 as CSV with the columns arch_str, acc12_cifar10_val and acc200_cifar10_test_mean;
            None to leave it out.

    Returns:
        "ratios": shares of seeds won and medians of epochs needed; "figures": what they follow from.
    """
    seeds = range(3 if quick else 10)
    ours = np.array([synthetic(seed) for seed in seeds])
    ratios: dict[str, float] = {}
    figures = {"pdh_best_fully_trained": float(np.median(ours))}
    for steps in (STEPS[-1], STEPS[len(STEPS) // 2 - 1], STEPS[0]):
        fixed = np.array([synthetic(seed, fixed_steps=steps) for seed in seeds])
        ratios[f"share_of_seeds_pdh_beats_{steps:g}_steps_for_all"] = float(np.mean(ours > fixed))
        figures[f"{steps:g}_steps_for_all_best_fully_trained"] = float(np.median(fixed))
    if table is not None:
        cells = Cells(table)
        needed: dict[str, list[float]] = {"pdh": [], "asha": []}
        for seed in range(3 if quick else SEEDS):
            goal, plain_epochs = cells.plain(seed)
            for name, epochs in needed.items():
                epochs.append(cells.epochs_to(goal, name, seed) / plain_epochs)
        for name, epochs in needed.items():
            ratios[f"nasbench201_epochs_{name}_over_no_hurdles_median"] = float(np.median(epochs))
        figures["nasbench201_cells"] = float(len(cells.table.values))
    return {"bench": "hurdles", "ratios": ratios, "figures": figures}


class SyntheticCurves:
    """Learning curves q - c t^-r of a space of 16 decisions; who starts lower ends higher, as large networks do.

    Args:
        seed: of the qualities and the speeds.
    """

    def __init__(self, seed: int) -> None:
        rng = np.random.default_rng([seed, 7])
        self.genome = Genome(pg.Dict({f"x{i}": pg.oneof(range(CHOICES)) for i in range(DECISIONS)}))
        self._main = rng.normal(size=(DECISIONS, CHOICES))
        self._pair = rng.normal(size=(DECISIONS, CHOICES, CHOICES))
        self._slow = rng.normal(size=(DECISIONS, CHOICES))
        self._gap = rng.normal(size=(DECISIONS, CHOICES))

    def quality(self, rows: Rows) -> Floats:
        """(n,) what each individual is worth after endless training."""
        at, genes = np.arange(DECISIONS), rows.astype(np.int64)
        mates = np.roll(genes, 1, axis=1)
        base: Floats = self._main[at, genes].sum(axis=1) + self._pair[at, genes, mates].sum(axis=1)
        total: Floats = base + SLOW_END_BETTER * self._gaps(rows)
        return total

    def _gaps(self, rows: Rows) -> Floats:
        """(n,) how far below its quality each individual is after the first rung."""
        genes = rows.astype(np.int64)
        gaps: Floats = 8.0 + 6.0 * np.tanh(self._gap[np.arange(DECISIONS), genes].sum(axis=1) / 4)
        return gaps

    def __call__(self, rows: Rows) -> Floats:
        """(n, rungs) fitness after each rung."""
        genes = rows.astype(np.int64)
        exponent = 0.5 + 0.3 * np.tanh(self._slow[np.arange(DECISIONS), genes].sum(axis=1) / 4)
        steps = np.array(STEPS) / STEPS[0]
        curves: Floats = self.quality(rows)[:, None] - self._gaps(rows)[:, None] * steps[None] ** -exponent[:, None]
        return curves


def synthetic(seed: int, *, fixed_steps: float | None = None) -> float:
    """Fitness after all steps of the best child of a search.

    Args:
        seed: of the curves and of the search.
        fixed_steps: train every child for so many steps; None for progressive dynamic hurdles. Both searches spend
            the same number of steps in all.
    """
    curves = SyntheticCurves(seed)
    if fixed_steps is None:
        pdh = ProgressiveDynamicHurdles(children_per_hurdle=150)
        found = simulate(curves.genome, _evolution(), pdh, curves, STEPS, STEP_BUDGET, seed)
    else:
        at = STEPS.index(fixed_steps)
        found = simulate(
            curves.genome,
            _evolution(),
            NoHurdles(),
            lambda rows: curves(rows)[:, [at]],
            [fixed_steps],
            STEP_BUDGET,
            seed,
        )
    return _best_fully_trained(found, curves)


def _best_fully_trained(found: SimulatedSearch, curves: SyntheticCurves) -> float:
    """The child with the best fitness in the search, trained to the end."""
    best = found.rows[[int(found.fitness.argmax())]]
    return float(curves(best)[0, -1])


def _evolution() -> TournamentEvolution:
    return TournamentEvolution(population_size=50, tournament_size=15, mutation_rate=1.5 / DECISIONS)


class Cells:
    """The cells of NAS-Bench-201 with their accuracy after 12 and after 200 epochs; -inf where it is not known.

    Args:
        path: the table.

    Raises:
        ValueError: if the table has no such columns.
        FileNotFoundError: if there is no such file.
    """

    def __init__(self, path: Path) -> None:
        from autoglyph.child_programs.nats_bench_table import RUNGS
        from autoglyph.child_programs.tabular import load_table
        from autoglyph.search_spaces.spaces.nasbench201 import SPACE, cell_text

        self.genome = SPACE.genome
        self.table = load_table(str(path), "arch_str", list(RUNGS), cell_text)

    def __call__(self, rows: Rows) -> Floats:
        """(n, 2) accuracy after 12 and 200 epochs, percent."""
        accuracy = np.full((len(rows), len(EPOCHS)), -np.inf)
        for at, row in enumerate(rows):
            known = self.table.values[self.table.name_of(self.genome.decode(row))]
            accuracy[at, : len(known)] = known
        return accuracy

    def plain(self, seed: int) -> tuple[float, float]:
        """Best accuracy of evolution that trains every cell for 200 epochs, and the epochs it spent to get there."""
        found = simulate(
            self.genome,
            _cell_evolution(),
            NoHurdles(),
            lambda rows: self(rows)[:, 1:],
            EPOCHS[1:],
            PLAIN_TRIALS * EPOCHS[1],
            seed,
        )
        best = int(found.fitness.argmax())
        return float(found.fitness[best]), float(found.spent[best])

    def epochs_to(self, goal: float, name: str, seed: int) -> float:
        """Epochs a search with hurdles spends until a cell trained for 200 epochs is as good as that."""
        rule = ProgressiveDynamicHurdles(children_per_hurdle=50) if name == "pdh" else SuccessiveHalving()

        def enough(row: Rows, rungs: int) -> bool:
            return rungs == len(EPOCHS) and float(self(row[None])[0, 1]) >= goal

        longest = 20 * PLAIN_TRIALS * EPOCHS[1]
        found = simulate(self.genome, _cell_evolution(), rule, self, EPOCHS, longest, seed, enough=enough)
        reached = enough(found.rows[-1], int(found.rungs[-1]))
        return float(found.spent[-1]) if reached else float("inf")


def _cell_evolution() -> TournamentEvolution:
    return TournamentEvolution(population_size=50, tournament_size=15, mutation_rate=0.25)
