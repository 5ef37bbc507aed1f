"""The Keras reading of the architecture language: a functional model of stock layers.

Only layers that ship with Keras are used, so an exported model loads where this project is not installed.
A new operation needs one handler, registered with `@keras_value.register` next to the operation itself or
in `keras_layers`; nothing else changes.
"""

from __future__ import annotations

import concurrent.futures
import zlib
from typing import Any

import autoglyph.child_programs.keras_sequence  # noqa: F401 - registers its handlers
from autoglyph.child_programs.keras_layers import LayerContext, keras_value
from autoglyph.search_spaces import ops
from autoglyph.search_spaces.architecture import Architecture
from autoglyph.search_spaces.net import Net, Tensor
from autoglyph.search_spaces.ops import Op


class KerasNet(Net):
    """Reads an architecture into Keras layers; layer names are the scoped names of the operations.

    Args:
        seed: of all initial values and of dropout; a layer's own seed follows from this one and its name,
            so layers of equal names and shapes start equal in all models, and no global generator is
            touched. None draws fresh seeds.
        norm_momentum: momentum of every batch normalisation in place of the architecture's (0.99 there).
            Short training needs less, such as 0.8: after n steps the moving averages still hold
            momentum ** n of their initial values.
        composed_swish: write swish as two layers, x times sigmoid(x). TensorFlow's own swish registers a
            gradient that keeps every graph it was traced in for as long as the process lives, tens of
            megabytes a model; a process that trains many models asks for this.
    """

    def __init__(
        self, *, seed: int | None = None, norm_momentum: float | None = None, composed_swish: bool = False
    ) -> None:
        super().__init__()
        self.inputs: list[Any] = []
        self._seed = seed
        self._norm_momentum = norm_momentum
        self._composed_swish = composed_swish
        self._shared: dict[str, Any] = {}

    def apply(self, op: Op, *inputs: Tensor) -> Tensor:
        """Makes the layers of one operation.

        Raises:
            NotImplementedError: if the type of the operation has no handler.
            ValueError: if Keras computes another shape than the operation states.
        """
        value = self.read(op, *inputs)
        shape = tuple(value.shape[1:])
        stated = op.output(*(tensor.shape for tensor in inputs))
        if shape != stated:
            raise ValueError(
                f"{self.full_name(op)}: Keras computed shape {shape}, but {type(op).__name__}.output states {stated}."
            )
        return Tensor(shape, value)

    def read(self, op: Op, *inputs: Tensor) -> Any:
        """The Keras tensor of one operation, its shape not checked.

        Raises:
            NotImplementedError: if the type of the operation has no handler.
        """
        name = self.full_name(op)
        context = LayerContext(
            name,
            self._layer_seed(name),
            self._norm_momentum,
            self._composed_swish,
            self._shared,
            is_reused=self._is_shared,
        )
        value = keras_value(op, context, *(tensor.value for tensor in inputs))
        if isinstance(op, ops.Input):
            self.inputs.append(value)
        return value

    def _layer_seed(self, name: str) -> int | None:
        return None if self._seed is None else zlib.crc32(f"{self._seed}/{name}".encode())


def build_model(
    architecture: Architecture,
    *,
    seed: int | None = None,
    norm_momentum: float | None = None,
    composed_swish: bool = False,
) -> Any:
    """Builds an architecture as a functional `keras.Model`.

    The model returns logits: there is no softmax behind the classifier. Use losses with
    `from_logits=True`, and `keras.ops.softmax` where probabilities are wanted.

    Args:
        architecture: what to build, at its own resolution and classes.
        seed: of initial values and dropout, see `KerasNet`.
        norm_momentum: of batch normalisation, see `KerasNet`.
        composed_swish: spares memory where many models are trained, see `KerasNet`.

    Returns:
        The model, not compiled; it has a list of outputs where the architecture has several.
    """
    import keras

    net = KerasNet(seed=seed, norm_momentum=norm_momentum, composed_swish=composed_swish)
    output = architecture.build(net)
    inputs = net.inputs[0] if len(net.inputs) == 1 else net.inputs
    outputs = output.value if isinstance(output, Tensor) else [tensor.value for tensor in output]
    return keras.Model(inputs, outputs, name=type(architecture).__name__.lower())


def build_shapes(architecture: Architecture) -> Any:
    """Builds an architecture as a `keras.Model` whose variables have shapes and no values.

    Such a model can be counted and drawn, not run. Keras computes all its shapes as in `build_model`, in a
    third of the time and without the memory.
    """
    import keras

    def build() -> Any:
        with keras.StatelessScope(initialize_variables=False):
            return build_model(architecture)

    # Keras lists variables that await a value in a thread-local, to fill them later; in a thread that ends
    # the list ends too.
    with concurrent.futures.ThreadPoolExecutor(1) as thread:
        return thread.submit(build).result()
