"""Training of an encoder-decoder, step by step, as one compiled step for batches of any shape."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from autoglyph.child_programs import training_state
from autoglyph.child_programs.base import ChildFailed
from autoglyph.child_programs.fused_optimizers import FusedOptimizer
from autoglyph.child_programs.sequences.batches import Batch, token_batches
from autoglyph.child_programs.sequences.ragged import SequencePairs
from autoglyph.child_programs.sequences.scores import perplexity

_EVALUATION_TOKENS = 4096


def noam_schedule(steps: int, *, dimension: int, warmup_steps: int, scale: float = 1.0) -> NDArray[np.float32]:
    """Learning rates of Vaswani et al. 2017, equation 3: a straight rise, then a fall by the root of the step.

    Args:
        steps: how many rates, from step 1 on.
        dimension: channels of the embeddings.
        warmup_steps: steps of the rise.
        scale: factor on all of them.

    Returns:
        (steps,) scale dimension^-0.5 min(step^-0.5, step warmup_steps^-1.5).
    """
    step = np.arange(1, steps + 1, dtype=np.float64)
    rates: NDArray[np.float64] = scale * dimension**-0.5 * np.minimum(step**-0.5, step * float(warmup_steps) ** -1.5)
    learning_rates: NDArray[np.float32] = rates.astype(np.float32)
    return learning_rates


def smoothed_losses(logits: Any, labels: Any, smoothing: float) -> Any:
    """Cross-entropies against labels of which a share is spread over all classes (Szegedy et al. 2016, section 7).

    Args:
        logits: (..., classes).
        labels: (...) whole numbers.
        smoothing: the share.

    Returns:
        (...) nats.
    """
    import tensorflow as tf

    losses = tf.nn.sparse_softmax_cross_entropy_with_logits(labels, logits)
    if not smoothing:
        return losses
    spread = tf.reduce_logsumexp(logits, axis=-1) - tf.reduce_mean(logits, axis=-1)
    return (1 - smoothing) * losses + smoothing * spread


class SequenceTraining:
    """A model in training on pairs of sequences.

    A step takes one batch of `token_batches`; its loss is the mean over the target tokens that are no padding.
    Each epoch has an order of its own, which follows from the seed.

    Args:
        model: a Keras model of [source, target] that gives logits.
        optimizer: over the model's trainable variables.
        pairs: what to train on.
        batch_tokens: rows x padded length of a batch.
        label_smoothing: share of each label that is spread over the vocabulary.
        learning_rates: (steps,) of the whole training.
        seed: of the order of the batches.
    """

    def __init__(
        self,
        model: Any,
        optimizer: FusedOptimizer,
        pairs: SequencePairs,
        *,
        batch_tokens: int,
        label_smoothing: float,
        learning_rates: NDArray[np.float32],
        seed: int,
    ) -> None:
        self._pairs, self._tokens, self._seed = pairs, batch_tokens, seed
        self._rates = learning_rates
        self._done = 0
        self._batches = self._from_step(0)
        self._variables = [*(variable.value for variable in model.variables), *optimizer.state]
        self._step = _training_step(model, optimizer, label_smoothing)
        self._evaluate = _evaluation(model)

    @property
    def position(self) -> int:
        """Steps that have been made."""
        return self._done

    def train_until(self, step: int) -> float:
        """Trains on until so many steps have been made, and returns the mean loss of those made now, in nats.

        Raises:
            ChildFailed: if a loss is no finite number.
            ValueError: if there are not so many learning rates.
        """
        if step > len(self._rates):
            raise ValueError(f"The training was planned for {len(self._rates)} steps: it cannot go on to {step}.")
        import tensorflow as tf

        losses = []
        while self._done < step:
            batch = next(self._batches)
            arrays = [tf.constant(batch[side]) for side in ("source", "target_in", "target_out")]
            losses.append(float(self._step(*arrays, tf.constant(self._rates[self._done]))))
            self._done += 1
            if not math.isfinite(losses[-1]):
                raise ChildFailed(
                    f"The training loss became {losses[-1]} in step {self._done}: lower the learning rate."
                )
        return float(np.mean(losses)) if losses else math.nan

    def measure(self, pairs: SequencePairs) -> dict[str, float]:
        """How well the model predicts each next target token where it is given those before it.

        Returns:
            "log_perplexity" (mean negative log-likelihood of a token in nats, ends among them), its exponential
            "perplexity", its negative "neg_log_perplexity" and "token_accuracy" (percent).

        Raises:
            ChildFailed: if a likelihood is no finite number.
        """
        import tensorflow as tf

        sums = np.zeros(3)
        for batch in token_batches(pairs, tokens=_EVALUATION_TOKENS, shuffle=False):
            arrays = [tf.constant(batch[side]) for side in ("source", "target_in", "target_out")]
            sums += [float(value) for value in self._evaluate(*arrays)]
        loss, correct, tokens = sums.tolist()
        if not math.isfinite(loss):
            raise ChildFailed(f"The validation loss became {loss} after step {self._done}: lower the learning rate.")
        return {
            "perplexity": perplexity(loss, int(tokens)),
            "log_perplexity": loss / tokens,
            "neg_log_perplexity": -loss / tokens,
            "token_accuracy": 100 * correct / tokens,
        }

    def state(self) -> bytes:
        """Step, weights, optimizer and random generators as an .npz file: all that a training needs to go on."""
        return training_state.pack(self._variables, position=self._done, unit="step")

    def restore(self, state: bytes) -> None:
        """Goes on from where `state` was taken.

        Raises:
            ValueError: if it was taken of another network or optimizer.
        """
        self._done = training_state.unpack(state, self._variables, unit="step")
        self._batches = self._from_step(self._done)

    def _from_step(self, step: int) -> Iterator[Batch]:
        every = (batch for epoch in itertools.count() for batch in self._epoch(epoch))
        return itertools.islice(every, step, None)

    def _epoch(self, epoch: int) -> Iterator[Batch]:
        return token_batches(self._pairs, tokens=self._tokens, seed=self._seed, epoch=epoch)


def _tokens(name: str) -> Any:
    import tensorflow as tf

    return tf.TensorSpec([None, None], tf.int32, name)


def _training_step(model: Any, optimizer: FusedOptimizer, label_smoothing: float) -> Any:
    """A compiled function of source, target in, target out and learning rate that makes one step, giving its loss."""
    import tensorflow as tf

    variables = [variable.value for variable in model.trainable_variables]

    def step(source: Any, target_in: Any, target_out: Any, learning_rate: Any) -> Any:
        weights = tf.cast(target_out != 0, tf.float32)
        with tf.GradientTape() as tape:
            logits = model([source, target_in], training=True)
            losses = smoothed_losses(logits, target_out, label_smoothing)
            loss = tf.reduce_sum(losses * weights) / tf.reduce_sum(weights)
        gradients = tape.gradient(loss, variables, unconnected_gradients=tf.UnconnectedGradients.ZERO)
        optimizer.apply(gradients, learning_rate)
        return loss

    # Lengths stay open: tracing a large network once costs more than a short training of it.
    signature = [_tokens("source"), _tokens("target_in"), _tokens("target_out"), tf.TensorSpec([], tf.float32)]
    return tf.function(step, autograph=False, jit_compile=False, input_signature=signature)


def _evaluation(model: Any) -> Any:
    """A compiled function of a batch to its sum of losses, of tokens predicted right, and of tokens."""
    import tensorflow as tf

    def evaluate(source: Any, target_in: Any, target_out: Any) -> Any:
        weights = tf.cast(target_out != 0, tf.float32)
        logits = model([source, target_in], training=False)
        right = tf.cast(tf.argmax(logits, axis=-1, output_type=tf.int32) == target_out, tf.float32)
        losses = smoothed_losses(logits, target_out, 0.0)
        return tf.reduce_sum(losses * weights), tf.reduce_sum(right * weights), tf.reduce_sum(weights)

    signature = [_tokens("source"), _tokens("target_in"), _tokens("target_out")]
    return tf.function(evaluate, autograph=False, jit_compile=False, input_signature=signature)
