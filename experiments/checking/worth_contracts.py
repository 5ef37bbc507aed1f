"""Contracts on what a domain says of an individual: scores, costs, child program, objectives."""

from __future__ import annotations

import inspect
import itertools
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np

from autoglyph.algorithms.random import Random
from autoglyph.child_programs.base import ChildFailed
from autoglyph.experiments.checking.findings import BrokenContract
from autoglyph.experiments.checking.space_contracts import first_line
from autoglyph.experiments.checking.subject import Subject
from autoglyph.experiments.domain import Candidates, Score
from autoglyph.experiments.evaluation import CheapEvaluator
from autoglyph.experiments.experiment import Experiment
from autoglyph.experiments.objectives import Objective
from autoglyph.search_spaces.architecture import Architecture

_ATTEMPTS = 3
_ANY_DEVICE = "tpu_v3"


def scores(subject: Subject) -> tuple[str, dict[str, set[str]]]:
    """Scores give one number for each candidate.

    Returns:
        A note, and the metrics of each score by its name.
    """
    found = {}
    for name in subject.domain.accuracy_names:
        score = subject.domain.score_function(name)
        if score is not None:
            found[name] = set(_scored(subject, name, score))
    return f"{len(found)} scores" if len(found) != 1 else "1 score", found


def _scored(subject: Subject, name: str, score: Score) -> list[str]:
    line = subject.definition_line(score) or subject.argument_line("score" if name == "score" else "scores")
    whole: dict[str, Any] = {}
    for n in (len(subject.rows), 1):
        try:
            found = score(Candidates(subject.genome, subject.rows[:n]))
        except Exception as error:
            raise BrokenContract(
                f"The score {name!r} fails on {n} candidates ({first_line(error)}).",
                "let it take a batch of any size; candidates.column(NAME) gives the choices of one decision.",
                subject.error_line(error) or line,
            ) from error
        if not isinstance(found, Mapping) or not found:
            raise BrokenContract(
                f"The score {name!r} returns {type(found).__name__} instead of numbers by metric name.",
                'return {"metric": values} with one value for each candidate.',
                line,
            )
        for metric, values in found.items():
            array = np.asarray(values)
            if array.shape != (n,) or array.dtype.kind not in "bifu":
                raise BrokenContract(
                    f"The score {name!r} gives {metric!r} as {array.dtype} of shape {array.shape} for {n} candidates.",
                    "return one number for each candidate.",
                    line,
                )
            if not np.array_equal(array[0], whole.setdefault(metric, array)[0], equal_nan=True):
                raise BrokenContract(
                    f"The score {name!r} gives another {metric!r} for the same candidate in a smaller batch.",
                    "let it depend on the candidate alone.",
                    line,
                )
    return list(whole)


def costs(subject: Subject) -> tuple[str, set[str]]:
    """The cost model takes its individuals.

    Returns:
        A note, and the names of the costs.
    """
    individual = subject.genome.decode(subject.rows[0])
    device = subject.domain.device
    if device is None and isinstance(individual, Architecture):
        device = _ANY_DEVICE
    try:
        experiment = Experiment(
            domain=subject.reference,
            algorithm=Random(),
            algorithm_name="random",
            objectives=[],
            accuracy="none",
            device=device,
        )
        found = CheapEvaluator(experiment, subject.domain).metrics(subject.rows)
    except Exception as error:
        raise BrokenContract(
            f"The cost model refuses an individual ({first_line(error)}).",
            "let individuals that are networks derive from Architecture and build in the language of Net, "
            "and name a device that there is.",
            subject.error_line(error) or subject.argument_line("device"),
        ) from error
    for name, values in found.items():
        if not np.isfinite(values).all():
            raise BrokenContract(
                f"The cost {name!r} of an individual is no finite number.",
                "look at the individual with `autoglyph cost`.",
                subject.space_line,
            )
    usable = set(found) if subject.domain.device is not None or not isinstance(individual, Architecture) else set()
    return (f"{len(found)} costs" if found else "individuals are no networks: none"), usable


def trains(subject: Subject) -> tuple[str, set[str]]:
    """The child program yields measurements, one a rung.

    Returns:
        A note, and the metrics that it reports; all that is wanted where no child of a few could be measured.
    """
    program = subject.domain.program
    if program is None:
        return "no program", set()
    run = getattr(program, "run", program)
    line = subject.definition_line(run) or subject.argument_line("program")
    try:
        inspect.signature(run).bind(None, seed=0, data=None)
    except (TypeError, ValueError) as error:
        raise BrokenContract(
            f"The program cannot be called as a child program ({error}).",
            "define it as `def train(candidate, *, seed, data):`.",
            line,
        ) from error
    amounts = [getattr(rung, "amount", rung) for rung in getattr(program, "rungs", subject.domain.rungs)]
    if any(later <= earlier for earlier, later in itertools.pairwise(amounts)):
        raise BrokenContract(
            f"The rungs {amounts} do not ascend.",
            "list budgets from small to large, each from the beginning of the training.",
            subject.argument_line("rungs"),
        )
    try:
        data = subject.domain.load_data(subject.data, 0, program)
    except Exception as error:
        raise BrokenContract(
            f"The data {subject.data!r} cannot be loaded ({first_line(error)}).",
            "name data that is here with --data, or give Domain(load=...).",
            subject.error_line(error) or subject.argument_line("data"),
        ) from error
    prepare: Callable[[int], None] | None = getattr(program, "prepare", None)
    if prepare is not None:
        prepare(1)
    return _measured(subject, run, data, line, len(amounts))


