"""Steps and measurements along one path of a supernet, the path given as a row of its space."""

from __future__ import annotations

import abc
import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from autoglyph.child_programs.base import ChildFailed
from autoglyph.child_programs.weight_sharing.mixing_net import (
    MixingNet,
    mixable_columns,
    sum_of,
    switch_of,
    with_mixtures,
)
from autoglyph.child_programs.weight_sharing.path_net import PathNet
from autoglyph.child_programs.weight_sharing.supernet import Supernet
from autoglyph.search_spaces import Genome
from autoglyph.search_spaces.genome import Row


class Paths(abc.ABC):
    """The networks of a space with the weights of a supernet.

    Args:
        supernet: weights and data.
        genome: the space.
    """

    def __init__(self, supernet: Supernet, genome: Genome) -> None:
        self.supernet = supernet
        self.genome = genome

    def train_step(self, row: Row, batch: NDArray[np.int64], learning_rate: float) -> float:
        """One step on the weights of one path, and its loss in nats.

        Args:
            row: the path.
            batch: (n,) numbers of training images.
            learning_rate: of the step.

        Raises:
            ChildFailed: if the loss is no finite number.
        """
        loss = float(self._step(row, batch, learning_rate))
        if not math.isfinite(loss):
            raise ChildFailed(f"The training loss of a path became {loss}: lower the learning rate.")
        return loss

    def measure(self, row: Row, batch: NDArray[np.int64] | None = None) -> dict[str, float]:
        """What a path is worth without training of its own.

        Args:
            row: the path.
            batch: (n,) numbers of validation images; None for all of them.

        Returns:
            "top1" in percent and "loss" in nats.
        """
        numbers = np.arange(len(self.supernet.data.y_valid)) if batch is None else batch
        return self.supernet.measured(self._logits(row, numbers).numpy(), numbers)

    @abc.abstractmethod
    def _step(self, row: Row, batch: NDArray[np.int64], learning_rate: float) -> Any:
        """One step; the loss as a scalar tensor."""

    @abc.abstractmethod
    def _logits(self, row: Row, batch: NDArray[np.int64]) -> Any:
        """(n, classes) logits of validation images."""


class EagerPaths(Paths):
    """Computes every path operation by operation: for any space, and slowly."""

    def _step(self, row: Row, batch: NDArray[np.int64], learning_rate: float) -> Any:
        import tensorflow as tf

        supernet = self.supernet
        with tf.GradientTape() as tape:
            net = PathNet(supernet.weights, supernet.images(batch))
            loss = supernet.loss(supernet.logits(net, supernet.fitted(self.genome.decode(row))), batch)
        variables = list(tape.watched_variables())
        supernet.descend(variables, tape.gradient(loss, variables), learning_rate)
        return loss

    def _logits(self, row: Row, batch: NDArray[np.int64]) -> Any:
        net = PathNet(self.supernet.weights, self.supernet.images(batch, validation=True))
        return self.supernet.logits(net, self.supernet.fitted(self.genome.decode(row)))


class CompiledPaths(Paths):
    """One program for all paths, which computes the path it is given and holds the memory of that one.

    Args:
        supernet: weights and data.
        genome: of a space whose decisions all change parts of a network and not its structure.
    """

    def __init__(self, supernet: Supernet, genome: Genome) -> None:
        super().__init__(supernet, genome)
        import tensorflow as tf

        columns = list(range(len(genome.columns)))
        row = genome.random(1, np.random.default_rng(0))[0]
        mixed = supernet.fitted_mixture(with_mixtures(genome, row, columns))
        numbers = {genome.columns[at].name: at for at in columns}
        shares = {genome.columns[at].name: [1.0] * len(genome.columns[at].candidates) for at in columns}
        # weights are made outside of the compiled program
        mixed.build(MixingNet(supernet.weights, supernet.images([0, 1]), sum_of(shares)))
        variables = supernet.weights.variables()
        for variable in variables:
            supernet.velocity(variable)

        def logits(indices: Any, images: Any) -> Any:
            return supernet.logits(MixingNet(supernet.weights, images, switch_of(indices, numbers)), mixed)

        def step(indices: Any, batch: Any, learning_rate: Any) -> Any:
            with tf.GradientTape() as tape:
                loss = supernet.loss(logits(indices, supernet.images(batch)), batch)
            supernet.descend(variables, tape.gradient(loss, variables), learning_rate)
            return loss

        def validate(indices: Any, batch: Any) -> Any:
            return logits(indices, supernet.images(batch, validation=True))

        path, examples = tf.TensorSpec([len(columns)], tf.int32), tf.TensorSpec([None], tf.int64)
        rate = tf.TensorSpec([], tf.float32)
        self._compiled_step = tf.function(step, autograph=False, input_signature=[path, examples, rate])
        self._compiled_logits = tf.function(validate, autograph=False, input_signature=[path, examples])

    def _step(self, row: Row, batch: NDArray[np.int64], learning_rate: float) -> Any:
        return self._compiled_step(row.astype(np.int32), batch.astype(np.int64), np.float32(learning_rate))

    def _logits(self, row: Row, batch: NDArray[np.int64]) -> Any:
        return self._compiled_logits(row.astype(np.int32), batch.astype(np.int64))


def paths_of(supernet: Supernet, genome: Genome) -> Paths:
    """Compiled paths where all decisions of the space allow it, else eager ones."""
    mixable = mixable_columns(genome, supernet.fitted)
    return (CompiledPaths if len(mixable) == len(genome.columns) else EagerPaths)(supernet, genome)
