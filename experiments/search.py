"""The loop: ask, judge cheaply, train, record, tell.

Resuming is the same loop: trials that the record holds are not evaluated again, so the algorithm is told
what it was told before and goes on exactly as if nothing had happened. With several children in flight the
order in which results came is part of the record, and is followed again.
"""

from __future__ import annotations

import functools
import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import threadpoolctl

from autoglyph.algorithms import Outcomes
from autoglyph.experiments.domain import Domain
from autoglyph.experiments.equivalence import Equivalents
from autoglyph.experiments.evaluation import CheapEvaluator, rows_of_metrics
from autoglyph.experiments.executors.base import ExecutorOptions, make_executor
from autoglyph.experiments.experiment import Experiment
from autoglyph.experiments.flight import Flight
from autoglyph.experiments.front import FrontArchive
from autoglyph.experiments.ledger import Ledger
from autoglyph.experiments.objectives import FloatArray
from autoglyph.experiments.store import RunRecord, Store, TrialRecord
from autoglyph.experiments.training import NewTrial, Training
from autoglyph.experiments.trial_text import gene_texts, metric_texts, parent_texts
from autoglyph.search_spaces import Rows

MAX_IDLE_ASKS = 200


@dataclass(frozen=True)
class Progress:
    """Where a search is.

    Attributes:
        trials: finished so far, replayed ones included.
        budget: trials wanted.
        evaluated: trials evaluated by this process.
        elapsed_s: seconds since it started.
        archive: the front so far.
    """

    trials: int
    budget: int
    evaluated: int
    elapsed_s: float
    archive: FrontArchive


@dataclass(frozen=True)
class Finished:
    """How a search ended.

    Attributes:
        reason: "budget", "exhausted" (nothing new left to propose), or "interrupted".
        trials: finished in all.
        evaluated: evaluated by this process.
        duplicates: proposals that were known already and cost nothing.
        refused: proposals that were infeasible and cost no trial.
        wall_s: seconds of the loop.
    """

    reason: str
    trials: int
    evaluated: int
    duplicates: int
    refused: int
    wall_s: float


Observe = Callable[[Progress], None]


