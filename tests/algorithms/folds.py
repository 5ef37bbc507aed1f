"""Spaces, objectives and a search loop for tests of algorithms."""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import pyglove as pg

from autoglyph.algorithms import Algorithm, Outcomes, Proposals, catalog
from autoglyph.search_spaces import Genome

SPACES = {
    "flat": lambda: pg.Dict({f"x{i}": pg.oneof(range(4)) for i in range(8)}),
    "uneven": lambda: pg.Dict(a=pg.oneof(range(7)), b=pg.oneof([0, 1]), c=pg.oneof(range(3)), d=pg.oneof(range(5))),
    "single choice": lambda: pg.Dict(a=pg.oneof([1, 2])),
    "tiny": lambda: pg.Dict(a=pg.oneof([1, 2]), b=pg.oneof([1, 2, 3])),
    "conditional": lambda: pg.Dict(
        kind=pg.oneof([pg.Dict(width=pg.oneof([1, 2, 3]), deep=pg.oneof([pg.Dict(d=pg.oneof([1, 2])), 0])), 7]),
        other=pg.oneof(range(4)),
    ),
    "groups": lambda: pg.Dict(
        a=pg.manyof(2, range(5), distinct=True, sorted=True), b=pg.permutate([1, 2, 3]), c=pg.oneof([1, 2])
    ),
    "floats": lambda: pg.Dict(rate=pg.floatv(-1.0, 2.0), kind=pg.oneof([pg.floatv(0.0, 1.0), "none"])),
}


def genome_of(name: str) -> Genome:
    return Genome(SPACES[name]())


def value_of(genome: Genome, objectives: int) -> Callable[[np.ndarray], np.ndarray]:
    """Main and pair effects of binned genes: objectives that any algorithm can be given."""
    rng = np.random.default_rng(3)
    bins = 6
    main = rng.normal(size=(objectives, genome.length, bins))
    pair = rng.normal(size=(objectives, genome.length, bins, bins))

    def values(rows: np.ndarray) -> np.ndarray:
        genes = np.abs(np.floor(rows * 1.7)).astype(int) % bins
        columns = np.arange(genome.length)
        mates = np.roll(genes, 1, axis=1)
        return (main[:, columns, genes].sum(axis=2) + pair[:, columns, genes, mates].sum(axis=2)).T

    return values


def supported(name: str, space: str, objectives: int) -> bool:
    """Whether an algorithm says that it can serve a space and so many objectives."""
    try:
        catalog.get(name)().setup(genome_of(space), objectives, 0)
    except ValueError:
        return False
    return True


@dataclass
class Fold:
    """An algorithm at work, with everything that it proposed and was told."""

    algorithm: Algorithm
    genome: Genome
    objectives: int = 1
    seed: int = 0
    loses: float = 0.0
    fails: float = 0.0
    proposals: list[Proposals] = field(default_factory=list)
    told: list[Outcomes] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.algorithm.setup(self.genome, self.objectives, self.seed)
        self.values = value_of(self.genome, self.objectives)
        self.numbers: dict[bytes, int] = {}
        self.fitness: dict[int, np.ndarray] = {}
        self.rng = np.random.default_rng(17)

    def step(self, batch: int) -> Proposals:
        """Asks once and tells what was measured: duplicates again under their number, the lost never."""
        proposals = self.algorithm.ask(batch)
        self.proposals.append(proposals)
        trials, kept = [], []
        measured = self.values(proposals.rows)
        for index, key in enumerate(self.genome.keys(proposals.rows)):
            if key not in self.numbers:
                if self.rng.random() < self.loses:
                    continue
                number = self.numbers[key] = len(self.numbers)
                failed = self.rng.random() < self.fails
                self.fitness[number] = np.full(self.objectives, -np.inf) if failed else measured[index]
            trials.append(self.numbers[key])
            kept.append(index)
        if trials:
            fitness = np.array([self.fitness[trial] for trial in trials])
            self.tell(Outcomes(np.array(trials, np.int64), proposals.rows[kept], fitness))
        return proposals

    def tell(self, outcomes: Outcomes) -> None:
        self.told.append(outcomes)
        self.algorithm.tell(outcomes)

    def run(self, asks: int, batch: int | None = None) -> "Fold":
        for _ in range(asks):
            if len(self.step(batch or self.algorithm.batch_size).rows) == 0:
                break
        return self
