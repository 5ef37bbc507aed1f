"""Training of expressions in NumPy: one plan of array calls a candidate, weights in one flat array.

Activation functions carry their derivatives forward, so that nothing is recorded for a backward pass. Arithmetic is
in single precision.
"""

from __future__ import annotations

import functools
import math
from typing import Any, NamedTuple

import numpy as np
import threadpoolctl
from numpy.typing import NDArray

from autoglyph.child_programs.base import ChildFailed
from autoglyph.child_programs.expressions.numpy_update import NumpyUpdate
from autoglyph.child_programs.expressions.setup import (
    HIDDEN_LAYERS,
    Floats,
    Parts,
    Setup,
    layer_window,
    mask_pool,
)
from autoglyph.child_programs.expressions.tracing import Plan, Symbol, Trace
from autoglyph.search_spaces.expressions import backprop_rules
from autoglyph.search_spaces.expressions.evaluate import evaluate, forward_dual
from autoglyph.search_spaces.expressions.numerics import Context


@functools.cache
def _threads() -> threadpoolctl.ThreadpoolController:
    return threadpoolctl.ThreadpoolController()


class _Layer(NamedTuple):
    """Weights of a layer and their gradients, views of the flat arrays: (inputs, units) and (units,)."""

    kernel: Floats
    bias: Floats
    kernel_gradient: Floats
    bias_gradient: Floats


