"""Experience replay with explicit sizes (Fedus et al. 2020, "Revisiting Fundamentals of Experience Replay")."""

from __future__ import annotations

from collections import deque
from typing import NamedTuple

import numpy as np

from autoglyph.algorithms.base import FloatArray, IntArray
from autoglyph.algorithms.controllers.decision_sequence import Mask
from autoglyph.search_spaces import Rows


class Trial(NamedTuple):
    """A finished trial in the memory.

    Attributes:
        row: (L,) canonical row.
        reward: its fitness, or the worst seen so far if it failed.
        policy: how many updates the policy that proposed it had seen.
    """

    row: Rows
    reward: float
    policy: int


class ReplayMemory:
    """The last trials told, and how many updates they have earned.

    Args:
        capacity: trials kept; the oldest leave first.
        replay_ratio: updates per trial told. An update learns from all transitions of the trials it draws, so
            this is also the ratio of updates to transitions of the paper.

    Attributes:
        updates: how many were made.
    """

    def __init__(self, capacity: int, replay_ratio: float) -> None:
        self._trials: deque[Trial] = deque(maxlen=capacity)
        self._replay_ratio = replay_ratio
        self._told = 0
        self.updates = 0

    def __len__(self) -> int:
        return len(self._trials)

    @property
    def oldest_policy_age(self) -> int:
        """Updates since the policy that proposed the oldest trial in the memory; 0 for an empty memory."""
        return self.updates - min((trial.policy for trial in self._trials), default=self.updates)

    def add(self, trial: Trial) -> None:
        """Takes a trial that was told."""
        self._trials.append(trial)
        self._told += 1

    def owes_update(self) -> bool:
        """Whether the trials told so far have earned one more update."""
        return bool(self._trials) and self.updates + 1 <= self._replay_ratio * self._told

    def draw(self, n: int, rng: np.random.Generator) -> tuple[Rows, FloatArray]:
        """Draws n trials for one update, with repetition: (n, L) rows and (n,) standardised rewards."""
        self.updates += 1
        rewards = np.array([trial.reward for trial in self._trials])
        deviation = float(rewards.std())
        if deviation <= 1e-12 * float(np.abs(rewards).max()):
            rewards, deviation = np.zeros(len(rewards)), 1.0
        drawn = rng.integers(len(rewards), size=n)
        rows = np.stack([self._trials[i].row for i in drawn.tolist()])
        return rows, (rewards[drawn] - rewards.mean()) / deviation


def n_step_targets(best: FloatArray, made: Mask, rewards: FloatArray, n_step: int) -> FloatArray:
    """(n, L) returns that the values of decisions are to learn: uncorrected and undiscounted.

    A trial pays once, after its last decision. The return of a decision is that reward if no more than `n_step`
    decisions are left with it, otherwise the value of the best candidate `n_step` decisions later.

    Args:
        best: (n, L) highest value among the legal candidates of each decision.
        made: (n, L) which decisions are made; others are neither counted nor given a meaningful return.
        rewards: (n,) of the trials.
        n_step: decisions to look ahead.
    """
    order: IntArray = np.argsort(~made, axis=1, kind="stable")
    later = made.cumsum(axis=1) - 1 + n_step
    count = made.sum(axis=1, keepdims=True)
    column = np.take_along_axis(order, np.clip(later, 0, made.shape[1] - 1), axis=1)
    targets: FloatArray = np.where(later < count, np.take_along_axis(best, column, axis=1), rewards[:, None])
    return targets
