"""Decoding one token at a time: the decoder of an encoder-decoder network read with caches.

The same blocks that make the network for training are read once more on sequences of one token. What looks back
in time finds its past in caches: causal attention its keys and values so far, shifted convolutions their last
inputs. What depends on the encoder alone, the keys and values of attention to it, is worked out once a source. All
layers are those of the trained model itself, so a step always uses its present weights.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from autoglyph.child_programs.keras_net import KerasNet
from autoglyph.child_programs.keras_sequence import sinusoids
from autoglyph.search_spaces import ops
from autoglyph.search_spaces.architecture import Architecture
from autoglyph.search_spaces.net import Tensor
from autoglyph.search_spaces.ops import Op
from autoglyph.search_spaces.ops_sequence import ScaleAndAddPositions, SequenceAttention, TokenInput

ENCODED = "encoder_unpadded"
"""Layer whose output the decoder attends to."""


@dataclass(frozen=True)
class DecodingState:
    """What a decoder remembers between two steps, one row for every sequence that is decoded.

    Attributes:
        memory: tensors that depend on the source alone.
        caches: tensors of the target so far.
        position: tokens so far.
    """

    memory: tuple[Any, ...]
    caches: tuple[Any, ...]
    position: int

    def take(self, rows: Any) -> DecodingState:
        """The state of some sequences, by (n,) row numbers: repeats sources for beams, or reorders beams."""
        import keras

        memory, caches = (tuple(keras.ops.take(t, rows, axis=0) for t in kept) for kept in (self.memory, self.caches))
        return DecodingState(memory, caches, self.position)

    def take_caches(self, rows: Any) -> DecodingState:
        """As `take`, where rows only change places with others of the same source: the memory stays as it is."""
        import keras

        return dataclasses.replace(self, caches=tuple(keras.ops.take(t, rows, axis=0) for t in self.caches))


class StepDecoder:
    """Reads a trained encoder-decoder network one target token at a time.

    Args:
        architecture: the network.
        model: its Keras model, of `build_sequence_model` or `build_model`; weights are shared, not copied.

    Attributes:
        memory_model: source (batch, source length) -> list of tensors that depend on the source alone.
        step_model: [token (batch, 1), position (batch, 1), *memory, *caches] -> [logits (batch, 1, vocabulary),
            *caches].
    """

    def __init__(self, architecture: Architecture, model: Any) -> None:
        import keras

        *_, decoder = architecture.segments()
        net = _StepNet(model)
        encoded = model.get_layer(ENCODED).output
        net.memory_values.append(encoded)
        with net.scope(decoder.name):
            shape = (architecture.resolution, encoded.shape[-1])
            logits = decoder.build(net, Tensor(shape, encoded), *map(architecture.part, decoder.parts))
        self.memory_model = keras.Model(model.inputs[0], net.memory_outputs)
        inputs = [*net.inputs, net.position, *net.memory_inputs, *net.cache_inputs]
        self.step_model = keras.Model(inputs, [logits.value, *net.cache_outputs])
        self._cache_shapes = [tuple(cache.shape[1:]) for cache in net.cache_inputs]
        self._remember = _compiled(self.memory_model)
        self._step = _compiled(self.step_model)

    def start(self, source: Any) -> DecodingState:
        """Reads sources.

        Args:
            source: (batch, source length) whole numbers, 0 for padding.
        """
        import keras

        source = keras.ops.convert_to_tensor(source, dtype="int32")
        memory = self._remember([source])
        caches = [keras.ops.zeros((source.shape[0], *(size or 0 for size in shape))) for shape in self._cache_shapes]
        return DecodingState(_as_tuple(memory), tuple(caches), 0)

    def step(self, tokens: Any, state: DecodingState) -> tuple[Any, DecodingState]:
        """One step.

        Args:
            tokens: (batch,) the token that each sequence has at the position of the state.
            state: of `start` or of the step before.

        Returns:
            (batch, vocabulary) logits of the next token, and the state behind this one.
        """
        import keras

        tokens = keras.ops.expand_dims(keras.ops.convert_to_tensor(tokens, dtype="int32"), -1)
        position = keras.ops.full(tokens.shape, float(state.position))
        logits, *caches = self._step([tokens, position, *state.memory, *state.caches])
        return logits[:, 0], DecodingState(state.memory, tuple(caches), state.position + 1)


class _StepNet(KerasNet):
    """Reads a decoder on one token; tensors that depend on the source alone are worked out in a graph of their own."""

    def __init__(self, model: Any) -> None:
        import keras

        super().__init__()
        self._shared = {layer.name: layer for layer in model.layers if layer.weights}
        self.position: Any = keras.Input((1,), name="position")
        self.memory_values: list[Any] = []
        self.memory_outputs: list[Any] = []
        self.memory_inputs: list[Any] = []
        self.cache_inputs: list[Any] = []
        self.cache_outputs: list[Any] = []

    def apply(self, op: Op, *inputs: Tensor) -> Tensor:
        """Reads one operation, in the graph of its inputs."""
        if inputs and all(any(x.value is known for known in self.memory_values) for x in inputs):
            return self._remembered(op, inputs)
        if isinstance(op, TokenInput):
            op = dataclasses.replace(op, shape=(1,))
        if isinstance(op, ops.Dropout):
            return inputs[0]
        if isinstance(op, ScaleAndAddPositions):
            return self._at_position(op, inputs[0])
        if isinstance(op, ops.ZeroPad):
            (before, _), *_ = op.amounts
            return self._cached(before, inputs[0], f"{self.full_name(op)}_cache")
        if isinstance(op, SequenceAttention) and op.causal:
            op = dataclasses.replace(op, causal=False)
            parts = zip(("keys", "values"), inputs[1:], strict=True)
            inputs = (inputs[0], *(self._cached(None, x, f"{self.full_name(op)}_{part}") for part, x in parts))
        value = self._value(op, inputs)
        return Tensor(tuple(value.shape[1:]), value)

    def _value(self, op: Op, inputs: Sequence[Tensor]) -> Any:
        layer = self._shared.get(self.full_name(op))
        if layer is not None and isinstance(op, (ops.Dense, ops.LayerNorm, ops.Conv, ops.DepthwiseConv)):
            return layer(inputs[0].value)
        return self.read(op, *inputs)

    def _remembered(self, op: Op, inputs: Sequence[Tensor]) -> Tensor:
        """Reads an operation on the encoder's output; the step finds its result as an input."""
        import keras

        output = self._value(op, inputs)
        self.memory_outputs.append(output)
        self.memory_inputs.append(keras.Input((None, output.shape[-1]), name=f"{self.full_name(op)}_memory"))
        return Tensor(op.output(*(x.shape for x in inputs)), self.memory_inputs[-1])

    def _at_position(self, op: ScaleAndAddPositions, x: Tensor) -> Tensor:
        import keras

        scaled = self.read(dataclasses.replace(op, sinusoids=False), x)
        if op.sinusoids:
            scaled = keras.ops.add(scaled, sinusoids(self.position, x.channels))
        return Tensor(x.shape, scaled)

    def _cached(self, length: int | None, x: Tensor, name: str) -> Tensor:
        """The inputs so far and this one; of `length` before it, or of all."""
        import keras

        past = keras.Input((length, x.channels), name=name)
        joined = keras.ops.concatenate([past, x.value], axis=1)
        self.cache_inputs.append(past)
        self.cache_outputs.append(joined if length is None else joined[:, 1:])
        return Tensor(tuple(joined.shape[1:]), joined)


def _compiled(model: Any) -> Any:
    """The model in inference as one graph for all batches and lengths; it takes the list of its inputs."""
    import tensorflow as tf

    def call(inputs: list[Any]) -> Any:
        return model(inputs if len(inputs) > 1 else inputs[0], training=False)

    return tf.function(call, input_signature=[[tf.TensorSpec(x.shape, x.dtype) for x in model.inputs]])


def _as_tuple(tensors: Any) -> tuple[Any, ...]:
    return tuple(tensors) if isinstance(tensors, (list, tuple)) else (tensors,)
