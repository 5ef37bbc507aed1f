"""The Keras reading of the architecture language: a functional model of stock layers.

Only layers that ship with Keras are used, so an exported model loads where this project is not installed.
A new operation needs one handler, registered with `@keras_value.register` next to the operation itself or
here; nothing else changes.
"""

from __future__ import annotations

import concurrent.futures
import functools
import zlib
from dataclasses import dataclass
from typing import Any

from autoglyph.search_spaces import ops
from autoglyph.search_spaces.architecture import Architecture
from autoglyph.search_spaces.net import Net, Tensor
from autoglyph.search_spaces.ops import Op

_KERAS_ACTIVATIONS = {"swish": "silu", "hard_swish": "hard_silu"}


@dataclass(frozen=True)
class LayerContext:
    """What a handler needs to know beside the operation.

    Attributes:
        name: name of the layer, unique within the model.
        seed: seed of its initial values and of its own randomness; None draws one.
        norm_momentum: momentum of batch normalisation in place of the operation's; None keeps that.
        composed_swish: write swish as a product with a sigmoid.
    """

    name: str
    seed: int | None
    norm_momentum: float | None = None
    composed_swish: bool = False

    def fan_out_normal(self) -> Any:
        """Initial values of convolutions as in EfficientNet: normal, variance 2 / fan out."""
        import keras

        return keras.initializers.VarianceScaling(2.0, "fan_out", "untruncated_normal", seed=self.seed)

    def glorot_uniform(self) -> Any:
        """Initial values of matrix products; EfficientNet's own are too large where classes are few."""
        import keras

        return keras.initializers.GlorotUniform(seed=self.seed)


@functools.singledispatch
def keras_value(op: Op, context: LayerContext, *inputs: Any) -> Any:
    """Applies stock Keras layers for one operation.

    Args:
        op: the operation; handlers are registered for its type.
        context: name, seed and settings.
        *inputs: Keras tensors.

    Returns:
        The Keras tensor that comes out.

    Raises:
        NotImplementedError: if no handler is registered for the type of the operation.
    """
    raise NotImplementedError(
        f"{context.name}: no Keras handler for {type(op).__name__}; register one with @keras_value.register."
    )


class KerasNet(Net):
    """Reads an architecture into Keras layers; layer names are the scoped names of the operations.

    Args:
        seed: of all initial values and of dropout; a layer's own seed follows from this one and its name,
            so layers of equal names and shapes start equal in all models, and no global generator is
            touched. None draws fresh seeds.
        norm_momentum: momentum of every batch normalisation in place of the architecture's (0.99 there).
            Short training needs less, such as 0.8: after n steps the moving averages still hold
            momentum ** n of their initial values.
        composed_swish: write swish as two layers, x times sigmoid(x). TensorFlow's own swish registers a
            gradient that keeps every graph it was traced in for as long as the process lives, tens of
            megabytes a model; a process that trains many models asks for this.
    """

    def __init__(
        self, *, seed: int | None = None, norm_momentum: float | None = None, composed_swish: bool = False
    ) -> None:
        super().__init__()
        self.inputs: list[Any] = []
        self._seed = seed
        self._norm_momentum = norm_momentum
        self._composed_swish = composed_swish

    def apply(self, op: Op, *inputs: Tensor) -> Tensor:
        """Makes the layers of one operation.

        Raises:
            NotImplementedError: if the type of the operation has no handler.
            ValueError: if Keras computes another shape than the operation states.
        """
        name = self.full_name(op)
        context = LayerContext(name, self._layer_seed(name), self._norm_momentum, self._composed_swish)
        value = keras_value(op, context, *(tensor.value for tensor in inputs))
        shape = tuple(value.shape[1:])
        stated = op.output(*(tensor.shape for tensor in inputs))
        if shape != stated:
            raise ValueError(
                f"{context.name}: Keras computed shape {shape}, but {type(op).__name__}.output states {stated}."
            )
        if isinstance(op, ops.Input):
            self.inputs.append(value)
        return Tensor(shape, value)

    def _layer_seed(self, name: str) -> int | None:
        return None if self._seed is None else zlib.crc32(f"{self._seed}/{name}".encode())


def build_model(
    architecture: Architecture,
    *,
    seed: int | None = None,
    norm_momentum: float | None = None,
    composed_swish: bool = False,
) -> Any:
    """Builds an architecture as a functional `keras.Model`.

    The model returns logits: there is no softmax behind the classifier. Use losses with
    `from_logits=True`, and `keras.ops.softmax` where probabilities are wanted.

    Args:
        architecture: what to build, at its own resolution and classes.
        seed: of initial values and dropout, see `KerasNet`.
        norm_momentum: of batch normalisation, see `KerasNet`.
        composed_swish: spares memory where many models are trained, see `KerasNet`.

    Returns:
        The model, not compiled.
    """
    import keras

    net = KerasNet(seed=seed, norm_momentum=norm_momentum, composed_swish=composed_swish)
    output = architecture.build(net)
    inputs = net.inputs[0] if len(net.inputs) == 1 else net.inputs
    return keras.Model(inputs, output.value, name=type(architecture).__name__.lower())


