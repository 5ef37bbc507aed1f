"""What a controller is told of a trial: fitness without units, against a moving baseline."""

from __future__ import annotations

import math

import numpy as np

from autoglyph.algorithms.base import FloatArray

_RELATIVE_ROUNDING = 1e-12


class Rewards:
    """Advantages over an exponential moving average of the reward, in units of their moving deviation.

    A failure has the worst reward seen so far. Because the baseline is subtracted and the deviation divided
    out, a positive affine change of the fitness changes no advantage, so settings carry over between objectives.

    Args:
        decay: weight of the past in both averages, per batch (0 for the batch alone).
    """

    def __init__(self, decay: float) -> None:
        self._decay = decay
        self._worst = math.inf
        self._baseline, self._square = 0.0, 0.0
        self._batches = 0

    def of(self, fitness: FloatArray) -> FloatArray:
        """(n,) rewards of (n,) fitness values: the same but for failures; nan where nothing ever succeeded."""
        finite = np.isfinite(fitness)
        self._worst = min(self._worst, float(fitness[finite].min(initial=math.inf)))
        worst = self._worst if math.isfinite(self._worst) else math.nan
        rewards: FloatArray = np.where(finite, fitness, worst)
        return rewards

    def advantages(self, rewards: FloatArray) -> FloatArray:
        """(n,) advantages of a batch of rewards, by the baseline before it; the averages then move.

        Failures from before the first success have by now the worst reward; without any success all are 0.
        """
        if not math.isfinite(self._worst) and np.isnan(rewards).any():
            return np.zeros(len(rewards))
        rewards = np.where(np.isnan(rewards), self._worst, rewards)
        mean = float(rewards.mean())
        if not self._batches:
            self._baseline = mean
        differences: FloatArray = rewards - self._baseline
        square = float((differences**2).mean())
        kept = self._decay if self._batches else 0.0
        self._batches += 1
        self._square = kept * self._square + (1 - kept) * square
        self._baseline = kept * self._baseline + (1 - kept) * mean
        deviation = math.sqrt(self._square)
        if deviation <= _RELATIVE_ROUNDING * float(np.abs(rewards).max()):
            return np.zeros(len(rewards))
        return differences / deviation
