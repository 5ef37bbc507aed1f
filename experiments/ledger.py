"""What a search knows of its trials: those that the record holds already, and those it adds."""

from __future__ import annotations

import time
from collections.abc import Sequence

import numpy as np

from autoglyph.experiments.front import FrontArchive
from autoglyph.experiments.objectives import FloatArray
from autoglyph.experiments.store import RunRecord, Store, StoreError, TrialRecord

_COMMIT_SECONDS = 0.1


class Ledger:
    """Trials of one run by number and by genes, their fitness, and what is still to be written.

    Args:
        store: the open record.
        run: the run to continue.
        num_objectives: columns of fitness.

    Attributes:
        recorded: trials that the record held when the search began, by number.
        numbers: trial number of every individual taken so far, by key.
        archive: the front so far.
        written: trials added to the record by this search.
    """

    def __init__(self, store: Store, run: RunRecord, num_objectives: int) -> None:
        self._store, self._run = store, run
        self.recorded = {trial.trial: trial for trial in store.trials(run.run)}
        self.numbers: dict[bytes, int] = {}
        self.archive = FrontArchive(num_objectives)
        self.written = 0
        self._fitness = np.full((1024, num_objectives), -np.inf)
        self._pending: list[TrialRecord] = []
        self._committed_at = 0.0

    def recorded_as(self, trial: int, genes: str) -> TrialRecord | None:
        """The recorded trial of a number, None if it is new.

        Raises:
            StoreError: if it has other genes than the search proposes.
        """
        found = self.recorded.get(trial)
        if found is not None and found.genes != genes:
            raise StoreError(
                f"Trial {trial} of the run {self._run.name!r} is not what its experiment proposes: "
                "it was made by another version; start a new run."
            )
        return found

    def settle(self, first: int, fitness: FloatArray) -> None:
        """Takes the fitness of trials `first`, `first` + 1 and so on."""
        end = first + len(fitness)
        while end > len(self._fitness):
            self._fitness = np.concatenate([self._fitness, np.full_like(self._fitness, -np.inf)])
        self._fitness[first:end] = fitness
        self.archive.add(np.arange(first, end), fitness)

    def fitness(self, trials: Sequence[int]) -> FloatArray:
        """(n, M) fitness of settled trials."""
        values: FloatArray = self._fitness[np.asarray(trials, np.int64)]
        return values

    def add(self, records: Sequence[TrialRecord], *, at_once: bool = False) -> None:
        """Takes finished trials.

        Args:
            records: the trials.
            at_once: write them now; otherwise with those of the next tenth of a second.
        """
        self._pending.extend(records)
        if at_once or time.perf_counter() - self._committed_at > _COMMIT_SECONDS:
            self.commit()

    def commit(self) -> None:
        """Writes what is pending."""
        pending, self._pending = self._pending, []
        if pending:
            self.written += len(pending)
            self._store.append_trials(self._run.run, pending)
        self._committed_at = time.perf_counter()
