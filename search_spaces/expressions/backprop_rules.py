"""Back-propagation rules as programs, after Alber et al. 2018 (Backprop Evolution): operands of every layer.

A layer computes p_i = h_{i-1} W_i and h_i = s(p_i), examples in rows, where `weights[i]` leads from layer i to layer
i + 1. A rule gives the error b_i of shape (batch, units of layer i), which stands in place of the derivative by
p_i; the gradient of the weights into the layer stays h_{i-1}^T b_i. At the logits the error is the true one.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from autoglyph.search_spaces.expressions.evaluate import evaluate
from autoglyph.search_spaces.expressions.numerics import Context, NumpyBackend
from autoglyph.search_spaces.expressions.program import Program

Array = NDArray[Any]


def operands(
    *,
    p: Any,
    h: Any,
    slope: Any,
    p_next: Any,
    b_next: Any,
    b_last: Any,
    weights: Any,
    feedback: Any,
    direct_feedback: Any,
    backend: Any = NumpyBackend,
) -> dict[str, Any]:
    """All operands of one hidden layer, by name.

    Args:
        p: (batch, units) pre-activations.
        h: (batch, units) activations.
        slope: (batch, units) derivative of the activation function at p.
        p_next: (batch, next) pre-activations of the layer after.
        b_next: (batch, next) error that the layer after was given.
        b_last: (batch, outputs) error at the logits.
        weights: (units, next) weights into the layer after.
        feedback: (units, next) fixed random numbers.
        direct_feedback: (units, outputs) fixed random numbers.
        backend: elementary functions of the library of the arrays.
    """
    signs = backend.sign(weights)
    return {
        "g_bp": slope * backend.matmul(b_next, backend.transpose(weights)),
        "g_fa": slope * backend.matmul(b_next, backend.transpose(feedback)),
        "g_dfa": slope * backend.matmul(b_last, backend.transpose(direct_feedback)),
        "p": p,
        "h": h,
        "slope": slope,
        "p_next": p_next,
        "b_next": b_next,
        "b_last": b_last,
        "w": weights,
        "sign_w": signs,
        "r": feedback,
        "s": backend.abs(feedback) * signs,
        "d": direct_feedback,
    }


def layer_errors(
    program: Program,
    weights: Sequence[Array],
    x: Array,
    error: Any,
    feedback: Sequence[Array],
    direct_feedback: Sequence[Array],
    context: Context | None = None,
) -> list[Array]:
    """Errors that a rule gives the layers of a network of tanh units in NumPy.

    Args:
        program: over the vocabulary "backprop".
        weights: of each layer, (inputs, units); the last layer makes the logits.
        x: (batch, inputs).
        error: logits (batch, outputs) -> error at the logits, of the same shape.
        feedback: fixed numbers of the shapes of `weights`; the first is not read.
        direct_feedback: (units, outputs) for each hidden layer.
        context: how entries are dropped.

    Returns:
        (batch, units) of every layer, the logits last.
    """
    pre: list[Array] = []
    post: list[Array] = [x]
    for matrix in weights:
        pre.append(post[-1] @ matrix)
        post.append(np.tanh(pre[-1]))
    errors = [np.asarray(error(pre[-1]))]
    for i in range(len(weights) - 2, -1, -1):
        h = post[i + 1]
        terms = operands(
            p=pre[i],
            h=h,
            slope=1 - h * h,
            p_next=pre[i + 1],
            b_next=errors[0],
            b_last=errors[-1],
            weights=weights[i + 1],
            feedback=feedback[i + 1],
            direct_feedback=direct_feedback[i],
        )
        errors.insert(0, np.asarray(evaluate(program, terms, context)))
    return errors


@functools.cache
def probe_operands(number: int) -> Mapping[str, Array]:
    """Operands of a layer of 5 units before one of 6 and 4 outputs, all random.

    Args:
        number: 0 or 1 for layers of 31 examples that differ in their errors alone, which are of scale 1 and 0.003;
            2 for another one of 4 examples.
    """
    batch = 31 if number < 2 else 4
    rng = np.random.default_rng([20181, batch])
    p, p_next = 2 * rng.normal(size=(batch, 5)), 2 * rng.normal(size=(batch, 6))
    weights, feedback, direct = (rng.normal(size=shape) for shape in ((5, 6), (5, 6), (5, 4)))
    errors, scale = np.random.default_rng(number), 0.003 if number == 1 else 1.0
    return operands(
        p=p,
        h=np.tanh(p),
        slope=1 - np.tanh(p) ** 2,
        p_next=p_next,
        b_next=scale * errors.normal(size=(batch, 6)),
        b_last=scale * errors.normal(size=(batch, 4)),
        weights=weights,
        feedback=feedback,
        direct_feedback=direct,
    )
