"""Values of programs in TensorFlow: the tables of the vocabularies on tensors, differentiable by gradient tapes."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import Any

from autoglyph.search_spaces.expressions.evaluate import evaluate
from autoglyph.search_spaces.expressions.numerics import Context
from autoglyph.search_spaces.expressions.program import Program


class TensorflowBackend:
    """Elementary functions on tensors, in the precision of the tensors; use `tensorflow_backend`."""

    def __init__(self) -> None:
        import tensorflow as tf

        self._tf = tf
        self.exp, self.log, self.sqrt, self.abs, self.sign = tf.exp, tf.math.log, tf.sqrt, tf.abs, tf.sign
        self.sin, self.cos, self.sinh, self.cosh, self.tanh = tf.sin, tf.cos, tf.sinh, tf.cosh, tf.tanh
        self.asinh, self.atan, self.erf = tf.asinh, tf.atan, tf.math.erf
        self.maximum, self.minimum, self.where, self.power = tf.maximum, tf.minimum, tf.where, tf.pow
        self.zeros_like, self.ones_like, self.matmul = tf.zeros_like, tf.ones_like, tf.matmul
        self.relu, self.sigmoid, self.softplus = tf.nn.relu, tf.sigmoid, tf.math.softplus

    def cast(self, condition: Any, like: Any) -> Any:
        """A truth value as 0 or 1 in the precision of `like`."""
        return self._tf.cast(condition, like.dtype)

    def transpose(self, x: Any) -> Any:
        """Rows and columns of a matrix exchanged."""
        return self._tf.linalg.matrix_transpose(x)

    def total(self, x: Any, axis: int | None) -> Any:
        """The sum over an axis, or over all, which stay as size 1."""
        return self._tf.reduce_sum(x, axis=axis, keepdims=True)

    def largest(self, x: Any, axis: int | None) -> Any:
        """The largest over an axis, or over all, which stay as size 1."""
        return self._tf.reduce_max(x, axis=axis, keepdims=True)


@functools.cache
def tensorflow_backend() -> TensorflowBackend:
    """The back-end, made on first use, which imports TensorFlow."""
    return TensorflowBackend()


def evaluate_tensors(program: Program, operands: Mapping[str, Any], context: Context | None = None) -> Any:
    """The value of a program on tensors.

    Args:
        program: what to compute.
        operands: tensors by name, those that the program reads.
        context: beta and dropping, in tensors; beta 1 and no dropping by default.

    Returns:
        A tensor of the operands' precision; gradients flow into the operands and beta.
    """
    return evaluate(program, operands, context, backend=tensorflow_backend())


def random_drop(seed: int) -> Any:
    """Dropping with masks drawn anew at every call, for a `Context`.

    Args:
        seed: of the generator of the masks.
    """
    import tensorflow as tf

    generator = tf.random.Generator.from_seed(seed)

    def drop(x: Any, rate: float) -> Any:
        is_kept = generator.uniform(tf.shape(x), dtype=x.dtype) >= rate
        return tf.where(is_kept, x / (1 - rate), tf.zeros_like(x))

    return drop
