"""Hybrid search: one flow to begin with, and another that goes on from what it found.

The hybrid flow of PyGlove (Peng et al. 2020, "PyGlove: Symbolic Programming for Automated Machine Learning"): a
separate or factorised search finds a good region at little cost, a joint one ends in it.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from autoglyph.algorithms.base import Algorithm, Outcomes, Proposals
from autoglyph.algorithms.inner_search import default_inner
from autoglyph.algorithms.separate import Separate

_CARRIED = 64


class Hybrid(Algorithm):
    """A first search for some trials; the second is told the best of them before it proposes anything.

    Attributes:
        first: an algorithm or flow, or its name; None for a separate search of the first top-level part.
        trials: different trials of the first search, fewer where it ends.
        then: the algorithm or flow that goes on; None for the usual one of so many objectives.
    """

    first: Any = None
    trials: int = 100
    then: Any = None

    def _flows(self, objectives: int) -> tuple[Algorithm, Algorithm]:
        first = Separate() if self.first is None else default_inner(self.first, objectives)
        return first, default_inner(self.then, objectives)

    @property
    def multi_objective(self) -> bool:
        """Whether both searches take several objectives."""
        return all(each.multi_objective for each in self._flows(2))

    @property
    def batch_size(self) -> int:
        """The smaller of the two."""
        return min(each.batch_size for each in self._flows(getattr(self, "_num_objectives", 1)))

    def _start(self) -> None:
        self._expect_at_least(1, "trials")
        first, then = self._flows(self._num_objectives)
        self._first: Algorithm = first.clone(deep=True)
        self._then: Algorithm = then.clone(deep=True)
        first_seed, self._then_seed = (int(s) for s in np.random.SeedSequence([self._seed]).generate_state(2))
        self._first.setup(self._genome, self._num_objectives, first_seed)
        self._told: dict[int, Outcomes] = {}
        self._goes_on = False

    def _propose(self, n: int, rng: np.random.Generator) -> Proposals:
        if not self._goes_on:
            left = int(self.trials) - len(self._told)
            if left > 0:
                proposals = self._first.ask(min(n, left))
                if len(proposals.rows):
                    return proposals
            self._go_on()
        return self._then.ask(n)

    def _go_on(self) -> None:
        """Begins the second search with the best of the first, the best of all last."""
        self._goes_on = True
        self._then.setup(self._genome, self._num_objectives, self._then_seed)
        known = [o for o in self._told.values() if np.isfinite(o.fitness).all()]
        if known:
            fitness = np.concatenate([o.fitness for o in known])
            order = np.argsort(_ranks(fitness), kind="stable")[-_CARRIED:]
            rows = np.concatenate([o.rows for o in known])[order]
            self._then.tell(Outcomes(np.concatenate([o.trials for o in known])[order], rows, fitness[order]))

    def tell(self, outcomes: Outcomes) -> None:
        """Results go to the present search."""
        if self._goes_on:
            self._then.tell(outcomes)
            return
        for i, trial in enumerate(outcomes.trials.tolist()):
            part = slice(i, i + 1)
            self._told.setdefault(trial, Outcomes(outcomes.trials[part], outcomes.rows[part], outcomes.fitness[part]))
        self._first.tell(outcomes)


def _ranks(fitness: np.ndarray) -> np.ndarray:
    """(n,) mean rank over the objectives, larger is better."""
    ranks: np.ndarray = np.argsort(np.argsort(fitness, axis=0, kind="stable"), axis=0, kind="stable").mean(axis=1)
    return ranks
