"""A domain: a space together with ways to tell what an individual is worth."""

from __future__ import annotations

import functools
import importlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from autoglyph.experiments.objectives import Objective
from autoglyph.search_spaces import Genome, Rows, plugins
from autoglyph.search_spaces.expressions.fingerprint import Fingerprint
from autoglyph.search_spaces.space import SearchSpace

_PACKAGE = "autoglyph.experiments.domains"
_GROUP = "autoglyph.domains"


class Candidates(Sequence[Any]):
    """A batch of individuals, decoded only where one is looked at.

    Args:
        genome: the compiled space.
        rows: (n, L) canonical rows.
    """

    def __init__(self, genome: Genome, rows: Rows) -> None:
        self.genome = genome
        self.rows = rows

    def __len__(self) -> int:
        return len(self.rows)

    def __iter__(self) -> Iterator[Any]:
        return (self.genome.decode(row) for row in self.rows)

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            return Candidates(self.genome, self.rows[index])
        return self.genome.decode(self.rows[index])

    def column(self, name: str) -> NDArray[Any]:
        """(n,) chosen values of one decision, such as "stages[2].kernel"."""
        names = [c.name for c in self.genome.columns]
        if name not in names:
            raise plugins.unknown_name("decision", name, names)
        return np.asarray(self.genome.literals(self.rows, names.index(name)))


Score = Callable[[Candidates], Mapping[str, Any]]


@dataclass(frozen=True)
class Domain:
    """What a search needs to know beside its algorithm.

    Attributes:
        space: what is searched.
        objectives: what is wanted unless the search says otherwise.
        score: cheap judgement of a whole batch: candidates -> {metric: (n,) array}; runs in the driver.
        scores: several of them by name, of which a search chooses one; `score` is one named "score".
        program: child program that trains one candidate: an object with `rungs` and `run`, or a generator
            function (candidate, *, seed, data) -> {metric: value} per rung.
        device: chip whose cost model is used unless the search names another one.
        data: data set that the program trains on unless the search names another one.
        rungs: budgets at which a generator function measures, from small to large; a program that is an object has
            its own.
        load: (name of the data, seed, program) -> the data set that is passed to the program; None for images.
        fingerprint: what can be told of a candidate without training it: candidates of equal fingerprints take the
            result of the first of them, and degenerate ones are infeasible; None to train them all.
        sources: one sentence on where the numbers of each score come from, by name.
    """

    space: SearchSpace
    objectives: Sequence[Objective] = ()
    score: Score | None = None
    scores: Mapping[str, Callable[[], Score]] = field(default_factory=dict)
    program: Any = None
    device: str | None = None
    data: str = "digits"
    rungs: Sequence[float] = ()
    load: Callable[[str, int, Any], Any] | None = None
    fingerprint: Callable[[Any], Fingerprint] | None = None
    sources: Mapping[str, str] = field(default_factory=dict)

    @functools.cached_property
    def accuracy_names(self) -> list[str]:
        """The ways to score that a search can choose from, the default first; "none" leaves costs alone."""
        names = (["score"] if self.score else []) + list(self.scores)
        return [*names, *(["trained"] if self.program is not None else []), "none"]

    def load_data(self, name: str, seed: int, program: Any) -> Any:
        """The data set that children are trained on; its test examples are left for replayed individuals.

        Raises:
            ValueError: if there is no such data set, or it cannot be read.
        """
        if self.load is not None:
            return self.load(name, seed, program)
        from autoglyph.child_programs.datasets import DEFAULT_VALIDATION_SHARE, load_dataset

        resolution = getattr(program, "resolution", None)
        return load_dataset(name, seed=seed, resolution=resolution, validation_share=DEFAULT_VALIDATION_SHARE)

    def num_rungs(self, program: Any) -> int:
        """Budgets at which the child program measures, 0 if it does not say."""
        return len(getattr(program, "rungs", self.rungs))

    def score_function(self, accuracy: str) -> Score | None:
        """The batch score of that name, None where individuals are trained or only costed."""
        if accuracy == "score" and self.score:
            return self.score
        return self.scores[accuracy]() if accuracy in self.scores else None


def built_in_names() -> list[str]:
    """Names of the domains that ship with the package."""
    return plugins.module_names(_PACKAGE)


def load_domain(reference: str) -> Domain:
    """A domain by name, or from a file.

    Args:
        reference: a built-in name, an entry point of the group autoglyph.domains, or "file.py[:NAME]"
            (NAME is DOMAIN where it is left out).

    Raises:
        ValueError: if there is no such domain, with the nearest names.
        FileNotFoundError: if there is no such file.
    """
    if ".py" in reference:
        domain = plugins.attribute_of_file(reference, "DOMAIN")
    elif reference in built_in_names():
        domain = importlib.import_module(f"{_PACKAGE}.{reference}").DOMAIN
    else:
        points = plugins.entry_points(_GROUP)
        if reference not in points:
            raise plugins.unknown_name("search space", reference, [*built_in_names(), *points])
        domain = points[reference].load()
    if isinstance(domain, SearchSpace):
        domain = Domain(space=domain)
    if not isinstance(domain, Domain):
        raise ValueError(f"{reference} is a {type(domain).__name__}: expected a Domain or a SearchSpace.")
    return domain
