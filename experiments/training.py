"""Training of new trials: tasks to the executor, hurdles between rungs, finished children to the record."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from autoglyph.algorithms.hurdles import Finished, HurdleRule, NewHurdle
from autoglyph.algorithms.hurdles.base import Gate
from autoglyph.experiments.equivalence import Equivalents, Judgement
from autoglyph.experiments.evaluation import CheapEvaluator
from autoglyph.experiments.executors.base import Executor, Result, Task
from autoglyph.experiments.experiment import Experiment
from autoglyph.experiments.ledger import Ledger
from autoglyph.experiments.objectives import FloatArray
from autoglyph.experiments.store import RunRecord, Store, TrialRecord
from autoglyph.experiments.trial_text import parent_texts
from autoglyph.search_spaces import Rows

Metrics = Mapping[str, float | None]


@dataclass(frozen=True)
class NewTrial:
    """A trial before it is trained.

    Attributes:
        trial: its number.
        ask: number of the ask that proposed it.
        row: (L,) canonical row.
        genes: as the record keeps them.
        parents: trial numbers of its parents, -1 where there is none.
        cheap: metrics known without training.
    """

    trial: int
    ask: int
    row: Rows
    genes: str
    parents: Sequence[int]
    cheap: Metrics


class Training:
    """Trains trials by an executor under a hurdle rule, and records them.

    Args:
        experiment: gives rule and seeds.
        num_rungs: budgets of the child program, 0 if it does not say.
        evaluator: gives fitness.
        executor: where children are trained.
        ledger: of the search.
        equivalents: tells which trials need no training.
        store: the open record, for what happens to hurdles and workers.
        run: the run.
    """

    def __init__(
        self,
        experiment: Experiment,
        num_rungs: int,
        evaluator: CheapEvaluator,
        executor: Executor,
        ledger: Ledger,
        equivalents: Equivalents,
        store: Store,
        run: RunRecord,
    ) -> None:
        self._seed = int(experiment.seed)
        self._evaluator, self._executor, self._ledger = evaluator, executor, ledger
        self._equivalents = equivalents
        self._store, self._run = store, run
        self._rule: HurdleRule | None = experiment.hurdles
        self._hurdles_known = sum(kind == "hurdle" for _, kind, _ in store.events(run.run))
        if self._rule is not None:
            self._rule.setup(num_rungs, experiment.algorithm.initial_population)
        self.finished: dict[int, Finished] = {}

    def gate(self) -> tuple[Gate | None, bool]:
        """The hurdles of a child that is proposed now, and whether it waits after every rung instead."""
        gate = None if self._rule is None else self._rule.gate()
        return gate, self._rule is not None and gate is None

    def submit(self, new: NewTrial, gate: Gate | None, stepwise: bool) -> None:
        """Gives a trial to the executor."""
        seed = int(np.random.SeedSequence([self._seed, new.trial]).generate_state(1)[0]) & 0x7FFFFFFF
        self._executor.submit(Task(new.trial, new.row, seed, gate, stepwise, dict(new.cheap)))

    def batch(self, trials: Sequence[NewTrial]) -> FloatArray:
        """(n, M) fitness of trials that were proposed together; judged in their order, whoever is done first."""
        gate, stepwise = self.gate()
        by_number: dict[int, NewTrial] = {}
        records: dict[int, TrialRecord] = {}
        untrained: dict[int, Judgement] = {}
        for new in trials:
            known = self._ledger.recorded_as(new.trial, new.genes)
            judgement = self.judge(new, known)
            if known is not None:
                records[new.trial] = known
            if not judgement.trains:
                untrained[new.trial] = judgement
                continue
            by_number[new.trial] = new
            if known is None:
                self.submit(new, gate, stepwise)
        if stepwise:
            self._judge_by_rungs(by_number, records)
        else:
            for result in self._executor.results():
                records[result.trial] = self._record(by_number[result.trial], result, gate)
        fitness = []
        for new in trials:
            if new.trial not in records:
                records[new.trial] = self.without_training(new, untrained[new.trial])
            fitness.append(self.replay(new, records[new.trial]))
        return np.stack(fitness)

    def judge(self, new: NewTrial, recorded: TrialRecord | None) -> Judgement:
        """What is known of a trial before it is trained; to be asked in the order of the trials."""
        return self._equivalents.judge(new.trial, new.row, recorded)

    def without_training(self, new: NewTrial, judgement: Judgement) -> TrialRecord:
        """Records a trial that is infeasible, or that computes the same as one that is settled."""
        lineage = parent_texts([new.parents])[0]
        status, error, metrics = "failed", judgement.infeasible, dict(new.cheap)
        if judgement.copies is not None:
            first = self._equivalents.result(judgement.copies)
            status, metrics = first.status, {**json.loads(first.metrics), **metrics}
            error = "" if first.error is None else f"As trial {first.trial}, which computes the same."
        record = TrialRecord(
            new.trial,
            new.ask,
            status,
            new.genes,
            lineage,
            json.dumps(metrics),
            None,
            0.0,
            error or None,
            fingerprint=judgement.fingerprint,
            copies=judgement.copies,
        )
        self._ledger.add([record])
        return record

    def _judge_by_rungs(self, trials: Mapping[int, NewTrial], records: dict[int, TrialRecord]) -> None:
        """Rung by rung over a batch: each rung is judged in the order of the trials once all have reached it.

        Adds the records of those that are trained to the records there are.
        """
        assert self._rule is not None
        known = {trial: json.loads(records[trial].rungs or "[]") for trial in trials if trial in records}
        active, rung = sorted(trials), 0
        while active:
            results = {result.trial: result for result in self._executor.results()}
            still = []
            for trial in active:
                measured = known[trial] if trial in known else results[trial].rungs
                goes_on = False
                if len(measured) > rung:
                    goes_on = self._rule.passes(trial, rung, self.value(trials[trial], measured[rung]))
                if trial in known:
                    goes_on = len(measured) > rung + 1
                elif not results[trial].waits:
                    records[trial] = self._record(trials[trial], results[trial], None)
                    goes_on = False
                elif goes_on:
                    self._executor.proceed(trial)
                else:
                    self._executor.stop(trial)
                    records[trial] = self._record(trials[trial], results[trial], None)
                if goes_on:
                    still.append(trial)
            active, rung = still, rung + 1

    def value(self, new: NewTrial, metrics: Metrics) -> float:
        """The fitness by which hurdles judge: that of the first objective, -inf where it is no number."""
        value = float(self._evaluator.fitness_of_one({**new.cheap, **metrics})[0])
        return value if math.isfinite(value) else -math.inf

    def passes(self, new: NewTrial, rung: int, metrics: Metrics) -> bool:
        """Whether a child that waits goes on."""
        assert self._rule is not None
        return self._rule.passes(new.trial, rung, self.value(new, metrics))

    def finish(self, new: NewTrial, result: Result, gate: Gate | None, arrivals: Sequence[int]) -> FloatArray:
        """Records a finished child and returns its (M,) fitness."""
        return self.replay(new, self._record(new, result, gate, json.dumps(list(arrivals))))

    def replay(self, new: NewTrial, record: TrialRecord) -> FloatArray:
        """(M,) fitness of a child that is recorded, in the order in which children are told."""
        completed = record.status == "completed"
        values = self._evaluator.fitness_of_one(json.loads(record.metrics) if completed else {})
        if record.copies is not None:
            rungs = self.finished[record.copies].rungs
        else:
            rungs = len(json.loads(record.rungs or "[]"))
        first = float(values[0]) if math.isfinite(values[0]) else -math.inf
        self.finished[new.trial] = Finished(new.trial, first, rungs)
        self._equivalents.keep(record)
        return values

    def tell(self, trials: Sequence[int], members: NDArray[np.int64] | None) -> None:
        """Tells the hurdle rule of finished children, after the algorithm was told."""
        if self._rule is None:
            return
        alive = None if members is None else members.tolist()
        for trial in trials:
            for hurdle in self._rule.tell(self.finished[trial], alive):
                self._announce(hurdle)

    def _announce(self, hurdle: NewHurdle) -> None:
        if self._hurdles_known:
            self._hurdles_known -= 1
        else:
            self._store.append_event(self._run.run, "hurdle", hurdle._asdict())

    def _record(self, new: NewTrial, result: Result, gate: Gate | None, arrivals: str | None = None) -> TrialRecord:
        final = {**new.cheap, **_finite(result.rungs[-1])} if result.error is None else dict(new.cheap)
        record = TrialRecord(
            new.trial,
            new.ask,
            "completed" if result.error is None else "failed",
            new.genes,
            parent_texts([new.parents])[0],
            json.dumps(final),
            json.dumps([_finite(rung) for rung in result.rungs]),
            result.seconds,
            result.error,
            None if gate is None else json.dumps([_json_number(g) for g in gate]),
            arrivals,
            self._equivalents.fingerprint(new.trial),
        )
        for note in result.notes:
            self._store.append_event(self._run.run, "worker", {"trial": new.trial, "what": note})
        self._ledger.add([record], at_once=True)
        return record


def _finite(values: Metrics) -> dict[str, float | None]:
    return {name: value if value is not None and math.isfinite(value) else None for name, value in values.items()}


def _json_number(value: float) -> Any:
    return value if math.isfinite(value) else None
