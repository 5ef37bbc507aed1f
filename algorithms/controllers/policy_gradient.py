"""The gradients of policies: REINFORCE (Williams 1992) and the clipped ratio (Schulman et al. 2017).

Both are gradients to ascend, of a mean over sequences, with a bonus for the entropy of each decision that is made
(Mnih et al. 2016).
"""

from __future__ import annotations

import numpy as np

from autoglyph.algorithms.base import FloatArray, IntArray
from autoglyph.algorithms.controllers.decision_sequence import Mask
from autoglyph.algorithms.controllers.lstm import Controller, Pass


def reinforce_gradient(
    controller: Controller,
    weights: FloatArray,
    sequences: tuple[IntArray, Mask],
    advantages: FloatArray,
    entropy: float,
) -> FloatArray:
    """(P,) gradient of the mean of advantage x log-probability, plus entropy x the entropy of the decisions.

    Args:
        controller: the network.
        weights: (P,) its weights.
        sequences: (n, L) tokens and which decisions are made.
        advantages: (n,) of the sequences.
        entropy: weight of the bonus.
    """
    run = controller.forward(weights, *sequences)
    factors = np.repeat(advantages[:, None], run.tokens.shape[1], axis=1)
    return controller.backward(weights, run, score_gradient(run, factors, entropy))


def clipped_factors(log_ratios: FloatArray, advantages: FloatArray, clip: float) -> FloatArray:
    """(n, L) derivatives of min(r A, clamp(r, 1 - clip, 1 + clip) A) by the log-probability of each decision.

    That is r A while the ratio r may still move in the direction of the advantage A, and 0 beyond the clip.

    Args:
        log_ratios: (n, L) log-probabilities now minus those when the decisions were made.
        advantages: (n,) of the sequences.
        clip: how far a ratio may move from 1.
    """
    ratios, wanted = np.exp(log_ratios), advantages[:, None]
    clipped = ((wanted > 0) & (ratios > 1 + clip)) | ((wanted < 0) & (ratios < 1 - clip))
    factors: FloatArray = np.where(clipped, 0.0, ratios * wanted)
    return factors


def score_gradient(run: Pass, factors: FloatArray, entropy: float) -> FloatArray:
    """(n, L, K) gradient of the scores for the mean over n of sum factors x log-probability + entropy bonus.

    Args:
        run: the forward pass.
        factors: (n, L) derivative by the log-probability of each decision.
        entropy: weight of the bonus.
    """
    logarithms = run.log_probabilities
    policy = np.exp(logarithms)
    surprise = np.where(policy > 0, -np.where(policy > 0, logarithms, 0.0), 0.0)
    mean_surprise = (policy * surprise).sum(axis=2, keepdims=True)
    gradient = -factors[:, :, None] * policy + entropy * policy * (surprise - mean_surprise)
    chosen = run.tokens[:, :, None]
    np.put_along_axis(gradient, chosen, np.take_along_axis(gradient, chosen, 2) + factors[:, :, None], 2)
    scaled: FloatArray = np.where(run.made[:, :, None], gradient, 0.0) / len(run.tokens)
    return scaled
