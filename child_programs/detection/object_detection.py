"""The object detection child program: train a small copy of an individual, measure validation AP."""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Iterator, Sequence
from typing import Any, Literal, NamedTuple

import pyglove as pg

from autoglyph.child_programs.base import Measurement, Rung
from autoglyph.child_programs.detection.anchors import AnchorGrid
from autoglyph.child_programs.detection.detection_data import load_detection
from autoglyph.child_programs.detection.detector import PRIOR, Detector
from autoglyph.child_programs.detection.detector_training import DetectorTraining
from autoglyph.child_programs.detection.examples import DetectionDataset
from autoglyph.child_programs.fused_optimizers import OPTIMIZERS
from autoglyph.child_programs.keras_net import build_model
from autoglyph.child_programs.rung_by_rung import measurements
from autoglyph.child_programs.tensorflow_process import prepare_process
from autoglyph.search_spaces.architectures.retinanet import CLASS_LOGITS, RetinaNet

_NAMED_SKIPPED = 5


class Begun(NamedTuple):
    """An individual before its first step.

    Attributes:
        network: at the size at which it is trained.
        detector: its Keras model with its anchors.
        training: of the detector.
    """

    network: RetinaNet
    detector: Detector
    training: DetectorTraining


class ObjectDetection(pg.Object):
    """Trains the proxy of a detector from scratch and measures it on the validation images.

    The learning rate is planned for the last rung: it rises, then falls along half a cosine.

    A run is repeatable: seed, settings, data and machine determine its numbers, whatever ran before in the process,
    and no global random generator is read or set.

    Attributes:
        epochs: at which a child is measured, counted from the beginning; the last is the full budget.
        batch_size: images a step.
        learning_rate: at the end of the warm-up.
        optimizer: "adam", or "sgd" with Nesterov momentum 0.9.
        box_weight: factor on the loss of the boxes.
        width: channels of backbone, pyramid and heads as a factor of the published ones; None trains individuals at
            their own size.
        stacks: how often a pyramid of merging cells is repeated in the small copy; None keeps the individual's own
            number.
        resolution: side of the images, pixels, a multiple of 128.
        anchor_size: side of the smallest anchor in units of the distance of positions; None takes that of the data.
        limit: most images of each part of the data.
        strict: refuse data with a bad annotation in place of leaving the annotation out.
        warmup_share: part of the full budget in which the learning rate rises.
        norm_momentum: of batch normalisation; children train for few steps.
        cores: threads TensorFlow may use, for the whole process; None leaves its choice.
    """

    epochs: list[int] = [2, 4]
    batch_size: int = 4
    learning_rate: float = 0.005
    optimizer: Literal["adam", "sgd"] = "adam"
    box_weight: float = 1.0
    width: float | None = 0.125
    stacks: int | None = 1
    resolution: int = 128
    anchor_size: float | None = None
    limit: int | None = None
    strict: bool = False
    warmup_share: float = 0.1
    norm_momentum: float = 0.8
    cores: int | None = None

    def _on_bound(self) -> None:
        super()._on_bound()
        epochs = list(self.epochs)
        if not epochs or epochs[0] < 1 or epochs != sorted(set(epochs)):
            raise ValueError(f"Expected epochs that rise from at least 1, received {epochs}.")
        positive = ("batch_size", "learning_rate", "box_weight", "width", "stacks", "anchor_size", "limit", "cores")
        for name in positive:
            value = getattr(self, name)
            if value is not None and not value > 0:
                raise ValueError(f"Expected {name} above 0, received {value}.")
        if self.resolution < 128 or self.resolution % 128:
            raise ValueError(f"Expected a resolution that is a multiple of 128, received {self.resolution}.")
        for name in ("warmup_share", "norm_momentum"):
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

    def load(self, name: str, seed: int) -> DetectionDataset:
        """The data set of a name, see `load_detection`; annotations that were left out are named on standard error."""
        data = load_detection(
            name, seed=seed, resolution=int(self.resolution), limit=self.limit, strict=bool(self.strict)
        )
        for sentence in data.skipped[:_NAMED_SKIPPED]:
            print(f"Skipped: {sentence}.", file=sys.stderr)
        if len(data.skipped) > _NAMED_SKIPPED:
            print(f"Skipped: {len(data.skipped) - _NAMED_SKIPPED:,} more.", file=sys.stderr)
        return data

    def proxy_of(self, candidate: RetinaNet, *, channels: int, classes: int) -> RetinaNet:
        """The individual made small, as `width`, `stacks` and `resolution` say."""
        width = 1.0 if self.width is None else float(self.width)
        network = candidate.proxy(resolution=int(self.resolution), channels=channels, classes=classes, width=width)
        if self.stacks is not None and network.pyramid.sym_hasattr("stacks"):
            network.rebind({"pyramid.stacks": int(self.stacks)}, raise_on_no_change=False)
        return network

    def sized(self, candidate: RetinaNet, data: DetectionDataset) -> RetinaNet:
        """The individual at the size at which it is trained."""
        if self.width is None:
            return candidate.for_data(channels=data.channels, classes=data.classes)
        return self.proxy_of(candidate, channels=data.channels, classes=data.classes)

    def begin(self, candidate: RetinaNet, *, seed: int, data: DetectionDataset) -> Begun:
        """An individual at its size as a Keras model, ready to be trained.

        Args:
            candidate: the individual.
            seed: of initial values and of the order of the images.
            data: of `load`.

        Raises:
            ValueError: if the images have another size than the individual takes.
        """
        network = self.sized(candidate, data)
        if network.resolution != data.resolution:
            raise ValueError(
                f"The network takes images of {network.resolution} pixels, the data has {data.resolution}: "
                f"load it with --resolution {network.resolution}."
            )
        model = build_model(network, seed=seed, norm_momentum=self.norm_momentum, composed_swish=True)
        model.get_layer(CLASS_LOGITS).bias.assign([-math.log((1 - PRIOR) / PRIOR)] * (network.anchors * data.classes))
        grid = AnchorGrid(data.resolution, size=float(self.anchor_size or data.anchor_size))
        detector = Detector(model, grid, data.class_names)
        training = DetectorTraining(
            detector,
            OPTIMIZERS[self.optimizer](model.trainable_variables),
            data.train,
            batch_size=int(self.batch_size),
            box_weight=float(self.box_weight),
            peak_learning_rate=float(self.learning_rate),
            warmup_share=float(self.warmup_share),
            epochs=self.epochs[-1],
            seed=seed,
        )
        return Begun(network, detector, training)

    def run(
        self, candidate: Any, *, seed: int, data: DetectionDataset, checkpoint: bytes | None = None
    ) -> Iterator[Measurement]:
        """Trains the proxy of a detector rung by rung.

        Args:
            candidate: a `RetinaNet`.
            seed: of initial values and of the order of the images.
            data: of `load`.
            checkpoint: state of an earlier measurement of the same training, to go on from there.

        Yields:
            Average precision on the validation images in percent ("ap", "ap50", "ap75", and "ap_small" and the like
            where there are such boxes), "train_loss" of the last epoch and "child_parameters"; the first rung's
            seconds include building and compiling.

        Raises:
            ChildFailed: if the loss or an output is not finite.
            ValueError: if the candidate is no detector.
        """
        if not isinstance(candidate, RetinaNet):
            raise ValueError(
                f"Expected a RetinaNet to train, received {type(candidate).__name__}: "
                "choose another child program for this space."
            )
        prepare_process(self.cores)
        import keras

        try:
            yield from self._measurements(candidate, seed, data, checkpoint)
        finally:
            keras.utils.clear_session()

    def _measurements(
        self, candidate: RetinaNet, seed: int, data: DetectionDataset, checkpoint: bytes | None
    ) -> Iterator[Measurement]:
        started = time.perf_counter()
        _, detector, training = self.begin(candidate, seed=seed, data=data)
        parameters = float(detector.model.count_params())

        def measure() -> dict[str, float]:
            precisions = {name: value for name, value in detector.measure(data.valid).items() if name.startswith("ap")}
            return {**precisions, "child_parameters": parameters}

        yield from measurements(training, self.epochs, measure, checkpoint=checkpoint, started=started)
