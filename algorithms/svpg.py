"""SVPG (Liu, Ramachandran, Liu and Peng 2017, "Stein Variational Policy Gradient").

Several recurrent controllers learn from their own trials by REINFORCE, share their gradients through a radial
kernel, and are driven apart by the gradient of that kernel. With a kernel between their weights, that of the paper,
the weights so approach a sample of q(w) ~ q0(w) exp(J(w) / temperature), J being the expected reward. In thousands of
weights most directions leave the policy as it is, so that controllers far apart may all propose the same; the kernel
between policies, which is this project's and the default, measures and drives apart what they propose.
"""

from __future__ import annotations

import math

import numpy as np

from autoglyph.algorithms.base import Algorithm, FloatArray, Outcomes, Proposals, without_parents
from autoglyph.algorithms.controllers import Adam, Controller, DecisionSequence
from autoglyph.algorithms.controllers.policy_gradient import reinforce_gradient
from autoglyph.algorithms.controllers.rewards import Rewards
from autoglyph.algorithms.controllers.settings import expect_share
from autoglyph.algorithms.controllers.stein import median_bandwidth, policy_stein_direction, stein_direction
from autoglyph.algorithms.controllers.told import Asked, Batches
from autoglyph.search_spaces import Rows


class SVPG(Algorithm):
    """A population of recurrent controllers held apart by a Stein kernel.

    Proposals come from the controllers in turn, and a trial teaches the controller that proposed it (one that
    nobody here proposed, the next in turn). All share one baseline. A failed trial has the worst reward seen so
    far; rewards are divided by their moving deviation, so that settings do not depend on the unit of the fitness.

    Attributes:
        controllers: how many there are.
        batch: trials of an update, of all controllers together.
        kernel: "policies", between the probabilities of the decisions of a batch, or "weights".
        temperature: of the density that the controllers are a sample of; the lower, the less the kernel drives
            them apart.
        bandwidth: of the kernel, a squared distance; 0 for the squared median distance over log(controllers + 1).
        prior_deviation: of a normal prior q0 around zero weights; 0 for a flat one.
        hidden_size: units of the LSTM and size of its embeddings.
        learning_rate: of Adam.
        entropy: weight of the entropy of each decision against one standard deviation of reward.
        baseline_decay: weight of the past in the moving average of the reward, per batch.
        float_bins: bins that a float is divided into.
    """

    controllers: int = 4
    batch: int = 10
    kernel: str = "policies"
    temperature: float = 0.1
    bandwidth: float = 0.0
    prior_deviation: float = 0.0
    hidden_size: int = 32
    learning_rate: float = 0.02
    entropy: float = 0.02
    baseline_decay: float = 0.8
    float_bins: int = 16

    @property
    def batch_size(self) -> int:
        """The trials of an update."""
        return int(self.batch)

    def _start(self) -> None:
        self._expect_at_least(1, "controllers", "batch", "hidden_size", "float_bins")
        self._expect_at_least(0, "bandwidth", "prior_deviation", "learning_rate", "entropy")
        expect_share("baseline_decay", self.baseline_decay)
        if not (self.temperature > 0 and math.isfinite(self.temperature)):
            raise ValueError(f"Expected a positive temperature, received {self.temperature}.")
        if self.kernel not in ("policies", "weights"):
            raise ValueError(f"Unknown kernel {self.kernel!r}: choose policies or weights.")
        count = int(self.controllers)
        self._controller = Controller(DecisionSequence(self._genome, self.float_bins), self.hidden_size)
        self._weights: FloatArray = np.stack([self._controller.seeded(self._seed, i + 1) for i in range(count)])
        self._adams = [Adam(self._controller.size, self.learning_rate) for _ in range(count)]
        self._rewards = Rewards(self.baseline_decay)
        self._batches = Batches(self.batch)
        self._asked: Asked[int] = Asked()
        self._proposed = self._unowned = 0

    def _propose(self, n: int, rng: np.random.Generator) -> Proposals:
        owners = (self._proposed + np.arange(n)) % len(self._weights)
        self._proposed += n
        tokens = np.zeros((n, self._genome.length), np.int64)
        for owner in np.unique(owners):
            mine = np.flatnonzero(owners == owner)
            tokens[mine] = self._controller.sample(self._weights[owner], len(mine), rng).tokens
        rows = self._controller.sequence.rows(tokens, rng)
        for key, owner in zip(self._genome.keys(rows), owners.tolist(), strict=True):
            self._asked.remember(key, owner)
        return without_parents(rows)

    def tell(self, outcomes: Outcomes) -> None:
        """One step of all controllers for every full batch."""
        rewards = self._rewards.of(outcomes.fitness[:, 0])
        owners = np.array([self._owner(key) for key in self._genome.keys(outcomes.rows)], np.float64)
        for rows, told in self._batches.add(outcomes.rows, np.stack([rewards, owners], axis=1)):
            advantages = self._rewards.advantages(told[:, 0])
            gradients = self._gradients(rows, advantages, told[:, 1]) / self.temperature
            if self.prior_deviation:
                gradients -= self._weights / self.prior_deviation**2
            directions = self._directions(rows, gradients)
            steps = [adam.ascent(each) for adam, each in zip(self._adams, directions, strict=True)]
            self._weights = self._weights + np.stack(steps)

    def _directions(self, rows: Rows, gradients: FloatArray) -> FloatArray:
        if self.kernel == "weights":
            return stein_direction(self._weights, gradients, self.bandwidth or median_bandwidth(self._weights))
        sequences = self._controller.sequence.of(rows)
        return policy_stein_direction(self._controller, self._weights, gradients, sequences, self.bandwidth)

    def _owner(self, key: bytes) -> int:
        owner = self._asked.recall(key)
        if owner is None:
            owner = self._unowned % len(self._weights)
            self._unowned += 1
        return owner

    def _gradients(self, rows: Rows, advantages: FloatArray, owners: FloatArray) -> FloatArray:
        """(controllers, P) policy gradients, each of a controller's own trials; 0 for one without."""
        gradients = np.zeros_like(self._weights)
        tokens, made = self._controller.sequence.of(rows)
        for owner, weights in enumerate(self._weights):
            mine = owners == owner
            if mine.any():
                gradients[owner] = reinforce_gradient(
                    self._controller, weights, (tokens[mine], made[mine]), advantages[mine], self.entropy
                )
        return gradients
