"""Joint search: all decisions of a space, or of the part that a flow leaves it, at once.

The joint flow of PyGlove (Peng et al. 2020, "PyGlove: Symbolic Programming for Automated Machine Learning").
"""

from __future__ import annotations

from typing import Any

import numpy as np

from autoglyph.algorithms.base import Algorithm, Outcomes, Proposals, without_parents
from autoglyph.algorithms.inner_search import default_inner


class Joint(Algorithm):
    """One algorithm over everything that a flow leaves it, for a number of trials.

    Attributes:
        algorithm: an algorithm or its name; None for NSGA-II with several objectives, else regularized evolution.
        trials: different trials after which it proposes nothing more; 0 for as long as it is asked.
    """

    algorithm: Any = None
    trials: int = 0

    @property
    def multi_objective(self) -> bool:
        """Whether the algorithm takes several objectives."""
        return default_inner(self.algorithm, 2).multi_objective

    @property
    def batch_size(self) -> int:
        """That of the algorithm."""
        return default_inner(self.algorithm, getattr(self, "_num_objectives", 1)).batch_size

    def _start(self) -> None:
        self._expect_at_least(0, "trials")
        self._search: Algorithm = default_inner(self.algorithm, self._num_objectives).clone(deep=True)
        self._search.setup(self._genome, self._num_objectives, self._seed)
        self._known: set[int] = set()

    def _propose(self, n: int, rng: np.random.Generator) -> Proposals:
        left = int(self.trials) - len(self._known) if self.trials else n
        if left <= 0:
            return without_parents(self._genome.random(0, rng))
        return self._search.ask(min(n, left))

    def tell(self, outcomes: Outcomes) -> None:
        """Goes to the algorithm."""
        self._known.update(outcomes.trials.tolist())
        self._search.tell(outcomes)
