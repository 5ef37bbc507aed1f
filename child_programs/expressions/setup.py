"""What a training of an expression starts from and sees, the same in every back-end.

The network has two hidden layers of as many units. A candidate takes the place of one of three parts, which its
vocabulary tells: the activation function of the hidden layers, the update rule, or the error of the hidden layers.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from autoglyph.child_programs.datasets import Dataset
from autoglyph.search_spaces.expressions.activations import program
from autoglyph.search_spaces.expressions.optimizers import NOISE_STD
from autoglyph.search_spaces.expressions.program import Program
from autoglyph.search_spaces.expressions.vocabulary import ACTIVATION, BACKPROP, OPTIMIZER_EXTENDED

Floats = NDArray[np.float32]
HIDDEN_LAYERS = 2
POOL = 1 << 20
"""Random numbers that noise and dropping take windows of."""
_LAYER_STRIDE = 7919


@dataclass(frozen=True)
class Parts:
    """What a network is trained with.

    Attributes:
        activation: function of the hidden layers.
        update: rule that changes the weights.
        errors: rule that gives the errors of the hidden layers; None for back-propagation.
        has_beta: whether every hidden unit has a trainable beta, 1 at the start.
    """

    activation: Program
    update: Program
    errors: Program | None
    has_beta: bool

    @property
    def is_plain_update(self) -> bool:
        """Whether the weights are changed by SGD with momentum 0.9."""
        return self.update == _momentum()


def parts_of(candidate: Program) -> Parts:
    """The candidate in its place, beside SGD with momentum 0.9 and, but for activation functions, plain units.

    Hidden units are ReLU under update rules, and tanh under back-propagation rules.
    """
    if candidate.vocabulary == ACTIVATION.name:
        return Parts(candidate, _momentum(), None, True)
    if candidate.vocabulary == BACKPROP.name:
        return Parts(_unary("tanh"), _momentum(), candidate, False)
    return Parts(_unary("relu"), candidate, None, False)


@functools.cache
def _momentum() -> Program:
    return program([("identity", "velocity", "identity", "velocity", "left")], OPTIMIZER_EXTENDED)


@functools.cache
def _unary(name: str) -> Program:
    return program([(name, "x", name, "x", "left")], ACTIVATION)


@dataclass(frozen=True)
class Layout:
    """Where the weights of a network are in one flat array.

    Attributes:
        inputs: numbers of an example.
        hidden: units of each hidden layer.
        classes: logits.
        has_beta: whether there is a beta for every hidden unit.
    """

    inputs: int
    hidden: int
    classes: int
    has_beta: bool

    @property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Shapes by name, in order: "w0", "b0", "beta0" and so on from the first layer to the logits."""
        sizes = (self.inputs, *[self.hidden] * HIDDEN_LAYERS, self.classes)
        found: dict[str, tuple[int, ...]] = {}
        for i, pair in enumerate(zip(sizes[:-1], sizes[1:], strict=True)):
            found |= {f"w{i}": pair, f"b{i}": pair[1:]}
            if self.has_beta and i < HIDDEN_LAYERS:
                found[f"beta{i}"] = pair[1:]
        return found

    @property
    def size(self) -> int:
        """Numbers in all."""
        return sum(int(np.prod(shape)) for shape in self.shapes.values())

    def offsets(self) -> dict[str, int]:
        """Where each array begins."""
        found, at = {}, 0
        for name, shape in self.shapes.items():
            found[name] = at
            at += int(np.prod(shape))
        return found

    def views(self, flat: Any) -> dict[str, Any]:
        """The arrays of a flat array by name, without a copy."""
        at = self.offsets()
        return {
            name: flat[at[name] : at[name] + int(np.prod(shape))].reshape(shape) for name, shape in self.shapes.items()
        }

    def start(self, seed: int) -> Floats:
        """Weights at the start: Glorot uniform matrices, beta 1, the rest 0."""
        rng = np.random.default_rng([seed, 1])
        flat = np.zeros(self.size, np.float32)
        for name, view in self.views(flat).items():
            if name.startswith("w"):
                limit = np.sqrt(6.0 / sum(view.shape))
                view[:] = rng.uniform(-limit, limit, view.shape)
            elif name.startswith("beta"):
                view[:] = 1
        return flat

    def feedback(self, seed: int) -> dict[str, Floats]:
        """Fixed matrices of back-propagation rules, as large as weights at the start.

        "r1" has the shape of "w1" and so on; "d0" leads from the logits to the first hidden layer, and so on.
        """
        rng = np.random.default_rng([seed, 2])
        found: dict[str, Floats] = {}
        for i in range(1, HIDDEN_LAYERS + 1):
            for name, shape in ((f"r{i}", self.shapes[f"w{i}"]), (f"d{i - 1}", (self.hidden, self.classes))):
                found[name] = (rng.normal(size=shape) * np.sqrt(2.0 / sum(shape))).astype(np.float32)
        return found


