"""Whether a larger replay memory helps Q-learning, with 1-step and with 3-step returns (after Fedus et al. 2020).

The problem is a sequence of tokens that can be enumerated: the payment is a random table of each token and of each
pair of neighbours, comes once, after the last token, and is measured with noise of two standard deviations of all
sequences. Trials, updates (the replay ratio) and all other settings are the same for every capacity. The score is the
noise-free payment of the last proposals, in standard deviations of all sequences from their mean.

The values that returns look ahead to are refreshed often, or so seldom that 1-step returns cannot carry the payment to
the first tokens within the search, while 3-step returns can.
"""

from __future__ import annotations

from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import Any

import numpy as np
import pyglove as pg

from autoglyph.algorithms.base import FloatArray, Outcomes
from autoglyph.algorithms.q_learning import QLearning
from autoglyph.search_spaces import Genome, Rows

TOKENS, CHOICES, NOISE = 6, 4, 2.0
TRIALS, SCORED, REPLAY_RATIO = 800, 270, 0.25
SMALL, LARGE = 80, 800
"""Capacities in trials; the large one forgets nothing."""
REFRESHED = {"often": 5, "seldom": 60}
"""Updates, of 200 in all, after which the values to look ahead to are refreshed."""
WORKERS = 4
SEEDS = 10


def run(*, quick: bool = False) -> dict[str, Any]:
    """Measures both capacities with both returns.

    Args:
        quick: fewer seeds and trials.

    Returns:
        "ratios": by returns and refreshing, the mean gain of the larger capacity in standard deviations of all
        sequences, its standard error, and the share of seeds in which it is ahead; "figures": mean scores and settings.
    """
    seeds, trials = (2, 100) if quick else (SEEDS, TRIALS)
    cases = [(name, n, capacity) for name in REFRESHED for n in (1, 3) for capacity in (SMALL, LARGE)]
    tasks = [(seed, capacity, n, REFRESHED[name], trials) for name, n, capacity in cases for seed in range(seeds)]
    with ProcessPoolExecutor(WORKERS, mp_context=get_context("spawn")) as pool:
        found = np.reshape(list(pool.map(_score, tasks)), (len(cases), seeds))
    scores: dict[tuple[str, int, int], FloatArray] = dict(zip(cases, found, strict=True))
    ratios: dict[str, float] = {}
    figures: dict[str, float] = {"seeds": seeds, "trials": trials, "sequences": CHOICES**TOKENS}
    figures["score_of_best_sequence"] = float(np.mean([TokenProblem(seed).values.max() for seed in range(seeds)]))
    for name in REFRESHED:
        for n in (1, 3):
            gains = scores[name, n, LARGE] - scores[name, n, SMALL]
            case = f"{n}_step_refreshed_{name}"
            ratios[f"gain_of_capacity_{case}"] = float(gains.mean())
            ratios[f"standard_error_{case}"] = float(gains.std(ddof=1) / len(gains) ** 0.5)
            ratios[f"share_of_seeds_ahead_{case}"] = float((gains > 0).mean())
            for capacity in (SMALL, LARGE):
                figures[f"score_{case}_capacity_{capacity}"] = float(scores[name, n, capacity].mean())
    return {"bench": "replay_capacity", "ratios": ratios, "figures": figures}


class TokenProblem:
    """A payment for every sequence of tokens, standardised over all of them.

    Args:
        seed: of the tables.

    Attributes:
        genome: the space.
        values: (CHOICES ** TOKENS,) payments of all sequences.
    """

    def __init__(self, seed: int) -> None:
        rng = np.random.default_rng([seed, 3])
        self.genome = Genome(pg.Dict({f"t{i}": pg.oneof(range(CHOICES)) for i in range(TOKENS)}))
        self._alone = rng.normal(size=(TOKENS, CHOICES))
        self._pair = rng.normal(size=(TOKENS - 1, CHOICES, CHOICES))
        raw = self._raw(np.indices((CHOICES,) * TOKENS).reshape(TOKENS, -1).T)
        self._mean, self._deviation = float(raw.mean()), float(raw.std())
        self.values: FloatArray = (raw - self._mean) / self._deviation

    def pay(self, rows: Rows) -> FloatArray:
        """(n,) payments of (n, TOKENS) rows, without noise."""
        payments: FloatArray = (self._raw(np.asarray(rows, np.int64)) - self._mean) / self._deviation
        return payments

    def _raw(self, tokens: Any) -> FloatArray:
        at = np.arange(TOKENS)
        pairs = self._pair[at[:-1], tokens[:, :-1], tokens[:, 1:]]
        total: FloatArray = self._alone[at, tokens].sum(axis=1) + pairs.sum(axis=1)
        return total


def _score(task: tuple[int, int, int, int, int]) -> float:
    return score(*task)


def score(seed: int, capacity: int, n_step: int, target_period: int, trials: int = TRIALS) -> float:
    """Mean noise-free payment of the last proposals of a search.

    Args:
        seed: of the problem, its noise and the search.
        capacity: trials in the memory.
        n_step: decisions to look ahead for the return.
        target_period: updates after which the values to look ahead to are refreshed.
        trials: of the search.
    """
    problem = TokenProblem(seed)
    algorithm = QLearning(
        capacity=capacity, n_step=n_step, target_period=target_period, replay_ratio=REPLAY_RATIO, hidden_size=16
    )
    algorithm.setup(problem.genome, 1, seed)
    noise = np.random.default_rng([seed, 8])
    paid: list[FloatArray] = []
    for start in range(0, trials, algorithm.batch_size):
        rows = algorithm.ask(algorithm.batch_size).rows
        paid.append(problem.pay(rows))
        fitness = paid[-1] + NOISE * noise.normal(size=len(rows))
        algorithm.tell(Outcomes(np.arange(start, start + len(rows)), rows, fitness[:, None]))
    return float(np.concatenate(paid)[-min(SCORED, trials // 2) :].mean())
