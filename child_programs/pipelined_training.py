"""GPipe's training step in TensorFlow: micro-batches through consecutive parts of a model (Huang et al. 2019).

Between the parts activations are kept, within them they are computed again in the backward pass, and the
gradients of all micro-batches are summed before the weights change. The step runs in one process: it shows that
the gradients are those of the whole batch, and bounds the memory of activations; it does not run parts side by
side.

Batch normalisation that uses batch statistics sees a micro-batch instead of the batch, so its gradients differ
(GPipe computes statistics over micro-batches too), and moving averages change once in each of the two forward
passes. Freeze it or call with `training=False`. Random layers must draw the same numbers again in the second
forward pass; layers with a seed generator of their own do not, so they are refused in training.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any


def split_model(model: Any, parts: int) -> list[Any]:
    """Cuts a functional Keras model in consecutive parts at layers that all later ones depend on alone.

    The cuts are chosen so that the part with the most layers has as few as it can. The parts share the model's
    layers and so its weights.

    Args:
        model: functional model of one input and one output.
        parts: how many parts, 1 or more.

    Returns:
        Models whose composition is the model.

    Raises:
        ValueError: if the model has several inputs or outputs, or too few places to cut.
    """
    import keras

    from autoglyph.hardware_models.parallel.pipeline_schedule import best_partition

    if len(model.inputs) != 1 or len(model.outputs) != 1:
        raise ValueError(
            f"{model.name} has {len(model.inputs)} inputs and {len(model.outputs)} outputs: give one each."
        )
    borders, layers_between = _borders(model)
    if not 1 <= parts <= len(borders):
        raise ValueError(f"{model.name} can be cut in 1 to {len(borders)} parts, not {parts}: give fewer parts.")
    starts = best_partition(layers_between, parts)
    entries = [model.inputs[0], *(borders[start - 1] for start in starts[1:])]
    exits = [*entries[1:], model.outputs[0]]
    return [keras.Model(entry, end) for entry, end in zip(entries, exits, strict=True)]


def pipelined_gradients(
    parts: Sequence[Callable[..., Any]],
    x: Any,
    y: Any,
    loss: Callable[[Any, Any], Any],
    micro_batches: int,
    *,
    training: bool = False,
) -> tuple[Any, list[Any]]:
    """Loss and gradients of a batch, computed in micro-batches with re-computation between the cuts.

    Args:
        parts: consecutive parts, Keras models or layers; the output of each enters the next.
        x: (batch, ...) examples.
        y: (batch, ...) targets.
        loss: (targets, outputs) -> mean loss over the examples, a scalar.
        micro_batches: equal parts of the batch.
        training: passed to the parts.

    Returns:
        The mean loss of the batch, and the gradients of the trainable variables of the parts in their order;
        a variable that several parts share stands where it is met first, with the sum of its gradients.

    Raises:
        ValueError: if the batch does not split, there are no parts, or a part draws random numbers in training.
    """
    import tensorflow as tf

    batch = int(x.shape[0])
    if not parts:
        raise ValueError("There are no parts: give at least one model.")
    if micro_batches < 1 or batch % micro_batches:
        raise ValueError(f"A batch of {batch} does not split in {micro_batches} micro-batches: give a divisor of it.")
    if training:
        _refuse_random_layers(parts)
    variables = [[_tensor_variable(v) for v in part.trainable_variables] for part in parts]  # type: ignore[attr-defined]
    sums: dict[Any, Any] = {v.ref(): tf.zeros_like(v) for own in variables for v in own}
    total = tf.zeros(())
    inputs = [_forward_to_the_cuts(parts, piece, training) for piece in tf.split(x, micro_batches)]
    for kept, targets in reversed([*zip(inputs, tf.split(y, micro_batches), strict=True)]):
        upstream = None
        for part, own, entering in reversed([*zip(parts, variables, kept, strict=True)]):
            with tf.GradientTape() as tape:
                tape.watch(entering)
                output = part(entering, training=training)
                result = loss(targets, output) / micro_batches if upstream is None else output
            if upstream is None:
                total += tf.cast(result, total.dtype)
            sources = [*own, entering]
            *found, upstream = tape.gradient(
                result, sources, output_gradients=upstream, unconnected_gradients=tf.UnconnectedGradients.ZERO
            )
            for variable, gradient in zip(own, found, strict=True):
                sums[variable.ref()] += tf.convert_to_tensor(gradient)
    return total, list(sums.values())


def _forward_to_the_cuts(parts: Sequence[Callable[..., Any]], x: Any, training: bool) -> list[Any]:
    entering = [x]
    for part in parts[:-1]:
        entering.append(part(entering[-1], training=training))
    return entering


def _tensor_variable(variable: Any) -> Any:
    return getattr(variable, "value", variable) if hasattr(variable, "path") else variable


def _refuse_random_layers(parts: Sequence[Any]) -> None:
    import keras

    for part in parts:
        for layer in part._flatten_layers() if isinstance(part, keras.layers.Layer) else ():
            if isinstance(getattr(layer, "seed_generator", None), keras.random.SeedGenerator):
                raise ValueError(
                    f"The layer {layer.name!r} would draw other numbers when it is computed again: remove it, or "
                    f"call with training=False."
                )


def _borders(model: Any) -> tuple[list[Any], list[int]]:
    """Tensors through which everything flows, the output last, and how many layers lie before each."""
    nodes = [node for depth in sorted(model._nodes_by_depth, reverse=True) for node in model._nodes_by_depth[depth]]
    last_use: dict[int, int] = {id(model.outputs[0]): len(nodes)}
    for at, node in enumerate(nodes):
        for tensor in node.input_tensors:
            last_use[id(tensor)] = at
    last_use[id(model.outputs[0])] = len(nodes)
    alive: dict[int, Any] = {}
    borders: list[Any] = []
    between: list[int] = []
    count = 0
    for at, node in enumerate(nodes):
        if not node.is_input:
            count += 1
        alive |= {id(tensor): tensor for tensor in node.output_tensors}
        alive = {key: tensor for key, tensor in alive.items() if last_use.get(key, -1) > at}
        if len(alive) == 1 and not node.is_input:
            borders.append(next(iter(alive.values())))
            between.append(count)
            count = 0
    return borders, between
