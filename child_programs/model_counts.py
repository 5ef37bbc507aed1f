"""Parameters and multiply-adds of a Keras model, counted from its own layers.

The count walks over the layers of the finished model and reads nothing of the architecture language, so its
equality with the workload of the same individual is a check that can fail.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

_FREE_LAYERS = frozenset(
    {
        "InputLayer",
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
        "ZeroPadding2D",
        "Rescaling",
        "MaxPooling2D",
        "AveragePooling2D",
        "GlobalMaxPooling2D",
        "GlobalAveragePooling2D",
    }
)
_CONVOLUTIONS = frozenset({"Conv1D", "Conv2D", "Conv3D", "DepthwiseConv1D", "DepthwiseConv2D"})


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
    """(name, multiply-adds of one example) of every layer, in the order of the model."""
    for layer in model.layers:
        kind = type(layer).__name__
        if kind in _CONVOLUTIONS:
            positions = math.prod(_output_shape(layer)[_spatial(layer)])
            yield layer.name, positions * math.prod(layer.kernel.shape)
        elif kind == "Dense":
            yield layer.name, math.prod(_output_shape(layer)[:-1]) * math.prod(layer.kernel.shape)
        elif kind in _FREE_LAYERS:
            yield layer.name, 0
        else:
            raise ValueError(f"The multiply-adds of layer {layer.name!r} ({kind}) are not known: count it here.")


def _output_shape(layer: Any) -> tuple[int, ...]:
    shape = tuple(layer.output.shape[1:])
    if None in shape:
        raise ValueError(f"Layer {layer.name!r} has output {shape}: build the model with a fixed input size.")
    return shape


def _spatial(layer: Any) -> slice:
    return slice(1, None) if layer.get_config()["data_format"] == "channels_first" else slice(0, -1)