class Search:
    """A search, checked and ready to write a run of a record.

    Args:
        experiment: what to do.
        domain: its domain.
        executor: name of the executor that trains.
        options: of the executor.

    Raises:
        ValueError: if the experiment cannot be carried out, in one sentence.
    """

    def __init__(
        self,
        experiment: Experiment,
        domain: Domain,
        *,
        executor: str = "serial",
        options: ExecutorOptions | None = None,
    ) -> None:
        self._experiment = experiment
        self._space = domain.space
        self._genome = domain.space.genome
        self._evaluator = CheapEvaluator(experiment, domain)
        self._algorithm = experiment.algorithm
        self._algorithm.setup(self._genome, len(experiment.objectives), experiment.seed)
        self._trains = experiment.accuracy == "trained"
        self._num_rungs = domain.num_rungs(experiment.program)
        _check_training(experiment, self._trains, self._num_rungs)
        self._executor = (
            make_executor(executor, experiment, domain, options or ExecutorOptions()) if self._trains else None
        )
        self._fingerprint = domain.fingerprint if experiment.fingerprints else None
        self._has_constraints = len(experiment.constraints) > 0
        self.duplicates = 0
        self.refused = 0

    def run(self, store: Store, run: RunRecord, observe: Observe | None = None) -> Finished:
        """Searches until the budget is spent, nothing is left, or Ctrl-C. To be called once.

        Args:
            store: the open record.
            run: the run to write; trials that it holds already are taken as done.
            observe: called after every batch.

        Raises:
            StoreError: if the record cannot be written, or does not follow from the experiment.
        """
        started = time.perf_counter()
        self._ledger = Ledger(store, run, len(self._experiment.objectives))
        if self._executor is not None:
            self._executor.begin(f"{run.name} {run.created}")
        replayed = len(self._ledger.recorded)
        store.append_event(run.run, "resumed" if replayed else "started", {"budget": self._experiment.trials})
        self._training = None
        if self._executor is not None:
            self._training = Training(
                self._experiment,
                self._num_rungs,
                self._evaluator,
                self._executor,
                self._ledger,
                Equivalents(self._fingerprint, self._genome),
                store,
                run,
            )

        def report(trials: int) -> None:
            if observe is not None:
                elapsed_s = time.perf_counter() - started
                evaluated = max(0, trials - replayed)
                observe(Progress(trials, self._experiment.trials, evaluated, elapsed_s, self._ledger.archive))

        reason = "interrupted"
        try:
            # Small products on several threads cost more than they save; TensorFlow has threads of its own.
            with _threads().limit(limits=1, user_api="blas"):
                reason = self._in_flight(report) if self._experiment.in_flight else self._in_batches(report)
        except KeyboardInterrupt:
            pass
        finally:
            self._ledger.commit()
            if self._executor is not None:
                self._executor.close()
        trials = replayed + self._ledger.written
        wall_s = time.perf_counter() - started
        finished = Finished(reason, trials, self._ledger.written, self.duplicates, self.refused, wall_s)
        store.append_event(
            run.run,
            "interrupted" if reason == "interrupted" else "finished",
            {"reason": reason, "trials": trials, "wall_s": finished.wall_s, "refused": self.refused},
        )
        return finished

    def _in_batches(self, report: Callable[[int], None]) -> str:
        """Each batch is told once all of it is done: the same search however and wherever it is trained."""
        budget, idle, ask, batch_size = self._experiment.trials, 0, 0, self._algorithm.batch_size
        numbers = self._ledger.numbers
        while len(numbers) < budget:
            proposals = self._algorithm.ask(batch_size)
            if len(proposals.rows) == 0 or idle >= MAX_IDLE_ASKS or 0 < self._space.size <= len(numbers):
                return "exhausted"
            before = len(numbers)
            complete = self._take(proposals.rows, proposals.parents.tolist(), ask, budget)
            idle = 0 if len(numbers) > before else idle + 1
            ask += 1
            report(len(numbers))
            if not complete:
                break
        return "budget"

    def _take(self, rows: Rows, parents: Sequence[Sequence[int]], ask: int, budget: int) -> bool:
        """Judges a batch of proposals and tells the algorithm; False if the budget ended within it."""
        known = self._ledger.numbers
        keys = self._genome.keys(rows)
        fresh, numbers = self._sort_out(rows, keys)
        metrics = self._cheap_metrics(rows, fresh)
        fresh, metrics = self._refuse(rows, fresh, metrics)
        first = len(known)
        cut = fresh[: budget - first]
        if cut:
            metrics = {name: values[: len(cut)] for name, values in metrics.items()}
            self._evaluate(rows[cut], [parents[i] for i in cut], ask, first, metrics)
        for offset, index in enumerate(cut):
            known[keys[index]] = first + offset
        if len(cut) < len(fresh):
            return False
        told, trials = [], []
        for index in range(len(rows)):
            number = numbers[index] if numbers[index] >= 0 else known.get(keys[index], -1)
            if number >= 0:
                told.append(index)
                trials.append(number)
        self.duplicates += len(told) - len(cut)
        if told:
            self._algorithm.tell(Outcomes(np.array(trials, np.int64), rows[told], self._ledger.fitness(trials)))
        if self._training is not None:
            self._training.tell(range(first, first + len(cut)), self._algorithm.members())
        return True

    def _sort_out(self, rows: Rows, keys: Sequence[bytes]) -> tuple[list[int], list[int]]:
        """Indices of rows that are new and feasible, and the trial number of every known row (else -1)."""
        known = self._ledger.numbers
        numbers = [known.get(key, -1) for key in keys]
        seen: set[bytes] = set()
        fresh: list[int] = []
        for index, number in enumerate(numbers):
            if number < 0 and keys[index] not in seen:
                seen.add(keys[index])
                fresh.append(index)
        if fresh:
            feasible = self._space.feasible(rows[fresh])
            self.refused += int((~feasible).sum())
            fresh = [index for index, ok in zip(fresh, feasible.tolist(), strict=True) if ok]
        return fresh, numbers

    def _cheap_metrics(self, rows: Rows, fresh: Sequence[int]) -> dict[str, FloatArray]:
        known = len(self._ledger.numbers)
        replaying = not self._has_constraints and all(
            trial in self._ledger.recorded for trial in range(known, known + len(fresh))
        )
        return {} if not fresh or replaying else self._evaluator.metrics(rows[fresh])

    def _refuse(
        self, rows: Rows, fresh: list[int], metrics: dict[str, FloatArray]
    ) -> tuple[list[int], dict[str, FloatArray]]:
        if not fresh or not self._has_constraints:
            return fresh, metrics
        mask = self._evaluator.within_constraints(metrics, len(fresh))
        self.refused += int((~mask).sum())
        kept = [index for index, ok in zip(fresh, mask.tolist(), strict=True) if ok]
        return kept, {name: values[mask] for name, values in metrics.items()}

    def _evaluate(
        self,
        rows: Rows,
        parents: Sequence[Sequence[int]],
        ask: int,
        first: int,
        metrics: Mapping[str, FloatArray],
    ) -> None:
        """Settles trials `first` and on from the record, the cheap metrics or training."""
        genes = gene_texts(self._genome, rows)
        if self._training is not None:
            cheap = rows_of_metrics(metrics, len(rows))
            trials = [NewTrial(first + i, ask, rows[i], genes[i], parents[i], cheap[i]) for i in range(len(rows))]
            self._ledger.settle(first, self._training.batch(trials))
            return
        recorded = [self._ledger.recorded_as(first + i, gene) for i, gene in enumerate(genes)]
        known = [_read_metrics(record) for record in recorded if record is not None]
        fitness = np.empty((len(rows), self._ledger.archive.num_objectives))
        for i, values in enumerate(known):
            fitness[i] = self._evaluator.fitness_of_one(values)
        done, n = len(known), len(rows) - len(known)
        if n:
            metrics = {name: values[done:] for name, values in metrics.items()}
            lineage = parent_texts(parents[done:])
            texts = zip(
                range(first + done, first + len(rows)), genes[done:], lineage, metric_texts(metrics, n), strict=True
            )
            self._ledger.add(
                [
                    TrialRecord(t, ask, "completed", gene, parent, values, None, 0.0, None)
                    for t, gene, parent, values in texts
                ]
            )
            fitness[done:] = self._evaluator.fitness(metrics, n)
        self._ledger.settle(first, fitness)

    def _in_flight(self, report: Callable[[int], None]) -> str:
        """Some children in training at any time, and a new one asked for whenever one is done."""
        assert self._training is not None and self._executor is not None
        flight = Flight(self._training, self._executor, self._ledger)
        budget, idle, ask = self._experiment.trials, 0, 0
        numbers, finished = self._ledger.numbers, 0
        reason = "budget"

        def tell(trial: int, row: Rows) -> None:
            nonlocal finished
            self._tell_one(trial, row)
            finished += 1
            report(finished)

        while True:
            while len(flight) < self._experiment.in_flight and len(numbers) < budget and reason == "budget":
                proposals = self._algorithm.ask(1)
                if len(proposals.rows) == 0 or idle >= MAX_IDLE_ASKS or 0 < self._space.size <= len(numbers):
                    reason = "exhausted"
                    break
                new = self._propose(proposals.rows[:1], proposals.parents[0].tolist(), ask, flight)
                idle = 0 if new else idle + 1
                ask += 1
                for trial, row in flight.landed_untrained():
                    tell(trial, row)
            if not len(flight):
                return reason
            tell(*flight.land())
            for trial, row in flight.landed_untrained():
                tell(trial, row)

    def _tell_one(self, trial: int, row: Rows) -> None:
        assert self._training is not None
        self._algorithm.tell(Outcomes(np.array([trial]), row[None], self._ledger.fitness([trial])))
        self._training.tell([trial], self._algorithm.members())

    def _propose(self, rows: Rows, parents: Sequence[int], ask: int, flight: Flight) -> bool:
        """Sends one proposal into flight; False if it is known, infeasible or refused."""
        (key,) = self._genome.keys(rows)
        fresh, (number,) = self._sort_out(rows, [key])
        if number >= 0:
            self.duplicates += 1
            if number not in flight:
                self._algorithm.tell(Outcomes(np.array([number]), rows, self._ledger.fitness([number])))
            return False
        fresh, metrics = self._refuse(rows, fresh, self._cheap_metrics(rows, fresh))
        if not fresh:
            return False
        trial = len(self._ledger.numbers)
        self._ledger.numbers[key] = trial
        (genes,), (cheap,) = gene_texts(self._genome, rows), rows_of_metrics(metrics, 1)
        flight.launch(NewTrial(trial, ask, rows[0], genes, parents, cheap))
        return True


def _check_training(experiment: Experiment, trains: bool, num_rungs: int) -> None:
    for name, given in (("hurdles", experiment.hurdles is not None), ("in_flight", experiment.in_flight != 0)):
        if given and not trains:
            raise ValueError(f"Only trained children take {name}: add --accuracy trained, or leave it out.")
    if experiment.hurdles is not None and num_rungs == 0:
        raise ValueError(
            f"The child program of {experiment.domain} does not say its rungs, which hurdles need: "
            "give Domain(rungs=[...]), or search without hurdles."
        )
    if experiment.in_flight < 0:
        raise ValueError(f"Expected 0 or more children in flight, received {experiment.in_flight}.")


@functools.cache
def _threads() -> threadpoolctl.ThreadpoolController:
    return threadpoolctl.ThreadpoolController()


def _read_metrics(record: TrialRecord) -> dict[str, float | None]:
    return json.loads(record.metrics) if record.status == "completed" else {}
