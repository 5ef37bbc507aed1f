"""Algorithms and PyGlove's generators as each other: any `pg.DNAGenerator` as a fold, any fold as a `pg.DNAGenerator`.

PyGlove's operators without a seed draw from Python's global `random` module. Here every call of a generator gets a
private state of it, so proposals follow from the seed and the tells alone, and replaying a record is exact.
"""

from __future__ import annotations

import collections
import contextlib
import json
import random
import threading
from collections.abc import Iterator
from typing import Any

import numpy as np
import pyglove as pg

from autoglyph.algorithms.base import Algorithm, Outcomes, Proposals, without_parents
from autoglyph.search_spaces import Genome

_SHARED = threading.RLock()


class PrivateRandom:
    """The global random states of Python and NumPy, exchanged for private ones within a `with`.

    Args:
        seed: of both.
    """

    def __init__(self, seed: int) -> None:
        self._python: Any = random.Random(seed).getstate()
        self._numpy: Any = np.random.RandomState(seed % 2**32).get_state()

    @contextlib.contextmanager
    def use(self) -> Iterator[None]:
        """Draws go to the private states, and the global ones are as before afterwards."""
        with _SHARED:
            python, numpy = random.getstate(), np.random.get_state()
            random.setstate(self._python)
            np.random.set_state(self._numpy)
            try:
                yield
            finally:
                self._python, self._numpy = random.getstate(), np.random.get_state()
                random.setstate(python)
                np.random.set_state(numpy)


class PyGloveGenerator(Algorithm):
    """A `pg.DNAGenerator` as an algorithm: one proposal an ask; a failed trial brings it no feedback.

    Attributes:
        generator: the generator, or the JSON text that PyGlove gives of it, as it is recorded.
    """

    generator: Any

    @property
    def multi_objective(self) -> bool:
        """Whether the generator takes tuples of rewards."""
        return bool(_generator(self.generator).multi_objective)

    def _start(self) -> None:
        self._random = PrivateRandom(self._seed)
        self._running = _generator(self.generator).clone(deep=True)
        with self._random.use():
            self._running.setup(self._genome.spec)
        self._pending: dict[bytes, collections.deque[Any]] = collections.defaultdict(collections.deque)

    def _propose(self, n: int, rng: np.random.Generator) -> Proposals:
        rows = []
        with self._random.use():
            for _ in range(n):
                try:
                    dna = self._running.propose()
                except StopIteration:
                    break
                row = self._genome.from_dna(dna)
                self._pending[self._genome.keys(row[None])[0]].append(dna)
                rows.append(row)
        return without_parents(np.stack(rows) if rows else np.zeros((0, self._genome.length), self._genome.dtype))

    def tell(self, outcomes: Outcomes) -> None:
        """Every told row answers the oldest open proposal of it; rows the generator did not propose are passed over."""
        with self._random.use():
            for key, values in zip(self._genome.keys(outcomes.rows), outcomes.fitness.tolist(), strict=True):
                waiting = self._pending.get(key)
                if not waiting:
                    continue
                dna = waiting.popleft()
                if not waiting:
                    del self._pending[key]
                if np.isfinite(values).all():
                    self._running.feedback(dna, tuple(values) if self._running.multi_objective else values[0])


# A generator that is given where an algorithm is wanted becomes one.
pg.typing.register_converter(pg.DNAGenerator, Algorithm, lambda generator: PyGloveGenerator(generator=generator))


class _AlgorithmGenerator(pg.DNAGenerator):
    """An algorithm of this package as a generator of PyGlove; made by `as_generator`."""

    algorithm: Any
    num_objectives: int = 1
    seed: int = 0

    @property
    def multi_objective(self) -> bool:
        return bool(self.num_objectives > 1)

    def _setup(self) -> None:
        self._lock = threading.Lock()
        self._genome = Genome(self.dna_spec)
        self._fold = self.algorithm.clone(deep=True)
        self._fold.setup(self._genome, self.num_objectives, self.seed)
        self._numbers: dict[bytes, int] = {}

    def _propose(self) -> Any:
        with self._lock:
            rows = self._fold.ask(1).rows
            if not len(rows):
                raise StopIteration
            return self._genome.to_dna(rows[0])

    def _feedback(self, dna: Any, reward: Any) -> None:
        with self._lock:
            row = self._genome.from_dna(dna)[None]
            number = self._numbers.setdefault(self._genome.keys(row)[0], len(self._numbers))
            fitness = np.array(reward, np.float64).reshape(1, self.num_objectives)
            self._fold.tell(Outcomes(np.array([number], np.int64), row, fitness))

    def _replay(self, trial_id: int, dna: Any, reward: Any) -> None:
        with self._lock:
            self._fold.ask(1)
        if reward is not None:
            self._feedback(dna, reward)


def as_generator(algorithm: Algorithm, *, num_objectives: int = 1, seed: int = 0) -> pg.DNAGenerator:
    """A generator for `pg.sample` that proposes what an algorithm asks for.

    Args:
        algorithm: the algorithm; it is copied.
        num_objectives: length of the rewards; for several, give `pg.sample` as many `metrics_to_optimize`.
        seed: of all its randomness.
    """
    return _AlgorithmGenerator(algorithm=algorithm, num_objectives=num_objectives, seed=seed)


def generator_text(generator: pg.DNAGenerator) -> str:
    """A generator as JSON text that `generator_from_text` reads.

    Raises:
        ValueError: if it contains code, such as a lambda, or classes from outside PyGlove.
    """
    try:
        text = str(generator.to_json_str())
    except Exception as error:
        raise ValueError(_NOT_DATA) from error
    _check_data(json.loads(text))
    return text


def generator_from_text(text: str) -> pg.DNAGenerator:
    """The generator of a text; runs nothing that the text brings.

    Raises:
        ValueError: if the text names anything but PyGlove's classes, or is no generator.
    """
    _check_data(json.loads(text))
    found = pg.from_json_str(text, auto_import=False)
    if not isinstance(found, pg.DNAGenerator):
        raise ValueError(f"Expected the text of a pg.DNAGenerator, received that of {type(found).__name__}.")
    return found


_NOT_DATA = (
    "This generator holds code (a lambda, as pg.evolution.nsga2 and neat do) or classes from outside PyGlove, which a "
    "record does not keep: put it into a file as GENERATOR and name it as my.py:GENERATOR."
)


def _check_data(value: Any) -> None:
    if isinstance(value, dict):
        name = value.get("_type")
        if name is not None and not (isinstance(name, str) and name.startswith(("pyglove.core.geno", "pyglove.ext."))):
            raise ValueError(_NOT_DATA)
    for each in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        _check_data(each)


def _generator(value: Any) -> Any:
    return generator_from_text(value) if isinstance(value, str) else value
