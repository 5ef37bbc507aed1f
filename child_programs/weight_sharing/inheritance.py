"""A network of its own that begins with shared weights, to be measured or trained on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from autoglyph.child_programs.datasets import Dataset
from autoglyph.child_programs.weight_sharing.path_net import PathNet
from autoglyph.child_programs.weight_sharing.shared_weights import SharedWeights
from autoglyph.search_spaces.architecture import Architecture

STATISTICS_IMAGES = 1024
"""Training images from which the statistics of normalisations are taken."""


def inherit(model: Any, fitted: Architecture, weights: Path, data: Dataset) -> None:
    """Gives a model the shared weights of its path, and normalisations the statistics of training images.

    Args:
        model: by `build_model`, of the same architecture.
        fitted: the architecture at the size that the weights were trained for.
        weights: file of a supernet.
        data: whose training images are taken.

    Raises:
        ValueError: if the supernet does not hold all weights of the model, as one of another width or data would not.
        FileNotFoundError: if there is no such file.
    """
    import tensorflow as tf

    shared = SharedWeights.load(weights)
    held = set(shared.values())
    net = PathNet(shared, tf.constant(data.x_train[:STATISTICS_IMAGES]))
    fitted.build(net)
    # what leads nowhere is read too, and left out of the model
    layers = {layer.name: layer for layer in model.layers}
    used = {name: key for name, key in net.used.items() if name in layers}
    missing = [name for name, key in used.items() if key not in held]
    if missing:
        raise ValueError(
            f"{str(weights)!r} holds no weights for {missing[0]}: train a supernet of this space with the same width "
            "and data."
        )
    for name, key in used.items():
        layer = layers[name]
        if key in shared.norms:
            scale, offset = (variable.numpy() for variable in shared.norms[key])
            layer.set_weights([scale, offset, *(np.asarray(moment) for moment in net.moments[name])])
        else:
            layer.set_weights(shared.layers[key].get_weights())
