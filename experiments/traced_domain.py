"""A domain from a function that chooses as it runs and returns what it is worth."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from autoglyph.experiments.domain import Candidates, Domain
from autoglyph.experiments.objectives import parse_objective
from autoglyph.search_spaces.existing_code import TracedFunction

VALUE = "value"


def traced_domain(name: str, function: Callable[[], Any], objectives: Sequence[str] = (f"max:{VALUE}",)) -> Domain:
    """The domain of a function in which `pg.oneof` and its kind are called.

    Args:
        name: of its space.
        function: returns numbers by metric name, or one number, which is the metric "value".
        objectives: see `parse_objective`.

    Raises:
        ValueError: if the function chooses nothing.
    """
    traced = TracedFunction(name, function)

    def score(candidates: Candidates) -> Mapping[str, Any]:
        results = [traced(dna) for dna in candidates]
        rows = [result if isinstance(result, Mapping) else {VALUE: result} for result in results]
        return {metric: np.array([row[metric] for row in rows], np.float64) for metric in rows[0]}

    return Domain(traced.space, objectives=[parse_objective(text) for text in objectives], score=score)
