"""Bayesian optimisation of combinatorial structures (BOCS; Baptista and Poloczek 2018), in two phases.

A second-order model of the decisions is sampled from its posterior and each sample is climbed (Thompson
sampling); what comes out is evaluated next. Two things differ from the paper: the prior is a Gaussian process
of main and pairwise effects instead of a horseshoe, which makes a sample cheap, and once the model has seen
`model_size` individuals it stops growing and guides an iterated local search instead: neighbours of the best
individual are tried in the order in which the model likes them, and where none helps the search restarts from
a changed copy of the best.

Several objectives are standardised and weighed with weights drawn anew for every sample and every restart
(random scalarisation: Knowles 2006, ParEGO; Paria et al. 2020), so one model serves all directions of the front.
"""

from __future__ import annotations

import numpy as np

from autoglyph.algorithms.base import Algorithm, FloatArray, IntArray, Outcomes, Proposals, without_parents
from autoglyph.algorithms.quadratic_climb import Climber
from autoglyph.algorithms.quadratic_model import OneHot, PairwiseProcess, Quadratic
from autoglyph.search_spaces import Rows

_ELITES = 10
_KICKED_GENES = 4
_CLIMB_STEPS = 8


class BOCS(Algorithm):
    """Thompson sampling of a pairwise model, then local search guided by it.

    Attributes:
        initial: random individuals before the first model.
        model_size: individuals that the model learns from at a time.
        batch: proposals of one posterior while the model grows.
        samples: posterior samples among which a batch is divided.
        temperature: spread of the samples; below 1 they lie nearer the posterior mean.
        neighbours: proposals at once in the local search.
        patience: neighbours tried in vain before the local search restarts.
    """

    initial: int = 50
    model_size: int = 150
    batch: int = 50
    samples: int = 2
    temperature: float = 0.45
    neighbours: int = 12
    patience: int = 90

    @property
    def batch_size(self) -> int:
        """The setting; the local search proposes fewer."""
        return int(self.batch)

    @property
    def multi_objective(self) -> bool:
        """Any number of objectives, by random weights."""
        return True

    def _start(self) -> None:
        self._expect_at_least(1, "initial", "model_size", "batch", "samples", "neighbours", "patience")
        if self.temperature <= 0:
            raise ValueError(f"Expected temperature above 0, received {self.temperature}.")
        self._state = _State(self)

    def tell(self, outcomes: Outcomes) -> None:
        """Adds what was measured, and moves to the best of it if that is an improvement."""
        self._state.tell(outcomes)

    def _propose(self, n: int, rng: np.random.Generator) -> Proposals:
        state = self._state
        if state.told < min(state.initial, state.model_size):
            return without_parents(self._genome.random(min(n, state.initial), rng))
        if state.told < state.model_size:
            return state.sampled(n, rng)
        return state.local(min(n, state.neighbours), rng)