@dataclass(frozen=True, eq=False)
class Setup:
    """A training before it begins.

    Attributes:
        layout: of the weights.
        start: (n,) weights at the start.
        seed: of everything that is drawn.
        order: (steps, batch) numbers of the training examples of every step.
        windows: (steps,) where in the pool the random numbers of every step begin.
        x_train: (examples, inputs).
        y_train: (examples,) int32.
        x_valid: (examples, inputs).
        y_valid: (examples,) int32.
    """

    layout: Layout
    start: Floats
    seed: int
    order: NDArray[np.int32]
    windows: NDArray[np.int32]
    x_train: Floats
    y_train: NDArray[np.int32]
    x_valid: Floats
    y_valid: NDArray[np.int32]

    @functools.cached_property
    def feedback(self) -> Mapping[str, Floats]:
        """See `Layout.feedback`."""
        return self.layout.feedback(self.seed)

    @property
    def steps(self) -> int:
        """Of the whole training."""
        return len(self.order)


@functools.lru_cache(maxsize=2)
def make_setup(data: Dataset, *, seed: int, hidden: int, steps: int, batch: int, has_beta: bool) -> Setup:
    """A training of some steps on batches drawn without replacement, the same object for the same arguments.

    Args:
        data: what to train and measure on.
        seed: of weights and order.
        hidden: units of each hidden layer.
        steps: batches in all.
        batch: examples of a step, or all where there are fewer.
        has_beta: whether hidden units have a beta.
    """
    examples = len(data.y_train)
    size = min(batch, examples)
    per_epoch = examples // size
    rng = np.random.default_rng([seed, 0])
    epochs = -(-steps // per_epoch)
    rows = [rng.permutation(examples)[: per_epoch * size].reshape(per_epoch, size) for _ in range(epochs)]
    layout = Layout(int(np.prod(data.x_train.shape[1:])), hidden, data.classes, has_beta)
    widest = max(hidden, layout.classes)
    longest = max(layout.size, (size + hidden) * widest) + _LAYER_STRIDE * HIDDEN_LAYERS
    if longest >= POOL:
        raise ValueError(f"A network of {layout.size:,} weights is too large for an expression: ask for fewer units.")
    return Setup(
        layout=layout,
        start=layout.start(seed),
        seed=seed,
        order=np.concatenate(rows)[:steps].astype(np.int32),
        windows=rng.integers(0, POOL - longest, steps).astype(np.int32),
        x_train=data.x_train.reshape(examples, -1),
        y_train=data.y_train,
        x_valid=data.x_valid.reshape(len(data.y_valid), -1),
        y_valid=data.y_valid,
    )


@functools.cache
def normal_pool() -> Floats:
    """(POOL,) numbers that the operand "noise" takes windows of."""
    return np.random.default_rng(20173).normal(0, NOISE_STD, POOL).astype(np.float32)


@functools.cache
def uniform_pool() -> Floats:
    """(POOL,) numbers from 0 to 1; an entry is dropped where its number is below the rate."""
    return np.random.default_rng(20174).random(POOL, np.float32)


@functools.cache
def mask_pool(rate: float) -> NDArray[np.uint32]:
    """(POOL,) masks that drop by the numbers of `uniform_pool`: all bits where an entry is kept, else none."""
    return np.where(uniform_pool() >= rate, np.uint32(0xFFFFFFFF), np.uint32(0))


def layer_window(window: Any, layer: int) -> Any:
    """Where the random numbers of one hidden layer begin, within a step."""
    return window + _LAYER_STRIDE * layer
