"""DOCUMENTATION."""

import keras
from keras import ops

READS = ("x",)


@keras.saving.register_keras_serializable(package="PACKAGE", name="found_function")
def found_function(x, beta=1.0):
    """The function on tensors: SUMMARY."""
    return ops.identity(x)


@keras.saving.register_keras_serializable(package="PACKAGE", name="FoundClass")
class FoundClass(keras.layers.Layer):
    """The function as a layer, with one trainable beta per channel where it has a beta.

    Args:
        beta: of all channels at the start.
        **kwargs: as of keras.layers.Layer.
    """

    def __init__(self, beta=1.0, **kwargs):
        super().__init__(**kwargs)
        self.initial_beta = float(beta)

    def build(self, input_shape):
        """Makes the betas, of the size of the last axis."""
        if "beta" in READS:
            start = keras.initializers.Constant(self.initial_beta)
            self.beta = self.add_weight(name="beta", shape=(input_shape[-1],), initializer=start)

    def call(self, inputs):
        """The function of every entry."""
        return found_function(inputs, self.beta) if "beta" in READS else found_function(inputs)

    def compute_output_shape(self, input_shape):
        """The shape of the input."""
        return input_shape

    def get_config(self):
        """What the layer is made from again."""
        return {**super().get_config(), "beta": self.initial_beta}
