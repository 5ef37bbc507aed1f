"""Which operations share a kernel: the fusion regimes.

A kernel reads its inputs once, writes its outputs once and pays one launch, so a value that only passes
between two operations of one kernel costs no memory traffic.

- eager: every operation is a kernel.
- chain: normalisation (its scale folded into the weights of a convolution), activation and residual sum ride
  on the kernel that makes their input, as cuDNN and TensorFlow's graph rewriter do.
- full: also pooling rides on the kernel that makes its input, and products (the gate of squeeze-and-excitation)
  and concatenations are done while the next kernel reads them, as XLA does.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple, get_args

from autoglyph.hardware_models.kernels import VECTOR, Role, Work

Fusion = Literal["eager", "chain", "full"]
FUSIONS: tuple[Fusion, ...] = get_args(Fusion)

KernelRow = tuple[Any, ...]  # in the order of kernels.KERNEL

_RIDING: dict[Fusion, frozenset[Role]] = {
    "eager": frozenset(),
    "chain": frozenset(("norm", "elementwise", "add")),
    "full": frozenset(("norm", "elementwise", "add", "pool", "multiply", "concat")),
}


class Step(NamedTuple):
    """One recorded operation: tensors are numbers within the recording."""

    name: str
    work: Work
    inputs: tuple[int, ...]
    output: int


@dataclass(eq=False, slots=True)
class Piece:
    """Kernels of a part that was fused by itself; equal to itself alone.

    Attributes:
        kernels: in the order they run; fields as in `kernels.KERNEL`.
    """

    kernels: tuple[KernelRow, ...]


class Inner(NamedTuple):
    """A recorded part that was fused by itself; nothing outside joins its kernels."""

    name: str
    piece: Piece
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]


class Placed(NamedTuple):
    """A piece at its place in a recording.

    Attributes:
        name: scope of its kernels' names, "" for none.
        piece: its kernels.
        kept_elements: activations that are kept while it runs beside the kernels' own. Where the input of
            the piece is needed later too, it is counted here and by the kernels that read it.
    """

    name: str
    piece: Piece
    kept_elements: int

    def kernels(self) -> Iterator[KernelRow]:
        """The kernels with their full names and all that is kept."""
        prefix = f"{self.name}_" if self.name else ""
        for name, *figures, live in self.piece.kernels:
            yield (prefix + name, *figures, live + self.kept_elements)


def fuse(
    steps: Sequence[Step | Inner], elements: Sequence[int], outputs: Sequence[int], regime: Fusion
) -> list[Placed]:
    """Kernels of a recording under a fusion regime, in the order they run.

    Args:
        steps: in the order they were recorded.
        elements: size of every tensor for one example.
        outputs: the tensors that are used outside.
        regime: "eager", "chain" or "full".
    """
    fusing = _Fusing(steps, outputs, _RIDING[regime])
    for step in steps:
        if isinstance(step, Inner):
            fusing.start(_Group(step, fusing.reads(step.inputs)))
        else:
            fusing.add(step)
    return _kernels(fusing.groups, elements, outputs)


class _Group:
    """A kernel in the making."""

    __slots__ = (
        "step",
        "reads",
        "output",
        "further_outputs",
        "joined",
        "vector_ops",
        "input_vector_ops",
        "weight_elements",
        "parameters",
    )

    def __init__(self, step: Step | Inner, reads: list[int]) -> None:
        self.step = step
        self.reads = reads
        self.output, *self.further_outputs = step.outputs if isinstance(step, Inner) else (step.output,)
        self.joined = False
        self.vector_ops = self.input_vector_ops = self.weight_elements = self.parameters = 0
        if isinstance(step, Step):
            self.vector_ops = step.work.vector_ops
            self.weight_elements = step.work.weight_elements
            self.parameters = step.work.parameters

    def join(self, step: Step) -> None:
        """Takes the work of an operation that rides on this kernel."""
        assert isinstance(self.step, Step)
        foldable = step.work.role == "norm" and self.step.work.kind != VECTOR and not self.joined
        self.joined = True
        self.vector_ops += 0 if foldable else step.work.vector_ops
        self.weight_elements += step.work.output[-1] if foldable else step.work.weight_elements
        self.parameters += step.work.parameters

    def written(self, elements: Sequence[int]) -> int:
        """Elements that it puts out."""
        total = elements[self.output]
        for tensor in self.further_outputs:
            total += elements[tensor]
        return total


class _Fusing:
    def __init__(self, steps: Sequence[Step | Inner], outputs: Sequence[int], riding: frozenset[Role]) -> None:
        self.groups: list[_Group] = []
        self._riding = riding
        self._uses: dict[int, int] = dict.fromkeys(outputs, 1)
        self._read_by_compute: set[int] = set()
        for step in steps:
            for tensor in step.inputs:
                self._uses[tensor] = self._uses.get(tensor, 0) + 1
            if isinstance(step, Step) and step.work.role == "compute":
                self._read_by_compute.update(step.inputs)
        self._made_by: dict[int, int] = {}  # tensor -> index of the group that makes it
        self._deferred: dict[int, tuple[list[int], int]] = {}  # tensor -> (what to read instead, steps)

    def reads(self, inputs: Sequence[int]) -> list[int]:
        """The tensors that a kernel with these inputs reads."""
        found: list[int] = []
        for tensor in inputs:
            for read in self._deferred[tensor][0] if tensor in self._deferred else (tensor,):
                if read not in found:
                    found.append(read)
        return found

    def start(self, group: _Group) -> None:
        """Adds a kernel; it also does the work that was left to it."""
        if self._deferred:
            for tensor in group.step.inputs:
                if tensor in self._deferred:
                    group.input_vector_ops += self._deferred[tensor][1]
        self._made_by.update(dict.fromkeys((group.output, *group.further_outputs), len(self.groups)))
        self.groups.append(group)

    def add(self, step: Step) -> None:
        """Places an operation in the kernels so far, or in one of its own."""
        role = step.work.role
        if role not in self._riding or not (self._ride(step, role) or self._defer(step, role)):
            self.start(_Group(step, self.reads(step.inputs)))

    def _ride(self, step: Step, role: Role) -> bool:
        """Joins the kernel that makes the last of the inputs, if the operation can go there."""
        latest, at = -1, -1
        for tensor in step.inputs:
            made_by = self._made_by.get(tensor, -1)
            if made_by > at:
                latest, at = tensor, made_by
            if tensor in self._deferred:
                return False
        if at < 0 or role == "concat" or (role == "multiply" and latest != step.inputs[0]):
            return False
        host, only_use = self.groups[at], self._uses[latest] == 1
        if host.output != latest or isinstance(host.step, Inner) or not (only_use or role == "pool"):
            return False
        host.join(step)
        for tensor in step.inputs:
            if tensor != latest and tensor not in host.reads:
                host.reads.append(tensor)
        self._made_by[step.output] = at
        if only_use:
            host.output = step.output
        else:
            host.further_outputs.append(step.output)
        return True

    def _defer(self, step: Step, role: Role) -> bool:
        """Leaves a product or a concatenation to the one kernel that reads it."""
        if role not in ("multiply", "concat"):
            return False
        if self._uses.get(step.output) != 1 or step.output not in self._read_by_compute:
            return False
        steps = step.work.vector_ops + sum(self._deferred[t][1] for t in step.inputs if t in self._deferred)
        self._deferred[step.output] = (self.reads(step.inputs), steps)
        return True


def _kernels(groups: list[_Group], elements: Sequence[int], outputs: Sequence[int]) -> list[Placed]:
    last_use: dict[int, int] = {}
    made: set[int] = set()
    for i, group in enumerate(groups):
        for tensor in group.reads:
            last_use[tensor] = i
        made.update((group.output, *group.further_outputs))
    last_use.update(dict.fromkeys(outputs, len(groups)))
    live = 0
    for tensor in last_use:
        if tensor not in made:
            live += elements[tensor]
    placed: list[Placed] = []
    loose: list[KernelRow] = []
    for i, group in enumerate(groups):
        live += group.written(elements)
        ending = 0
        for tensor in group.reads:
            if last_use[tensor] == i:
                ending += elements[tensor]
        for tensor in (group.output, *group.further_outputs):
            if tensor not in last_use:
                ending += elements[tensor]
        step = group.step
        if isinstance(step, Inner):
            if loose:
                placed.append(Placed("", Piece(tuple(loose)), 0))
                loose = []
            own = ending
            for tensor in step.outputs:
                own += elements[tensor] if tensor in last_use else 0
            placed.append(Placed(step.name, step.piece, live - own))
        else:
            loose.append(_row(group, step, elements, live))
        live -= ending
    if loose:
        placed.append(Placed("", Piece(tuple(loose)), 0))
    return placed


def _row(group: _Group, step: Step, elements: Sequence[int], live: int) -> KernelRow:
    work = step.work
    return (
        step.name,
        work.kind,
        work.m,
        work.k,
        work.n,
        work.groups,
        sum([elements[tensor] for tensor in group.reads]),
        group.written(elements),
        group.weight_elements,
        group.vector_ops,
        group.input_vector_ops,
        work.madds,
        group.parameters,
        live,
    )
