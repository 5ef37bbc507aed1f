"""A domain under check, with what its contracts need of it."""

from __future__ import annotations

import functools
from dataclasses import dataclass

import numpy as np

from autoglyph.experiments.checking.source import Source
from autoglyph.experiments.domain import Domain
from autoglyph.search_spaces import Genome, Rows

SAMPLES = 16


@dataclass(frozen=True)
class Subject:
    """A domain under check.

    Attributes:
        reference: as it was named.
        domain: the domain.
        source: its text, None if it is not in a file.
        seconds: how long its child program may run.
        data: what it trains on.
    """

    reference: str
    domain: Domain
    source: Source | None
    seconds: float
    data: str

    @property
    def genome(self) -> Genome:
        """Its compiled space."""
        return self.domain.space.genome

    @functools.cached_property
    def rows(self) -> Rows:
        """Random points of the space, the same at every check."""
        return self.genome.random(SAMPLES, np.random.default_rng(0))

    @property
    def space_line(self) -> int | None:
        """Where the space is made."""
        return None if self.source is None else self.source.space_line(self.domain.space.name)

    @property
    def domain_line(self) -> int | None:
        """Where the domain is made."""
        return None if self.source is None else self.source.domain_line

    def argument_line(self, keyword: str, index: int | None = None) -> int | None:
        """Where an argument of the domain is given, or one item of a list."""
        return None if self.source is None else self.source.argument_line(keyword, index)

    def error_line(self, error: BaseException) -> int | None:
        """The last line of the file through which an error came."""
        return None if self.source is None else self.source.error_line(error)

    def definition_line(self, function: object) -> int | None:
        """Where a function of the file is defined."""
        return None if self.source is None else self.source.definition_line(function)
