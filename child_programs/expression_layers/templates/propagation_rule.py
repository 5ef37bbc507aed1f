"""DOCUMENTATION."""

from typing import Any

import keras
import tensorflow as tf
from keras import ops

READS = ("g_bp",)
MATRICES = {"p_next", "b_next", "w", "sign_w", "r", "s"}  # rows and columns of which are units of dense layers
FEEDBACK, DIRECT = {"g_fa", "r", "s"}, {"g_dfa", "d"}


def found_function(g_bp):
    """The error of a hidden layer, (batch, units): SUMMARY."""
    return g_bp


@keras.saving.register_keras_serializable(package="PACKAGE", name="FoundClass")
class FoundClass(keras.layers.Layer):
    """Layers one after the other, trained with errors that the rule gives in place of the derivatives.

    The rule gives the error of the pre-activations of every hidden layer with weights, example by example; the
    gradients of the weights into a layer, and all derivatives of the layers without weights, stay the true ones,
    and so does the error of the last layer. Predictions are those of the layers.

    Args:
        layers: Dense, Conv1D, Conv2D and Conv3D, with activation functions that act entry by entry, and layers
            without weights between them. The last one with weights is Dense.
        seed: of the fixed random feedback.
        **kwargs: as of keras.layers.Layer.
    """

    def __init__(self, layers, seed=0, **kwargs):
        super().__init__(**kwargs)
        self.chain = list(layers)
        self.seed = seed

    def build(self, input_shape):
        """Builds the layers and draws the feedback; the layers must fit the rule."""
        shape, shapes = input_shape, []
        for layer in self.chain:
            if not layer.built:
                layer.build(shape)
            shape = layer.compute_output_shape(shape)
            shapes.append(shape)
        kinds = (keras.layers.Dense, keras.layers.Conv1D, keras.layers.Conv2D, keras.layers.Conv3D)
        for layer in self.chain:
            if layer.weights and not isinstance(layer, kinds):
                raise ValueError(f"No rule for the weights of {layer.name}: use Dense and Conv1D to Conv3D layers.")
        self.places = [i for i, layer in enumerate(self.chain) if layer.weights]
        if not self.places or len(shapes[self.places[-1]]) != 2:
            raise ValueError("The last layer with weights must be Dense, on inputs of shape (batch, features).")
        matrices = sorted(MATRICES.intersection(READS))
        outputs = shapes[self.places[-1]][-1]
        self.feedback, self.direct_feedback = [], []
        for number, (at, after) in enumerate(zip(self.places[:-1], self.places[1:], strict=True)):
            if matrices and (len(shapes[at]) != 2 or after != at + 1):
                raise ValueError(f"The rule reads {', '.join(matrices)}: it needs Dense layers that follow each other.")
            normal = keras.initializers.GlorotNormal(seed=1000 * self.seed + number)
            if FEEDBACK.intersection(READS):
                kernel = self.chain[after].kernel
                self.feedback.append(self._fixed(f"feedback_{number}", kernel.shape, normal))
            if DIRECT.intersection(READS):
                units = 1
                for size in shapes[at][1:]:
                    units *= size
                self.direct_feedback.append(self._fixed(f"direct_feedback_{number}", (units, outputs), normal))

    def _fixed(self, name, shape, initializer):
        return self.add_weight(name=name, shape=shape, initializer=initializer, trainable=False)

    def call(self, inputs, training=None):
        """What the layers give."""
        x = self._through(inputs, 0, self.places[0], training)
        first, last = self.chain[self.places[0]], self.chain[self.places[-1]]
        p = _linear(first, x, *_weights(first))
        # Zeros that are added to the logits: their gradient is the error at the logits, which every layer may read.
        carrier = tf.zeros((tf.shape(inputs)[0], last.units), p.dtype)
        for number in range(len(self.places) - 1):
            p, carrier = self._step(number, p, carrier, training)
        return self._through(last.activation(p + carrier), self.places[-1] + 1, len(self.chain), training)

    def _through(self, x, first, end, training):
        for layer in self.chain[first:end]:
            x = layer(x, training=training) if layer._call_has_training_arg else layer(x)
        return x

    def _step(self, number, p, carrier, training) -> Any:
        """From the pre-activations of one layer with weights to those of the next."""
        at, after = self.places[number], self.places[number + 1]
        activation, layer = self.chain[at].activation, self.chain[after]
        fixed = [tf.identity(each[number]) for each in (self.feedback, self.direct_feedback) if each]

        @tf.custom_gradient
        def step(p, carrier, kernel, bias, *fixed):
            with tf.GradientTape(persistent=True) as tape:
                tape.watch(p)
                h = activation(p)
                tape.watch(h)
                z = self._through(h, at + 1, after, training)
            slope = tape.gradient(h, p)

            def gradients(b_next, b_last):
                def back(matrix):
                    """The error at h, led back through a kernel."""
                    error, _ = _gradients(layer, z, matrix, bias, b_next)
                    return tape.gradient(z, [h], output_gradients=[error])[0]

                def flat(x):
                    return tf.reshape(x, (tf.shape(x)[0], -1))

                makers = {
                    "p": lambda: flat(p),
                    "h": lambda: flat(h),
                    "slope": lambda: flat(slope),
                    "g_bp": lambda: flat(slope * back(kernel)),
                    "g_fa": lambda: flat(slope * back(fixed[0])),
                    "g_dfa": lambda: flat(slope) * tf.matmul(b_last, fixed[-1], transpose_b=True),
                    "p_next": lambda: _linear(layer, z, kernel, bias),
                    "b_next": lambda: b_next,
                    "b_last": lambda: b_last,
                    "w": lambda: kernel,
                    "sign_w": lambda: tf.sign(kernel),
                    "r": lambda: fixed[0],
                    "s": lambda: tf.abs(fixed[0]) * tf.sign(kernel),
                    "d": lambda: fixed[-1],
                    "drop": lambda: _drop,
                }
                b = found_function(**{name: makers[name]() for name in READS})
                _, (for_kernel, for_bias) = _gradients(layer, z, kernel, bias, b_next)
                return tf.reshape(b, tf.shape(p)), b_last, for_kernel, for_bias, *map(tf.zeros_like, fixed)

            return (_linear(layer, z, kernel, bias), tf.identity(carrier)), gradients

        return step(p, carrier, *_weights(layer), *fixed)

    def compute_output_shape(self, input_shape):
        """The shape that the last layer gives."""
        for layer in self.chain:
            input_shape = layer.compute_output_shape(input_shape)
        return input_shape

    def get_config(self):
        """What the layers are made from again."""
        chain = [keras.saving.serialize_keras_object(layer) for layer in self.chain]
        return {**super().get_config(), "layers": chain, "seed": self.seed}

    @classmethod
    def from_config(cls, config):
        """The layers that `get_config` describes."""
        chain = [keras.saving.deserialize_keras_object(layer) for layer in config["layers"]]
        return cls(**{**config, "layers": chain})


