"""Phased search: the parts of a space one after the other, each with the best of the parts before it.

The baseline of co-design (Zhou et al. 2021, "Rethinking Co-design of Neural Architectures and Hardware
Accelerators"): hardware first and then the architecture, or the reverse. With a single part in the order, the
others stay as they are given: the search on fixed hardware.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from autoglyph.algorithms.base import Algorithm, Outcomes, Proposals, without_parents
from autoglyph.algorithms.incumbents import Incumbents
from autoglyph.algorithms.inner_search import InnerSearch, default_inner
from autoglyph.search_spaces.parts import named_parts

_MAX_IDLE_ASKS = 20


class Phased(Algorithm):
    """Searches one part of the space after the other, holding the rest.

    Attributes:
        inner: algorithm of each phase, or its name; None for NSGA-II with several objectives, else regularized
            evolution.
        order: paths of the parts, such as ["accelerator", "architecture"]; empty for all top-level parts.
            Parts that are left out are held at `start`.
        trials: of the whole search; each phase has a part of them in proportion to its decisions, the last one what
            is left. Where a phase finds nothing new, the next begins early; after the last, another round begins at
            random parts.
        start: decisions of the individual that is held at first; None for a random one.
    """

    inner: Any = None
    order: list[str] = []
    trials: int = 1000
    start: Any = None

    @property
    def batch_size(self) -> int:
        """That of the algorithm inside."""
        return default_inner(self.inner, getattr(self, "_num_objectives", 1)).batch_size

    @property
    def multi_objective(self) -> bool:
        """Whether the algorithm inside takes several objectives."""
        return default_inner(self.inner, 2).multi_objective

    def _start(self) -> None:
        self._expect_at_least(1, "trials")
        self._parts = named_parts(self._genome, list(self.order))
        rng = np.random.default_rng([self._seed])
        given = self.start
        self._held = self._genome.random(1, rng)[0] if given is None else self._genome.from_json(list(given))
        self._incumbents = Incumbents(self._num_objectives)
        self._phase = 0
        self._search = self._begin()

    def _begin(self) -> InnerSearch:
        algorithm = default_inner(self.inner, self._num_objectives)
        return InnerSearch(
            algorithm, self._parts[self._phase], self._held, self._num_objectives, self._seed, self._phase
        )

    @property
    def _share(self) -> int:
        """Trials of the present phase."""
        decisions = [len(part.columns) for part in self._parts]
        return max(1, round(self.trials * decisions[self._phase] / sum(decisions)))

    @property
    def _is_last(self) -> bool:
        return self._phase == len(self._parts) - 1

    def _advance(self, rng: np.random.Generator) -> None:
        best = self._incumbents.choose()
        if self._is_last:
            self._phase = 0
            for part in self._parts:
                self._held = part.within(part.genome.random(1, rng), self._held)[0]
        else:
            self._phase += 1
            self._held = self._held if best is None else best
        self._search = self._begin()

    def _propose(self, n: int, rng: np.random.Generator) -> Proposals:
        for _ in range(2 * len(self._parts)):
            full = not self._is_last and self._search.trials >= self._share
            if full or self._search.exhausted or self._search.idle_asks >= _MAX_IDLE_ASKS:
                self._advance(rng)
            proposals = self._search.ask(n)
            if len(proposals.rows):
                return proposals
            self._advance(rng)
        return without_parents(self._genome.random(0, rng))

    def tell(self, outcomes: Outcomes) -> None:
        """Results of the present phase go to its algorithm; the best of all phases is held in the next."""
        self._incumbents.add(outcomes)
        self._search.tell(outcomes)
