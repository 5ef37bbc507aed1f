"""Separate search: one part of a space with the rest held, and then the rest with the best of that part.

The separate flow of PyGlove (Peng et al. 2020, "PyGlove: Symbolic Programming for Automated Machine Learning").
`then` may be a flow again, so that any order of any parts is one value.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from autoglyph.algorithms.base import Algorithm, Outcomes, Proposals, without_parents
from autoglyph.algorithms.incumbents import Incumbents
from autoglyph.algorithms.inner_search import InnerSearch, default_inner
from autoglyph.search_spaces import Rows
from autoglyph.search_spaces.parts import Part, split

_MAX_IDLE_ASKS = 20
_MAX_TURNS = 4


class Separate(Algorithm):
    """A part by itself, then what is left of the space; where that runs out, another round begins at a random rest.

    Attributes:
        part: what is searched first, see `parts.Chosen`; "" for the first top-level part.
        algorithm: that searches the part, or its name; None for the usual one of so many objectives.
        trials: different trials of the part, fewer where it runs out.
        then: the algorithm or flow that searches the rest; None for the usual one.
        start: decisions of the individual that is held at first; None for a random one.
    """

    part: Any = ""
    algorithm: Any = None
    trials: int = 100
    then: Any = None
    start: Any = None

    @property
    def multi_objective(self) -> bool:
        """Whether both searches take several objectives."""
        return all(default_inner(each, 2).multi_objective for each in (self.algorithm, self.then))

    @property
    def batch_size(self) -> int:
        """The smaller of the two."""
        objectives = getattr(self, "_num_objectives", 1)
        return min(default_inner(each, objectives).batch_size for each in (self.algorithm, self.then))

    def _start(self) -> None:
        self._expect_at_least(1, "trials")
        self._part, self._rest = split(self._genome, self.part)
        rng = np.random.default_rng([self._seed])
        given = self.start
        held = self._genome.random(1, rng)[0] if given is None else self._genome.from_json(list(given))
        self._round = -1
        self._begin(held)

    def _begin(self, held: Rows) -> None:
        """Another round: the part again, at another rest."""
        self._round += 1
        self._held, self._in_rest = held, False
        self._incumbents = Incumbents(self._num_objectives)
        self._search = self._searching(self.algorithm, self._part)

    def _searching(self, algorithm: Any, part: Part) -> InnerSearch:
        number = 2 * self._round + int(self._in_rest)
        chosen = default_inner(algorithm, self._num_objectives)
        return InnerSearch(chosen, part, self._held, self._num_objectives, self._seed, number)

    def _go_on(self, rng: np.random.Generator) -> None:
        """From the part to the rest with the best of the part, from the rest to another round."""
        if self._in_rest:
            self._begin(self._genome.random(1, rng)[0])
            return
        best = self._incumbents.choose()
        self._held, self._in_rest = self._held if best is None else best, True
        self._search = self._searching(self.then, self._rest)

    def _propose(self, n: int, rng: np.random.Generator) -> Proposals:
        for _ in range(_MAX_TURNS):
            left = n if self._in_rest else int(self.trials) - self._search.trials
            if left > 0 and not self._search.exhausted and self._search.idle_asks < _MAX_IDLE_ASKS:
                proposals = self._search.ask(min(n, left))
                if len(proposals.rows):
                    return proposals
            self._go_on(rng)
        return without_parents(self._genome.random(0, rng))

    def tell(self, outcomes: Outcomes) -> None:
        """Results go to the present search; the best of the part is held in the rest."""
        self._incumbents.add(outcomes)
        self._search.tell(outcomes)
