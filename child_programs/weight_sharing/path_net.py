"""A reading of the architecture language that computes one network with shared weights, on images, at once."""

from __future__ import annotations

import dataclasses
import hashlib
from typing import Any

from autoglyph.child_programs.keras_layers import LayerContext, keras_value
from autoglyph.child_programs.keras_net import KerasNet
from autoglyph.child_programs.weight_sharing.shared_weights import SharedWeights
from autoglyph.search_spaces import ops
from autoglyph.search_spaces.net import Tensor
from autoglyph.search_spaces.ops import Op


class PathNet(KerasNet):
    """Computes a network on a batch of images; nothing of other paths is in memory.

    Batch normalisation takes the statistics of the batch, in measurements too: running averages would mix those of
    all paths. Dropout is left out.

    Args:
        weights: shared by all paths.
        images: (n, height, width, channels) that the network's input stands for.
    """

    def __init__(self, weights: SharedWeights, images: Any) -> None:
        super().__init__(composed_swish=True)
        self._weights = weights
        self._images = images
        self._behind: dict[int, tuple[Any, str]] = {}  # a tensor (kept, so that its id stays its own) and its key
        self.used: dict[str, str] = {}
        """Key of the weights by scoped name of the operation."""
        self.moments: dict[str, tuple[Any, Any]] = {}
        """(channels,) mean and variance of each normalisation over the images, by scoped name."""

    def read(self, op: Op, *inputs: Tensor) -> Any:
        """The value of one operation."""
        if isinstance(op, ops.Input):
            return self._images
        values = [tensor.value for tensor in inputs]
        if isinstance(op, ops.Dropout):
            return values[0]
        if isinstance(op, ops.BatchNorm):
            return self._normalised(op, values[0])
        shapes = op.weights(*(tensor.shape for tensor in inputs))
        if not shapes:
            nameless = dataclasses.replace(op, name="")
            ranks = [len(tensor.shape) for tensor in inputs]
            kept_as = hashlib.sha256(f"{nameless}{ranks}".encode()).hexdigest()
            plain = LayerContext(kept_as, None, shared=self._weights.plain, is_reused=True)
            return keras_value(nameless, plain, *values)
        key = self._key(op, shapes)
        context = LayerContext(
            key, self._weights.seed_of(key), composed_swish=True, shared=self._weights.layers, is_reused=True
        )
        value = keras_value(op, context, *values)
        if self._weights.fill(key):
            value = keras_value(op, context, *values)
        self._behind[id(value)] = value, key
        return value

    def _key(self, op: Op, shapes: Any) -> str:
        sizes = "-".join("x".join(map(str, shape)) for shape in shapes.values())
        name = self.full_name(op)
        key = f"{name}.{sizes}"  # names of scopes in TensorFlow allow few signs
        self.used[name] = key
        return key

    def _normalised(self, op: ops.BatchNorm, x: Any) -> Any:
        import tensorflow as tf

        _, before = self._behind.get(id(x), (None, ""))
        key = self._key(op, {"": (x.shape[-1],)}) + f">{before}"
        self.used[self.full_name(op)] = key
        scale, offset = self._weights.norm(key, int(x.shape[-1]))
        mean, variance = tf.nn.moments(x, list(range(len(x.shape) - 1)))
        self.moments[self.full_name(op)] = mean, variance
        return tf.nn.batch_normalization(x, mean, variance, offset, scale, op.epsilon)
