"""Children in flight: launched one by one, landing in the order in which they come, which the record keeps."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field

from autoglyph.algorithms.hurdles.base import Gate
from autoglyph.experiments.equivalence import Judgement
from autoglyph.experiments.executors.base import Executor, Result
from autoglyph.experiments.ledger import Ledger
from autoglyph.experiments.objectives import FloatArray
from autoglyph.experiments.store import StoreError, TrialRecord
from autoglyph.experiments.training import NewTrial, Training
from autoglyph.search_spaces import Rows


@dataclass
class _Child:
    new: NewTrial
    gate: Gate | None
    stepwise: bool
    record: TrialRecord | None
    submitted: bool = False
    arrivals: list[int] = field(default_factory=list)


@dataclass
class _Copy:
    new: NewTrial
    judgement: Judgement
    record: TrialRecord | None


class Flight:
    """Trials that are under way.

    A trial that computes the same as one under way waits for it, and lands right after it; one that needs no
    training at all lands at once. Neither takes a place among the children.

    While the record holds results that this search has not seen, they land in the order of their recorded
    arrival and nothing is trained; what was in flight when the record ends is trained again.

    Args:
        training: gives tasks to the executor and records results.
        executor: where children are trained.
        ledger: of the search.
    """

    def __init__(self, training: Training, executor: Executor, ledger: Ledger) -> None:
        self._training, self._executor, self._ledger = training, executor, ledger
        self._children: dict[int, _Child] = {}
        self._copies: dict[int, list[_Copy]] = {}
        self._landed: deque[tuple[int, Rows]] = deque()
        self._recorded = _recorded_arrivals(ledger)
        self._replayed = 0
        self._arrived = 0
        self._results: Iterator[Result] = iter(())

    def __len__(self) -> int:
        return len(self._children)

    def __contains__(self, trial: int) -> bool:
        return trial in self._children or any(c.new.trial == trial for each in self._copies.values() for c in each)

    def launch(self, new: NewTrial) -> None:
        """Sends a trial off with the hurdles that are in force now."""
        gate, stepwise = self._training.gate()
        record = self._ledger.recorded_as(new.trial, new.genes)
        judgement = self._training.judge(new, record)
        if not judgement.trains:
            copy = _Copy(new, judgement, record)
            if judgement.copies in self._children:
                self._copies.setdefault(judgement.copies, []).append(copy)
            else:
                self._land_untrained(copy)
            return
        self._children[new.trial] = _Child(new, gate, stepwise, record)
        self._submit()

    def land(self) -> tuple[int, Rows]:
        """Waits for the next child that is done; returns its trial number and (L,) row."""
        while self._is_replaying:
            landed = self._replay_one()
            if landed is not None:
                return landed
        self._submit()
        while True:
            result = next(self._results, None)
            if result is None:
                self._results = self._executor.results()
                continue
            landed = self._take(result)
            if landed is not None:
                return landed

    def landed_untrained(self) -> Iterator[tuple[int, Rows]]:
        """Trial numbers and (L,) rows of those that landed without training since they were last asked for."""
        while self._landed:
            yield self._landed.popleft()

    @property
    def _is_replaying(self) -> bool:
        return self._replayed < len(self._recorded)

    def _submit(self) -> None:
        """Gives the executor what it does not have yet, the oldest first."""
        waiting = [] if self._is_replaying else [c for c in self._children.values() if not c.submitted]
        for child in waiting:
            child.submitted = True
            self._training.submit(child.new, child.gate, child.stepwise)

    def _replay_one(self) -> tuple[int, Rows] | None:
        """The next recorded report; a trial and its row if it was its last."""
        arrived, trial, rung, is_last = self._recorded[self._replayed]
        self._replayed += 1
        self._arrived = arrived + 1
        child = self._children.get(trial)
        if child is None or child.record is None:
            raise StoreError(
                f"Trial {trial} of the record arrived before its experiment proposes it: "
                "it was made by another version; start a new run."
            )
        if child.stepwise:
            measured = json.loads(child.record.rungs or "[]")
            if rung < len(measured):
                self._training.passes(child.new, rung, measured[rung])
        if not is_last:
            return None
        return self._land(child.new, self._training.replay(child.new, child.record))

    def _take(self, result: Result) -> tuple[int, Rows] | None:
        """One report of a child; its trial and row if it is done."""
        child = self._children[result.trial]
        child.arrivals.append(self._arrived)
        self._arrived += 1
        if result.waits:
            rung = len(result.rungs) - 1
            if self._training.passes(child.new, rung, result.rungs[-1]):
                self._executor.proceed(result.trial)
                return None
            self._executor.stop(result.trial)
        return self._land(child.new, self._training.finish(child.new, result, child.gate, child.arrivals))

    def _land(self, new: NewTrial, fitness: FloatArray) -> tuple[int, Rows]:
        """Settles a child, then those that waited for it."""
        del self._children[new.trial]
        self._ledger.settle(new.trial, fitness[None])
        for copy in self._copies.pop(new.trial, []):
            self._land_untrained(copy)
        return new.trial, new.row

    def _land_untrained(self, copy: _Copy) -> None:
        record = copy.record or self._training.without_training(copy.new, copy.judgement)
        self._ledger.settle(copy.new.trial, self._training.replay(copy.new, record)[None])
        self._landed.append((copy.new.trial, copy.new.row))


def _recorded_arrivals(ledger: Ledger) -> list[tuple[int, int, int, bool]]:
    """(reports before it, trial, its rung, whether it was its last) of every recorded report, in order."""
    found = []
    for trial, record in ledger.recorded.items():
        arrivals = json.loads(record.arrivals or "[]")
        found += [(number, trial, rung, rung == len(arrivals) - 1) for rung, number in enumerate(arrivals)]
    return sorted(found)
