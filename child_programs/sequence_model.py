"""Encoder-decoder networks as Keras models that take sequences of any length."""

from __future__ import annotations

import dataclasses
from typing import Any

from autoglyph.child_programs.keras_net import KerasNet
from autoglyph.search_spaces import ops
from autoglyph.search_spaces.architecture import Architecture
from autoglyph.search_spaces.net import Tensor, the_one
from autoglyph.search_spaces.ops import Op

_OPEN: Any = None  # a length that Keras leaves open


class FreeLengthNet(KerasNet):
    """Reads an architecture over sequences so that the lengths of its inputs stay open.

    Blocks see the lengths that the architecture states; in the Keras model they are None.
    """

    def apply(self, op: Op, *inputs: Tensor) -> Tensor:
        """Makes the layers of one operation; shapes are checked but for lengths."""
        stated = op.output(*(tensor.shape for tensor in inputs))
        if isinstance(op, ops.Input):
            op = dataclasses.replace(op, shape=(_OPEN, *op.shape[1:]))
        value = self.read(op, *inputs)
        shape = tuple(value.shape[1:])
        if len(shape) != len(stated) or any(a not in (None, b) for a, b in zip(shape, stated, strict=True)):
            raise ValueError(
                f"{self.full_name(op)}: Keras computed shape {shape}, but {type(op).__name__}.output states {stated}."
            )
        return Tensor(stated, value)


def build_sequence_model(architecture: Architecture, *, seed: int | None = None, composed_swish: bool = False) -> Any:
    """Builds an encoder-decoder network as a functional `keras.Model` for sequences of any length.

    Inputs are [source, target], whole numbers of shapes (batch, source length) and (batch, target length), 0 for
    padding, behind the tokens. The target begins with the token of the beginning; position t of the output holds
    the logits (batch, target length, vocabulary) of the token that follows position t.

    Args:
        architecture: such as an individual of the space evolved_transformer; its lengths are not used.
        seed: of initial values and dropout, see `KerasNet`.
        composed_swish: spares memory where many models are trained, see `KerasNet`.

    Returns:
        The model, not compiled; it consists of stock layers and `keras.ops`.
    """
    import keras

    net = FreeLengthNet(seed=seed, composed_swish=composed_swish)
    output = the_one(architecture.build(net))
    return keras.Model(net.inputs, output.value, name=type(architecture).__name__.lower())
