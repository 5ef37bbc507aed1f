"""PPO (Schulman et al. 2017) on a recurrent controller, as in the searches for activation functions and optimizers.

An LSTM writes an individual token by token. Every batch of trials is climbed several times; a decision stops
counting once its probability has moved by more than the clip from what it was when the individual was proposed,
so trials that an earlier policy proposed, as happens with many workers, are weighed by their ratio. The baseline
is an exponential moving average of the reward (Ramachandran et al. 2017), not a learned critic.
"""

from __future__ import annotations

import numpy as np

from autoglyph.algorithms.base import Algorithm, FloatArray, Outcomes, Proposals, without_parents
from autoglyph.algorithms.controllers import Adam, Controller, DecisionSequence
from autoglyph.algorithms.controllers.policy_gradient import clipped_factors, score_gradient
from autoglyph.algorithms.controllers.rewards import Rewards
from autoglyph.algorithms.controllers.settings import expect_share
from autoglyph.algorithms.controllers.told import Asked, Batches
from autoglyph.search_spaces import Rows


class PPO(Algorithm):
    """A recurrent controller trained by clipped policy gradient, several epochs per batch.

    A failed trial has the worst reward seen so far; rewards are divided by their moving deviation, so that
    settings do not depend on the unit of the fitness. A trial that was never proposed here, as when a record is
    continued with another algorithm, counts as proposed by the present policy.

    Attributes:
        batch: trials of an update.
        epochs: steps of Adam for each batch.
        clip: how far the probability of a decision may move, as a share of what it was.
        hidden_size: units of the LSTM and size of its embeddings.
        learning_rate: of Adam.
        entropy: weight of the entropy of each decision against one standard deviation of reward.
        baseline_decay: weight of the past in the moving average of the reward, per batch.
        float_bins: bins that a float is divided into.
    """

    batch: int = 10
    epochs: int = 4
    clip: float = 0.2
    hidden_size: int = 32
    learning_rate: float = 0.003
    entropy: float = 0.02
    baseline_decay: float = 0.8
    float_bins: int = 16

    @property
    def batch_size(self) -> int:
        """The trials of an update."""
        return int(self.batch)

    def _start(self) -> None:
        self._expect_at_least(1, "batch", "epochs", "hidden_size", "float_bins")
        self._expect_at_least(0, "clip", "learning_rate", "entropy")
        expect_share("baseline_decay", self.baseline_decay)
        self._controller = Controller(DecisionSequence(self._genome, self.float_bins), self.hidden_size)
        self._weights = self._controller.seeded(self._seed)
        self._adam = Adam(self._controller.size, self.learning_rate)
        self._rewards = Rewards(self.baseline_decay)
        self._batches = Batches(self.batch)
        self._asked: Asked[FloatArray] = Asked()

    def _propose(self, n: int, rng: np.random.Generator) -> Proposals:
        sampled = self._controller.sample(self._weights, n, rng)
        rows = self._controller.sequence.rows(sampled.tokens, rng)
        logarithms = sampled.chosen(sampled.log_probabilities)
        for key, memory in zip(self._genome.keys(rows), logarithms, strict=True):
            self._asked.remember(key, memory)
        return without_parents(rows)

    def tell(self, outcomes: Outcomes) -> None:
        """As many steps of Adam as there are epochs, for every full batch."""
        rewards = self._rewards.of(outcomes.fitness[:, 0])
        before = self._log_probabilities_when_asked(outcomes.rows)
        told = np.concatenate([rewards[:, None], before], axis=1)
        for rows, batch in self._batches.add(outcomes.rows, told):
            self._update(rows, self._rewards.advantages(batch[:, 0]), batch[:, 1:])

    def _log_probabilities_when_asked(self, rows: Rows) -> FloatArray:
        """(n, L) of each decision, by the policy that proposed it."""
        run = self._controller.forward(self._weights, *self._controller.sequence.of(rows))
        logarithms = run.chosen(run.log_probabilities)
        for at, key in enumerate(self._genome.keys(rows)):
            memory = self._asked.recall(key)
            if memory is not None:
                logarithms[at] = memory
        return logarithms

    def _update(self, rows: Rows, advantages: FloatArray, before: FloatArray) -> None:
        sequences = self._controller.sequence.of(rows)
        for _ in range(self.epochs):
            run = self._controller.forward(self._weights, *sequences)
            log_ratios = run.chosen(run.log_probabilities) - before
            factors = clipped_factors(log_ratios, advantages, self.clip)
            gradient = self._controller.backward(self._weights, run, score_gradient(run, factors, self.entropy))
            self._weights = self._weights + self._adam.ascent(gradient)