class _State:
    """The fold's state, apart from the symbolic settings: their attributes are slow to read."""

    def __init__(self, settings: BOCS) -> None:
        self.genome = settings._genome
        self.initial, self.model_size = int(settings.initial), int(settings.model_size)
        self.samples, self.temperature = int(settings.samples), float(settings.temperature)
        self.neighbours, self.patience = int(settings.neighbours), int(settings.patience)
        self.one_hot = OneHot(self.genome)
        self.climber = Climber(self.genome, self.one_hot)
        self.seen: set[bytes] = set()
        self.rows: Rows = np.zeros((2 * self.model_size, self.genome.length), self.genome.dtype)
        self.objectives = settings._num_objectives
        self.fitness: FloatArray = np.zeros((2 * self.model_size, self.objectives))
        self.values: FloatArray = np.zeros(2 * self.model_size)
        self.weights: FloatArray = np.ones(self.objectives)
        self.shift: FloatArray = np.zeros(self.objectives)
        self.trials: IntArray = np.zeros(2 * self.model_size, np.int64)
        self.told = 0
        self.best = -1
        self.current = -1
        self.in_vain = 0
        self.restarting = False
        self.process: PairwiseProcess | None = None
        self.learned: IntArray = np.zeros(0, np.int64)
        self.fitted_at = 0
        self.suggested: Rows = self.rows[:0]
        self.model: Quadratic | None = None
        self.tries: IntArray = np.zeros(self.one_hot.length, np.int64)

    def tell(self, outcomes: Outcomes) -> None:
        usable = np.isfinite(outcomes.fitness[:, 0])
        first = self.told
        stop = first + int(usable.sum())
        while stop > len(self.values):
            self.rows = np.concatenate([self.rows, np.zeros_like(self.rows)])
            self.values = np.concatenate([self.values, np.zeros_like(self.values)])
            self.fitness = np.concatenate([self.fitness, np.zeros_like(self.fitness)])
            self.trials = np.concatenate([self.trials, np.zeros_like(self.trials)])
        self.rows[first:stop] = outcomes.rows[usable]
        self.fitness[first:stop] = outcomes.fitness[usable]
        self.values[first:stop] = self._weighed(self.fitness[first:stop])
        self.trials[first:stop] = outcomes.trials[usable]
        self.told = stop
        self.seen.update(self.genome.keys(outcomes.rows))
        if stop > first:
            self._move(first, stop)

    def sampled(self, n: int, rng: np.random.Generator) -> Proposals:
        """Climbed posterior samples, from changed copies of the best."""
        rows, parents = [], []
        for share in np.array_split(np.arange(n), min(self.samples, n)):
            if self.objectives > 1:
                self._turn(rng)
            process = self._process()
            elites = np.argsort(-self.values[: self.told], kind="stable")[:_ELITES]
            starts = elites[rng.integers(len(elites), size=len(share))]
            kicked, _ = self._kicked(self.rows[starts], rng)
            quadratic = process.sample(rng, temperature=self.temperature)
            rows.append(self.climber.climb(kicked, quadratic, _CLIMB_STEPS, rng))
            parents.append(self.trials[starts])
        return self._unique(np.concatenate(rows), np.concatenate(parents), rng)

    def local(self, n: int, rng: np.random.Generator) -> Proposals:
        """Neighbours of the current individual in the model's order, or restarts when they are used up."""
        if self.model is None or self.in_vain >= self.patience:
            if self.objectives > 1:
                self._turn(rng)
                self.current = self.best
                self.tries[:] = 0
            else:
                self.restarting = self.model is not None
            self.model = self._process().mean()
            self.in_vain = 0
        if self.restarting:
            return self._restarts(n, rng)
        row = self.rows[self.current]
        parents = np.full(n, self.trials[self.current])
        found = self._neighbours(row, n, rng)
        if len(found) == 0:
            self.restarting = True
            return self._restarts(n, rng)
        return Proposals(found, _lineage(parents[: len(found)]))

    def _combine(self, first: int, stop: int) -> None:
        """Suggests the current individual with all changes that improved it, the best first."""
        row = self.rows[self.current]
        better = first + np.flatnonzero(self.values[first:stop] > self.values[self.current])
        combined = row.copy()
        for index in better[np.argsort(-self.values[better], kind="stable")]:
            changed = self.rows[index] != row
            if (combined[changed] == row[changed]).all():
                combined[changed] = self.rows[index][changed]
        self.suggested = combined[None][: len(better) > 1]

    def _turn(self, rng: np.random.Generator) -> None:
        """Draws new weights and ranks everything by them."""
        known = self.fitness[: self.told]
        spread = known.std(axis=0)
        self.shift = known.mean(axis=0)
        self.weights = rng.dirichlet(np.ones(self.objectives)) / np.where(spread > 0, spread, 1.0)
        self.values[: self.told] = self._weighed(known)
        self.best = int(self.values[: self.told].argmax())

    def _weighed(self, fitness: FloatArray) -> FloatArray:
        return (fitness - self.shift) @ self.weights

    def _move(self, first: int, stop: int) -> None:
        top = first + int(self.values[first:stop].argmax())
        if self.restarting:
            self.current, self.restarting, self.in_vain = top, False, 0
            self.tries[:] = 0
        elif self.current < 0 or self.values[top] > self.values[self.current]:
            if self.current >= 0 and self.genome.independent:
                self._combine(first, stop)
            self.current, self.in_vain = top, 0
        else:
            self.in_vain += stop - first
        if self.best < 0 or self.values[top] > self.values[self.best]:
            self.best = top

    def _process(self) -> PairwiseProcess:
        """The model of the best and the newest individuals, refitted when a quarter of it would be new."""
        if self.process is None or self.told - self.fitted_at >= min(self.told, self.model_size) // 4:
            self.learned = self._learned()
            self.process = PairwiseProcess(self.one_hot, self.one_hot.vectors(self.rows[self.learned]))
            self.fitted_at = self.told
        return self.process.with_values(self.values[self.learned])

    def _learned(self) -> IntArray:
        if self.told <= self.model_size:
            return np.arange(self.told)
        newest = np.arange(self.told - self.model_size // 2, self.told)
        older = np.argsort(-self.values[: newest[0]], kind="stable")[: self.model_size - len(newest)]
        return np.concatenate([np.sort(older), newest])

    def _neighbours(self, row: Rows, n: int, rng: np.random.Generator) -> Rows:
        assert self.model is not None
        if self.genome.independent:
            order = np.lexsort((-self.climber.gains(row, self.model), self.tries))
            found = self._unseen(self.suggested, n)
            for start in range(0, len(order), 2 * n):
                if len(found) == n:
                    break
                changed = self.climber.changed(row, order[start : start + 2 * n])
                found = np.concatenate([found, self._unseen(changed, n - len(found))])
            self.tries[(found.astype(np.int64) + self.one_hot.offsets)[found != row]] += 1
        else:
            mutants = self.genome.mutate(np.repeat(row[None], 4 * self.patience, axis=0), rng)
            scores = self.model.values(self.one_hot.vectors(mutants))
            found = self._unseen(mutants[np.argsort(-scores, kind="stable")], n)
        self.suggested = self.rows[:0]
        return found

    def _restarts(self, n: int, rng: np.random.Generator) -> Proposals:
        assert self.model is not None
        kicked, frozen = self._kicked(np.repeat(self.rows[[self.best]], n, axis=0), rng)
        rows = self.climber.climb(kicked, self.model, _CLIMB_STEPS, rng, frozen=frozen)
        return self._unique(rows, np.full(n, self.trials[self.best]), rng)

    def _kicked(self, rows: Rows, rng: np.random.Generator) -> tuple[Rows, np.ndarray]:
        kicked = rows
        for _ in range(_KICKED_GENES):
            kicked = self.genome.mutate(kicked, rng)
        return kicked, kicked != rows

    def _unseen(self, rows: Rows, n: int) -> Rows:
        taken: set[bytes] = set()
        chosen: list[int] = []
        for index, key in enumerate(self.genome.keys(rows)):
            if key not in self.seen and key not in taken and len(chosen) < n:
                taken.add(key)
                chosen.append(index)
        return rows[chosen]

    def _unique(self, rows: Rows, parents: IntArray, rng: np.random.Generator) -> Proposals:
        taken = set(self.seen)
        rows = rows.copy()
        for index, key in enumerate(self.genome.keys(rows)):
            for _ in range(len(rows[index])):
                if key not in taken:
                    break
                rows[[index]] = self.genome.mutate(rows[[index]], rng)
                (key,) = self.genome.keys(rows[[index]])
            taken.add(key)
        return Proposals(rows, _lineage(parents))


def _lineage(parents: IntArray) -> IntArray:
    return np.stack([parents, np.full(len(parents), -1)], axis=1)
