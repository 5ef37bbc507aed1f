"""Multiply-adds of a Keras model as TensorFlow's own profiler counts them in the traced graph."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

PRODUCTS = frozenset(("Conv2D", "Conv3D", "DepthwiseConv2dNative", "MatMul", "BatchMatMul", "BatchMatMulV2"))
UNCOUNTED = frozenset(("Conv2DBackpropInput", "Conv3DBackpropInputV2", "Einsum", "StatefulPartitionedCall"))
"""Kinds of operations that hold products for which the profiler has no rule."""


def graph_madds(model: Any) -> int:
    """Multiply-adds of one example: half the float operations of convolutions and matrix products.

    Element-wise work is left out, as the count of multiply-adds leaves it out. Windows that reach over the border
    count whole, in the profiler as in the walk.
    """
    import tensorflow as tf

    def call(*inputs: Any) -> Any:
        tf.config.run_functions_eagerly(True)  # else grouped convolutions hide in functions that are called
        try:
            return model(list(inputs) if len(inputs) > 1 else inputs[0], training=False)
        finally:
            tf.config.run_functions_eagerly(False)

    shapes = [tf.TensorSpec((1, *x.shape[1:]), x.dtype) for x in model.inputs]
    graph = tf.function(call).get_concrete_function(*shapes).graph
    hidden = {operation.type for operation in graph.get_operations()} & UNCOUNTED
    assert not hidden, hidden
    options = tf.compat.v1.profiler.ProfileOptionBuilder.float_operation()
    quiet = tf.compat.v1.profiler.ProfileOptionBuilder(options).with_empty_output().build()
    found = {n.name: n.float_ops for n in _nodes(tf.compat.v1.profiler.profile(graph, cmd="op", options=quiet))}
    operations = sum(count for name, count in found.items() if name in PRODUCTS)
    assert operations % 2 == 0
    return int(operations // 2)


def _nodes(node: Any) -> Iterator[Any]:
    yield node
    for child in node.children:
        yield from _nodes(child)
