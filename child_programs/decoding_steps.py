"""One step of decoding for every operation of a decoder: one position in, one position out.

What an operation has to remember of the positions before is its cache: attention its keys and values, a causal
convolution the inputs that its window still reaches. Operations on single positions have none. An operation that
a decoder meets for the first time needs one handler, registered with `@step_value.register`, and one with
`@cache_shapes.register` if it looks back.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from autoglyph.child_programs.keras_sequence import MASKED, sinusoids
from autoglyph.search_spaces import ops, ops_sequence
from autoglyph.search_spaces.ops import Op, Shape

_KERAS_ACTIVATIONS = {"swish": "silu", "hard_swish": "hard_silu"}


@dataclass(frozen=True)
class StepContext:
    """What a handler needs to know beside the operation.

    Attributes:
        name: of the operation, which its layers in the model bear too.
        layer: the model's layer of a name.
        position: whole number tensor (), of the position that is decoded.
        caches: by name, (rows, ...) as `cache_shapes` has it; handlers replace their own.
        beams: rows that share a source.
    """

    name: str
    layer: Callable[[str], Any]
    position: Any
    caches: dict[str, Any]
    beams: int

    @property
    def own(self) -> Any:
        """The layer of the operation's name."""
        return self.layer(self.name)


@functools.singledispatch
def cache_shapes(op: Op, steps: int, *inputs: Shape) -> Mapping[str, Shape]:
    """Shapes of what an operation remembers in a row, by what is put behind its name; nothing by default.

    Args:
        op: the operation.
        steps: most positions to decode.
        *inputs: shapes of its inputs at one position.
    """
    return {}


@functools.singledispatch
def step_value(op: Op, context: StepContext, *inputs: Any) -> Any:
    """The output of an operation at the position that is decoded.

    Args:
        op: the operation; handlers are registered for its type.
        context: layers, caches and the position.
        *inputs: tensors (rows, 1, channels); a window is (rows, width, channels), and keys, values and masks of
            the source are (rows / beams, source length, channels).

    Raises:
        NotImplementedError: if no handler is registered for the type of the operation.
    """
    raise NotImplementedError(
        f"{context.name}: no step of decoding for {type(op).__name__}; register one with @step_value.register."
    )


@step_value.register(ops.Dense)
@step_value.register(ops.LayerNorm)
@step_value.register(ops_sequence.TokenEmbedding)
def _own_layer(op: Any, context: StepContext, *inputs: Any) -> Any:
    name = op.table if isinstance(op, ops_sequence.TokenEmbedding) else context.name
    return context.layer(name)(*inputs)


@step_value.register
def _tied_logits(op: ops_sequence.TiedLogits, context: StepContext, *inputs: Any) -> Any:
    return context.layer(op.table)(*inputs, reverse=True)


@step_value.register
def _scale_and_add_positions(op: ops_sequence.ScaleAndAddPositions, context: StepContext, *inputs: Any) -> Any:
    import tensorflow as tf

    (x,) = inputs
    scaled = math.sqrt(x.shape[-1]) * x
    return scaled + sinusoids(tf.cast(context.position, x.dtype)[None], x.shape[-1]) if op.sinusoids else scaled


@step_value.register
def _nonzero_mask(op: ops_sequence.NonzeroMask, context: StepContext, *inputs: Any) -> Any:
    import tensorflow as tf

    return tf.cast(tf.reduce_any(inputs[0] != 0, axis=-1, keepdims=True), "float32")


@step_value.register
def _activation(op: ops.Activation, context: StepContext, *inputs: Any) -> Any:
    import keras

    return keras.activations.get(_KERAS_ACTIVATIONS.get(op.kind, op.kind))(*inputs)


@step_value.register
def _dropout(op: ops.Dropout, context: StepContext, *inputs: Any) -> Any:
    return inputs[0]


@step_value.register
def _add(op: ops.Add, context: StepContext, *inputs: Any) -> Any:
    import tensorflow as tf

    return tf.add_n(list(inputs))


@step_value.register
def _multiply(op: ops.Multiply, context: StepContext, *inputs: Any) -> Any:
    import keras

    return functools.reduce(keras.ops.multiply, inputs)


@step_value.register
def _concat(op: ops.Concat, context: StepContext, *inputs: Any) -> Any:
    import tensorflow as tf

    return tf.concat(inputs, axis=-1)


@step_value.register
def _pad_channels(op: ops_sequence.PadChannels, context: StepContext, *inputs: Any) -> Any:
    import tensorflow as tf

    return tf.pad(inputs[0], ((0, 0), (0, 0), (0, op.amount)), constant_values=op.value)


@cache_shapes.register
def _positions_before(op: ops.ZeroPad, steps: int, *inputs: Shape) -> Mapping[str, Shape]:
    ((before, _),) = op.amounts
    return {"before": (before, inputs[0][-1])}


