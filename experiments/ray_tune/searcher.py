"""Any Autoglyph algorithm as a searcher of Ray Tune."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from ray.tune.search import Searcher

from autoglyph.algorithms import Algorithm
from autoglyph.experiments.objectives import FloatArray, Objective
from autoglyph.experiments.ray_tune.driven_search import DrivenSearch, Proposal, Told
from autoglyph.search_spaces.space import SearchSpace

_KEY = "individual"


class AutoglyphSearcher(Searcher):
    """Proposes the individuals of a space; the same ones as `autoglyph search` if results come in the same order.

    A trial's config holds "individual": "trial", its number; "genes", its decisions as plain JSON, from which
    `individual` makes the object in the trainable; and "values", the decisions that are made by name, to be read in
    Tune's tables. No individual is proposed twice. A failed trial, and one whose metrics are no numbers, counts as
    the worst.

    With several objectives leave `metric` and `mode` out of `tune.TuneConfig`.

    Args:
        space: what is searched.
        algorithm: its settings.
        objectives: what is wanted of the metrics that trials report.
        seed: of all randomness.

    Raises:
        ValueError: if the algorithm cannot serve the space or that many objectives.

    Example:
        >>> searcher = AutoglyphSearcher(SPACE, RegularizedEvolution(), objectives=[maximize("accuracy")])
        >>> tune.Tuner(Child, tune_config=tune.TuneConfig(search_alg=searcher, num_samples=100))
    """

    CKPT_FILE_TMPL = "searcher-state-{}.json"

    def __init__(
        self, space: SearchSpace, algorithm: Algorithm, *, objectives: Sequence[Objective], seed: int = 0
    ) -> None:
        self._search = DrivenSearch(space, algorithm, objectives, seed)
        super().__init__()
        self._metric = list(self._search.metrics)

    def __reduce__(self) -> tuple[Any, ...]:
        """Travels as its settings and its log."""
        search = self._search
        settings = (search.space, search.algorithm, search.objectives, search.seed)
        return _made_again, (*settings, json.dumps(search.state()))

    @property
    def initial_population(self) -> int:
        """Individuals that are proposed before the first child, 0 for an algorithm without a population."""
        return self._search.initial_population

    def suggest(self, trial_id: str) -> Any:
        """The config of a new trial as a dict, or `Searcher.FINISHED` if there is nothing new left to propose."""
        proposal = self._search.propose(trial_id)
        return self.FINISHED if proposal is None else {_KEY: self._described(proposal)}

    def on_trial_complete(self, trial_id: str, result: Mapping[str, Any] | None = None, error: bool = False) -> None:
        """Tells the algorithm; a trial that failed before and was started again is told a second time."""
        number = self._search.number_of(trial_id)
        if number is None:
            number = None if result is None else result.get(f"config/{_KEY}/trial")
            if number is None or self._search.is_settled(number):
                return
        failed = error or result is None
        self._search.tell(number, self.fitness({} if failed or result is None else result))

    def fitness(self, result: Mapping[str, Any]) -> FloatArray:
        """(M,) values to maximise of a result; -inf where a metric is missing or no number."""
        return self._search.fitness(result)

    def follow(self, listener: Callable[[Told], None]) -> None:
        """Has a listener told of every finished trial, those so far included, each with the population of its time."""
        self._search.follow(listener)

    def save(self, checkpoint_path: str) -> None:
        """Writes what was proposed and told, as JSON."""
        Path(checkpoint_path).write_text(json.dumps(self._search.state()), encoding="utf-8")

    def restore(self, checkpoint_path: str) -> None:
        """Goes on from a file that `save` wrote.

        Raises:
            ValueError: if it was written by another search.
        """
        self._search.load(json.loads(Path(checkpoint_path).read_text(encoding="utf-8")))

    def _described(self, proposal: Proposal) -> dict[str, Any]:
        genome = self._search.space.genome
        rows = proposal.row[None]
        active = genome.active(rows)[0]
        values = {
            column.name: _plain(genome.literals(rows, i)[0]) for i, column in enumerate(genome.columns) if active[i]
        }
        return {"trial": proposal.number, "genes": genome.to_json(proposal.row), "values": values}


def individual(config: Mapping[str, Any], space: SearchSpace) -> Any:
    """The individual of a trial, a new object at every call.

    Args:
        config: of the trial.
        space: that of the searcher; a module's own constant is compiled once a process.

    Raises:
        ValueError: if the config holds no individual of this space.
    """
    if _KEY not in config:
        raise ValueError(f"This config has no {_KEY!r}: it does not come from an AutoglyphSearcher.")
    return space.genome.decode(space.genome.from_json(list(config[_KEY]["genes"])))


def _made_again(
    space: SearchSpace, algorithm: Algorithm, objectives: Sequence[Objective], seed: int, state: str
) -> AutoglyphSearcher:
    searcher = AutoglyphSearcher(space, algorithm, objectives=objectives, seed=seed)
    searcher._search.load(json.loads(state))
    return searcher


def _plain(value: Any) -> Any:
    if isinstance(value, np.generic):
        value = value.item()
    return value if isinstance(value, (str, int, float, bool)) else str(value)
