"""DOCUMENTATION."""

import math

import keras
import tensorflow as tf
from keras import ops

READS = ("g",)
AVERAGES = {"m": (1, 0.9)}  # of which power of the gradient, and with which decay
NOISE_DEVIATION = 0.1
COSINE_PERIODS, RESTART_PERIODS = 0.5, 20


def found_function(g):
    """The update before the learning rate: SUMMARY."""
    return g


@keras.saving.register_keras_serializable(package="PACKAGE", name="FoundClass")
class FoundClass(keras.optimizers.Optimizer):
    """The rule as an optimizer: every weight becomes weight - learning rate * update.

    Args:
        learning_rate: number or keras.optimizers.schedules.LearningRateSchedule.
        total_steps: of the whole training, needed by rules that read the decays ld, cd and rd.
        seed: of noise and dropping, which also depend on the step and so continue after loading.
        name: of the optimizer.
        **kwargs: as of keras.optimizers.Optimizer.
    """

    def __init__(self, learning_rate=0.001, total_steps=None, seed=0, name="found_function", **kwargs):
        if total_steps is None and not {"ld", "cd", "rd"}.isdisjoint(READS):
            raise ValueError("This rule decays over the whole training: give total_steps, the number of updates.")
        super().__init__(learning_rate=learning_rate, name=name, **kwargs)
        self.total_steps = total_steps
        self.seed = seed

    def build(self, variables):
        """Makes the moving averages that the rule reads, one of each per weight."""
        if self.built:
            return
        super().build(variables)
        self.averages = {
            name: [self.add_variable_from_reference(reference_variable=each, name=name) for each in variables]
            for name in AVERAGES
        }

    def update_step(self, gradient, variable, learning_rate):
        """One update of one weight array."""
        dtype = variable.dtype
        place = self._get_variable_index(variable)
        g = ops.cast(tf.convert_to_tensor(gradient), dtype)
        step = ops.cast(self.iterations, dtype)
        means = {}
        for name, (power, decay) in AVERAGES.items():
            slot = self.averages[name][place]
            before = tf.identity(slot)
            mean = decay * before + (1.0 if name == "velocity" else 1 - decay) * math.prod([g] * power)
            self.assign(slot, mean)
            if name == "slow":
                means["blend"] = 0.9 * before + (1 - 0.9) * g
            elif name in ("velocity", "mean_square"):
                means[name] = mean
            else:
                means[name] = mean / (1 - ops.power(tf.constant(decay, dtype), step + 1))
        terms = {name: self._term(name, g, variable, means, step, place) for name in READS}
        self.assign_sub(variable, ops.cast(learning_rate, dtype) * found_function(**terms))

    def _term(self, name, g, variable, means, step, place):
        if name in means:
            return means[name]
        if name == "drop":
            return lambda x, rate, number: self._drop(x, rate, number, place)
        if name in ("ld", "cd", "rd"):
            return self._decay(name, step) * ops.ones_like(g)
        if name in ("adam", "rmsprop"):
            return (means["m"] if name == "adam" else g) / (ops.sqrt(means["v"]) + 1e-8)
        if name in ("sign_g", "sign_m"):
            return ops.sign(g if name == "sign_g" else means["m"])
        if name in ("w1", "w2", "w3", "w4"):
            return 10.0 ** -int(name[1]) * tf.identity(variable)
        if name == "noise":
            return NOISE_DEVIATION * tf.random.stateless_normal(tf.shape(g), self._seeds(0, place), dtype=g.dtype)
        constants = {"one": 1.0, "two": 2.0}
        return constants[name] * ops.ones_like(g) if name in constants else math.prod([g] * int(name[1:] or 1))

    def _decay(self, name, step):
        share = step / self.total_steps
        if name == "ld":
            return ops.maximum(0.0, 1.0 - share)
        if name == "cd":
            return 0.5 * (1.0 + ops.cos(2 * math.pi * COSINE_PERIODS * share))
        restarted = ops.mod(RESTART_PERIODS * step, self.total_steps) / self.total_steps
        return 0.5 * (1.0 + ops.cos(math.pi * restarted))

    def _drop(self, x, rate, number, place):
        kept = tf.random.stateless_uniform(tf.shape(x), self._seeds(number, place), dtype=x.dtype) >= rate
        return ops.where(kept, x / (1 - rate), ops.zeros_like(x))

    def _seeds(self, number, place):
        """Two numbers that differ for every step, weight array and place in the rule."""
        return tf.stack(
            [tf.cast(self.iterations, tf.int64), tf.constant((self.seed * 4096 + place) * 64 + number, tf.int64)]
        )

    def get_config(self):
        """What the optimizer is made from again; its moving averages are saved with the model."""
        return {**super().get_config(), "total_steps": self.total_steps, "seed": self.seed}