def build_shapes(architecture: Architecture) -> Any:
    """Builds an architecture as a `keras.Model` whose variables have shapes and no values.

    Such a model can be counted and drawn, not run. Keras computes all its shapes as in `build_model`, in a
    third of the time and without the memory.
    """
    import keras

    def build() -> Any:
        with keras.StatelessScope(initialize_variables=False):
            return build_model(architecture)

    # Keras lists variables that await a value in a thread-local, to fill them later; in a thread that ends
    # the list ends too.
    with concurrent.futures.ThreadPoolExecutor(1) as thread:
        return thread.submit(build).result()


@keras_value.register
def _input(op: ops.Input, context: LayerContext, *inputs: Any) -> Any:
    import keras

    return keras.Input(op.shape, name=context.name)


@keras_value.register
def _conv(op: ops.Conv, context: LayerContext, *inputs: Any) -> Any:
    import keras

    layer = keras.layers.Conv2D(
        op.filters,
        op.kernel,
        strides=op.stride,
        padding="same",
        groups=op.groups,
        use_bias=op.use_bias,
        kernel_initializer=context.fan_out_normal(),
        name=context.name,
    )
    return layer(*inputs)


@keras_value.register
def _depthwise_conv(op: ops.DepthwiseConv, context: LayerContext, *inputs: Any) -> Any:
    import keras

    layer = keras.layers.DepthwiseConv2D(
        op.kernel,
        strides=op.stride,
        padding="same",
        use_bias=False,
        depthwise_initializer=context.fan_out_normal(),
        name=context.name,
    )
    return layer(*inputs)


@keras_value.register
def _dense(op: ops.Dense, context: LayerContext, *inputs: Any) -> Any:
    import keras

    layer = keras.layers.Dense(
        op.units, use_bias=op.use_bias, kernel_initializer=context.glorot_uniform(), name=context.name
    )
    return layer(*inputs)


@keras_value.register
def _batch_norm(op: ops.BatchNorm, context: LayerContext, *inputs: Any) -> Any:
    import keras

    momentum = op.momentum if context.norm_momentum is None else context.norm_momentum
    return keras.layers.BatchNormalization(momentum=momentum, epsilon=op.epsilon, name=context.name)(*inputs)


@keras_value.register
def _activation(op: ops.Activation, context: LayerContext, *inputs: Any) -> Any:
    import keras

    if op.kind == "swish" and context.composed_swish:
        gate = keras.layers.Activation("sigmoid", name=f"{context.name}_sigmoid")(*inputs)
        return keras.layers.Multiply(name=context.name)([*inputs, gate])
    kind = _KERAS_ACTIVATIONS.get(op.kind, op.kind)
    return keras.layers.Activation(kind, name=context.name)(*inputs)


@keras_value.register
def _dropout(op: ops.Dropout, context: LayerContext, *inputs: Any) -> Any:
    import keras

    noise_shape = (None, *(1 for _ in inputs[0].shape[1:])) if op.per_example else None
    layer = keras.layers.Dropout(op.rate, noise_shape=noise_shape, seed=context.seed, name=context.name)
    return layer(*inputs)


@keras_value.register
def _add(op: ops.Add, context: LayerContext, *inputs: Any) -> Any:
    import keras

    if len(inputs) == 1:
        return keras.layers.Identity(name=context.name)(*inputs)
    return keras.layers.Add(name=context.name)(list(inputs))


@keras_value.register
def _multiply(op: ops.Multiply, context: LayerContext, *inputs: Any) -> Any:
    import keras

    return keras.layers.Multiply(name=context.name)(list(inputs))


@keras_value.register
def _concat(op: ops.Concat, context: LayerContext, *inputs: Any) -> Any:
    import keras

    return keras.layers.Concatenate(name=context.name)(list(inputs))


@keras_value.register
def _pool(op: ops.Pool, context: LayerContext, *inputs: Any) -> Any:
    import keras

    make = keras.layers.MaxPooling2D if op.kind == "max" else keras.layers.AveragePooling2D
    return make(op.size, strides=op.stride, padding="same", name=context.name)(*inputs)


@keras_value.register
def _global_pool(op: ops.GlobalPool, context: LayerContext, *inputs: Any) -> Any:
    import keras

    make = keras.layers.GlobalMaxPooling2D if op.kind == "max" else keras.layers.GlobalAveragePooling2D
    return make(keepdims=op.keep_dimensions, name=context.name)(*inputs)
