"""Keras classes of candidates: an activation layer, an optimizer, and a model whose hidden errors a rule gives."""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from typing import Any, NamedTuple

from autoglyph.child_programs.expressions.setup import HIDDEN_LAYERS, Parts, Setup, layer_window
from autoglyph.child_programs.expressions.tensors import evaluate_tensors, tensorflow_backend
from autoglyph.child_programs.expressions.window_tensors import noise_window, step_numbers_at, window_drop
from autoglyph.search_spaces.expressions import backprop_rules
from autoglyph.search_spaces.expressions.evaluate import forward_dual, operands_read, reads_beta
from autoglyph.search_spaces.expressions.numerics import Context
from autoglyph.search_spaces.expressions.optimizers import AVERAGES, averages_read, operand_makers
from autoglyph.search_spaces.expressions.program import Program


class KerasParts(NamedTuple):
    """Classes of candidates."""

    ExpressionActivation: Any
    RuleOptimizer: Any
    ErrorRuleModel: Any


@functools.cache
def keras_parts() -> KerasParts:
    """The classes, made on first use, which imports Keras."""
    import keras
    import tensorflow as tf

    class ExpressionActivation(keras.layers.Layer):
        """An activation function, with a trainable beta for every unit where it reads one."""

        def __init__(self, program: Program) -> None:
            super().__init__()
            self._program = program
            self._has_beta = reads_beta(program)

        def build(self, input_shape: Sequence[int | None]) -> None:
            if self._has_beta:
                self.beta = self.add_weight(shape=(input_shape[-1],), initializer="ones", name="beta")

        def call(self, x: Any) -> Any:
            beta = tf.convert_to_tensor(self.beta) if self._has_beta else 1.0
            y = evaluate_tensors(self._program, {"x": x}, Context(beta=beta))
            return tf.broadcast_to(y, tf.shape(x))

    class RuleOptimizer(keras.optimizers.Optimizer):
        """An update rule, for the steps that a setup plans."""

        def __init__(self, rule: Program, setup: Setup, learning_rate: float) -> None:
            super().__init__(learning_rate=learning_rate)
            self._rule, self._setup = rule, setup
            self._names = averages_read(rule)

        def build(self, variables: Sequence[Any]) -> None:
            if self.built:
                return
            super().build(variables)
            self._kept = {n: [self.add_variable_from_reference(v, name=n) for v in variables] for n in self._names}
            sizes = [math.prod(v.shape) for v in variables]
            self._offsets = [sum(sizes[:i]) for i in range(len(sizes))]

        def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
            at = self._get_variable_index(variable)
            step = tf.cast(self.iterations, tf.int32)
            before = {name: tf.convert_to_tensor(self._kept[name][at]) for name in self._names}
            w, rate = tf.convert_to_tensor(variable), tf.cast(learning_rate, gradient.dtype)
            window = tf.gather(tf.constant(self._setup.windows), step) + self._offsets[at]
            makers = operand_makers(
                gradient,
                w,
                before,
                lambda: noise_window(window, gradient),
                step_numbers_at(step, self._setup.steps),
                backend=tensorflow_backend(),
            )
            terms = {name: makers[name]() for name in operands_read(self._rule)}
            change = evaluate_tensors(self._rule, terms, Context(drop=window_drop(window)))
            for name in self._names:
                self.assign(self._kept[name][at], AVERAGES[name](before[name], gradient))
            self.assign(variable, w - rate * change)

    class ErrorRuleModel(keras.Model):
        """A network whose hidden layers are given their errors by a rule."""

        def follow(self, parts: Parts, dense: Sequence[Any], setup: Setup) -> None:
            """Says what to train with, before `compile`."""
            self._parts, self._dense, self._setup = parts, list(dense), setup

        def train_step(self, data: Any) -> Any:
            x, y = data
            pre, post, slopes = [], [x], []
            for i, layer in enumerate(self._dense):
                pre.append(layer(post[-1]))
                if i < HIDDEN_LAYERS:
                    h, slope, _ = forward_dual(self._parts.activation, pre[-1], 1.0, backend=tensorflow_backend())
                    post.append(h)
                    slopes.append(slope)
            with tf.GradientTape() as tape:
                tape.watch(pre[-1])
                loss = self.compute_loss(x, y, pre[-1])
            errors = [tape.gradient(loss, pre[-1])]
            step = tf.cast(self.optimizer.iterations, tf.int32)
            for i in range(HIDDEN_LAYERS - 1, -1, -1):
                errors.insert(0, self._error(i, pre, post, slopes, errors, step))
            gradients = []
            for h, b in zip(post, errors, strict=True):
                gradients += [tf.matmul(h, b, transpose_a=True), tf.reduce_sum(b, axis=0)]
            self.optimizer.apply_gradients(zip(gradients, self.trainable_variables, strict=True))
            self._loss_tracker.update_state(loss)
            return {"loss": self._loss_tracker.result()}

        def _error(self, i: int, pre: Any, post: Any, slopes: Any, errors: Any, step: Any) -> Any:
            terms = backprop_rules.operands(
                p=pre[i],
                h=post[i + 1],
                slope=slopes[i],
                p_next=pre[i + 1],
                b_next=errors[0],
                b_last=errors[-1],
                weights=tf.convert_to_tensor(self._dense[i + 1].kernel),
                feedback=tf.constant(self._setup.feedback[f"r{i + 1}"]),
                direct_feedback=tf.constant(self._setup.feedback[f"d{i}"]),
                backend=tensorflow_backend(),
            )
            window = layer_window(tf.gather(tf.constant(self._setup.windows), step), i)
            assert self._parts.errors is not None
            return evaluate_tensors(self._parts.errors, terms, Context(drop=window_drop(window)))

    return KerasParts(ExpressionActivation, RuleOptimizer, ErrorRuleModel)
