"""One individual of a run as the page shows it: decoded where that runs nobody's code but the package's own."""

from __future__ import annotations

import json
import shlex
from dataclasses import dataclass
from typing import Any

from autoglyph.experiments.domain import load_domain
from autoglyph.experiments.individual_file import individual_text
from autoglyph.experiments.run import Run
from autoglyph.search_spaces.architecture import Architecture
from autoglyph.search_spaces.codesign import CoDesign


@dataclass(frozen=True)
class Individual:
    """A trial's individual.

    Attributes:
        run: its run.
        trial: its number.
        value: the decoded value, None where it cannot be had.
        trouble: why there is no value, empty if there is one.
    """

    run: Run
    trial: int
    value: Any
    trouble: str = ""

    @property
    def network(self) -> Architecture | None:
        """The network that it is or has, None if it has none."""
        network = self.value.architecture if isinstance(self.value, CoDesign) else self.value
        return network if isinstance(network, Architecture) else None


def individual(run: Run, trial: int) -> Individual:
    """The individual of a trial.

    A space that is a Python file is not loaded: a record of any origin may name any file.

    Args:
        run: its run.
        trial: its number.

    Raises:
        StoreError: if there is no such trial.
    """
    genes = run.trial(trial).genes
    name = run.record.experiment.get("domain")
    if not isinstance(name, str) or ".py" in name:
        return Individual(run, trial, None, "Its space is a Python file, which this page does not run.")
    try:
        genome = load_domain(name).space.genome
        return Individual(run, trial, genome.decode(genome.from_json(json.loads(genes))))
    except (ValueError, TypeError, KeyError, IndexError) as error:
        return Individual(run, trial, None, f"It cannot be decoded here: {error}")


def replay_command(run: Run, trial: int, store: str) -> str:
    """The command that replays a trial.

    Args:
        run: its run.
        trial: its number.
        store: the record as the server was given it.
    """
    dashes = ["--"] if run.name.startswith("-") else []
    words = ["autoglyph", "replay", "--summary", "--store", store, *dashes, f"{run.name}:{trial}"]
    return " ".join(shlex.quote(word) for word in words)


def as_json(run: Run, trial: int) -> str:
    """An individual as a file: what reads it again, and for people what was decided and measured.

    Numbers that are not finite, which no search records, become null.

    Raises:
        StoreError: if there is no such trial.
    """
    record = run.trial(trial)
    experiment = run.record.experiment
    base = {"space": experiment.get("space"), "genes": json.loads(record.genes)}
    made_by = {
        "run": run.name,
        "trial": trial,
        "decisions": run.decisions(trial),
        "metrics": json.loads(record.metrics),
        "device": experiment.get("device"),
        "accuracy": experiment.get("accuracy"),
    }
    return individual_text(_finite(base), {}, _finite(made_by))


def _finite(fields: dict[str, Any]) -> dict[str, Any]:
    finite: dict[str, Any] = json.loads(json.dumps(fields), parse_constant=lambda _: None)
    return finite
