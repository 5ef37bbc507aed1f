"""The training of a classifier: schedule, fused optimizers against Keras, a finite loss."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from small_networks import bright_squares, tiny_network

from autoglyph.child_programs import OPTIMIZERS, ChildFailed, ClassifierTraining, build_model
from autoglyph.child_programs.epoch_training import cosine_schedule


def test_the_schedule_rises_then_falls_along_half_a_cosine() -> None:
    rates = cosine_schedule(100, peak=0.4, warmup_steps=10)
    assert len(rates) == 100 and rates[0] == pytest.approx(0.04) and rates[9] == pytest.approx(0.4)
    assert rates[10] == pytest.approx(0.4) and rates[55] == pytest.approx(0.2)
    assert (np.diff(rates[:10]) > 0).all() and (np.diff(rates[10:]) < 0).all() and 0 < rates[-1] < 0.001
    assert (cosine_schedule(5, peak=1.0, warmup_steps=0) <= 1).all()


@pytest.mark.parametrize("name", ["adam", "sgd"])
def test_fused_optimizers_do_what_keras_does(name: str) -> None:
    import keras
    import tensorflow as tf

    rng = np.random.default_rng(0)
    shapes = [(3, 4), (5,), ()]
    start = [rng.normal(size=shape).astype(np.float32) for shape in shapes]
    ours, theirs = ([keras.Variable(value) for value in start] for _ in range(2))
    fused = OPTIMIZERS[name](ours)
    reference: Any = (
        keras.optimizers.Adam(0.0) if name == "adam" else keras.optimizers.SGD(0.0, momentum=0.9, nesterov=True)
    )
    for step in range(12):
        gradients = [tf.constant(rng.normal(size=shape) * 10.0**-step, tf.float32) for shape in shapes]
        rate = 0.1 / (1 + step)
        fused.apply(gradients, tf.constant(rate, tf.float32))
        reference.learning_rate = rate
        reference.apply(gradients, theirs)
    for value, mine, keras_own in zip(start, ours, theirs, strict=True):
        assert np.allclose(mine, keras_own, rtol=2e-5, atol=1e-6)
        assert not np.allclose(mine, value)


def training(**changes: Any) -> ClassifierTraining:
    settings: dict[str, Any] = {
        "batch_size": 32,
        "label_smoothing": 0.0,
        "peak_learning_rate": 0.01,
        "warmup_share": 0.1,
        "epochs": 6,
        "seed": 0,
    }
    data = changes.pop("data", bright_squares())
    proxy = tiny_network().proxy(resolution=data.resolution, channels=1, classes=data.classes, width=1.0)
    model = build_model(proxy, seed=0, norm_momentum=0.8)
    return ClassifierTraining(model, OPTIMIZERS["adam"](model.trainable_variables), data, **(settings | changes))


def test_training_learns_and_validation_is_what_it_says() -> None:
    child = training()
    before = child.validate()
    losses = [child.train_until(epoch) for epoch in (1, 3, 6)]
    after = child.validate()
    assert losses[0] > losses[2] and before["loss"] > after["loss"]
    assert after["top1"] > 80 > 60 > before["top1"]


def test_validation_agrees_with_keras_and_covers_incomplete_batches() -> None:
    import keras

    data = bright_squares(images=300)
    proxy = tiny_network().proxy(resolution=8, channels=1, classes=4, width=1.0)
    model = build_model(proxy, seed=0)
    child = ClassifierTraining(
        model,
        OPTIMIZERS["sgd"](model.trainable_variables),
        data,
        batch_size=32,
        label_smoothing=0.1,
        peak_learning_rate=0.1,
        warmup_share=0.0,
        epochs=1,
        seed=0,
    )
    model.compile(
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True), metrics=["accuracy"], jit_compile=False
    )
    loss, accuracy = model.evaluate(data.x_valid, data.y_valid, verbose=0)
    measured = child.validate()
    assert measured["loss"] == pytest.approx(loss, rel=1e-4)
    assert measured["top1"] == pytest.approx(100 * accuracy, rel=1e-5)


def test_a_batch_may_be_larger_than_the_data() -> None:
    child = training(batch_size=1000)
    assert np.isfinite(child.train_until(6))


def test_a_loss_that_is_no_number_fails_the_child_in_one_sentence() -> None:
    data = bright_squares()
    with pytest.raises(ChildFailed, match=r"became nan in epoch 1: lower the learning rate\.$"):
        training(data=replace(data, x_train=data.x_train * np.float32(np.nan))).train_until(1)
    with pytest.raises(ChildFailed, match="logits that are not finite"):
        training(data=replace(data, x_valid=data.x_valid * np.float32(np.inf))).validate()


def test_dropout_is_repeatable() -> None:
    def losses(seed: int) -> list[float]:
        network = tiny_network().proxy(resolution=8, channels=1, classes=4, width=1.0)
        network.rebind(dropout=0.5, drop_path=0.5)
        model = build_model(network, seed=seed)
        assert {"head_dropout", "stage2_block2_drop_path"} <= {layer.name for layer in model.layers}
        child = ClassifierTraining(
            model,
            OPTIMIZERS["adam"](model.trainable_variables),
            bright_squares(),
            batch_size=32,
            label_smoothing=0.1,
            peak_learning_rate=0.01,
            warmup_share=0.1,
            epochs=2,
            seed=seed,
        )
        return [child.train_until(1), child.train_until(2)]

    assert losses(0) == losses(0) != losses(1)
