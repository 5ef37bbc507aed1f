"""Stock Keras layers for the operations of the architecture language, one handler each."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from autoglyph.search_spaces import ops
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
        shared: layers that several operations of the network share, by name; handlers add to it.
        is_reused: whether all operations of this name share one layer.
    """

    name: str
    seed: int | None
    norm_momentum: float | None = None
    composed_swish: bool = False
    shared: dict[str, Any] = field(default_factory=dict)
    is_reused: bool = False

    def layer(self, make: Callable[[], Any]) -> Any:
        """A new layer; where operations of this name share one, the one made for the first of them."""
        if not self.is_reused:
            return make()
        if self.name not in self.shared:
            self.shared[self.name] = make()
        return self.shared[self.name]

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


@keras_value.register
def _input(op: ops.Input, context: LayerContext, *inputs: Any) -> Any:
    import keras

    return keras.Input(op.shape, name=context.name)


@keras_value.register
def _conv(op: ops.Conv, context: LayerContext, *inputs: Any) -> Any:
    import keras

    make = _by_rank(inputs[0], keras.layers.Conv1D, keras.layers.Conv2D, keras.layers.Conv3D)
    layer = context.layer(
        lambda: make(
            op.filters,
            op.kernel,
            strides=op.stride,
            padding=op.padding,
            dilation_rate=op.dilation,
            groups=op.groups,
            use_bias=op.use_bias,
            kernel_initializer=context.fan_out_normal(),
            name=context.name,
        )
    )
    return layer(*inputs)


@keras_value.register
def _depthwise_conv(op: ops.DepthwiseConv, context: LayerContext, *inputs: Any) -> Any:
    import keras

    make = _by_rank(inputs[0], keras.layers.DepthwiseConv1D, keras.layers.DepthwiseConv2D)
    layer = context.layer(
        lambda: make(
            op.kernel,
            strides=op.stride,
            padding=op.padding,
            dilation_rate=op.dilation,
            depth_multiplier=op.multiplier,
            use_bias=op.use_bias,
            depthwise_initializer=context.fan_out_normal(),
            name=context.name,
        )
    )
    return layer(*inputs)


@keras_value.register
def _transposed_conv(op: ops.TransposedConv, context: LayerContext, *inputs: Any) -> Any:
    import keras

    make = _by_rank(inputs[0], keras.layers.Conv1DTranspose, keras.layers.Conv2DTranspose, keras.layers.Conv3DTranspose)
    layer = context.layer(
        lambda: make(
            op.filters,
            op.kernel,
            strides=op.stride,
            padding=op.padding,
            use_bias=op.use_bias,
            kernel_initializer=context.fan_out_normal(),
            name=context.name,
        )
    )
    return layer(*inputs)


@keras_value.register
def _dense(op: ops.Dense, context: LayerContext, *inputs: Any) -> Any:
    import keras

    layer = context.layer(
        lambda: keras.layers.Dense(
            op.units, use_bias=op.use_bias, kernel_initializer=context.glorot_uniform(), name=context.name
        )
    )
    return layer(*inputs)


@keras_value.register
def _batch_norm(op: ops.BatchNorm, context: LayerContext, *inputs: Any) -> Any:
    import keras

    layer = keras.layers.BatchNormalization(
        momentum=op.momentum if context.norm_momentum is None else context.norm_momentum,
        epsilon=op.epsilon,
        scale=op.scale,
        center=op.center,
        name=context.name,
    )
    return layer(*inputs)


@keras_value.register
def _layer_norm(op: ops.LayerNorm, context: LayerContext, *inputs: Any) -> Any:
    import keras

    make = keras.layers.LayerNormalization
    layer = context.layer(lambda: make(epsilon=op.epsilon, scale=op.scale, center=op.center, name=context.name))
    return layer(*inputs)


@keras_value.register
def _group_norm(op: ops.GroupNorm, context: LayerContext, *inputs: Any) -> Any:
    import keras

    layer = context.layer(
        lambda: keras.layers.GroupNormalization(
            op.groups, epsilon=op.epsilon, scale=op.scale, center=op.center, name=context.name
        )
    )
    return layer(*inputs)


@keras_value.register
def _embedding(op: ops.Embedding, context: LayerContext, *inputs: Any) -> Any:
    import keras

    normal = keras.initializers.RandomNormal(stddev=op.size**-0.5, seed=context.seed)
    layer = context.layer(
        lambda: keras.layers.Embedding(op.vocabulary, op.size, embeddings_initializer=normal, name=context.name)
    )
    return layer(*inputs)


