"""A search that somebody else drives: proposals one at a time, results as they come, and a log that rebuilds it.

It proposes exactly what `autoglyph search --in-flight N` proposes when the same results come in the same order.
Its state is the log of what was proposed and told: plain JSON, played again to go on.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from autoglyph.algorithms import Algorithm, Outcomes
from autoglyph.experiments.objectives import FloatArray, Objective, fitness_function, objective_to_json
from autoglyph.experiments.search import MAX_IDLE_ASKS
from autoglyph.experiments.symbolic_settings import plain
from autoglyph.search_spaces import Rows
from autoglyph.search_spaces.space import SearchSpace

_FORMAT = 1


class Proposal(NamedTuple):
    """An individual to evaluate.

    Attributes:
        number: of the trial, from 0.
        row: (L,) canonical row.
    """

    number: int
    row: Rows


class Told(NamedTuple):
    """A trial that the algorithm was told of.

    Attributes:
        name: what the driver calls the trial.
        number: of the trial.
        fitness: of its first objective, to be maximised; -inf if it failed.
        members: trial numbers of the algorithm's living population afterwards, None if it has none.
    """

    name: str
    number: int
    fitness: float
    members: list[int] | None


class DrivenSearch:
    """An algorithm on a space, and the log of what became of its proposals.

    Args:
        space: what is searched.
        algorithm: its settings; a copy is set up.
        objectives: what is wanted.
        seed: of all randomness.

    Raises:
        ValueError: if the algorithm cannot serve the space or that many objectives.
    """

    def __init__(self, space: SearchSpace, algorithm: Algorithm, objectives: Sequence[Objective], seed: int) -> None:
        if not objectives:
            raise ValueError("Expected at least one objective, such as maximize('accuracy').")
        if seed < 0:
            raise ValueError(f"Expected a seed of 0 or more, received {seed}.")
        self.space, self.algorithm, self.objectives, self.seed = space, algorithm, tuple(objectives), seed
        self.metrics = tuple(dict.fromkeys(metric for objective in objectives for metric in objective.metrics))
        self._fitness_of = fitness_function(self.objectives)
        self._listener: Callable[[Told], None] | None = None
        self._is_exhausted = False
        self._begin()

    @property
    def initial_population(self) -> int:
        """Individuals that are proposed before the first child, 0 for an algorithm without a population."""
        return self.algorithm.initial_population

    def fitness(self, metrics: Mapping[str, Any]) -> FloatArray:
        """(M,) fitness of an individual with these metrics, -inf where one is missing or no number."""
        columns = {name: np.array([_number(metrics.get(name))]) for name in self.metrics}
        values: FloatArray = self._fitness_of(columns)[0]
        return values

    def propose(self, name: str) -> Proposal | None:
        """The next individual that was not proposed before; None if there is nothing new left."""
        if self._is_exhausted:
            return None
        proposal = self._next()
        if proposal is None:
            self._is_exhausted = True
            self._log.append(["end"])
            return None
        self._names.append(name)
        self._under_way[name] = proposal.number
        self._log.append(["propose", name, self.space.genome.to_json(proposal.row)])
        return proposal

    def number_of(self, name: str) -> int | None:
        """The number of a trial that is under way, None if there is no such trial."""
        return self._under_way.get(name)

    def is_settled(self, number: int) -> bool:
        """Whether there is no such trial, or it is over and did not fail."""
        if not 0 <= number < len(self._rows):
            return True
        return number in self._told and bool(np.isfinite(self._told[number]).all())

    def tell(self, number: int, fitness: FloatArray) -> None:
        """Takes the (M,) fitness of a trial, -inf if it failed; a second time after it was tried again."""
        values = fitness.tolist() if np.isfinite(fitness).all() else None
        self._log.append(["tell", number, values])
        self._take(number, values)

    def follow(self, listener: Callable[[Told], None]) -> None:
        """Has a listener told of every finished trial: at once of those so far, in order, and of others as they come.

        What was told so far is played again, so that each is reported with the population of its time.
        """
        self._listener = listener
        self._play(self._log)

    def state(self) -> dict[str, Any]:
        """Everything needed to go on, as plain JSON."""
        return {"format": _FORMAT, **self._description(), "log": self._log}

    def load(self, state: Mapping[str, Any]) -> None:
        """Goes on from a state.

        Raises:
            ValueError: if it is the state of another search.
        """
        expected = {"format": _FORMAT, **self._description()}
        for key, value in expected.items():
            if state.get(key) != value:
                raise ValueError(
                    f"This state belongs to a search with another {key} ({state.get(key)!r}, not {value!r}): "
                    "restore it into the searcher that wrote it."
                )
        self._play(state["log"])

    def _description(self) -> dict[str, Any]:
        return {
            "space": self.space.name,
            "digest": self.space.digest,
            "algorithm": plain(self.algorithm),
            "objectives": [objective_to_json(objective) for objective in self.objectives],
            "seed": self.seed,
        }

    def _begin(self) -> None:
        self._fold: Algorithm = self.algorithm.clone(deep=True)
        self._fold.setup(self.space.genome, len(self.objectives), self.seed)
        self._numbers: dict[bytes, int] = {}
        self._rows: list[Rows] = []
        self._names: list[str] = []
        self._under_way: dict[str, int] = {}
        self._told: dict[int, FloatArray] = {}
        self._log: list[list[Any]] = []
        self._idle = 0
        self._is_exhausted = False

    def _next(self) -> Proposal | None:
        while True:
            rows = self._fold.ask(1).rows[:1]
            if len(rows) == 0 or self._idle >= MAX_IDLE_ASKS or 0 < self.space.size <= len(self._numbers):
                return None
            (key,) = self.space.genome.keys(rows)
            known = self._numbers.get(key)
            if known is None and bool(self.space.feasible(rows)[0]):
                self._idle = 0
                number = self._numbers[key] = len(self._rows)
                self._rows.append(rows[0])
                return Proposal(number, rows[0])
            self._idle += 1
            if known in self._told:
                self._fold.tell(Outcomes(np.array([known]), rows, self._told[known][None]))

    def _take(self, number: int, values: Sequence[float] | None) -> None:
        fitness = np.full(len(self.objectives), -np.inf) if values is None else np.array(values, np.float64)
        self._told[number] = fitness
        self._under_way.pop(self._names[number], None)
        self._fold.tell(Outcomes(np.array([number]), self._rows[number][None], fitness[None]))
        if self._listener is not None:
            members = self._fold.members()
            alive = None if members is None else members.tolist()
            self._listener(Told(self._names[number], number, float(fitness[0]), alive))

    def _play(self, log: Sequence[Sequence[Any]]) -> None:
        self._begin()
        for what, *details in log:
            if what == "propose":
                name, genes = details
                proposal = self.propose(name)
                if proposal is None or self.space.genome.to_json(proposal.row) != genes:
                    raise ValueError(
                        "This state does not follow from its search: it was made by another version; start a new one."
                    )
            elif what == "tell":
                number, values = details
                self._log.append(["tell", number, values])
                self._take(number, values)
            else:
                self.propose("")


def _number(value: Any) -> float:
    try:
        return float(value)
    except (TypeError, ValueError):
        return math.nan
