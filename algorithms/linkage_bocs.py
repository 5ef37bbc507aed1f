"""BOCS on learned linkage: find which decisions interact, then Thompson sampling of a model of those alone.

Bayesian optimisation of combinatorial structures (BOCS; Baptista and Poloczek 2018) climbs posterior samples
of a second-order model. Here the pairs of the model are those that a screening finds linked (linkage
identification by non-linearity check; Munetomo and Goldberg 1999), so that it learns from fewer evaluations
and costs less. Several objectives are weighed with random weights, drawn anew for every sample (Paria et al.
2020).

The screening takes about 2 L + 3 evaluations a link of L decisions, and needs objectives without noise: where
it finds noise, a failure or more than half of the pairs linked, or where decisions depend on one another, the
search goes on as `bocs`.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from autoglyph.algorithms.base import (
    Algorithm,
    FloatArray,
    IntArray,
    Outcomes,
    Proposals,
    without_parents,
)
from autoglyph.algorithms.bocs import BOCS
from autoglyph.algorithms.linkage import Change, LinkageScreening, link_array
from autoglyph.algorithms.linked_process import LinkedProcess
from autoglyph.algorithms.pareto import nondominated_ranks
from autoglyph.search_spaces import Genome, Rows

_ELITES = 20
_KICKED_GENES = 3
_PER_SAMPLE = 8
_IDLE_ASKS = 20


class LinkageBOCS(Algorithm):
    """Screening for linked decisions, then Thompson sampling of a model of these.

    Attributes:
        batch: proposals of one posterior.
        memory: individuals that the model learns from at most; the better half stays when it is full.
        climb_steps: changes that a proposal climbs on its posterior sample at most.
        tolerance: how far changes of two decisions may fail to add up without being linked, as a share of
            the range of the objective.
    """

    batch: int = 64
    memory: int = 1000
    climb_steps: int = 16
    tolerance: float = 1e-4

    @property
    def batch_size(self) -> int:
        """The setting; a round of the screening may be smaller."""
        return int(self.batch)

    @property
    def multi_objective(self) -> bool:
        """Any number of objectives, by random weights."""
        return True

    def _start(self) -> None:
        self._expect_at_least(1, "batch", "climb_steps")
        self._expect_at_least(16, "memory")
        self._expect_at_least(0, "tolerance")
        self._told: list[tuple[Outcomes, NDArray[np.bool_]]] = []
        self._bocs: BOCS | None = None
        self._linked: _LinkedSearch | None = None
        self._idle_asks = 0
        if self._genome.independent and (self._genome.cardinalities > 1).all():
            rng = np.random.default_rng([self._seed, 0, 0])
            self._screen = _Screen(self._genome, float(self.tolerance), rng)
        else:
            self._go_on_as_bocs()

    def tell(self, outcomes: Outcomes) -> None:
        """Goes on with the screening, or keeps what was measured for the model."""
        if self._bocs is not None:
            self._bocs.tell(outcomes)
        elif self._linked is not None:
            self._linked.tell(outcomes)
        else:
            self._told.append((outcomes, self._screen.tell(outcomes)))
            if self._screen.linkage.dense:
                self._go_on_as_bocs()
            elif self._screen.linkage.finished:
                self._learn_links()

    def _propose(self, n: int, rng: np.random.Generator) -> Proposals:
        if self._bocs is not None:
            return self._bocs.ask(n)
        if self._linked is not None:
            return self._linked.propose(n, rng)
        proposals = self._screen.propose(n)
        if len(proposals.rows):
            return proposals
        self._idle_asks += 1
        if self._idle_asks >= _IDLE_ASKS:
            self._go_on_as_bocs()
        return without_parents(self._genome.random(n, rng))

    def _go_on_as_bocs(self) -> None:
        self._bocs = BOCS()
        self._bocs.setup(self._genome, self._num_objectives, self._seed)
        for outcomes, _ in self._told:
            self._bocs.tell(outcomes)
        self._told.clear()

    def _learn_links(self) -> None:
        links = link_array(self._screen.linkage.links)
        process = LinkedProcess(self._genome.cardinalities, links, int(self.memory))
        self._linked = _LinkedSearch(self._genome, process, self._num_objectives, int(self.climb_steps))
        for outcomes, informative in self._told:
            self._linked.tell(outcomes, informative)
        self._told.clear()


class _Screen:
    """The individuals that the screening wants to see: mixtures of two that differ in every decision."""

    def __init__(self, genome: Genome, tolerance: float, rng: np.random.Generator) -> None:
        self._genome = genome
        sizes = genome.cardinalities
        self._reference: Rows = genome.random(1, rng)[0]
        steps = 1 + np.floor(rng.random(genome.length) * (sizes - 1)).astype(np.int64)
        self._opposite = (self._reference + steps) % sizes
        self.linkage = LinkageScreening(genome.length, rng.permutation(genome.length).tolist(), tolerance=tolerance)
        self._first_round = frozenset(self.linkage.missing)
        self._awaited: dict[bytes, Change] = {}
        self._proposed: set[Change] = set()
        self._reference_trial = -1

    def propose(self, n: int) -> Proposals:
        """At most n of the individuals wanted now that were not proposed before."""
        changes = [change for change in self.linkage.missing if change not in self._proposed][:n]
        rows = np.repeat(self._reference[None], len(changes), axis=0)
        for row, change in zip(rows, changes, strict=True):
            members = list(change)
            row[members] = self._opposite[members]
        self._proposed.update(changes)
        self._awaited.update(zip(self._genome.keys(rows), changes, strict=True))
        return Proposals(rows, _lineage(np.full(len(rows), self._reference_trial)))

    def tell(self, outcomes: Outcomes) -> NDArray[np.bool_]:
        """Takes what was measured.

        Returns:
            (n,) whether a model learns much from it: later rounds mix the same two individuals again.
        """
        informative = np.ones(len(outcomes), bool)
        for index, key in enumerate(self._genome.keys(outcomes.rows)):
            change = self._awaited.pop(key, None)
            if change is not None:
                informative[index] = change in self._first_round
                if not change:
                    self._reference_trial = int(outcomes.trials[index])
                self.linkage.measured(change, outcomes.fitness[index])
        return informative


class _LinkedSearch:
    """Thompson sampling once the links are known."""

    def __init__(self, genome: Genome, process: LinkedProcess, objectives: int, climb_steps: int) -> None:
        self._genome, self._process, self._climb_steps = genome, process, climb_steps
        sizes = genome.cardinalities
        self._offsets: IntArray = np.cumsum(sizes) - sizes
        self._rows: Rows = np.zeros((process.capacity, genome.length), genome.dtype)
        self._fitness: FloatArray = np.zeros((process.capacity, objectives))
        self._trials: IntArray = np.zeros(process.capacity, np.int64)
        self._kept = 0
        self._seen: set[bytes] = set()

    def tell(self, outcomes: Outcomes, informative: NDArray[np.bool_] | None = None) -> None:
        """Keeps what is new, finite and informative."""
        keys = self._genome.keys(outcomes.rows)
        wanted = np.asarray(np.isfinite(outcomes.fitness).all(axis=1))
        if informative is not None:
            wanted = wanted & informative
        fresh = []
        for index, key in enumerate(keys):
            if key not in self._seen:
                self._seen.add(key)
                if wanted[index]:
                    fresh.append(index)
        step = self._process.capacity // 2
        for start in range(0, len(fresh), step):
            self._keep(outcomes, fresh[start : start + step])

    def propose(self, n: int, rng: np.random.Generator) -> Proposals:
        """Climbed posterior samples, from changed copies of the best."""
        known = len(self._process)
        if known < self._kept:
            self._process.add(self._rows[known : self._kept].astype(np.int64))
        samples = -(-n // _PER_SAMPLE)
        each = -(-n // samples)
        targets = _weighed(self._fitness[: self._kept], samples, rng)
        elites = np.argsort(-targets, axis=0, kind="stable")[:_ELITES].T
        picked = rng.integers(elites.shape[1], size=(samples, each))
        starts = np.take_along_axis(elites, picked, axis=1).ravel()
        rows = self._rows[starts]
        for _ in range(_KICKED_GENES):
            rows = self._genome.mutate(rows, rng)
        functions = self._process.samples(targets, rng)
        places: IntArray = (rows.astype(np.int64) + self._offsets).reshape(samples, each, -1)
        climbed = functions.climb(places, self._climb_steps).reshape(rows.shape)[:n] - self._offsets
        return Proposals(self._made_new(climbed.astype(rows.dtype), rng), _lineage(self._trials[starts[:n]]))

    def _keep(self, outcomes: Outcomes, indices: list[int]) -> None:
        if self._kept + len(indices) > self._process.capacity:
            self._forget()
        start, self._kept = self._kept, self._kept + len(indices)
        self._rows[start : self._kept] = outcomes.rows[indices]
        self._fitness[start : self._kept] = outcomes.fitness[indices]
        self._trials[start : self._kept] = outcomes.trials[indices]

    def _forget(self) -> None:
        """Keeps the better half."""
        ranks = nondominated_ranks(self._fitness[: self._kept])
        better = np.sort(np.argsort(ranks, kind="stable")[: self._process.capacity // 2])
        for array in (self._rows, self._fitness, self._trials):
            array[: len(better)] = array[better]
        self._kept = len(better)
        self._process.forget()

    def _made_new(self, rows: Rows, rng: np.random.Generator) -> Rows:
        """The rows, those known or twice among them mutated until they are new, if they can be."""
        taken: set[bytes] = set()
        for index, key in enumerate(self._genome.keys(rows)):
            for _ in range(self._genome.length):
                if key not in taken and key not in self._seen:
                    break
                rows[[index]] = self._genome.mutate(rows[[index]], rng)
                (key,) = self._genome.keys(rows[[index]])
            taken.add(key)
        return rows


def _weighed(values: FloatArray, samples: int, rng: np.random.Generator) -> FloatArray:
    """(n, samples) objectives combined, for every sample with weights of its own."""
    spread = values.std(axis=0)
    scaled = (values - values.mean(axis=0)) / np.where(spread > 0, spread, 1.0)
    weighed: FloatArray = scaled @ rng.dirichlet(np.ones(values.shape[1]), size=samples).T
    return weighed


def _lineage(parents: IntArray) -> IntArray:
    return np.stack([parents, np.full(len(parents), -1)], axis=1)
