"""Parameters and multiply-adds of a Keras model, counted from its own layers.

The count walks over the layers of the finished model and reads nothing of the architecture language, so its
equality with the workload of the same individual is a check that can fail.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from typing import Any

_FREE_LAYERS = frozenset(
    {
        "InputLayer",
        "Embedding",
        "BatchNormalization",
        "LayerNormalization",
        "Activation",
        "ReLU",
        "Dropout",
        "SpatialDropout2D",
        "Identity",
        "Add",
        "Multiply",
        "Concatenate",
        "Flatten",
        "Reshape",
        "ZeroPadding1D",
        "ZeroPadding2D",
        "Rescaling",
        "MaxPooling2D",
        "AveragePooling2D",
        "UpSampling2D",
        "Cropping2D",
        "GlobalMaxPooling2D",
        "GlobalAveragePooling2D",
    }
)
_CONVOLUTIONS = frozenset({"Conv1D", "Conv2D", "Conv3D", "DepthwiseConv1D", "DepthwiseConv2D"})
_FREE_OPERATIONS = frozenset(
    {
        "Add",
        "Any",
        "Cast",
        "Clip",
        "Concatenate",
        "Cumsum",
        "ExpandDims",
        "GetItem",
        "Greater",
        "Max",
        "Multiply",
        "NotEqual",
        "OneHot",
        "OnesLike",
        "Pad",
        "Softmax",
        "Subtract",
        "Transpose",
        "ZerosLike",
        "Sin",
        "Cos",
        "Power",
    }
)
"""Operations of `keras.ops` without convolutions or matrix products."""


def count_parameters(model: Any) -> int:
    """Trainable parameters: moving averages are left out, as in published counts."""
    return sum(math.prod(variable.shape) for variable in model.trainable_variables)


def count_madds(model: Any) -> int:
    """Multiply-adds of one example: convolutions and matrix products, as published counts have it.

    Args:
        model: a functional or sequential `keras.Model` with known input sizes.

    Raises:
        ValueError: if the model holds a layer of unknown cost, or sizes are not known.
    """
    return sum(madds for _, madds in madds_by_layer(model))


def madds_by_layer(model: Any) -> Iterator[tuple[str, int]]:
    """(name, multiply-adds of one example) of every layer and operation, in the order of the model.

    A layer that the model uses several times counts as often.
    """
    calls = _outputs_of_calls(model)
    for layer in getattr(model, "operations", model.layers):
        kind = type(layer).__name__
        if kind in _CONVOLUTIONS or kind == "Dense":
            where = slice(0, -1) if kind == "Dense" else _spatial(layer)
            outputs = calls.get(id(layer)) or [layer.output]
            positions = sum(math.prod(_output_shape(layer, output)[where]) for output in outputs)
            yield layer.name, positions * math.prod(layer.kernel.shape)
        elif kind == "ReversibleEmbedding":
            yield layer.name, sum(_size(layer, output) for output in _reversed(layer)) * layer.output_dim
        elif kind in _PRODUCTS and not hasattr(layer, "weights"):
            yield layer.name, _PRODUCTS[kind](layer)
        elif kind in (_FREE_LAYERS if hasattr(layer, "weights") else _FREE_OPERATIONS):
            yield layer.name, 0
        else:
            raise ValueError(f"The multiply-adds of layer {layer.name!r} ({kind}) are not known: count it here.")


def _outputs_of_calls(model: Any) -> dict[int, list[Any]]:
    """The outputs of every layer's calls within a functional model, by the id of the layer."""
    calls: dict[int, list[Any]] = {}
    for nodes in getattr(model, "_nodes_by_depth", {}).values():
        for node in nodes:
            calls.setdefault(id(node.operation), []).append(node.outputs[0])
    return calls


def _reversed(layer: Any) -> Iterator[Any]:
    """Outputs of the calls of a `ReversibleEmbedding` that are a product with its table."""
    return (node.outputs[0] for node in layer._inbound_nodes if node.arguments.kwargs.get("reverse"))


def _size(layer: Any, tensor: Any) -> int:
    """Elements of one example."""
    return math.prod(_sizes(layer, tensor)[1:])


def _einsum(operation: Any) -> int:
    """One multiply-add for every combination of indices but the batch, the first index of the output."""
    inputs, output = operation.subscripts.split("->")
    size_of: dict[str, int] = {}
    for letters, tensor in zip(inputs.split(","), operation.input, strict=True):
        size_of |= dict(zip(letters, _sizes(operation, tensor), strict=True))
    del size_of[output[0]]
    return math.prod(size_of.values())


def _matmul(operation: Any) -> int:
    return _size(operation, operation.output) * _sizes(operation, operation.input[0])[-1]


def _depthwise(operation: Any) -> int:
    *_, length, _ = _sizes(operation, operation.output)
    window, channels, multiplier = (int(size) for size in operation.input[1].shape)
    return length * window * channels * multiplier


def _attention(operation: Any) -> int:
    queries, keys, values = (_sizes(operation, tensor) for tensor in operation.input[:3])
    return queries[1] * keys[1] * keys[2] * (keys[3] + values[3])


_PRODUCTS: Mapping[str, Callable[[Any], int]] = {
    "Einsum": _einsum,
    "Matmul": _matmul,
    "DepthwiseConv": _depthwise,
    "DotProductAttention": _attention,
}
"""Operations of `keras.ops` and how to count them."""


def _sizes(layer: Any, tensor: Any) -> tuple[int, ...]:
    """Sizes with those of the batch as 1.

    Raises:
        ValueError: if another one is open.
    """
    first, *shape = tensor.shape
    if None in shape:
        raise ValueError(f"{layer.name!r} meets shape {tuple(shape)}: build the model with a fixed input size.")
    return (1 if first is None else int(first), *map(int, shape))


def _output_shape(layer: Any, output: Any) -> tuple[int, ...]:
    shape = tuple(output.shape[1:])
    if None in shape:
        raise ValueError(f"Layer {layer.name!r} has output {shape}: build the model with a fixed input size.")
    return shape


def _spatial(layer: Any) -> slice:
    return slice(1, None) if layer.get_config()["data_format"] == "channels_first" else slice(0, -1)
