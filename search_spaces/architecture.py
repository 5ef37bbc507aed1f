"""Architectures: symbolic values that say what they compute, segment by segment."""

from __future__ import annotations

import abc
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, Self

import pyglove as pg

from autoglyph.search_spaces.net import Net, Tensors


class Segment(NamedTuple):
    """A part of a network that depends on named symbolic parts and on its input alone.

    Two individuals whose parts and input shapes are equal have the same segment, so its cost is worked out
    once and shared by a whole population. `build` receives nothing but those parts, which makes the
    promise hold by construction.

    Attributes:
        name: scope of its operations.
        parts: symbolic paths within the architecture, such as "stages[2]".
        build: (net, input, *values of the parts) -> output; the input of the first segment is None. Input and
            output are a tensor or a tuple of them, such as the levels of a feature pyramid.
    """

    name: str
    parts: tuple[str, ...]
    build: Callable[..., Tensors]


class Architecture(pg.Object, abc.ABC):
    """What a space of networks decodes to.

    The number, names and parts of the segments are the same for all individuals of a space. A concrete
    architecture has the symbolic fields `channels`, of the input image, and `classes`, of the classifier.
    """

    @abc.abstractmethod
    def segments(self) -> Sequence[Segment]:
        """The network from its input to its output."""

    @abc.abstractmethod
    def proxy(self, *, resolution: int, channels: int, classes: int, width: float) -> Self:
        """The same individual made small enough to train.

        Args:
            resolution: side of the square images at hand, pixels.
            channels: channels of the images.
            classes: how many classes there are.
            width: channel counts as a factor of the published base width.
        """

    def for_data(self, *, channels: int, classes: int) -> Self:
        """The same individual at its own size for images of so many channels and classes."""
        fitted: Self = self.clone(deep=True)
        fitted.rebind(channels=channels, classes=classes, raise_on_no_change=False)
        return fitted

    @property
    @abc.abstractmethod
    def resolution(self) -> int:
        """Side of the square images it takes, pixels."""

    def part(self, path: str) -> Any:
        """The symbolic value at a path within the architecture."""
        return self.sym_get(pg.KeyPath.parse(path))

    def build(self, net: Net) -> Tensors:
        """Reads the whole network with `net` and returns its output, one tensor or several."""
        x: Tensors | None = None
        for segment in self.segments():
            with net.scope(segment.name):
                x = segment.build(net, x, *map(self.part, segment.parts))
        if x is None:
            raise ValueError(f"{type(self).__name__} has no segments.")
        return x
