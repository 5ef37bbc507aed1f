"""A policy over the paths of a space: one distribution for every decision, independent of the others."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from autoglyph.search_spaces import Rows
from autoglyph.search_spaces.genome import Row
from autoglyph.search_spaces.space import SearchSpace

Floats = NDArray[np.float64]
_MAX_DRAWS = 1000
_SECOND_DECAY, _EPSILON = 0.999, 1e-8


def expect_finite(space: SearchSpace) -> None:
    """Refuses a space with a decision that is a real number.

    Raises:
        ValueError: if there is one.
    """
    if not all(column.candidates for column in space.genome.columns):
        raise ValueError(f"The space {space.name} has real decisions: weight sharing needs a finite one.")


class PathPolicy:
    """Draws paths and learns from their rewards by REINFORCE (Williams 1992), with Adam's step sizes.

    Its moments have the decays 0 and 0.999 of TuNAS (Bender et al. 2020). All decisions begin uniform.

    Args:
        space: finite.
        learning_rate: of the logits.

    Raises:
        ValueError: if a decision of the space is a real number.
    """

    def __init__(self, space: SearchSpace, *, learning_rate: float = 0.05) -> None:
        expect_finite(space)
        self._space = space
        self._rate = learning_rate
        sizes = [len(column.candidates) for column in space.genome.columns]
        self._logits: list[Floats] = [np.zeros(n) for n in sizes]
        self._squares: list[Floats] = [np.zeros(n) for n in sizes]
        self._updates = 0

    @property
    def probabilities(self) -> list[Floats]:
        """(candidates,) probabilities of each decision."""
        return [_softmax(logits) for logits in self._logits]

    def draw(self, rng: np.random.Generator) -> Row:
        """A feasible path in its canonical form.

        Raises:
            ValueError: if a thousand draws are all infeasible.
        """
        for _ in range(_MAX_DRAWS):
            picks = [rng.choice(len(p), p=p) for p in self.probabilities]
            row = self._canonical(np.array([picks]))
            if self._space.feasible(row)[0]:
                return np.asarray(row[0])
        raise ValueError(f"No feasible path of {self._space.name} was drawn in {_MAX_DRAWS} tries: check its rule.")

    def most_likely(self) -> Row:
        """The path of the most likely candidates; if it is infeasible, the most likely of a thousand drawn ones."""
        row = self._canonical(np.array([[int(p.argmax()) for p in self.probabilities]]))
        if self._space.feasible(row)[0]:
            return np.asarray(row[0])
        rng = np.random.default_rng(0)
        drawn = np.stack([self.draw(rng) for _ in range(_MAX_DRAWS)])
        return np.asarray(drawn[int(np.argmax([self._log_probability(row) for row in drawn]))])

    def learn(self, row: Row, advantage: float) -> None:
        """Makes the decisions of a path likelier in proportion to its advantage; those that are not active stay."""
        self._updates += 1
        active = self._space.genome.active(row[None])[0]
        for at, (logits, probability) in enumerate(zip(self._logits, self.probabilities, strict=True)):
            if not active[at]:
                continue
            gradient = -advantage * probability
            gradient[int(row[at])] += advantage
            square = self._squares[at]
            square += (1 - _SECOND_DECAY) * (gradient**2 - square)
            unbiased = square / (1 - _SECOND_DECAY**self._updates)
            logits += self._rate * gradient / (np.sqrt(unbiased) + _EPSILON)

    def _log_probability(self, row: Row) -> float:
        return float(sum(np.log(p[int(gene)]) for p, gene in zip(self.probabilities, row, strict=True)))

    def _canonical(self, rows: NDArray[np.int64]) -> Rows:
        genome = self._space.genome
        return genome.canonical(rows.astype(genome.dtype))


def _softmax(logits: Floats) -> Floats:
    powers = np.exp(logits - logits.max())
    return np.asarray(powers / powers.sum())
