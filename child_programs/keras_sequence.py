"""Stock Keras layers and `keras.ops` for the operations on sequences.

Everything serialises without classes of this project, and no operation reads a length that it is not given as a
value, so that models take sequences of any length.
"""

from __future__ import annotations

import math
from typing import Any

from autoglyph.child_programs.keras_layers import LayerContext, keras_value
from autoglyph.search_spaces import ops_sequence

MASKED = 1e9
"""Taken from the scores of what must not be seen."""


@keras_value.register
def _token_input(op: ops_sequence.TokenInput, context: LayerContext, *inputs: Any) -> Any:
    import keras

    return keras.Input(op.shape, dtype="int32", name=context.name)


@keras_value.register
def _token_embedding(op: ops_sequence.TokenEmbedding, context: LayerContext, *inputs: Any) -> Any:
    return _table(op.table, op.vocabulary, op.size, context)(*inputs)


@keras_value.register
def _tied_logits(op: ops_sequence.TiedLogits, context: LayerContext, *inputs: Any) -> Any:
    return _table(op.table, op.vocabulary, inputs[0].shape[-1], context)(*inputs, reverse=True)


@keras_value.register
def _scale_and_add_positions(op: ops_sequence.ScaleAndAddPositions, context: LayerContext, *inputs: Any) -> Any:
    import keras

    (x,) = inputs
    scaled = keras.layers.Rescaling(math.sqrt(x.shape[-1]), name=context.name)(x)
    return keras.ops.add(scaled, sinusoids(positions(x), x.shape[-1])) if op.sinusoids else scaled


@keras_value.register
def _nonzero_mask(op: ops_sequence.NonzeroMask, context: LayerContext, *inputs: Any) -> Any:
    import keras

    (x,) = inputs
    x = keras.ops.expand_dims(x, -1) if len(x.shape) == 2 else x
    return keras.ops.cast(keras.ops.any(keras.ops.not_equal(x, 0), axis=-1, keepdims=True), "float32")


@keras_value.register
def _pad_channels(op: ops_sequence.PadChannels, context: LayerContext, *inputs: Any) -> Any:
    import keras

    return keras.ops.pad(inputs[0], ((0, 0), (0, 0), (0, op.amount)), constant_values=op.value)


@keras_value.register
def _lightweight_conv(op: ops_sequence.LightweightConv, context: LayerContext, *inputs: Any) -> Any:
    import keras
    import numpy as np

    ops = keras.ops
    (x,) = inputs
    repeated, own = divmod(x.shape[-1], op.repeats)
    # An embedding of the numbers 0 .. window - 1 is the kernel; stock layers have no plain variable.
    window = ops.add(ops.zeros_like(x[0, :1, 0], dtype="int32"), np.arange(op.kernel, dtype=np.int32))
    table = keras.layers.Embedding(
        op.kernel, repeated + own, embeddings_initializer=context.glorot_uniform(), name=context.name
    )
    weights = ops.softmax(table(window), axis=0)
    shared = [weights[:, :repeated]] * op.repeats
    kernel = ops.concatenate([*shared, weights[:, repeated:]] if own else shared, axis=-1)
    return ops.depthwise_conv(x, ops.expand_dims(kernel, -1), 1, padding=op.padding)


@keras_value.register
def _sequence_attention(op: ops_sequence.SequenceAttention, context: LayerContext, *inputs: Any) -> Any:
    import keras

    queries, keys, values = (_heads(x, op.heads) for x in inputs[:3])
    seen = _seen(inputs[3]) if len(inputs) == 4 else None
    if op.relative:
        attended = _relative_attention(op, context, queries, keys, values, seen)
    else:
        attended = keras.ops.dot_product_attention(queries, keys, values, mask=seen, is_causal=op.causal)
    return keras.layers.Reshape((-1, inputs[2].shape[-1]), name=context.name)(attended)


def _relative_attention(
    op: ops_sequence.SequenceAttention, context: LayerContext, queries: Any, keys: Any, values: Any, seen: Any
) -> Any:
    """Attention with the tables as dense layers: no (queries, keys, channels) array is made."""
    import keras

    ops = keras.ops
    distances = _distances(queries, keys)
    clipped = ops.clip(distances, -op.relative, op.relative)
    picked = ops.one_hot(ops.cast(ops.add(clipped, op.relative), "int32"), op.rows)
    a, b = (
        keras.layers.Dense(
            size, use_bias=False, kernel_initializer=context.glorot_uniform(), name=f"{context.name}_{part}"
        )
        for part, size in (("relative_keys", op.rows), ("relative_values", values.shape[-1]))
    )
    scores = ops.add(ops.einsum("bthd,bshd->bhts", queries, keys), ops.einsum("bthr,tsr->bhts", a(queries), picked))
    scores = ops.multiply(scores, 1 / math.sqrt(queries.shape[-1]))
    if op.causal:
        scores = ops.subtract(scores, ops.multiply(ops.cast(ops.greater(distances, 0), "float32"), MASKED))
    if seen is not None:
        scores = ops.subtract(scores, ops.multiply(ops.subtract(1.0, ops.cast(seen, "float32")), MASKED))
    shares = ops.softmax(scores, axis=-1)
    return ops.add(ops.einsum("bhts,bshd->bthd", shares, values), b(ops.einsum("bhts,tsr->bthr", shares, picked)))


def positions(x: Any) -> Any:
    """(length,) 0, 1, 2, ... along the second dimension of a Keras tensor."""
    import keras

    first = x[0, :, 0] if len(x.shape) == 3 else x[0, :, 0, 0]
    return keras.ops.subtract(keras.ops.cumsum(keras.ops.ones_like(first)), 1.0)


def sinusoids(at: Any, channels: int) -> Any:
    """(length, channels) sines and cosines of (length,) positions."""
    import keras
    import numpy as np

    pairs = channels // 2
    rates = np.power(10_000.0, -np.arange(pairs) / max(pairs - 1, 1)).astype(np.float32)
    angles = keras.ops.multiply(keras.ops.expand_dims(at, -1), rates)
    return keras.ops.concatenate([keras.ops.sin(angles), keras.ops.cos(angles)], axis=-1)


def _table(name: str, vocabulary: int, size: int, context: LayerContext) -> Any:
    import keras

    if name not in context.shared:
        normal = keras.initializers.RandomNormal(stddev=size**-0.5, seed=context.seed)
        context.shared[name] = keras.layers.ReversibleEmbedding(
            vocabulary, size, embeddings_initializer=normal, name=name
        )
    return context.shared[name]


def _heads(x: Any, heads: int) -> Any:
    import keras

    return keras.layers.Reshape((-1, heads, x.shape[-1] // heads))(x)


def _distances(queries: Any, keys: Any) -> Any:
    """(queries, keys) position of the key minus that of the query; the last query is at the last key."""
    import keras

    at_query, at_key = positions(queries), positions(keys)
    behind = keras.ops.subtract(keras.ops.max(at_key), keras.ops.max(at_query))
    return keras.ops.subtract(at_key, keras.ops.expand_dims(keras.ops.add(at_query, behind), -1))


def _seen(mask: Any) -> Any:
    """(batch, keys, 1) of 0 and 1 -> (batch, 1, 1, keys) of booleans."""
    import keras

    return keras.ops.expand_dims(keras.ops.transpose(keras.ops.cast(mask, "bool"), (0, 2, 1)), 1)