@keras_value.register
def _attention(op: ops.Attention, context: LayerContext, *inputs: Any) -> Any:
    import keras

    split = [
        keras.layers.Reshape((x.shape[1], op.heads, x.shape[2] // op.heads), name=f"{context.name}_{part}")(x)
        for part, x in zip(("queries", "keys", "values"), inputs, strict=True)
    ]
    attended = keras.ops.dot_product_attention(*split, is_causal=op.causal)
    merged = (inputs[0].shape[1], inputs[2].shape[2])
    return keras.layers.Reshape(merged, name=context.name)(attended)


@keras_value.register
def _matmul(op: ops.MatMul, context: LayerContext, *inputs: Any) -> Any:
    import keras

    return keras.ops.matmul(*inputs)


@keras_value.register
def _activation(op: ops.Activation, context: LayerContext, *inputs: Any) -> Any:
    import keras

    if op.kind == "swish" and context.composed_swish:
        gate = keras.layers.Activation("sigmoid", name=f"{context.name}_sigmoid")(*inputs)
        return keras.layers.Multiply(name=context.name)([*inputs, gate])
    kind = _KERAS_ACTIVATIONS.get(op.kind, op.kind)
    return context.layer(lambda: keras.layers.Activation(kind, name=context.name))(*inputs)


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
    return context.layer(lambda: keras.layers.Add(name=context.name))(list(inputs))


@keras_value.register
def _multiply(op: ops.Multiply, context: LayerContext, *inputs: Any) -> Any:
    import keras

    return context.layer(lambda: keras.layers.Multiply(name=context.name))(list(inputs))


@keras_value.register
def _concat(op: ops.Concat, context: LayerContext, *inputs: Any) -> Any:
    import keras

    return keras.layers.Concatenate(op.axis if op.axis < 0 else op.axis + 1, name=context.name)(list(inputs))


@keras_value.register
def _pool(op: ops.Pool, context: LayerContext, *inputs: Any) -> Any:
    import keras

    layers = keras.layers
    if op.kind == "max":
        make = _by_rank(inputs[0], layers.MaxPooling1D, layers.MaxPooling2D, layers.MaxPooling3D)
    else:
        make = _by_rank(inputs[0], layers.AveragePooling1D, layers.AveragePooling2D, layers.AveragePooling3D)
    layer = context.layer(lambda: make(op.size, strides=op.stride, padding=op.padding, name=context.name))
    return layer(*inputs)


@keras_value.register
def _global_pool(op: ops.GlobalPool, context: LayerContext, *inputs: Any) -> Any:
    import keras

    layers = keras.layers
    if op.kind == "max":
        make = _by_rank(inputs[0], layers.GlobalMaxPooling1D, layers.GlobalMaxPooling2D, layers.GlobalMaxPooling3D)
    else:
        make = _by_rank(
            inputs[0],
            layers.GlobalAveragePooling1D,
            layers.GlobalAveragePooling2D,
            layers.GlobalAveragePooling3D,
        )
    return context.layer(lambda: make(keepdims=op.keep_dimensions, name=context.name))(*inputs)


@keras_value.register
def _zero_pad(op: ops.ZeroPad, context: LayerContext, *inputs: Any) -> Any:
    import keras

    layers = keras.layers
    make = _by_rank(inputs[0], layers.ZeroPadding1D, layers.ZeroPadding2D, layers.ZeroPadding3D)
    return make(_amounts(op.amounts), name=context.name)(*inputs)


@keras_value.register
def _crop(op: ops.Crop, context: LayerContext, *inputs: Any) -> Any:
    import keras

    make = _by_rank(inputs[0], keras.layers.Cropping1D, keras.layers.Cropping2D, keras.layers.Cropping3D)
    return make(_amounts(op.amounts), name=context.name)(*inputs)


@keras_value.register
def _upsample(op: ops.Upsample, context: LayerContext, *inputs: Any) -> Any:
    import keras

    make = _by_rank(inputs[0], keras.layers.UpSampling1D, keras.layers.UpSampling2D, keras.layers.UpSampling3D)
    return make(op.factor, name=context.name)(*inputs)


@keras_value.register
def _reshape(op: ops.Reshape, context: LayerContext, *inputs: Any) -> Any:
    import keras

    return keras.layers.Reshape(op.shape, name=context.name)(*inputs)


@keras_value.register
def _permute(op: ops.Permute, context: LayerContext, *inputs: Any) -> Any:
    import keras

    return keras.layers.Permute([i + 1 for i in op.order], name=context.name)(*inputs)


def _by_rank(x: Any, *layers: Any) -> Any:
    """The layer for as many spatial dimensions as the value has."""
    dimensions = len(x.shape) - 2
    if not 1 <= dimensions <= len(layers):
        names = ", ".join(layer.__name__ for layer in layers)
        raise ValueError(f"Keras has {names}, none of which takes a value of shape {tuple(x.shape[1:])}.")
    return layers[dimensions - 1]


def _amounts(amounts: tuple[tuple[int, int], ...]) -> Any:
    return amounts[0] if len(amounts) == 1 else amounts
