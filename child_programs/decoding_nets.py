"""The decoder of an architecture, read step by step with the weights of a built model.

The same definition that gives the Keras model gives its step: the architecture is read once to compute what
depends on the source alone and to lay out the caches, and once to decode a position.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from autoglyph.child_programs.decoding_steps import StepContext, cache_shapes, step_value
from autoglyph.search_spaces import ops
from autoglyph.search_spaces.architecture import Architecture, Segment
from autoglyph.search_spaces.net import Net, Tensor, the_one
from autoglyph.search_spaces.ops import Op
from autoglyph.search_spaces.ops_sequence import SequenceAttention

ENCODED = "encoder_unpadded"
"""Layer of the model that puts out what the encoder made of the source."""
_DECODED = object()


@dataclass
class Start:
    """What is there before the first step.

    Attributes:
        known: tensors (sources, source length, channels) that depend on the source alone, by operation: the keys
            and values that a decoder attends to, and the mask.
        caches: tensors (sources x beams, ...) of zeros, by operation.
        madds: multiply-adds of one step for one row, with attention over all keys that the caches have room for.
        known_madds: multiply-adds of `known` for one source, which are made once.
    """

    known: dict[str, Any] = field(default_factory=dict)
    caches: dict[str, Any] = field(default_factory=dict)
    madds: int = 0
    known_madds: int = 0


class _DecoderNet(Net):
    """Reads the decoder of a built model.

    Args:
        model: from `build_sequence_model`, or one loaded from its file.
    """

    def __init__(self, model: Any, beams: int) -> None:
        super().__init__()
        self._model = model
        self._beams = beams

    def context(self, op: Op, position: Any, caches: dict[str, Any]) -> StepContext:
        return StepContext(self.full_name(op), self.layer, position, caches, self._beams)

    def layer(self, name: str) -> Any:
        return layer_of(self._model, name)


class StartNet(_DecoderNet):
    """Computes what depends on the source alone and lays out the caches; nothing is decoded."""

    def __init__(self, model: Any, *, sources: int, beams: int, steps: int) -> None:
        super().__init__(model, beams)
        self.start = Start()
        self._rows = sources * beams
        self._steps = steps

    def apply(self, op: Op, *inputs: Tensor) -> Tensor:
        """Computes an operation on the source; of others only the shapes."""
        import tensorflow as tf

        if isinstance(op, ops.Input):
            return Tensor((1, *op.shape[1:]), _DECODED)
        name = self.full_name(op)
        shapes = [tensor.shape for tensor in inputs]
        if all(tensor.value is not _DECODED for tensor in inputs):
            value = step_value(op, self.context(op, None, {}), *(tensor.value for tensor in inputs))
            self.start.known[name] = value
            self.start.known_madds += op.madds(*shapes)
            return Tensor(op.output(*shapes), value)
        for suffix, shape in cache_shapes(op, self._steps, *shapes).items():
            self.start.caches[f"{name}_{suffix}"] = tf.zeros((self._rows, *shape))
        output = op.output(*shapes)
        if isinstance(op, SequenceAttention) and op.causal:
            shapes[1:] = [(self._steps, channels) for _, channels in shapes[1:]]
        self.start.madds += op.madds(*shapes)
        return Tensor(output, _DECODED)


class StepNet(_DecoderNet):
    """Decodes one position.

    Attributes:
        caches: of the positions before, and behind the reading of this one too.
    """

    def __init__(self, model: Any, start: Start, *, tokens: Any, position: Any, caches: dict[str, Any], beams: int):
        super().__init__(model, beams)
        self.caches = dict(caches)
        self._start = start
        self._tokens = tokens
        self._position = position

    def apply(self, op: Op, *inputs: Tensor) -> Tensor:
        """Computes an operation at the position; what depends on the source alone is looked up."""
        if isinstance(op, ops.Input):
            return Tensor((1, *op.shape[1:]), self._tokens)
        output = op.output(*(tensor.shape for tensor in inputs))
        name = self.full_name(op)
        if name in self._start.known:
            return Tensor(output, self._start.known[name])
        context = self.context(op, self._position, self.caches)
        return Tensor(output, step_value(op, context, *(tensor.value for tensor in inputs)))


def encoder_of(model: Any) -> Any:
    """The part of a model from the source to what the encoder puts out, as a `keras.Model` that shares its layers."""
    import keras

    return keras.Model(model.inputs[0], layer_of(model, ENCODED).output, name="encoder")


def start_decoding(architecture: Architecture, model: Any, encoded: Any, *, beams: int, steps: int) -> Start:
    """What is there before the first step.

    Args:
        architecture: that the model was built of.
        model: with the weights.
        encoded: (sources, source length, channels) output of the encoder.
        beams: hypotheses of each source.
        steps: most positions to decode.
    """
    net = StartNet(model, sources=encoded.shape[0], beams=beams, steps=steps)
    _read(architecture, net, Tensor(tuple(encoded.shape[1:]), encoded))
    return net.start


def decode_position(
    architecture: Architecture,
    model: Any,
    encoded: Any,
    start: Start,
    *,
    tokens: Any,
    position: Any,
    caches: dict[str, Any],
    beams: int,
) -> tuple[Any, dict[str, Any]]:
    """Logits of the token behind one position.

    Args:
        architecture: that the model was built of.
        model: with the weights.
        encoded: (sources, source length, channels) output of the encoder.
        start: from `start_decoding`.
        tokens: (sources x beams,) whole numbers, the tokens at the position.
        position: whole number tensor (), 0 for the token of the beginning.
        caches: of the positions before.
        beams: hypotheses of each source.

    Returns:
        (sources x beams, vocabulary) logits, and the caches with the position.
    """
    net = StepNet(model, start, tokens=tokens[:, None], position=position, caches=caches, beams=beams)
    logits = _read(architecture, net, Tensor(tuple(encoded.shape[1:]), encoded))
    return logits.value[:, 0], net.caches


def layer_of(model: Any, name: str) -> Any:
    """The layer of a name.

    Raises:
        ValueError: if the model has none, so that it cannot be one of the architecture.
    """
    try:
        return model.get_layer(name)
    except ValueError as error:
        raise ValueError(
            f"The model has no layer {name!r}: give the model that was built of this individual."
        ) from error


def _read(architecture: Architecture, net: Net, encoded: Tensor) -> Tensor:
    segment = _decoder(architecture)
    with net.scope(segment.name):
        return the_one(segment.build(net, encoded, *map(architecture.part, segment.parts)))


def _decoder(architecture: Architecture) -> Segment:
    for segment in architecture.segments():
        if segment.name == "decoder":
            return segment
    raise ValueError(f"{type(architecture).__name__} has no decoder: give a sequence-to-sequence network.")
