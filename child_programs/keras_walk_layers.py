"""How the walk writes the layers and operations that ship with Keras."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, cast, get_args

from autoglyph.child_programs.keras_walk import Handler, LayerCall
from autoglyph.search_spaces import ops
from autoglyph.search_spaces.net import Tensor
from autoglyph.search_spaces.ops import ActivationKind, PoolKind

_ACTIVATIONS = {"silu": "swish", "hard_silu": "hard_swish"}
_BUILT_IN: dict[str, Handler] = {}


def built_in(kind: type) -> Handler | None:
    """The handler of a class that ships with Keras, None for all others."""
    return _BUILT_IN.get(kind.__name__) if kind.__module__.startswith("keras.") else None


def _handles(*names: str) -> Callable[[Handler], Handler]:
    def register(handler: Handler) -> Handler:
        _BUILT_IN.update(dict.fromkeys(names, handler))
        return handler

    return register


def _activated(call: LayerCall, x: Tensor, activation: Any, name: str | None = None) -> Tensor:
    """The activation that a layer applies to its own output."""
    kind = getattr(activation, "__name__", type(activation).__name__)
    kind = _ACTIVATIONS.get(kind, kind)
    if activation is None or kind == "linear":
        return x
    if kind not in get_args(ActivationKind):
        raise call.refuse(f"the activation {kind!r}")
    name = name or f"{call.layer.name}_{kind}"
    return call.apply(ops.Activation(name=name, kind=cast(ActivationKind, kind)), x)


def _channels_last(call: LayerCall) -> None:
    if getattr(call.layer, "data_format", "channels_last") == "channels_first":
        raise call.refuse("channels first")


@_handles("Conv1D", "Conv2D", "Conv3D")
def _conv(call: LayerCall, x: Tensor) -> Tensor:
    layer = call.layer
    _channels_last(call)
    op = ops.Conv(
        name=layer.name,
        filters=layer.filters,
        kernel=layer.kernel_size,
        stride=layer.strides,
        groups=layer.groups,
        use_bias=layer.use_bias,
        padding=layer.padding,
        dilation=layer.dilation_rate,
    )
    return _activated(call, call.apply(op, x), layer.activation)


@_handles("DepthwiseConv1D", "DepthwiseConv2D")
def _depthwise_conv(call: LayerCall, x: Tensor) -> Tensor:
    layer = call.layer
    _channels_last(call)
    op = ops.DepthwiseConv(
        name=layer.name,
        kernel=layer.kernel_size,
        stride=layer.strides,
        multiplier=layer.depth_multiplier,
        use_bias=layer.use_bias,
        padding=layer.padding,
        dilation=layer.dilation_rate,
    )
    return _activated(call, call.apply(op, x), layer.activation)


@_handles("SeparableConv1D", "SeparableConv2D")
def _separable_conv(call: LayerCall, x: Tensor) -> Tensor:
    layer = call.layer
    _channels_last(call)
    depthwise = ops.DepthwiseConv(
        name=f"{layer.name}_depthwise",
        kernel=layer.kernel_size,
        stride=layer.strides,
        multiplier=layer.depth_multiplier,
        padding=layer.padding,
        dilation=layer.dilation_rate,
    )
    pointwise = ops.Conv(name=f"{layer.name}_pointwise", filters=layer.filters, kernel=1, use_bias=layer.use_bias)
    return _activated(call, call.apply(pointwise, call.apply(depthwise, x)), layer.activation)


@_handles("Conv1DTranspose", "Conv2DTranspose", "Conv3DTranspose")
def _transposed_conv(call: LayerCall, x: Tensor) -> Tensor:
    layer = call.layer
    _channels_last(call)
    if layer.output_padding is not None or max(layer.dilation_rate) > 1:
        raise call.refuse("output padding or dilation")
    op = ops.TransposedConv(
        name=layer.name,
        filters=layer.filters,
        kernel=layer.kernel_size,
        stride=layer.strides,
        use_bias=layer.use_bias,
        padding=layer.padding,
    )
    return _activated(call, call.apply(op, x), layer.activation)


@_handles("Dense")
def _dense(call: LayerCall, x: Tensor) -> Tensor:
    layer = call.layer
    output = call.apply(ops.Dense(name=layer.name, units=layer.units, use_bias=layer.use_bias), x)
    return _activated(call, output, layer.activation)


@_handles("Embedding")
def _embedding(call: LayerCall, x: Tensor) -> Tensor:
    layer = call.layer
    return call.apply(ops.Embedding(name=layer.name, vocabulary=layer.input_dim, size=layer.output_dim), x)


@_handles("MultiHeadAttention")
def _multi_head_attention(call: LayerCall, *inputs: Tensor) -> Tensor:
    layer = call.layer
    positions = iter(("query", "value", "key", "a mask"))
    given = {name or next(positions, "a mask"): x for name, x in zip(call.named, inputs, strict=True)}
    if not {"query", "value"} <= given.keys() <= {"query", "value", "key"} or any(len(x.shape) != 2 for x in inputs):
        raise call.refuse(f"{' and '.join(given)} of shapes {[x.shape for x in inputs]}")
    config = layer.get_config()
    heads, key, value, use_bias = config["num_heads"], config["key_dim"], config["value_dim"], config["use_bias"]
    sources = (given["query"], given.get("key", given["value"]), given["value"])
    q, k, v = (
        call.apply(ops.Dense(name=f"{layer.name}_{part}", units=heads * size, use_bias=use_bias), x)
        for part, size, x in zip(("query", "key", "value"), (key, key, value), sources, strict=True)
    )
    causal = bool(call.settings.get("use_causal_mask", False))
    attended = call.apply(ops.Attention(name=f"{layer.name}_scores", heads=heads, causal=causal), q, k, v)
    return call.apply(ops.Dense(name=f"{layer.name}_output", units=call.stated[-1], use_bias=use_bias), attended)


@_handles("BatchNormalization")
def _batch_norm(call: LayerCall, x: Tensor) -> Tensor:
    layer = call.layer
    _last_axis(call, layer.axis, x)
    op = ops.BatchNorm(name=layer.name, epsilon=layer.epsilon, scale=layer.scale, center=layer.center)
    return call.apply(op, x)


@_handles("LayerNormalization", "RMSNormalization")
def _layer_norm(call: LayerCall, x: Tensor) -> Tensor:
    layer = call.layer
    _last_axis(call, layer.axis, x)
    rms = type(layer).__name__ == "RMSNormalization"
    scale, center = (True, False) if rms else (layer.scale, layer.center)
    return call.apply(ops.LayerNorm(name=layer.name, epsilon=layer.epsilon, scale=scale, center=center), x)


@_handles("GroupNormalization")
def _group_norm(call: LayerCall, x: Tensor) -> Tensor:
    layer = call.layer
    _last_axis(call, layer.axis, x)
    return call.apply(
        ops.GroupNorm(
            name=layer.name, groups=layer.groups, epsilon=layer.epsilon, scale=layer.scale, center=layer.center
        ),
        x,
    )


def _last_axis(call: LayerCall, axis: Any, x: Tensor) -> None:
    axes = [*axis] if isinstance(axis, list | tuple) else [axis]
    if any(a not in (-1, len(x.shape)) for a in axes) or len(axes) != 1:
        raise call.refuse(f"axis {axis}; only the last one is known")


@_handles("Rescaling")
def _rescaling(call: LayerCall, x: Tensor) -> Tensor:
    return call.apply(ops.Scale(name=call.layer.name, offset=True), x)


@_handles("Normalization")
def _normalization(call: LayerCall, x: Tensor) -> Tensor:
    name = call.layer.name
    return call.apply(ops.Standardize(name=name) if call.layer.weights else ops.Scale(name=name, offset=True), x)


@_handles("LayerScale")
def _layer_scale(call: LayerCall, x: Tensor) -> Tensor:
    return call.apply(ops.Scale(name=call.layer.name, learned=True), x)


@_handles("Activation")
def _activation(call: LayerCall, x: Tensor) -> Tensor:
    return _activated(call, x, call.layer.activation, call.layer.name)


@_handles("ReLU")
def _relu(call: LayerCall, x: Tensor) -> Tensor:
    layer = call.layer
    kind: ActivationKind = "relu" if layer.max_value is None else "relu6"
    if layer.negative_slope or layer.threshold:
        kind = "leaky_relu"
    return call.apply(ops.Activation(name=layer.name, kind=kind), x)


@_handles("LeakyReLU", "ELU", "Softmax")
@_handles("Relu", "Relu6", "Sigmoid", "Silu", "Gelu", "Tanh", "HardSigmoid", "HardSilu", "Elu", "LeakyRelu", "Exp")
def _one_activation(call: LayerCall, x: Tensor) -> Tensor:
    name = type(call.layer).__name__
    kinds: dict[str, ActivationKind] = {
        "Silu": "swish",
        "HardSigmoid": "hard_sigmoid",
        "HardSilu": "hard_swish",
        "LeakyReLU": "leaky_relu",
        "LeakyRelu": "leaky_relu",
        "Exp": "exponential",
    }
    kind = kinds.get(name, cast(ActivationKind, name.lower()))
    return call.apply(ops.Activation(name=call.layer.name, kind=kind), x)


@_handles("Dropout", "SpatialDropout1D", "SpatialDropout2D", "SpatialDropout3D", "GaussianNoise", "GaussianDropout")
@_handles("Identity", "StochasticDepth", "ActivityRegularization", "AlphaDropout")
def _identity(call: LayerCall, x: Tensor) -> Tensor:
    return x


@_handles("Add", "Subtract", "Average", "Maximum", "Minimum", "Divide", "TrueDivide")
def _add(call: LayerCall, *inputs: Tensor) -> Tensor:
    name = call.layer.name
    if len(inputs) == 1:
        return call.apply(ops.Scale(name=name), *inputs)
    if all(x.shape == inputs[0].shape for x in inputs):
        return call.apply(ops.Add(name=name), *inputs)
    return _multiply(call, *inputs)


@_handles("Multiply")
def _multiply(call: LayerCall, *inputs: Tensor) -> Tensor:
    name = call.layer.name
    if len(inputs) == 1:
        return call.apply(ops.Scale(name=name), *inputs)
    first, *others = sorted(inputs, key=lambda x: -functools.reduce(lambda a, b: a * b, x.shape, 1))
    for i, other in enumerate(others):
        if len(other.shape) != len(first.shape):
            raise call.refuse(f"inputs of shapes {[x.shape for x in inputs]}")
        first = call.apply(ops.Multiply(name=name if not i else f"{name}_{i}"), first, other)
    return first


@_handles("Concatenate")
def _concatenate(call: LayerCall, *inputs: Tensor) -> Tensor:
    axis = call.layer.axis
    return call.apply(ops.Concat(name=call.layer.name, axis=axis if axis < 0 else axis - 1), *inputs)


@_handles(*(f"{kind}Pooling{n}D" for kind in ("Max", "Average") for n in (1, 2, 3)))
def _pool(call: LayerCall, x: Tensor) -> Tensor:
    layer = call.layer
    _channels_last(call)
    op = ops.Pool(
        name=layer.name, kind=_pool_kind(layer), size=layer.pool_size, stride=layer.strides, padding=layer.padding
    )
    return call.apply(op, x)


@_handles(*(f"Global{kind}Pooling{n}D" for kind in ("Max", "Average") for n in (1, 2, 3)))
def _global_pool(call: LayerCall, x: Tensor) -> Tensor:
    layer = call.layer
    _channels_last(call)
    op = ops.GlobalPool(name=layer.name, kind=_pool_kind(layer), keep_dimensions=layer.keepdims)
    return call.apply(op, x)


def _pool_kind(layer: Any) -> PoolKind:
    return "max" if "Max" in type(layer).__name__ else "average"


@_handles("ZeroPadding1D", "ZeroPadding2D", "ZeroPadding3D")
def _zero_padding(call: LayerCall, x: Tensor) -> Tensor:
    _channels_last(call)
    return call.apply(ops.ZeroPad(name=call.layer.name, amounts=_amounts(call.layer.padding)), x)


@_handles("Cropping1D", "Cropping2D", "Cropping3D")
def _cropping(call: LayerCall, x: Tensor) -> Tensor:
    _channels_last(call)
    return call.apply(ops.Crop(name=call.layer.name, amounts=_amounts(call.layer.cropping)), x)


def _amounts(amounts: Any) -> tuple[tuple[int, int], ...]:
    return (tuple(amounts),) if isinstance(amounts[0], int) else tuple(tuple(pair) for pair in amounts)


@_handles("UpSampling1D", "UpSampling2D", "UpSampling3D")
def _upsampling(call: LayerCall, x: Tensor) -> Tensor:
    layer = call.layer
    _channels_last(call)
    if getattr(layer, "interpolation", "nearest") != "nearest":
        raise call.refuse(f"interpolation {layer.interpolation!r}")
    return call.apply(ops.Upsample(name=layer.name, factor=layer.size), x)


@_handles("Flatten", "Reshape", "ExpandDims", "Squeeze")
def _reshape(call: LayerCall, x: Tensor) -> Tensor:
    return call.apply(ops.Reshape(name=call.layer.name, shape=call.stated), x)


@_handles("Permute", "Transpose")
def _permute(call: LayerCall, x: Tensor) -> Tensor:
    layer = call.layer
    dimensions: Any = layer.dims if hasattr(layer, "dims") else (layer.axes or range(len(x.shape), -1, -1))
    order = tuple(d - 1 for d in dimensions if d != 0)
    if hasattr(layer, "axes") and dimensions[0] != 0:
        raise call.refuse("an order that moves the batch")
    return call.apply(ops.Permute(name=layer.name, order=order), x)


@_handles("Negative", "Absolute", "Square", "Sqrt", "Rsqrt", "Reciprocal", "Log", "Cast")
def _one_step(call: LayerCall, x: Tensor) -> Tensor:
    return call.apply(ops.Scale(name=call.layer.name), x)


@_handles("Mean", "Max")
def _mean_or_max(call: LayerCall, x: Tensor) -> Tensor:
    layer, dimensions = call.layer, len(x.shape) + 1
    if sorted(a % dimensions for a in layer.axis or ()) != [*range(1, dimensions - 1)]:
        raise call.refuse(f"axis {layer.axis}; only all positions together are known")
    kind: PoolKind = "max" if type(layer).__name__ == "Max" else "average"
    return call.apply(ops.GlobalPool(name=layer.name, kind=kind, keep_dimensions=layer.keepdims), x)


@_handles("Matmul")
def _matmul(call: LayerCall, first: Tensor, second: Tensor) -> Tensor:
    return call.apply(ops.MatMul(name=call.layer.name), first, second)


@_handles("DotProductAttention")
def _dot_product_attention(call: LayerCall, query: Tensor, key: Tensor, value: Tensor) -> Tensor:
    layer, heads = call.layer, query.shape[1]
    if any(call.named) or any(len(x.shape) != 3 or x.shape[1] != heads for x in (query, key, value)):
        raise call.refuse("a mask, a bias or fewer heads for keys than for queries")
    merged = (
        call.apply(ops.Reshape(name=f"{layer.name}_{part}", shape=(x.shape[0], heads * x.shape[2])), x)
        for part, x in (("query", query), ("key", key), ("value", value))
    )
    attended = call.apply(ops.Attention(name=layer.name, heads=heads, causal=layer.is_causal), *merged)
    shape = (query.shape[0], heads, value.shape[2])
    return call.apply(ops.Reshape(name=f"{layer.name}_heads", shape=shape), attended)
