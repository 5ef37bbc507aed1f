"""Random search (Bergstra and Bengio 2012): the baseline that every search has to beat."""

from __future__ import annotations

import numpy as np

from autoglyph.algorithms.base import Algorithm, Outcomes, Proposals, without_parents


class Random(Algorithm):
    """Independent random individuals.

    Attributes:
        batch: proposals asked for at once.
    """

    batch: int = 64

    @property
    def batch_size(self) -> int:
        """The setting."""
        return int(self.batch)

    @property
    def multi_objective(self) -> bool:
        """Any number of objectives."""
        return True

    def tell(self, outcomes: Outcomes) -> None:
        """Learns nothing."""

    def _start(self) -> None:
        self._expect_at_least(1, "batch")

    def _propose(self, n: int, rng: np.random.Generator) -> Proposals:
        return without_parents(self._genome.random(n, rng))
