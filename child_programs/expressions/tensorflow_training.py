"""Training of expressions by one TensorFlow program for all candidates: which one it is, is data.

Tracing and compiling take seconds, once for a kind of candidate, number of units and shape of the network.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from autoglyph.child_programs.base import ChildFailed
from autoglyph.child_programs.expressions.row_interpreter import given, interpret, live_rows
from autoglyph.child_programs.expressions.setup import HIDDEN_LAYERS, Floats, Layout, Parts, Setup, layer_window
from autoglyph.child_programs.expressions.tensors import tensorflow_backend
from autoglyph.child_programs.expressions.window_tensors import noise_window, step_numbers_at, window_drop
from autoglyph.search_spaces.expressions import backprop_rules
from autoglyph.search_spaces.expressions.numerics import Context
from autoglyph.search_spaces.expressions.optimizers import AVERAGES, operand_makers
from autoglyph.search_spaces.expressions.vocabulary import Vocabulary, vocabulary

Kind = Literal["activation", "update", "errors"]


class TensorflowTraining:
    """A network in training by the program of its shape.

    Args:
        parts: the candidate in its place.
        setup: what it starts from and sees.
        learning_rate: factor of the updates.
    """

    def __init__(self, parts: Parts, setup: Setup, learning_rate: float) -> None:
        import tensorflow as tf

        kind: Kind = "activation" if parts.has_beta else "update" if parts.errors is None else "errors"
        candidate = {"activation": parts.activation, "update": parts.update, "errors": parts.errors}[kind]
        assert candidate is not None
        rows = live_rows(candidate)
        self._program = _compiled(kind, candidate.vocabulary, len(rows), setup.layout, setup.steps)
        self._setup, self._step = setup, 0
        self._rows = tf.constant(rows)
        self._flat = tf.constant(setup.start)
        names = list(AVERAGES) if kind == "update" else ["velocity"]
        self._averages = [tf.zeros_like(self._flat) for _ in names]
        self._rate = tf.constant(learning_rate, tf.float32)
        self._feedback = [tf.constant(each) for each in setup.feedback.values()] if kind == "errors" else []

    @property
    def weights(self) -> Floats:
        """(n,) weights as the layout has them."""
        return np.asarray(self._flat.numpy())

    def train(self, until: int) -> NDArray[np.float64]:
        """Trains on until so many steps have passed; (steps,) loss of each new one, before its update.

        Raises:
            ChildFailed: if a loss is no finite number, at the first such step.
        """
        import tensorflow as tf

        setup = self._setup
        step, losses, self._flat, self._averages = self._program.train(
            self._rows,
            self._flat,
            self._averages,
            self._feedback,
            self._rate,
            tf.constant(self._step),
            tf.constant(until),
            tf.constant(setup.order),
            tf.constant(setup.windows),
            tf.constant(setup.x_train),
            tf.constant(setup.y_train),
        )
        new = losses.numpy()[self._step : int(step)].astype(np.float64)
        self._step = int(step)
        if not math.isfinite(new[-1]):
            raise ChildFailed(f"The loss of step {self._step} is {new[-1]}.")
        return np.asarray(new)

    def validate(self) -> tuple[float, float]:
        """Accuracy in percent and mean loss on the validation examples."""
        setup = self._setup
        right, loss = self._program.validate(self._rows, self._flat, setup.x_valid, setup.y_valid)
        return 100 * float(int(right) / len(setup.y_valid)), float(loss)


class _Program(NamedTuple):
    train: Callable[..., Any]
    validate: Callable[..., Any]


@functools.lru_cache(maxsize=8)
def _compiled(kind: Kind, words: str, units: int, layout: Layout, steps: int) -> _Program:
    import tensorflow as tf

    network = _Network(kind, vocabulary(words), layout, steps)
    number, flat = tf.TensorSpec((), tf.int32), tf.TensorSpec((layout.size,), tf.float32)
    rows = tf.TensorSpec((units, 5), tf.int32)
    examples, labels = tf.TensorSpec((None, layout.inputs), tf.float32), tf.TensorSpec((None,), tf.int32)
    averages = [flat] * (len(AVERAGES) if kind == "update" else 1)
    fixed = layout.feedback(0).values() if kind == "errors" else ()
    feedback = [tf.TensorSpec(each.shape, tf.float32) for each in fixed]
    train = tf.function(
        network.train,
        input_signature=[
            rows,
            flat,
            averages,
            feedback,
            tf.TensorSpec((), tf.float32),
            number,
            number,
            tf.TensorSpec((steps, None), tf.int32),
            tf.TensorSpec((steps,), tf.int32),
            examples,
            labels,
        ],
    )
    return _Program(train, tf.function(network.validate, input_signature=[rows, flat, examples, labels]))


class _Network:
    """The graph of one kind of candidate.

    Args:
        kind: which part the candidate takes the place of.
        words: its vocabulary.
        layout: of the weights.
        steps: of the whole training.
    """

    def __init__(self, kind: Kind, words: Vocabulary, layout: Layout, steps: int) -> None:
        self._kind, self._words, self._layout, self._steps = kind, words, layout, steps

    def train(
        self,
        rows: Any,
        flat: Any,
        averages: list[Any],
        feedback: list[Any],
        rate: Any,
        first: Any,
        until: Any,
        order: Any,
        windows: Any,
        x: Any,
        y: Any,
    ) -> Any:
        """Steps from `first` until `until` or a loss that is no finite number.

        Returns:
            Steps passed, (steps,) losses, weights and averages.
        """
        import tensorflow as tf

        def goes_on(step: Any, loss: Any, *_: Any) -> Any:
            return tf.logical_and(step < until, tf.math.is_finite(loss))

        def one_step(step: Any, _: Any, losses: Any, w: Any, kept: Any) -> Any:
            chosen = tf.gather(order, step)
            inputs, labels = tf.gather(x, chosen), tf.gather(y, chosen)
            window = tf.gather(windows, step)
            if self._kind == "errors":
                loss, g = self._loss_and_rule(rows, w, inputs, labels, feedback, window)
            else:
                with tf.GradientTape() as tape:
                    tape.watch(w)
                    loss = _loss(self._logits(rows, w, inputs), labels)
                g = tape.gradient(loss, w)
            change, kept = self._change(rows, g, w, kept, step, window)
            return step + 1, loss, losses.write(step, loss), w - rate * change, kept

        losses = tf.TensorArray(tf.float32, self._steps, element_shape=())
        step, _, losses, flat, averages = tf.while_loop(
            goes_on, one_step, (first, tf.constant(0.0), losses, flat, averages), parallel_iterations=1
        )
        return step, losses.stack(), flat, averages

    def validate(self, rows: Any, flat: Any, x: Any, y: Any) -> Any:
        """Right answers and mean loss."""
        import tensorflow as tf

        logits = self._logits(rows, flat, x)
        is_right = tf.equal(tf.argmax(logits, axis=1, output_type=tf.int32), y)
        return tf.math.count_nonzero(is_right), _loss(logits, y)

    def _weights(self, flat: Any) -> dict[str, Any]:
        import tensorflow as tf

        shapes = self._layout.shapes
        parts = tf.split(flat, [int(np.prod(shape)) for shape in shapes.values()])
        return {name: tf.reshape(part, shapes[name]) for name, part in zip(shapes, parts, strict=True)}

    def _logits(self, rows: Any, flat: Any, x: Any) -> Any:
        import tensorflow as tf

        w, h = self._weights(flat), x
        for i in range(HIDDEN_LAYERS):
            p = h @ w[f"w{i}"] + w[f"b{i}"]
            if self._kind == "activation":
                context = Context(beta=w[f"beta{i}"])
                h = interpret(rows, self._words, {"x": given(p)}, context, shape=p.shape)
            else:
                h = tf.nn.relu(p) if self._kind == "update" else tf.tanh(p)
        return h @ w[f"w{HIDDEN_LAYERS}"] + w[f"b{HIDDEN_LAYERS}"]

    def _change(self, rows: Any, g: Any, w: Any, kept: list[Any], step: Any, window: Any) -> tuple[Any, list[Any]]:
        """What the learning rate is multiplied with, and the averages with this gradient."""
        if self._kind != "update":
            velocity = AVERAGES["velocity"](kept[0], g)
            return velocity, [velocity]
        before = dict(zip(AVERAGES, kept, strict=True))
        makers = operand_makers(
            g,
            w,
            before,
            lambda: noise_window(window, g),
            step_numbers_at(step, self._steps),
            backend=tensorflow_backend(),
        )
        change = interpret(rows, self._words, makers, Context(drop=window_drop(window)), shape=g.shape)
        return change, [AVERAGES[name](before[name], g) for name in AVERAGES]

    def _loss_and_rule(self, rows: Any, flat: Any, x: Any, y: Any, feedback: list[Any], window: Any) -> tuple[Any, Any]:
        """The loss, and the gradients that the errors of the rule make, in one flat tensor."""
        import tensorflow as tf

        w = self._weights(flat)
        fixed = dict(zip(self._layout.feedback(0), feedback, strict=True))
        pre, post = [], [x]
        for i in range(HIDDEN_LAYERS + 1):
            pre.append(post[-1] @ w[f"w{i}"] + w[f"b{i}"])
            post.append(tf.tanh(pre[-1]))
        with tf.GradientTape() as tape:
            tape.watch(pre[-1])
            loss = _loss(pre[-1], y)
        errors = [tape.gradient(loss, pre[-1])]
        for i in range(HIDDEN_LAYERS - 1, -1, -1):
            terms = backprop_rules.operands(
                p=pre[i],
                h=post[i + 1],
                slope=1 - post[i + 1] * post[i + 1],
                p_next=pre[i + 1],
                b_next=errors[0],
                b_last=errors[-1],
                weights=w[f"w{i + 1}"],
                feedback=fixed[f"r{i + 1}"],
                direct_feedback=fixed[f"d{i}"],
                backend=tensorflow_backend(),
            )
            makers = {name: given(term) for name, term in terms.items()}
            context = Context(drop=window_drop(layer_window(window, i)))
            error = interpret(rows, self._words, makers, context)
            errors.insert(0, tf.ensure_shape(error, pre[i].shape))
        parts = []
        for h, b in zip(post[:-1], errors, strict=True):
            parts += [tf.reshape(tf.matmul(h, b, transpose_a=True), (-1,)), tf.reduce_sum(b, axis=0)]
        return loss, tf.concat(parts, axis=0)


def _loss(logits: Any, labels: Any) -> Any:
    import tensorflow as tf

    return tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(labels, logits))