@step_value.register
def _zero_pad(op: ops.ZeroPad, context: StepContext, *inputs: Any) -> Any:
    """Zeros before a sequence make a convolution causal: here they give way to the positions before."""
    import tensorflow as tf

    if op.amounts[0][1]:
        raise ValueError(f"{context.name}: zeros behind a sequence show its future, so it cannot be decoded.")
    window = tf.concat([context.caches[f"{context.name}_before"], inputs[0]], axis=1)
    context.caches[f"{context.name}_before"] = window[:, 1:]
    return window


@step_value.register(ops.Conv)
@step_value.register(ops.DepthwiseConv)
def _window(op: Any, context: StepContext, *inputs: Any) -> Any:
    _check_window(op, context, inputs[0])
    return context.own(*inputs)


@step_value.register
def _lightweight_conv(op: ops_sequence.LightweightConv, context: StepContext, *inputs: Any) -> Any:
    import tensorflow as tf

    (x,) = inputs
    _check_window(op, context, x)
    repeated, own = divmod(x.shape[-1], op.repeats)
    weights = tf.nn.softmax(context.own.embeddings, axis=0)
    shared = [weights[:, :repeated]] * op.repeats
    kernel = tf.concat([*shared, weights[:, repeated:]] if own else shared, axis=-1)
    return tf.reduce_sum(x * kernel, axis=1, keepdims=True)


@cache_shapes.register
def _keys_and_values(op: ops_sequence.SequenceAttention, steps: int, *inputs: Shape) -> Mapping[str, Shape]:
    """By heads, so that a step is a product with the cache as it lies."""
    if not op.causal:
        return {}
    return {
        part: (op.heads, steps, shape[-1] // op.heads)
        for part, shape in zip(("keys", "values"), inputs[1:3], strict=True)
    }


@step_value.register
def _sequence_attention(op: ops_sequence.SequenceAttention, context: StepContext, *inputs: Any) -> Any:
    return _attend_to_target(op, context, *inputs) if op.causal else _attend_to_source(op, context, *inputs)


def _attend_to_source(op: ops_sequence.SequenceAttention, context: StepContext, *inputs: Any) -> Any:
    """All beams of a source are queries to the same keys."""
    import keras
    import tensorflow as tf

    if op.relative:
        raise ValueError(f"{context.name}: attention to another sequence has no relative positions.")
    queries, keys, values = inputs[:3]
    rows = tf.shape(queries)[0]
    by_source = tf.reshape(queries, (-1, context.beams, queries.shape[-1]))
    seen = tf.cast(inputs[3], "bool")[:, None, None, :, 0] if len(inputs) == 4 else None
    q, k, v = (_heads(x, op.heads) for x in (by_source, keys, values))
    return tf.reshape(keras.ops.dot_product_attention(q, k, v, mask=seen), (rows, 1, values.shape[-1]))


def _attend_to_target(op: ops_sequence.SequenceAttention, context: StepContext, *inputs: Any) -> Any:
    """Attention of the position to itself and those before; keys that are not decoded yet are hidden."""
    import tensorflow as tf

    if len(inputs) != 3:
        raise ValueError(f"{context.name}: a mask of a sequence that is being decoded is not known.")
    queries, *new = (tf.reshape(x, (-1, op.heads, 1, x.shape[-1] // op.heads)) for x in inputs)
    kept = []
    for part, x in zip(("keys", "values"), new, strict=True):
        name = f"{context.name}_{part}"
        at = tf.range(context.caches[name].shape[2])[:, None] == context.position
        context.caches[name] = tf.where(at, x, context.caches[name])
        kept.append(context.caches[name])
    keys, values = kept
    distances = tf.range(keys.shape[2]) - context.position
    rows = tf.clip_by_value(distances, -op.relative, op.relative) + op.relative
    scores = tf.matmul(queries, keys, transpose_b=True)
    if op.relative:
        scores += tf.gather(context.layer(f"{context.name}_relative_keys")(queries), rows, axis=-1)
    width = queries.shape[-1]
    assert width is not None
    scores = scores / math.sqrt(width) - tf.cast(distances > 0, queries.dtype) * MASKED
    shares = tf.nn.softmax(scores, axis=-1)
    attended = tf.matmul(shares, values)
    if op.relative:
        by_row = tf.einsum("bhts,sr->bhtr", shares, tf.one_hot(rows, op.rows))
        attended += context.layer(f"{context.name}_relative_values")(by_row)
    return tf.reshape(attended, (-1, 1, inputs[2].shape[-1]))


def _heads(x: Any, heads: int) -> Any:
    import tensorflow as tf

    return tf.reshape(x, (-1, x.shape[1], heads, x.shape[-1] // heads))


def _check_window(op: Any, context: StepContext, x: Any) -> None:
    width = op.kernel if isinstance(op.kernel, int) else op.kernel[0]
    if x.shape[1] != width or (width > 1 and op.padding != "valid"):
        raise ValueError(f"{context.name}: only a convolution that is padded before its input can be decoded.")
