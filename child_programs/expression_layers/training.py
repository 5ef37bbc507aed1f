"""Small networks that train with a found activation function, update rule or back-propagation rule, in plain Keras.

Not a proxy of a search, which scores many candidates at once, but what a user would write with the stand-alone file: a
Keras model that is compiled, fitted and saved.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import Any

from autoglyph.child_programs.datasets import Dataset
from autoglyph.child_programs.expression_layers.standalone_file import StandaloneFile, load_standalone

CHANNELS, HIDDEN, BATCH = (16, 32), 64, 32
LEARNING_RATES = (1e-4, 1e-3, 1e-2, 1e-1, 1.0)
"""Of which an update rule takes the one whose first epoch ends best, as Bello et al. 2017 do."""
_ADAM_RATE = 0.002


@dataclass(frozen=True)
class FoundTraining:
    """A trained network.

    Attributes:
        model: compiled, with the state of its optimizer.
        network: "convolutional" or "dense".
        learning_rate: of the optimizer.
        learning_rates: validation top-1 in percent after one epoch, by learning rate; empty unless it was chosen so.
        epochs: loss, validation top-1 in percent and validation loss of each.
    """

    model: Any
    network: str
    learning_rate: float
    learning_rates: dict[str, float]
    epochs: list[dict[str, float]]


def found_network(file: StandaloneFile, resolution: int, channels: int, classes: int, *, seed: int) -> Any:
    """An uncompiled network with what the file holds in it: two convolutions and two dense layers.

    Activation functions take the places of ReLU; a back-propagation rule wraps all layers, which are dense alone
    where it reads matrices between dense layers; an update rule has no place in the network.

    Args:
        file: the expression.
        resolution: side of the images, pixels.
        channels: of the images.
        classes: outputs, logits.
        seed: of the weights.
    """
    import keras

    keras.utils.set_random_seed(seed)
    module = load_standalone(file)
    found = getattr(module, file.class_name)
    layers = keras.layers
    is_layer = issubclass(found, keras.layers.Layer)
    wraps = is_layer and hasattr(module, "MATRICES")
    activations = [found() for _ in range(3)] if is_layer and not wraps else [layers.ReLU() for _ in range(3)]
    if wraps:
        inside = "tanh" if is_dense(file) else "relu"
        if is_dense(file):
            hidden = [layers.Flatten(), layers.Dense(HIDDEN, inside), layers.Dense(HIDDEN, inside)]
        else:
            hidden = [layers.Conv2D(count, 3, padding="same", activation=inside) for count in CHANNELS]
            hidden = [hidden[0], layers.MaxPooling2D(), hidden[1], layers.Flatten(), layers.Dense(HIDDEN, inside)]
        body = [found([*hidden, layers.Dense(classes)], seed=seed)]
    else:
        convolutions = [layers.Conv2D(count, 3, padding="same") for count in CHANNELS]
        body = [convolutions[0], activations[0], layers.MaxPooling2D(), convolutions[1], activations[1]]
        body += [layers.Flatten(), layers.Dense(HIDDEN), activations[2], layers.Dense(classes)]
    return keras.Sequential([keras.Input((resolution, resolution, channels)), *body])


def is_dense(file: StandaloneFile) -> bool:
    """Whether the expression needs dense layers that follow each other."""
    matrices: set[str] = getattr(load_standalone(file), "MATRICES", set())
    return not matrices.isdisjoint(file.reads)


def train_found(file: StandaloneFile, data: Dataset, *, epochs: int, seed: int, quiet: bool) -> FoundTraining:
    """Trains a network with what the file holds.

    Args:
        file: the expression.
        data: labelled images.
        epochs: of training.
        seed: of weights and the order of the data.
        quiet: print nothing; otherwise epochs are printed as they come.

    Raises:
        ValueError: in one sentence.
    """
    import keras

    found = getattr(load_standalone(file), file.class_name)
    is_rule = issubclass(found, keras.optimizers.Optimizer)
    steps = epochs * -(-len(data.y_train) // BATCH)

    def fitted(rate: float, for_epochs: int, is_quiet: bool) -> tuple[Any, list[dict[str, float]]]:
        model = found_network(file, data.resolution, data.channels, data.classes, seed=seed)
        optimizer = found(rate, total_steps=steps, seed=seed) if is_rule else keras.optimizers.Adam(rate)
        return model, _fit(model, optimizer, data, for_epochs, is_quiet)

    tried: dict[str, float] = {}
    rate = _ADAM_RATE
    if is_rule:
        tried = {f"{each:g}": fitted(each, 1, True)[1][-1]["top1"] for each in LEARNING_RATES}
        rate = max(LEARNING_RATES, key=lambda each: tried[f"{each:g}"])
    model, measured = fitted(rate, epochs, quiet)
    return FoundTraining(model, "dense" if is_dense(file) else "convolutional", rate, tried, measured)


def _fit(model: Any, optimizer: Any, data: Dataset, epochs: int, quiet: bool) -> list[dict[str, float]]:
    import keras

    model.compile(
        optimizer=optimizer,
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
        jit_compile=False,
    )
    measured: list[dict[str, float]] = []

    def note(epoch: int, logs: dict[str, float]) -> None:
        top1 = 100 * float(logs["val_accuracy"])
        loss = float(logs["loss"])
        measured.append({"epoch": epoch + 1, "loss": loss, "top1": top1, "validation_loss": float(logs["val_loss"])})
        if not quiet:
            print(f"epoch {epoch + 1}/{epochs}: loss {loss:.3f}, top-1 {top1:.2f} %", file=sys.stderr, flush=True)

    model.fit(
        data.x_train,
        data.y_train,
        validation_data=(data.x_valid, data.y_valid),
        batch_size=BATCH,
        epochs=epochs,
        verbose=0,
        callbacks=[keras.callbacks.LambdaCallback(on_epoch_end=note)],
    )
    return measured
