"""The image classification child program: train a small copy of an individual, measure validation top-1."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Literal

import pyglove as pg

from autoglyph.child_programs.base import Measurement, Rung
from autoglyph.child_programs.classifier_training import ClassifierTraining
from autoglyph.child_programs.datasets import Dataset
from autoglyph.child_programs.fused_optimizers import OPTIMIZERS
from autoglyph.child_programs.keras_net import build_model
from autoglyph.child_programs.rung_by_rung import measurements
from autoglyph.child_programs.tensorflow_process import prepare_process
from autoglyph.search_spaces.architecture import Architecture


class ImageClassification(pg.Object):
    """Trains the proxy of an individual from scratch and measures it on the validation images.

    The learning rate is planned for the last rung: it rises, then falls along half a cosine, so accuracies
    of early rungs compare children with one another and not with a training of that length.

    A run is repeatable: seed, settings, data and machine determine its numbers, whatever ran before in the
    process, and no global random generator is read or set. TensorFlow is told to compute repeatably for the
    whole process (see `prepare_process`).

    Attributes:
        epochs: at which a child is measured, counted from the beginning; the last is the full budget.
        batch_size: examples a step.
        learning_rate: at the end of the warm-up.
        optimizer: "adam", or "sgd" with Nesterov momentum 0.9.
        width: channel counts as a factor of the published base width.
        resolution: side of the images, which are scaled where they have another; None keeps theirs.
        label_smoothing: share of each label that is spread over all classes in training.
        warmup_share: part of the full budget in which the learning rate rises.
        norm_momentum: of batch normalisation. The published 0.99 needs hundreds of steps before its moving
            averages mean anything; children train for fewer.
        cores: threads TensorFlow may use, for the whole process; None leaves its choice.
        shared_weights: file of a supernet (`autoglyph supernet`) whose weights a child begins with; the first of
            `epochs` may then be 0, to measure children as they are. It holds for one width and one data set.
    """

    epochs: list[int] = [1, 2, 4]
    batch_size: int = 64
    learning_rate: float = 0.01
    optimizer: Literal["adam", "sgd"] = "adam"
    width: float = 0.25
    resolution: int | None = 32
    label_smoothing: float = 0.1
    warmup_share: float = 0.1
    norm_momentum: float = 0.8
    cores: int | None = None
    shared_weights: str | None = None

    def _on_bound(self) -> None:
        super()._on_bound()
        epochs = list(self.epochs)
        least = 1 if self.shared_weights is None else 0
        if not epochs or epochs[0] < least or epochs != sorted(set(epochs)):
            raise ValueError(f"Expected epochs that rise from at least {least}, received {epochs}.")
        for name in ("batch_size", "learning_rate", "width", "resolution", "cores"):
            value = getattr(self, name)
            if value is not None and not value > 0:
                raise ValueError(f"Expected {name} above 0, received {value}.")
        for name in ("label_smoothing", "warmup_share", "norm_momentum"):
            value = getattr(self, name)
            if not 0 <= value < 1:
                raise ValueError(f"Expected {name} from 0 to below 1, received {value}.")

    @property
    def rungs(self) -> Sequence[Rung]:
        """One rung for each number of epochs."""
        return [Rung(f"{n} epoch{'s' if n > 1 else ''}", "epochs", n) for n in self.epochs]

    def prepare(self, cores: int) -> None:
        """Imports TensorFlow, bound to `cores` threads unless the program has a number of its own."""
        prepare_process(self.cores or cores)

    def run(
        self, candidate: Any, *, seed: int, data: Dataset, checkpoint: bytes | None = None
    ) -> Iterator[Measurement]:
        """Trains the proxy of an architecture rung by rung.

        Args:
            candidate: an `Architecture`.
            seed: of initial values and of the order of the examples.
            data: images of `resolution`, to save scaling them for every child.
            checkpoint: state of an earlier measurement of the same training, to go on from there.

        Yields:
            "top1" (percent) and "loss" (nats) on the validation images, "train_loss" of the last epoch
            (nats, with label smoothing); the first rung's seconds include building and compiling.

        Raises:
            ChildFailed: if the loss is not finite.
            ValueError: if the candidate is no architecture.
        """
        if not isinstance(candidate, Architecture):
            raise ValueError(
                f"Expected an Architecture to train, received {type(candidate).__name__}: "
                "choose another child program for this space."
            )
        prepare_process(self.cores)
        import keras

        try:
            yield from self._measurements(candidate, seed, data, checkpoint)
        finally:
            keras.utils.clear_session()

    def _measurements(
        self, candidate: Architecture, seed: int, data: Dataset, checkpoint: bytes | None
    ) -> Iterator[Measurement]:
        started = time.perf_counter()
        training = self._start(candidate, seed, data)
        yield from measurements(training, self.epochs, training.validate, checkpoint=checkpoint, started=started)

    def _start(self, candidate: Architecture, seed: int, data: Dataset) -> ClassifierTraining:
        data = data.resized(self.resolution or data.resolution)
        proxy = candidate.proxy(
            resolution=data.resolution, channels=data.channels, classes=data.classes, width=self.width
        )
        model = build_model(proxy, seed=seed, norm_momentum=self.norm_momentum, composed_swish=True)
        if self.shared_weights is not None:
            from autoglyph.child_programs.weight_sharing.inheritance import inherit

            inherit(model, proxy, Path(self.shared_weights), data)
        return ClassifierTraining(
            model,
            OPTIMIZERS[self.optimizer](model.trainable_variables),
            data,
            batch_size=self.batch_size,
            label_smoothing=self.label_smoothing,
            peak_learning_rate=self.learning_rate,
            warmup_share=self.warmup_share,
            epochs=max(1, self.epochs[-1]),
            seed=seed,
        )
