"""Tensor programs with named dimensions, as Mesh-TensorFlow has them (Shazeer et al. 2018).

A program is a list of operations on tensors whose dimensions have names; a name has one size everywhere. Which
dimensions are split over which processors is a layout (`mesh_layouts`) and no part of the program.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

OperationKind = Literal["einsum", "lookup", "softmax", "relu", "rename"]
GRADIENT = "d_"


@dataclass(frozen=True)
class Operation:
    """One operation on named tensors.

    Attributes:
        name: its own name.
        kind: "einsum": product of its inputs, summed over the dimensions that the output lacks; "lookup": rows
            of a table (second input) by numbers (first input), which is an einsum with a one-hot matrix that
            costs no multiply-adds; "softmax" over the dimension `over`; "relu"; "rename": the same tensor under
            other names of its dimensions.
        inputs: names of tensors.
        output: name of the tensor it makes.
        over: dimension of a softmax.
        repeats: how often it occurs, with weights of its own each time.
    """

    name: str
    kind: OperationKind
    inputs: tuple[str, ...]
    output: str
    over: str = ""
    repeats: int = 1


@dataclass(frozen=True)
class Program:
    """Operations in the order they run.

    Attributes:
        name: what it computes.
        sizes: of the dimensions, by name.
        tensors: dimensions of the tensors, by name.
        weights: names of the trained tensors.
        data: names of the tensors that need no gradient.
        operations: in order.

    Raises:
        ValueError: if an operation names a tensor, or a tensor a dimension, that there is not.
    """

    name: str
    sizes: Mapping[str, int]
    tensors: Mapping[str, tuple[str, ...]]
    weights: frozenset[str]
    data: frozenset[str]
    operations: tuple[Operation, ...]

    def __post_init__(self) -> None:
        used = {name for op in self.operations for name in (*op.inputs, op.output)}
        for name in sorted(used - set(self.tensors)):
            raise ValueError(f"{self.name}: the tensor {name!r} is used but not declared: add it to the tensors.")
        for name, dims in self.tensors.items():
            for dim in dims:
                if dim not in self.sizes:
                    raise ValueError(f"{self.name}: {name} has a dimension {dim!r} of no size: add it to the sizes.")

    def dims(self, names: Iterable[str]) -> tuple[str, ...]:
        """All dimensions of some tensors, each once, in the order they are met."""
        return tuple(dict.fromkeys(dim for name in names for dim in self.tensors[name]))

    def reduced(self, op: Operation) -> tuple[str, ...]:
        """Dimensions that an einsum or a lookup sums over."""
        kept = self.tensors[op.output]
        return tuple(dim for dim in self.dims(op.inputs) if dim not in kept)

    def with_gradients(self) -> Program:
        """The program with the operations of the backward pass behind its own.

        The gradient of a tensor X is named d_X and has its dimensions. The gradient of an einsum for one of its
        inputs is again an einsum, of the gradient of the output and the other inputs. Sums of several gradients
        of one tensor are left out: they are element-wise on equal layouts.
        """
        backward = [gradient for op in reversed(self.operations) for gradient in self._gradients(op)]
        named = {GRADIENT + name: dims for name, dims in self.tensors.items() if name not in self.data}
        return Program(
            self.name,
            self.sizes,
            {**self.tensors, **named},
            self.weights,
            self.data,
            (*self.operations, *backward),
        )

    def _gradients(self, op: Operation) -> list[Operation]:
        upstream = GRADIENT + op.output
        found = []
        for i, name in enumerate(op.inputs):
            if name in self.data:
                continue
            others: tuple[str, ...] = op.inputs[:i] + op.inputs[i + 1 :]
            if op.kind in ("softmax", "relu"):
                others = (op.output,)
            found.append(
                Operation(
                    f"{GRADIENT}{op.name}_{name}",
                    op.kind,
                    (*others, upstream),
                    GRADIENT + name,
                    op.over,
                    op.repeats,
                )
            )
        return found


def program(
    name: str,
    sizes: Mapping[str, int],
    tensors: Mapping[str, str],
    operations: Sequence[Operation],
    *,
    weights: Iterable[str],
    data: Iterable[str] = (),
) -> Program:
    """A program from texts: the dimensions of a tensor are names with blanks between them."""
    split = {tensor: tuple(dims.split()) for tensor, dims in tensors.items()}
    return Program(name, dict(sizes), split, frozenset(weights), frozenset(data), tuple(operations))


def perceptron(*, batch: int, d_io: int, d_hidden: int) -> Program:
    """Two dense layers, x -> relu(x w) v: the example of Mesh-TensorFlow's section 4.

    Batch split is data parallelism, hidden split is model parallelism, and both on different mesh dimensions
    are their product.
    """
    return program(
        "perceptron",
        {"batch": batch, "d_io": d_io, "d_hidden": d_hidden},
        {"x": "batch d_io", "w": "d_io d_hidden", "h": "batch d_hidden", "r": "batch d_hidden"}
        | {"v": "d_hidden d_io", "y": "batch d_io"},
        [
            Operation("hidden", "einsum", ("x", "w"), "h"),
            Operation("relu", "relu", ("h",), "r"),
            Operation("output", "einsum", ("r", "v"), "y"),
        ],
        weights=("w", "v"),
        data=("x",),
    )


def transformer(
    *,
    batch: int,
    length: int,
    d_model: int,
    heads: int,
    d_k: int,
    d_ff: int,
    vocab: int,
    layers: int = 1,
) -> Program:
    """A Transformer language model: embedding, layers of attention and feed-forward, softmax over the vocabulary.

    The positions that are attended to are a dimension of their own, `memory_length`, as in Mesh-TensorFlow: the
    attention weights have both. Layer normalisation, residual sums and biases are left out: they split like what
    they follow.
    """
    sizes = {"batch": batch, "length": length, "memory_length": length, "d_model": d_model, "heads": heads}
    tensors = {
        "ids": "batch length",
        "embedding": "vocab d_model",
        "x": "batch length d_model",
        "memory": "batch memory_length d_model",
        "w_q": "d_model heads d_k",
        "w_k": "d_model heads d_k",
        "w_v": "d_model heads d_k",
        "w_o": "heads d_k d_model",
        "q": "batch length heads d_k",
        "k": "batch memory_length heads d_k",
        "v": "batch memory_length heads d_k",
        "scores": "batch heads length memory_length",
        "attention": "batch heads length memory_length",
        "mixed": "batch length heads d_k",
        "attended": "batch length d_model",
        "w_in": "d_model d_ff",
        "hidden": "batch length d_ff",
        "active": "batch length d_ff",
        "w_out": "d_ff d_model",
        "z": "batch length d_model",
        "w_logits": "d_model vocab",
        "logits": "batch length vocab",
        "likelihoods": "batch length vocab",
    }
    layer = [
        Operation("memory", "rename", ("x",), "memory"),
        Operation("query", "einsum", ("x", "w_q"), "q"),
        Operation("key", "einsum", ("memory", "w_k"), "k"),
        Operation("value", "einsum", ("memory", "w_v"), "v"),
        Operation("score", "einsum", ("q", "k"), "scores"),
        Operation("attend", "softmax", ("scores",), "attention", "memory_length"),
        Operation("mix", "einsum", ("attention", "v"), "mixed"),
        Operation("project", "einsum", ("mixed", "w_o"), "attended"),
        Operation("expand", "einsum", ("attended", "w_in"), "hidden"),
        Operation("relu", "relu", ("hidden",), "active"),
        Operation("contract", "einsum", ("active", "w_out"), "z"),
    ]
    return program(
        "transformer",
        sizes | {"d_k": d_k, "d_ff": d_ff, "vocab": vocab},
        tensors,
        [
            Operation("embed", "lookup", ("ids", "embedding"), "x"),
            *(Operation(op.name, op.kind, op.inputs, op.output, op.over, layers) for op in layer),
            Operation("logits", "einsum", ("z", "w_logits"), "logits"),
            Operation("predict", "softmax", ("logits",), "likelihoods", "vocab"),
        ],
        weights=("embedding", "w_q", "w_k", "w_v", "w_o", "w_in", "w_out", "w_logits"),
        data=("ids",),
    )
