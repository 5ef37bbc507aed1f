"""The loop: ask, judge cheaply, train, record, tell.

Resuming is the same loop: trials that the record holds are not evaluated again, so the algorithm is told
what it was told before and goes on exactly as if nothing had happened.
"""

from __future__ import annotations

import functools
import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import threadpoolctl

from autoglyph.algorithms import Outcomes
from autoglyph.experiments.domain import Domain
from autoglyph.experiments.evaluation import CheapEvaluator, rows_of_metrics
from autoglyph.experiments.executors.base import Task, make_executor
from autoglyph.experiments.experiment import Experiment
from autoglyph.experiments.front import FrontArchive
from autoglyph.experiments.objectives import FloatArray
from autoglyph.experiments.store import RunRecord, Store, StoreError, TrialRecord
from autoglyph.experiments.trial_text import gene_texts, metric_texts, parent_texts
from autoglyph.search_spaces import Rows

MAX_IDLE_ASKS = 200
_COMMIT_SECONDS = 0.1


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


class Search:
    """A search, checked and ready to write a run of a record.

    Args:
        experiment: what to do.
        domain: its domain.
        executor: name of the executor that trains.

    Raises:
        ValueError: if the experiment cannot be carried out, in one sentence.
    """

    def __init__(self, experiment: Experiment, domain: Domain, *, executor: str = "serial") -> None:
        self._experiment = experiment
        self._domain = domain
        self._genome = domain.space.genome
        self._evaluator = CheapEvaluator(experiment, domain)
        self._algorithm = experiment.algorithm
        self._algorithm.setup(self._genome, len(experiment.objectives), experiment.seed)
        self._executor = make_executor(executor, experiment, domain) if experiment.accuracy == "trained" else None
        self._has_constraints = len(experiment.constraints) > 0
        self._trains = experiment.accuracy == "trained"
        self._known: dict[bytes, int] = {}
        self._fitness = np.empty((1024, len(experiment.objectives)))
        self._pending: list[TrialRecord] = []
        self._committed_at = 0.0
        self._written = 0
        self.archive = FrontArchive(len(experiment.objectives))
        self.duplicates = 0
        self.refused = 0

    def run(self, store: Store, run: RunRecord, observe: Callable[[Progress], None] | None = None) -> Finished:
        """Searches until the budget is spent, nothing is left, or Ctrl-C. To be called once.

        Args:
            store: the open record.
            run: the run to write; trials that it holds already are taken as done.
            observe: called after every batch.

        Raises:
            StoreError: if the record cannot be written, or does not follow from the experiment.
        """
        started = time.perf_counter()
        self._store, self._run, self._recorded = store, run, store.trials(run.run)
        replayed = len(self._recorded)
        self._store.append_event(
            self._run.run, "resumed" if replayed else "started", {"budget": self._experiment.trials}
        )
        reason = "interrupted"
        try:
            # Small products on several threads cost more than they save; TensorFlow has threads of its own.
            with _threads().limit(limits=1, user_api="blas"):
                reason = self._loop(observe, started, replayed)
        except KeyboardInterrupt:
            pass
        finally:
            self._commit()
            if self._executor is not None:
                self._executor.close()
        trials = replayed + self._written
        wall_s = time.perf_counter() - started
        finished = Finished(reason, trials, self._written, self.duplicates, self.refused, wall_s)
        self._store.append_event(
            self._run.run,
            "interrupted" if reason == "interrupted" else "finished",
            {"reason": reason, "trials": trials, "wall_s": finished.wall_s, "refused": self.refused},
        )
        return finished

    def _loop(self, observe: Callable[[Progress], None] | None, started: float, replayed: int) -> str:
        budget, idle, ask, batch_size = self._experiment.trials, 0, 0, self._algorithm.batch_size
        while len(self._known) < budget:
            proposals = self._algorithm.ask(batch_size)
            if len(proposals.rows) == 0 or idle >= MAX_IDLE_ASKS or 0 < self._domain.space.size <= len(self._known):
                return "exhausted"
            before = len(self._known)
            complete = self._take(proposals.rows, proposals.parents.tolist(), ask, budget)
            idle = 0 if len(self._known) > before else idle + 1
            ask += 1
            if observe is not None:
                trials = len(self._known)
                elapsed_s = time.perf_counter() - started
                observe(Progress(trials, budget, max(0, trials - replayed), elapsed_s, self.archive))
            if not complete:
                break
        return "budget"

    def _take(self, rows: Rows, parents: Sequence[Sequence[int]], ask: int, budget: int) -> bool:
        """Judges a batch of proposals and tells the algorithm; False if the budget ended within it."""
        keys = self._genome.keys(rows)
        fresh, numbers = self._sort_out(rows, keys)
        metrics = self._cheap_metrics(rows, fresh)
        fresh, metrics = self._refuse(rows, fresh, metrics)
        first = len(self._known)
        cut = fresh[: budget - first]
        metrics = {name: values[: len(cut)] for name, values in metrics.items()}
        self._evaluate(rows, cut, parents, ask, first, metrics)
        for offset, index in enumerate(cut):
            self._known[keys[index]] = first + offset
        if len(cut) < len(fresh):
            return False
        told, trials = [], []
        for index in range(len(rows)):
            number = numbers[index] if numbers[index] >= 0 else self._known.get(keys[index], -1)
            if number >= 0:
                told.append(index)
                trials.append(number)
        self.duplicates += len(told) - len(cut)
        if told:
            at = np.array(trials, np.int64)
            self._algorithm.tell(Outcomes(at, rows[told], self._fitness[at]))
        return True

    def _sort_out(self, rows: Rows, keys: Sequence[bytes]) -> tuple[list[int], list[int]]:
        """Indices of rows that are new and feasible, and the trial number of every known row (else -1)."""
        numbers = [self._known.get(key, -1) for key in keys]
        seen: set[bytes] = set()
        fresh: list[int] = []
        for index, number in enumerate(numbers):
            if number < 0 and keys[index] not in seen:
                seen.add(keys[index])
                fresh.append(index)
        if fresh:
            feasible = self._domain.space.feasible(rows[fresh])
            self.refused += int((~feasible).sum())
            fresh = [index for index, ok in zip(fresh, feasible.tolist(), strict=True) if ok]
        return fresh, numbers

    def _cheap_metrics(self, rows: Rows, fresh: Sequence[int]) -> dict[str, FloatArray]:
        replaying = len(self._known) + len(fresh) <= len(self._recorded) and not self._has_constraints
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
        fresh: Sequence[int],
        parents: Sequence[Sequence[int]],
        ask: int,
        first: int,
        metrics: Mapping[str, FloatArray],
    ) -> None:
        """Fills the fitness of trials `first`.. from the record, the cheap metrics or training."""
        n = len(fresh)
        if n == 0:
            return
        genes = gene_texts(self._genome, rows[list(fresh)])
        done = min(n, max(0, len(self._recorded) - first))
        records = self._recorded[first : first + done]
        for record, gene in zip(records, genes, strict=False):
            if record.genes != gene:
                raise StoreError(
                    f"Trial {record.trial} of the run {self._run.name!r} is not what its experiment proposes: "
                    "it was made by another version; start a new run."
                )
        fitness = np.empty((n, self.archive.num_objectives))
        fitness[:done] = self._fitness_of([_read_metrics(r) for r in records])
        if done < n:
            cheap = {name: values[done:] for name, values in metrics.items()}
            fitness[done:] = (
                self._train(rows, fresh[done:], genes[done:], parents, ask, first + done, cheap)
                if self._trains
                else self._record_cheap(fresh[done:], genes[done:], parents, ask, first + done, cheap)
            )
        while first + n > len(self._fitness):
            self._fitness = np.concatenate([self._fitness, np.empty_like(self._fitness)])
        self._fitness[first : first + n] = fitness
        self.archive.add(np.arange(first, first + n), fitness)

    def _record_cheap(
        self,
        fresh: Sequence[int],
        genes: Sequence[str],
        parents: Sequence[Sequence[int]],
        ask: int,
        first: int,
        metrics: Mapping[str, FloatArray],
    ) -> FloatArray:
        n = len(fresh)
        lineage = parent_texts([parents[index] for index in fresh])
        texts = zip(range(first, first + n), genes, lineage, metric_texts(metrics, n), strict=True)
        self._pending.extend(
            TrialRecord(trial, ask, "completed", gene, parent, values, None, 0.0, None)
            for trial, gene, parent, values in texts
        )
        if time.perf_counter() - self._committed_at > _COMMIT_SECONDS:
            self._commit()
        return self._evaluator.fitness(metrics, n)

    def _train(
        self,
        rows: Rows,
        fresh: Sequence[int],
        genes: Sequence[str],
        parents: Sequence[Sequence[int]],
        ask: int,
        first: int,
        metrics: Mapping[str, FloatArray],
    ) -> FloatArray:
        assert self._executor is not None
        cheap = rows_of_metrics(metrics, len(fresh))
        for offset, index in enumerate(fresh):
            seed = np.random.SeedSequence([self._experiment.seed, first + offset]).generate_state(1)[0]
            self._executor.submit(Task(first + offset, rows[index], int(seed) & 0x7FFFFFFF))
        finals: list[dict[str, float | None]] = [{}] * len(fresh)
        for result in self._executor.results():
            at = result.trial - first
            finals[at] = cheap[at] | _finite(result.rungs[-1]) if result.error is None else cheap[at]
            record = TrialRecord(
                result.trial,
                ask,
                "completed" if result.error is None else "failed",
                genes[at],
                parent_texts([parents[fresh[at]]])[0],
                json.dumps(finals[at]),
                json.dumps([_finite(r) for r in result.rungs]),
                result.seconds,
                result.error,
            )
            if result.error is not None:
                finals[at] = {}
            self._pending.append(record)
            self._commit()
        return self._fitness_of(finals)

    def _fitness_of(self, finals: Sequence[Mapping[str, float | None]]) -> FloatArray:
        fitness = np.full((len(finals), self.archive.num_objectives), -np.inf)
        needed = {m for o in self._experiment.objectives for m in o.metrics}
        whole = [i for i, f in enumerate(finals) if all(f.get(m) is not None for m in needed)]
        if whole:
            columns: dict[str, Any] = {m: np.array([finals[i][m] for i in whole], np.float64) for m in needed}
            fitness[whole] = self._evaluator.fitness(columns, len(whole))
        return fitness

    def _commit(self) -> None:
        pending, self._pending = self._pending, []
        if pending:
            self._store.append_trials(self._run.run, pending)
            self._written += len(pending)
        self._committed_at = time.perf_counter()


@functools.cache
def _threads() -> threadpoolctl.ThreadpoolController:
    return threadpoolctl.ThreadpoolController()


def _finite(values: Mapping[str, float]) -> dict[str, float | None]:
    return {name: value if np.isfinite(value) else None for name, value in values.items()}


def _read_metrics(record: TrialRecord) -> dict[str, float | None]:
    return json.loads(record.metrics) if record.status == "completed" else {}
