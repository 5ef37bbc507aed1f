"""Random numbers and step numbers of a setup as tensors, the same numbers as in NumPy."""

from __future__ import annotations

import functools
from typing import Any

from autoglyph.child_programs.expressions.numpy_update import number_table
from autoglyph.child_programs.expressions.setup import normal_pool, uniform_pool


@functools.cache
def _pool(name: str) -> Any:
    """One of the pools, kept outside of graphs."""
    import tensorflow as tf

    with tf.init_scope():
        return tf.constant(normal_pool() if name == "noise" else uniform_pool())


def _window(name: str, window: Any, like: Any) -> Any:
    import tensorflow as tf

    return tf.reshape(tf.slice(_pool(name), [window], [tf.size(like)]), tf.shape(like))


def noise_window(window: Any, like: Any) -> Any:
    """Noise of the shape of a tensor.

    Args:
        window: int32 scalar, where it begins in the pool.
        like: the tensor.
    """
    return _window("noise", window, like)


def window_drop(window: Any) -> Any:
    """Dropping by a window of the pool of uniform numbers, for a `Context`.

    Args:
        window: int32 scalar, where it begins in the pool.
    """

    def drop(x: Any, rate: float) -> Any:
        import tensorflow as tf

        return tf.where(_window("uniforms", window, x) >= rate, x / (1 - rate), tf.zeros_like(x))

    return drop


def step_numbers_at(step: Any, steps: int) -> dict[str, Any]:
    """The numbers that an update reads, as scalars made when they are asked for.

    Args:
        step: int32 scalar, 0 at the first update.
        steps: of the whole training.
    """
    import tensorflow as tf

    class OnDemand(dict[str, Any]):
        def __missing__(self, name: str) -> Any:
            return tf.gather(tf.constant(number_table(steps)[name]), step)

    return OnDemand()