def _weights(layer):
    kernel = tf.identity(layer.kernel)
    bias = tf.identity(layer.bias) if layer.use_bias else tf.zeros(kernel.shape[-1], kernel.dtype)
    return kernel, bias


def _linear(layer, x, kernel, bias):
    """What a Dense or Conv layer computes before its activation function, with another kernel and bias."""
    if isinstance(layer, keras.layers.Dense):
        return ops.matmul(x, kernel) + bias
    convolved = ops.conv(
        x, kernel, layer.strides, layer.padding, data_format=layer.data_format, dilation_rate=layer.dilation_rate
    )
    if layer.data_format == "channels_first":
        bias = ops.reshape(bias, (1, -1) + (1,) * layer.rank)
    return convolved + bias


def _gradients(layer, x, kernel, bias, error) -> Any:
    """The error led back to the input of a layer, and the gradients of its kernel and bias."""
    with tf.GradientTape() as tape:
        tape.watch((x, kernel, bias))
        y = _linear(layer, x, kernel, bias)
    for_x, for_kernel, for_bias = tape.gradient(y, (x, kernel, bias), output_gradients=error)
    return for_x, (for_kernel, for_bias)


def _drop(x, rate, number):
    kept = tf.random.uniform(tf.shape(x), dtype=x.dtype) >= rate
    return ops.where(kept, x / (1 - rate), ops.zeros_like(x))
