"""From a functional or sequential Keras model to the workload of its kernels.

The walk goes through the calls of the model in the order they depend on each other and writes each layer in the
architecture language, so a model from anywhere is fused, costed and drawn like an individual of a space. A layer
that has no handler is refused by name: nothing is ever taken as free because it is not known.
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from autoglyph.hardware_models.fusion import Fusion
from autoglyph.hardware_models.recorder import Recorder
from autoglyph.hardware_models.workload import Workload, check_fusion, kernel_array
from autoglyph.search_spaces import ops
from autoglyph.search_spaces.net import Net, Tensor
from autoglyph.search_spaces.ops import Op, Shape


@dataclass
class LayerCall:
    """One call of a layer or of an operation of `keras.ops`, as its handler sees it.

    Attributes:
        layer: the layer or operation.
        net: what to write it in.
        stated: shape of its output as Keras has it, without the batch.
        named: for each input the name under which the call gives it, "" for those given by position.
        arguments: positional arguments of the call that are no tensors of the model, in order.
        settings: named arguments of the call that are no tensors of the model.
        weights: elements of weights of the operations written so far.
    """

    layer: Any
    net: Net
    stated: Shape = ()
    named: tuple[str, ...] = ()
    arguments: list[Any] = field(default_factory=list)
    settings: dict[str, Any] = field(default_factory=dict)
    weights: int = 0

    def apply(self, op: Op, *inputs: Tensor) -> Tensor:
        """Writes one operation; its `name` should start with that of the layer."""
        shapes = [x.shape for x in inputs]
        for described in (op.weights(*shapes), op.statistics(*shapes)):
            self.weights += sum(math.prod(shape) for shape in described.values())
        return self.net.apply(op, *inputs)

    def refuse(self, setting: str) -> ValueError:
        """The error for a setting that the handler does not know."""
        return ValueError(
            f"Layer {self.layer.name!r} ({type(self.layer).__name__}) has {setting}, which the walk does not know: "
            "change the layer, or register a handler for it with register_layer."
        )


Handler = Callable[..., Tensor]
"""(call, *inputs) -> output."""

_HANDLERS: dict[type, Handler] = {}


def register_layer(layer_class: type) -> Callable[[Handler], Handler]:
    """Registers a handler for exactly this class of layers, as a decorator; it may replace a built-in one.

    Args:
        layer_class: the class; subclasses need their own handler, for they may compute something else.

    Example:
        >>> @register_layer(MyScale)
        ... def my_scale(call, x):
        ...     return call.apply(ops.Scale(name=call.layer.name, learned=True), x)
    """

    def register(handler: Handler) -> Handler:
        _HANDLERS[layer_class] = handler
        return handler

    return register


@dataclass(frozen=True, eq=False)
class ModelWorkload:
    """A Keras model as kernels.

    Attributes:
        name: of the model.
        workload: its kernels; weights of frozen layers count as trainable there.
        parameters: all weights of the model, as `model.count_params()` has them.
        trainable_parameters: those that training changes.
    """

    name: str
    workload: Workload
    parameters: int
    trainable_parameters: int


def record_model(model: Any, *, fusion: Fusion = "full") -> ModelWorkload:
    """The workload of a Keras model in inference.

    Args:
        model: functional or sequential `keras.Model` with fixed input sizes.
        fusion: as in `record`.

    Raises:
        ValueError: if the model is of another kind or holds a layer that is not known.
    """
    regime = check_fusion(fusion)
    recorder = Recorder(regime, {})
    walk = _Walk(recorder)
    outputs = walk.model(model, None)
    if not outputs:
        raise ValueError(f"The model {model.name!r} has no outputs: give one that computes something.")
    placed = recorder.fused(*outputs)
    kernels = [kernel for piece in placed for kernel in piece.kernels()]
    if not kernels:
        raise ValueError(f"The model {model.name!r} computes nothing: give one with at least one operation.")
    return ModelWorkload(model.name, Workload(kernel_array(kernels), regime), walk.parameters, walk.trainable)


def walk_model(model: Any, net: Net) -> list[Tensor]:
    """Writes a Keras model in the architecture language.

    Args:
        model: functional or sequential `keras.Model` with fixed input sizes.
        net: any reading; operations have the names of the layers.

    Returns:
        The outputs of the model.

    Raises:
        ValueError: if the model is of another kind or holds a layer that is not known.
    """
    return _Walk(net).model(model, None)


class _Walk:
    def __init__(self, net: Net) -> None:
        self._net = net
        self._with_weights: set[int] = set()
        self.parameters = self.trainable = 0

    def model(self, model: Any, inputs: Sequence[Tensor] | None) -> list[Tensor]:
        """The outputs of a model, for these inputs or for its own."""
        graph = getattr(model, "_functional", None) or model
        depths = getattr(graph, "_nodes_by_depth", None)
        if not depths or not type(model).call.__module__.startswith("keras."):
            raise ValueError(
                f"The model {model.name!r} is no functional model, or has a call of its own: "
                "build it with keras.Input and calls of layers, or call a Sequential once."
            )
        known: dict[int, Tensor] = {}
        for i, tensor in enumerate(graph.inputs):
            known[id(tensor)] = self._input(tensor) if inputs is None else inputs[i]
        for depth in sorted(depths, reverse=True):
            for node in depths[depth]:
                if node.input_tensors:
                    self._node(node, known)
        return [known[id(tensor)] for tensor in graph.outputs]

    def _input(self, tensor: Any) -> Tensor:
        shape = tuple(tensor.shape[1:])
        name = tensor._keras_history.operation.name
        if None in shape:
            raise ValueError(f"The input {name!r} has shape {shape}: build the model with a fixed input size.")
        return self._net.apply(ops.Input(name=name, shape=shape))

    def _node(self, node: Any, known: dict[int, Tensor]) -> None:
        layer = node.operation
        inputs = [known[id(tensor)] for tensor in node.input_tensors]
        if hasattr(layer, "_nodes_by_depth") or getattr(layer, "_functional", None):
            with self._net.scope(layer.name):
                outputs = self.model(layer, inputs)
        else:
            outputs = [self._call(layer, node, inputs)]
        if len(outputs) != len(node.outputs):
            raise ValueError(
                f"Layer {layer.name!r} ({type(layer).__name__}) gives {len(node.outputs)} outputs, the walk knows "
                f"{len(outputs)}: call it so that it gives no more."
            )
        for tensor, output in zip(node.outputs, outputs, strict=True):
            stated = tuple(tensor.shape[1:])
            if output.shape != stated:
                raise ValueError(
                    f"Layer {layer.name!r} ({type(layer).__name__}) gives {stated}, its handler {output.shape}: "
                    "correct the handler."
                )
            known[id(tensor)] = output

    def _call(self, layer: Any, node: Any, inputs: list[Tensor]) -> Tensor:
        import keras

        def tensors(value: Any) -> int:
            return sum(isinstance(leaf, keras.KerasTensor) for leaf in keras.tree.flatten(value))

        given, settings = node.arguments.args, node.arguments.kwargs
        call = LayerCall(
            layer,
            self._net,
            tuple(node.outputs[0].shape[1:]),
            ("",) * tensors(given) + tuple(k for k in sorted(settings) for _ in range(tensors(settings[k]))),
            [a for a in given if not tensors(a)],
            {k: v for k, v in settings.items() if v is not None and not tensors(v)},
        )
        handler = _handler(layer)
        try:
            inspect.signature(handler).bind(call, *inputs)
        except TypeError:
            raise call.refuse(f"{len(inputs)} inputs") from None
        output = handler(call, *inputs)
        weights = layer.weights if isinstance(layer, keras.layers.Layer) else []
        held = sum(math.prod(weight.shape) for weight in weights)
        if call.weights != held:
            raise ValueError(
                f"Layer {layer.name!r} ({type(layer).__name__}) holds {held:,} weights, its handler describes "
                f"{call.weights:,}: register a handler for this use of it with register_layer."
            )
        if held:
            if id(layer) in self._with_weights:
                raise ValueError(
                    f"Layer {layer.name!r} ({type(layer).__name__}) is called more than once: "
                    "weights that several calls share are not supported; make a layer for each call."
                )
            self._with_weights.add(id(layer))
            self.parameters += held
            self.trainable += sum(math.prod(weight.shape) for weight in layer.trainable_weights)
        return output


def _handler(layer: Any) -> Handler:
    from autoglyph.child_programs.keras_walk_layers import built_in

    kind = type(layer)
    handler = _HANDLERS.get(kind) or built_in(kind)
    if handler is None:
        raise ValueError(
            f"Layer {layer.name!r} is of class {kind.__name__}, which the walk does not know: "
            f"register a handler with autoglyph.child_programs.keras_walk.register_layer({kind.__name__})."
        )
    return handler
