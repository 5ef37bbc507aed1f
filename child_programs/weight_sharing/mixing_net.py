"""Readings that take in all candidates of decisions at once: one of them by number, or their weighted sum.

A `Mixture` stands where a decision was made. What depends on it is built for every candidate, with weights of its own
by `PathNet`, and a rule says what comes out: `switch_case` computes one candidate alone, so that a single compiled
program holds the memory of one path; a weighted sum is DARTS (Liu et al. 2019).
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Hashable, Sequence
from typing import Any

import numpy as np
import pyglove as pg

from autoglyph.child_programs.weight_sharing.path_net import PathNet
from autoglyph.child_programs.weight_sharing.shared_weights import SharedWeights
from autoglyph.search_spaces import Genome
from autoglyph.search_spaces.architecture import Architecture
from autoglyph.search_spaces.genome import Row
from autoglyph.search_spaces.net import Mixture, Net, Tensor
from autoglyph.search_spaces.ops import Op

Branch = Callable[[], Any]
Mix = Callable[[str, Sequence[Branch]], Any]
"""(decision, what computes each candidate) -> what comes out."""


class MixingNet(PathNet):
    """Computes an architecture in which mixtures stand for decisions.

    Args:
        weights: shared by all paths.
        images: that the network's input stands for.
        mix: what comes out of the candidates of a decision.
    """

    def __init__(self, weights: SharedWeights, images: Any, mix: Mix) -> None:
        super().__init__(weights, images)
        self._mix = mix

    def choose(
        self, name: str, build: Callable[..., Tensor | None], x: Tensor, choice: Hashable, *settings: Hashable
    ) -> Tensor | None:
        """All candidates of a part, mixed; nothing counts as zeros."""
        if not isinstance(choice, Mixture):
            return super().choose(name, build, x, choice, *settings)

        def branch(candidate: Hashable) -> Any:
            made = super(MixingNet, self).choose(name, build, x, candidate, *settings)
            return x.value * 0 if made is None else made.value

        value = self._mix(choice.decision, [functools.partial(branch, c) for c in choice.candidates])
        return Tensor(x.shape, value)

    def block(self, name: str, build: Callable[..., Any], x: Any, *settings: Hashable) -> Any:
        """All combinations of the candidates that a block depends on, mixed decision by decision."""
        first = _first_mixture(settings)
        if first is None:
            return super().block(name, build, x, *settings)
        at, mixture = first
        shapes = []

        def branch(candidate: Hashable) -> Any:
            made = self.block(name, build, x, *settings[:at], candidate, *settings[at + 1 :])
            shapes.append(made.shape)
            return made.value

        value = self._mix(mixture.decision, [functools.partial(branch, c) for c in mixture.candidates])
        return Tensor(shapes[0], value)


def _first_mixture(settings: Sequence[Hashable]) -> tuple[int, Mixture] | None:
    """The first setting of a block that is a mixture, and its place; None without one."""
    return next(((at, each) for at, each in enumerate(settings) if isinstance(each, Mixture)), None)


def switch_of(indices: Any, numbers: dict[str, int]) -> Mix:
    """The rule that computes one candidate of each decision.

    Args:
        indices: (L,) tensor with the number of the candidate of each decision.
        numbers: places of the decisions in it, by name.
    """
    import tensorflow as tf

    return lambda decision, branches: tf.switch_case(indices[numbers[decision]], list(branches))


def sum_of(shares: dict[str, Any]) -> Mix:
    """The rule that sums candidates, each times its share.

    Args:
        shares: (candidates,) tensor by decision.
    """

    def mix(decision: str, branches: Sequence[Branch]) -> Any:
        values = [branch() for branch in branches]
        return sum(shares[decision][k] * value for k, value in enumerate(values))

    return mix


def with_mixtures(genome: Genome, row: Row, columns: Sequence[int]) -> Architecture:
    """An individual in which mixtures stand for some of its decisions.

    Args:
        genome: of a space whose decisions do not depend on one another.
        row: the other decisions.
        columns: numbers of the decisions to mix.
    """
    mixed: Architecture = genome.decode(row).clone(deep=True)
    stand_ins = {
        genome.columns[at].name: Mixture(genome.columns[at].name, tuple(genome.columns[at].candidates))
        for at in columns
    }
    with pg.enable_type_check(False):  # fields are typed for one candidate
        mixed.rebind(stand_ins, raise_on_no_change=False)
    return mixed


def mixable_columns(genome: Genome, fitted: Callable[[Architecture], Architecture]) -> list[int]:
    """Decisions that change parts of a network and not its structure, such as kernels but not depths.

    Args:
        genome: of the space.
        fitted: makes an individual small enough to train.
    """
    if not genome.independent:
        return []
    row = genome.random(1, np.random.default_rng(0))[0]
    return [at for at in range(len(genome.columns)) if _mixes(genome, row, at, fitted)]


def _mixes(genome: Genome, row: Row, at: int, fitted: Callable[[Architecture], Architecture]) -> bool:
    net = _AllShapes()
    try:
        if genome.decode(row).sym_get(genome.columns[at].name) != genome.columns[at].candidates[int(row[at])]:
            return False  # candidates that are no numbers or names are known by their text alone
        with pg.enable_type_check(False):
            fitted(with_mixtures(genome, row, [at])).build(net)
    except (TypeError, AttributeError, ValueError, KeyError, IndexError):
        return False
    return net.met


class _AllShapes(Net):
    """Shapes alone, of all candidates of a decision, and whether any part depends on it."""

    def __init__(self) -> None:
        super().__init__()
        self.met = False

    def apply(self, op: Op, *inputs: Tensor) -> Tensor:
        return Tensor(op.output(*(each.shape for each in inputs)))

    def choose(
        self, name: str, build: Callable[..., Tensor | None], x: Tensor, choice: Hashable, *settings: Hashable
    ) -> Tensor | None:
        if not isinstance(choice, Mixture):
            return super().choose(name, build, x, choice, *settings)
        self.met = True
        for candidate in choice.candidates:
            made = super().choose(name, build, x, candidate, *settings)
            if made is not None and made.shape != x.shape:
                raise ValueError(f"The candidates of {choice.decision} give different shapes.")
        return x

    def block(self, name: str, build: Callable[..., Any], x: Any, *settings: Hashable) -> Any:
        first = _first_mixture(settings)
        if first is None:
            return super().block(name, build, x, *settings)
        self.met = True
        at, mixture = first
        made = [self.block(name, build, x, *settings[:at], c, *settings[at + 1 :]) for c in mixture.candidates]
        if len({each.shape for each in made}) > 1:
            raise ValueError(f"The candidates of {mixture.decision} give different shapes.")
        return made[0]
