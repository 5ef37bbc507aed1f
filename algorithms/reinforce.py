"""REINFORCE (Williams 1992) on a recurrent controller, as in neural architecture search (Zoph and Le 2017).

An LSTM writes an individual token by token; after every batch of trials its weights climb the expected reward over
an exponential moving average, with a bonus for entropy. Trials that an earlier policy proposed, as happens with
many workers, are taken as if the present one had.
"""

from __future__ import annotations

import numpy as np

from autoglyph.algorithms.base import Algorithm, Outcomes, Proposals, without_parents
from autoglyph.algorithms.controllers import Adam, Controller, DecisionSequence
from autoglyph.algorithms.controllers.policy_gradient import reinforce_gradient
from autoglyph.algorithms.controllers.rewards import Rewards
from autoglyph.algorithms.controllers.settings import expect_share
from autoglyph.algorithms.controllers.told import Batches


class Reinforce(Algorithm):
    """A recurrent controller trained by policy gradient.

    A failed trial has the worst reward seen so far; rewards are divided by their moving deviation, so that
    settings do not depend on the unit of the fitness.

    Attributes:
        batch: trials of an update.
        hidden_size: units of the LSTM and size of its embeddings.
        learning_rate: of Adam.
        entropy: weight of the entropy of each decision against one standard deviation of reward.
        baseline_decay: weight of the past in the moving average of the reward, per batch.
        float_bins: bins that a float is divided into.
    """

    batch: int = 10
    hidden_size: int = 32
    learning_rate: float = 0.01
    entropy: float = 0.02
    baseline_decay: float = 0.8
    float_bins: int = 16

    @property
    def batch_size(self) -> int:
        """The trials of an update."""
        return int(self.batch)

    def _start(self) -> None:
        self._expect_at_least(1, "batch", "hidden_size", "float_bins")
        self._expect_at_least(0, "learning_rate", "entropy")
        expect_share("baseline_decay", self.baseline_decay)
        self._controller = Controller(DecisionSequence(self._genome, self.float_bins), self.hidden_size)
        self._weights = self._controller.seeded(self._seed)
        self._adam = Adam(self._controller.size, self.learning_rate)
        self._rewards = Rewards(self.baseline_decay)
        self._batches = Batches(self.batch)

    def _propose(self, n: int, rng: np.random.Generator) -> Proposals:
        sampled = self._controller.sample(self._weights, n, rng)
        return without_parents(self._controller.sequence.rows(sampled.tokens, rng))

    def tell(self, outcomes: Outcomes) -> None:
        """One step of Adam for every full batch."""
        rewards = self._rewards.of(outcomes.fitness[:, 0])
        for rows, told in self._batches.add(outcomes.rows, rewards):
            advantages = self._rewards.advantages(told)
            sequences = self._controller.sequence.of(rows)
            gradient = reinforce_gradient(self._controller, self._weights, sequences, advantages, self.entropy)
            self._weights = self._weights + self._adam.ascent(gradient)
