"""Candidates that compute the same: the first one is trained, the others take its result.

What a domain's fingerprint says of a candidate is recorded with its trial, so that a run that goes on from its record
takes the same decisions without looking again.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from autoglyph.experiments.store import TrialRecord
from autoglyph.search_spaces import Genome, Rows
from autoglyph.search_spaces.expressions.fingerprint import Fingerprint

INFEASIBLE = "Infeasible, not trained"


class Judgement(NamedTuple):
    """What is known of a trial before it is trained.

    Attributes:
        fingerprint: equal for candidates that compute the same, None where nobody says.
        infeasible: why it is not worth training, or "".
        copies: trial of the first candidate that computes the same, None where it is the first.
    """

    fingerprint: str | None = None
    infeasible: str = ""
    copies: int | None = None

    @property
    def trains(self) -> bool:
        """Whether only training tells what it is worth."""
        return not self.infeasible and self.copies is None


class Equivalents:
    """The first trial of every fingerprint of a run, and its result.

    Args:
        fingerprint: of a candidate; None to train every candidate.
        genome: the compiled space.
    """

    def __init__(self, fingerprint: Callable[[Any], Fingerprint] | None, genome: Genome) -> None:
        self._fingerprint, self._genome = fingerprint, genome
        self._firsts: dict[str, int] = {}
        self._fingerprints: dict[int, str] = {}
        self._results: dict[int, TrialRecord] = {}

    def judge(self, trial: int, row: Rows, recorded: TrialRecord | None) -> Judgement:
        """Judges trials in the order of their numbers.

        Args:
            trial: its number.
            row: (L,) canonical row.
            recorded: what the record holds of it already, which is followed.
        """
        if self._fingerprint is None:
            return Judgement()
        if recorded is not None and recorded.fingerprint is not None:
            key, infeasible = recorded.fingerprint, (recorded.error or "") if recorded.is_infeasible else ""
            first = recorded.copies
        else:
            found = self._fingerprint(self._genome.decode(row))
            key = found.key
            infeasible = f"{INFEASIBLE}: {found.degenerate}." if found.degenerate else ""
            first = None if infeasible else self._firsts.get(key)
        if not infeasible and first is None:
            self._firsts.setdefault(key, trial)
            self._fingerprints[trial] = key
        return Judgement(key, infeasible, first)

    def fingerprint(self, trial: int) -> str | None:
        """The fingerprint of a trial that is trained."""
        return self._fingerprints.get(trial)

    def keep(self, record: TrialRecord) -> None:
        """Takes the result of a trained trial, for those that copy it."""
        if record.trial in self._fingerprints:
            self._results[record.trial] = record

    def result(self, trial: int) -> TrialRecord:
        """The result of a trained trial."""
        return self._results[trial]
