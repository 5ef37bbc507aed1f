"""Optimizers as one TensorFlow kernel a variable.

They compute what the Keras optimizers of the same names compute, to rounding. A Keras optimizer adds some
forty graph operations a variable, which for a network of 200 small variables take longer to trace and to
optimise than a short training takes to run; these add one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol


class FusedOptimizer(Protocol):
    """Changes variables by their gradients."""

    @property
    def state(self) -> Sequence[Any]:
        """TensorFlow variables beside the trained ones, which a training needs to go on."""
        ...

    def apply(self, gradients: Sequence[Any], learning_rate: Any) -> None:
        """One step; gradients in the order of the variables, the learning rate a scalar tensor."""


class Adam:
    """Adam with bias correction (Kingma and Ba 2014).

    Args:
        variables: Keras variables to change.
        beta_1: decay of the mean of gradients.
        beta_2: decay of the mean of squared gradients.
        epsilon: added to the root of the latter.
    """

    def __init__(
        self, variables: Sequence[Any], *, beta_1: float = 0.9, beta_2: float = 0.999, epsilon: float = 1e-7
    ) -> None:
        import tensorflow as tf

        self._variables = [variable.value for variable in variables]
        self._means = [tf.Variable(tf.zeros_like(v), trainable=False) for v in self._variables]
        self._squares = [tf.Variable(tf.zeros_like(v), trainable=False) for v in self._variables]
        self._powers = [tf.Variable(tf.constant(beta, tf.float32), trainable=False) for beta in (beta_1, beta_2)]
        self._betas = beta_1, beta_2
        self._epsilon = epsilon

    @property
    def state(self) -> Sequence[Any]:
        """Moments, and the powers of their decay."""
        return [*self._means, *self._squares, *self._powers]

    def apply(self, gradients: Sequence[Any], learning_rate: Any) -> None:
        """One step."""
        import tensorflow as tf

        power_1, power_2 = (power.read_value() for power in self._powers)
        for variable, mean, square, gradient in zip(
            self._variables, self._means, self._squares, gradients, strict=True
        ):
            tf.raw_ops.ResourceApplyAdam(
                var=variable.handle,
                m=mean.handle,
                v=square.handle,
                beta1_power=power_1,
                beta2_power=power_2,
                lr=learning_rate,
                beta1=self._betas[0],
                beta2=self._betas[1],
                epsilon=self._epsilon,
                grad=tf.convert_to_tensor(gradient),
            )
        for power, beta in zip(self._powers, self._betas, strict=True):
            power.assign(power * beta)


class SGD:
    """Stochastic gradient descent with Nesterov momentum (Sutskever et al. 2013).

    Args:
        variables: Keras variables to change.
        momentum: share of the last step that is made again.
    """

    def __init__(self, variables: Sequence[Any], *, momentum: float = 0.9) -> None:
        import tensorflow as tf

        self._variables = [variable.value for variable in variables]
        self._velocities = [tf.Variable(tf.zeros_like(v), trainable=False) for v in self._variables]
        self._momentum = momentum

    @property
    def state(self) -> Sequence[Any]:
        """Velocities."""
        return self._velocities

    def apply(self, gradients: Sequence[Any], learning_rate: Any) -> None:
        """One step."""
        import tensorflow as tf

        for variable, velocity, gradient in zip(self._variables, self._velocities, gradients, strict=True):
            tf.raw_ops.ResourceApplyKerasMomentum(
                var=variable.handle,
                accum=velocity.handle,
                lr=learning_rate,
                grad=tf.convert_to_tensor(gradient),
                momentum=self._momentum,
                use_nesterov=True,
            )


OPTIMIZERS: dict[str, Callable[[Sequence[Any]], FusedOptimizer]] = {"adam": Adam, "sgd": SGD}