def _measured(
    subject: Subject, run: Callable[..., Any], data: Any, line: int | None, num_rungs: int
) -> tuple[str, set[str]]:
    deadline = time.monotonic() + subject.seconds
    found: list[set[str]] | None = None
    ended, failure, faults = False, "", 0
    for row in subject.rows:
        try:
            found, ended = _pull(run(subject.genome.decode(row), seed=0, data=data), deadline, line)
            break
        except ChildFailed as error:
            failure = first_line(error)
        except BrokenContract:
            raise
        except Exception as error:
            faults += 1
            if faults == _ATTEMPTS:
                raise BrokenContract(
                    f"The program fails on {_ATTEMPTS} random candidates ({type(error).__name__}: "
                    f"{first_line(error)}).",
                    "mend this line; raise ChildFailed for candidates that cannot be measured.",
                    subject.error_line(error) or line,
                ) from error
    if found is None:
        wanted = {metric for objective in subject.domain.objectives for metric in objective.metrics}
        return f"none of {len(subject.rows)} random children can be measured: {failure}", wanted
    if ended and not found:
        raise BrokenContract(
            "The program yields nothing.", 'write `yield {"metric": value}` when a candidate is measured.', line
        )
    if num_rungs and ended and len(found) != num_rungs:
        raise BrokenContract(
            f"The program yields {len(found)} measurements for {num_rungs} rungs.",
            "yield once for each rung, or list as many rungs as there are measurements.",
            line,
        )
    if num_rungs and len(found) > num_rungs:
        raise BrokenContract(
            f"The program yields more measurements than its {num_rungs} rungs.", "end it after the last rung.", line
        )
    note = f"measured one child {len(found)} times" if len(found) != 1 else "measured one child once"
    reported = set.intersection(*found) if found else set()
    return note if ended else f"{note}, stopped after {subject.seconds:g} s", reported


def _pull(measurements: Any, deadline: float, line: int | None) -> tuple[list[set[str]], bool]:
    """Metric names of each measurement, and whether the program came to its end."""
    if isinstance(measurements, Mapping) or not isinstance(measurements, Iterable):
        raise BrokenContract(
            f"The program returns {type(measurements).__name__} and yields nothing.",
            'write `yield {"metric": value}` instead of `return`.',
            line,
        )
    found: list[set[str]] = []
    for measurement in measurements:
        values = getattr(measurement, "values", None)
        values = values if isinstance(values, Mapping) else measurement
        if not isinstance(values, Mapping) or not all(isinstance(v, (int, float, np.number)) for v in values.values()):
            raise BrokenContract(
                f"The program yields {values!r} instead of numbers by metric name.",
                'yield {"metric": value} with plain numbers.',
                line,
            )
        found.append({str(name) for name in values})
        if time.monotonic() > deadline:
            return found, False
    return found, True


def objectives_are_reported(
    subject: Subject, scored: Mapping[str, set[str]], costed: set[str], trained: set[str]
) -> str:
    """Every objective is a metric that something reports."""
    wanted = list(subject.domain.objectives)
    for index, objective in enumerate(wanted):
        if not isinstance(objective, Objective):
            raise BrokenContract(
                f"Objective {index + 1} is a {type(objective).__name__}.",
                'write maximize("metric"), minimize("metric") or lacs(...).',
                subject.argument_line("objectives", index),
            )
    default = subject.domain.accuracy_names[0]
    if default == "none" and not costed:
        raise BrokenContract(
            "Nothing tells what an individual is worth.",
            "give the domain score=..., program=... or, for networks, device=...",
            subject.domain_line,
        )
    names = [objective.name for objective in wanted]
    for index, name in enumerate(names):
        if name in names[:index]:
            raise BrokenContract(
                f"The objective {name!r} is listed twice.",
                "list it once.",
                subject.argument_line("objectives", index),
            )
    reported = costed | scored.get(default, set()) | (trained if default == "trained" else set())
    for index, objective in enumerate(wanted):
        missing = [metric for metric in objective.metrics if metric not in reported]
        if missing:
            who = "program" if default == "trained" else "score"
            raise BrokenContract(
                f"The objective {objective.name!r} needs {missing[0]!r}, which nothing reports; "
                f"reported are {', '.join(sorted(reported)) or 'none'}.",
                f"let the {who} report {missing[0]!r}, or name a metric that is reported.",
                subject.argument_line("objectives", index),
            )
    return ", ".join(names) if names else "none by default: give them with --objective"
