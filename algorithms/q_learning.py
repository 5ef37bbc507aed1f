"""Q-learning on a recurrent controller, with experience replay.

As in MetaQNN (Baker et al. 2017, "Designing Neural Network Architectures using Reinforcement Learning") an
individual is written token by token, mostly by the highest value and sometimes at random, and the values are
learned off-policy from a memory of finished trials. The values are an LSTM's, and the memory has the explicit
settings of Fedus et al. 2020: capacity, replay ratio and uncorrected n-step returns.
"""

from __future__ import annotations

import numpy as np

from autoglyph.algorithms.base import Algorithm, FloatArray, Outcomes, Proposals, without_parents
from autoglyph.algorithms.controllers import Adam, Controller, DecisionSequence
from autoglyph.algorithms.controllers.replay import ReplayMemory, Trial, n_step_targets
from autoglyph.algorithms.controllers.rewards import Rewards
from autoglyph.algorithms.controllers.settings import expect_share
from autoglyph.algorithms.controllers.told import Asked

_REPLAY = 0xBEEF  # keeps these draws apart from those of the asks


class QLearning(Algorithm):
    """A recurrent controller that learns the values of tokens off-policy from a memory of trials.

    A failed trial has the worst reward seen so far, and none until a first trial succeeds; rewards are
    standardised over the memory, so that settings do not depend on the unit of the fitness.

    Attributes:
        batch: proposals asked for at once.
        capacity: trials in the memory; the oldest leave first.
        replay_ratio: updates per trial told.
        minibatch: trials of an update, drawn from the memory.
        n_step: decisions to look ahead for the return; as many as a trial has or more learn from rewards alone.
        target_period: updates after which the values to look ahead to are refreshed.
        epsilon: probability of a random decision in the end.
        epsilon_trials: told trials over which that probability falls linearly from 1.
        hidden_size: units of the LSTM and size of its embeddings.
        learning_rate: of Adam.
        float_bins: bins that a float is divided into.
    """

    batch: int = 10
    capacity: int = 1000
    replay_ratio: float = 0.5
    minibatch: int = 32
    n_step: int = 6
    target_period: int = 5
    epsilon: float = 0.1
    epsilon_trials: int = 100
    hidden_size: int = 32
    learning_rate: float = 0.01
    float_bins: int = 16

    @property
    def batch_size(self) -> int:
        """The setting."""
        return int(self.batch)

    def _start(self) -> None:
        self._expect_at_least(1, "batch", "capacity", "minibatch", "n_step", "target_period", "epsilon_trials")
        self._expect_at_least(1, "hidden_size", "float_bins")
        self._expect_at_least(0, "replay_ratio", "learning_rate")
        expect_share("epsilon", self.epsilon)
        self._controller = Controller(DecisionSequence(self._genome, self.float_bins), self.hidden_size)
        self._weights = self._controller.seeded(self._seed)
        self._target = self._weights
        self._adam = Adam(self._controller.size, self.learning_rate)
        self._rewards = Rewards(0.0)
        self._memory = ReplayMemory(self.capacity, self.replay_ratio)
        self._asked: Asked[int] = Asked()
        self._told = 0

    def _propose(self, n: int, rng: np.random.Generator) -> Proposals:
        explored = max(0.0, 1.0 - self._told / self.epsilon_trials)
        epsilon = self.epsilon + (1.0 - self.epsilon) * explored
        written = self._controller.epsilon_greedy(self._weights, n, epsilon, rng)
        rows = self._controller.sequence.rows(written.tokens, rng)
        for key in self._genome.keys(rows):
            self._asked.remember(key, self._memory.updates)
        return without_parents(rows)

    def tell(self, outcomes: Outcomes) -> None:
        """The trials enter the memory, and the updates that they earn are made."""
        self._told += len(outcomes)
        rewards = self._rewards.of(outcomes.fitness[:, 0])
        keys = self._genome.keys(outcomes.rows)
        for key, row, reward in zip(keys, outcomes.rows, rewards.tolist(), strict=True):
            policy = self._asked.recall(key)
            if reward == reward:
                self._memory.add(Trial(row, reward, self._memory.updates if policy is None else policy))
        while self._memory.owes_update():
            self._update()

    def _update(self) -> None:
        rng = np.random.default_rng([self._seed, _REPLAY, self._memory.updates + 1])
        rows, rewards = self._memory.draw(self.minibatch, rng)
        sequences = self._controller.sequence.of(rows)
        best = self._controller.forward(self._target, *sequences).scores.max(axis=2)
        run = self._controller.forward(self._weights, *sequences)
        targets = n_step_targets(best, run.made, rewards, self.n_step)
        errors: FloatArray = np.where(run.made, targets - run.chosen(run.scores), 0.0)
        gradient = np.zeros_like(run.scores)
        np.put_along_axis(gradient, run.tokens[:, :, None], errors[:, :, None] / len(rows), axis=2)
        self._weights = self._weights + self._adam.ascent(self._controller.backward(self._weights, run, gradient))
        if self._memory.updates % self.target_period == 0:
            self._target = self._weights
