"""Training of expressions by an ordinary Keras fit of a fresh model: the reference of the other back-ends."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from autoglyph.child_programs.base import ChildFailed
from autoglyph.child_programs.expressions.keras_parts import keras_parts
from autoglyph.child_programs.expressions.setup import HIDDEN_LAYERS, Floats, Parts, Setup


class KerasTraining:
    """A Keras model in training.

    Args:
        parts: the candidate in its place.
        setup: what it starts from and sees.
        learning_rate: factor of the updates.
    """

    def __init__(self, parts: Parts, setup: Setup, learning_rate: float) -> None:
        self._setup = setup
        self._step = 0
        self._model = _model(parts, setup)
        self._model.compile(
            optimizer=_optimizer(parts, setup, learning_rate),
            loss=_loss(),
            jit_compile=False,
        )

    @property
    def weights(self) -> Floats:
        """(n,) weights as the layout has them; betas that the candidate does not read are 1."""
        flat = self._setup.start.copy()
        views = self._setup.layout.views(flat)
        dense = [layer for layer in self._model.layers if layer.weights and layer.weights[0].name == "kernel"]
        hidden = [layer for layer in self._model.layers if layer.weights and layer.weights[0].name == "beta"]
        for i, layer in enumerate(dense):
            views[f"w{i}"][:], views[f"b{i}"][:] = layer.get_weights()
        for i, layer in enumerate(hidden):
            views[f"beta{i}"][:] = layer.get_weights()[0]
        return flat

    def train(self, until: int) -> NDArray[np.float64]:
        """Trains on until so many steps have passed; (steps,) loss of each new one, before its update.

        Raises:
            ChildFailed: if a loss is no finite number, at the first such step.
        """
        import keras

        setup = self._setup
        rows = setup.order[self._step : until]
        losses: list[float] = []

        def note(batch: int, logs: Any) -> None:
            losses.append(float(logs["loss"]))
            self._model.reset_metrics()  # so that the loss of a batch is its own, not a mean since the beginning
            if not math.isfinite(losses[-1]):
                self._model.stop_training = True

        self._model.fit(
            setup.x_train[rows.ravel()],
            setup.y_train[rows.ravel()],
            batch_size=rows.shape[1],
            shuffle=False,
            verbose=0,
            callbacks=[keras.callbacks.LambdaCallback(on_train_batch_end=note)],
        )
        self._step += len(losses)
        if not math.isfinite(losses[-1]):
            raise ChildFailed(f"The loss of step {self._step} is {losses[-1]}.")
        return np.array(losses)

    def validate(self) -> tuple[float, float]:
        """Accuracy in percent and mean loss on the validation examples."""
        setup = self._setup
        logits = np.asarray(self._model(setup.x_valid))
        loss = float(_loss()(setup.y_valid, logits))
        return 100 * float(np.mean(logits.argmax(axis=1) == setup.y_valid)), loss


def _loss() -> Any:
    import keras

    return keras.losses.SparseCategoricalCrossentropy(from_logits=True)


def _model(parts: Parts, setup: Setup) -> Any:
    """A fresh model with the weights of the start."""
    import keras

    classes, layout = keras_parts(), setup.layout
    start = layout.views(setup.start)
    inputs = keras.Input((layout.inputs,))
    h = inputs
    dense = []
    for _ in range(HIDDEN_LAYERS):
        dense.append(keras.layers.Dense(layout.hidden))
        h = classes.ExpressionActivation(parts.activation)(dense[-1](h))
    dense.append(keras.layers.Dense(layout.classes))
    outputs = dense[-1](h)
    if parts.errors is None:
        model = keras.Model(inputs, outputs)
    else:
        model = classes.ErrorRuleModel(inputs, outputs)
        model.follow(parts, dense, setup)
    for i, layer in enumerate(dense):
        layer.set_weights([start[f"w{i}"], start[f"b{i}"]])
    return model


def _optimizer(parts: Parts, setup: Setup, learning_rate: float) -> Any:
    import keras

    if parts.is_plain_update:
        return keras.optimizers.SGD(learning_rate, momentum=0.9)
    return keras_parts().RuleOptimizer(parts.update, setup, learning_rate)