class NumpyTraining:
    """A network in training in NumPy, on one thread.

    Args:
        parts: the candidate in its place.
        setup: what it starts from and sees.
        learning_rate: factor of the updates.
    """

    def __init__(self, parts: Parts, setup: Setup, learning_rate: float) -> None:
        self._parts, self._setup = parts, setup
        layout, batch = setup.layout, setup.order.shape[1]
        self._step = 0
        self._flat = setup.start.copy()
        self._gradient = np.zeros_like(self._flat)
        self._w, self._g = layout.views(self._flat), layout.views(self._gradient)
        self._x = np.zeros((batch, layout.inputs), np.float32)
        widths = [layout.hidden] * HIDDEN_LAYERS + [layout.classes]
        self._p = [np.zeros((batch, width), np.float32) for width in widths]
        self._h = [self._x, *(np.zeros_like(p) for p in self._p[:-1])]
        self._b = [np.zeros_like(p) for p in self._p]
        self._layers = [
            _Layer(self._w[f"w{i}"], self._w[f"b{i}"], self._g[f"w{i}"], self._g[f"b{i}"]) for i in range(len(widths))
        ]
        self._ones = np.ones(batch, np.float32)
        self._class_ones = np.ones(layout.classes, np.float32)
        self._one_hot = (setup.y_train[:, None] == np.arange(layout.classes)).astype(np.float32)
        self._labels = np.zeros_like(self._b[-1])
        self._peak, self._sums, self._logs = (np.zeros((batch, 1), np.float32) for _ in range(3))
        self._activation = _activation_symbols(parts)
        self._activations = [
            Plan(self._activation, _activation_inputs(p, self._w.get(f"beta{i}"))) for i, p in enumerate(self._p[:-1])
        ]
        for i, plan in enumerate(self._activations):
            if plan.results["y"].shape == self._h[i + 1].shape:
                self._h[i + 1] = plan.results["y"]
        self._most_dropped = (batch + layout.hidden) * max(widths)
        self._masks: dict[float, NDArray[np.uint32]] = {}
        self._errors = [self._error_plan(i) for i in range(HIDDEN_LAYERS)] if parts.errors is not None else []
        self._update = NumpyUpdate(parts.update, self._flat, self._gradient, setup, learning_rate)

    @property
    def weights(self) -> Floats:
        """(n,) weights as the layout has them."""
        return self._flat.copy()

    def train(self, until: int) -> NDArray[np.float64]:
        """Trains on until so many steps have passed; (steps,) loss of each new one, before its update.

        Raises:
            ChildFailed: if a loss is no finite number, at the first such step.
        """
        losses = []
        with np.errstate(all="ignore"), _threads().limit(limits=1, user_api="blas"):
            while self._step < until:
                losses.append(self._one_step())
        return np.array(losses)

    def validate(self) -> tuple[float, float]:
        """Accuracy in percent and mean loss on the validation examples."""
        setup = self._setup
        with np.errstate(all="ignore"), _threads().limit(limits=1, user_api="blas"):
            h = setup.x_valid
            for i in range(HIDDEN_LAYERS):
                p = h @ self._w[f"w{i}"] + self._w[f"b{i}"]
                plan = Plan({"y": self._activation["y"]}, _activation_inputs(p, self._w.get(f"beta{i}")))
                h = np.broadcast_to(plan.results["y"], p.shape)
            logits = h @ self._w[f"w{HIDDEN_LAYERS}"] + self._w[f"b{HIDDEN_LAYERS}"]
            top = logits.max(axis=1, keepdims=True)
            log_sum = np.log(np.exp(logits - top).sum(axis=1)) + top[:, 0]
            loss = float(np.mean(log_sum - logits[np.arange(len(logits)), setup.y_valid]))
        return 100 * float(np.mean(logits.argmax(axis=1) == setup.y_valid)), loss

    def _one_step(self) -> float:
        setup, at = self._setup, self._step
        chosen = setup.order[at]
        setup.x_train.take(chosen, 0, self._x, "clip")
        for i, (p, layer) in enumerate(zip(self._p, self._layers, strict=True)):
            np.dot(self._h[i], layer.kernel, p)
            np.add(p, layer.bias, p)
            if i < HIDDEN_LAYERS:
                plan = self._activations[i]
                plan.run()
                if plan.results["y"] is not self._h[i + 1]:
                    np.copyto(self._h[i + 1], plan.results["y"])
        loss = self._loss(chosen)
        if not math.isfinite(loss):
            raise ChildFailed(f"The loss of step {at + 1} is {loss}.")
        self._propagate(at)
        self._update.apply(at)
        self._step += 1
        return loss

    def _loss(self, chosen: NDArray[np.int32]) -> float:
        """Mean cross-entropy; leaves the error at the logits."""
        logits, error, sums, batch = self._p[-1], self._b[-1], self._sums, len(chosen)
        self._one_hot.take(chosen, 0, self._labels, "clip")
        np.maximum.reduce(logits, axis=1, keepdims=True, out=self._peak)
        np.subtract(logits, self._peak, error)
        of_labels = np.dot(error.ravel(), self._labels.ravel())
        np.exp(error, error)
        np.dot(error, self._class_ones, sums[:, 0])
        np.log(sums, self._logs)
        loss = (float(np.dot(self._ones, self._logs)[0]) - float(of_labels)) / batch
        np.divide(error, sums, error)
        np.subtract(error, self._labels, error)
        np.multiply(error, np.float32(1 / batch), error)
        return loss

    def _propagate(self, at: int) -> None:
        """The gradients of all weights from the error at the logits."""
        for i in range(HIDDEN_LAYERS, -1, -1):
            b, layer = self._b[i], self._layers[i]
            np.dot(self._h[i].T, b, layer.kernel_gradient)
            np.dot(self._ones, b, layer.bias_gradient)
            if i == 0:
                return
            if self._errors:
                for rate, masks in self._masks.items():
                    window = layer_window(self._setup.windows[at], i - 1)
                    np.copyto(masks, mask_pool(rate)[window : window + len(masks)])
                plan = self._errors[i - 1]
                plan.run()
                np.copyto(self._b[i - 1], plan.results["error"])
                continue
            results = self._activations[i - 1].results
            np.dot(b, layer.kernel.T, self._b[i - 1])
            if "db" in results:
                np.dot(self._ones, self._b[i - 1] * results["db"], self._g[f"beta{i - 1}"])
            np.multiply(self._b[i - 1], results["dx"], self._b[i - 1])

    def _error_plan(self, layer: int) -> Plan:
        """The error of a hidden layer by the rule."""
        trace, feedback = Trace(), self._setup.feedback
        arrays: dict[str, Any] = {
            "p": self._p[layer],
            "h": self._h[layer + 1],
            "slope": self._activations[layer].results["dx"],
            "p_next": self._p[layer + 1],
            "b_next": self._b[layer + 1],
            "b_last": self._b[-1],
            "weights": self._w[f"w{layer + 1}"],
            "feedback": feedback[f"r{layer + 1}"],
            "direct_feedback": feedback[f"d{layer}"],
        }
        terms = backprop_rules.operands(**{name: trace.input(name) for name in arrays}, backend=trace)

        def drop(x: Symbol, rate: float) -> Symbol:
            self._masks.setdefault(rate, np.zeros(self._most_dropped, np.uint32))
            return trace.call(f"drop{rate}", x, trace.input(f"masks{rate}"), x)

        assert self._parts.errors is not None
        error = evaluate(self._parts.errors, terms, Context(drop=drop), backend=trace)
        return Plan({"error": trace.symbol(error)}, arrays | {f"masks{rate}": m for rate, m in self._masks.items()})


def _activation_symbols(parts: Parts) -> dict[str, Symbol]:
    """The activation function of the inputs "x" and "beta": "y", "dx" and, where it depends on beta, "db"."""
    trace = Trace()
    beta = trace.input("beta") if parts.has_beta else trace.symbol(1.0)
    y, dx, db = forward_dual(parts.activation, trace.input("x"), beta, backend=trace)
    outputs = {"y": trace.symbol(y), "dx": trace.symbol(0.0 if dx is None else dx)}
    return outputs if db is None or not parts.has_beta else outputs | {"db": trace.symbol(db)}


def _activation_inputs(p: Floats, beta: Floats | None) -> dict[str, Floats]:
    return {"x": p} if beta is None else {"x": p, "beta": beta}
