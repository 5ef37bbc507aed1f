"""Algorithms of the catalogue where searches are awkward: replayed, failing, flat or soon exhausted."""

import itertools

import numpy as np
import pytest
from folds import SPACES, Fold, genome_of, supported

from autoglyph.algorithms import catalog

NAMES = sorted(catalog.available())
CASES = [
    pytest.param(name, space, objectives, id=f"{name}-{space}-{objectives}")
    for name, space, objectives in itertools.product(NAMES, SPACES, (1, 2))
    if supported(name, space, objectives)
]


@pytest.mark.parametrize(("name", "space", "objectives"), CASES)
def test_resumes_by_replay(name: str, space: str, objectives: int) -> None:
    genome = genome_of(space)
    fold = Fold(catalog.get(name)(), genome, objectives, seed=5, loses=0.1).run(9, 13)
    replayed = catalog.get(name)()
    replayed.setup(genome, objectives, 5)
    told = iter(fold.told)
    outcomes = next(told, None)
    for proposals in fold.proposals:
        again = replayed.ask(13)
        np.testing.assert_array_equal(again.rows, proposals.rows)
        np.testing.assert_array_equal(again.parents, proposals.parents)
        if outcomes is not None and set(genome.keys(outcomes.rows)) <= set(genome.keys(proposals.rows)):
            replayed.tell(outcomes)
            outcomes = next(told, None)
    if outcomes is None:
        np.testing.assert_array_equal(replayed.ask(13).rows, fold.algorithm.ask(13).rows)


@pytest.mark.parametrize(("name", "space", "objectives"), CASES)
def test_parents_were_told_before(name: str, space: str, objectives: int) -> None:
    fold = Fold(catalog.get(name)(), genome_of(space), objectives, loses=0.2, fails=0.3)
    for _ in range(25):
        told = {int(trial) for outcomes in fold.told for trial in outcomes.trials}
        proposals = fold.step(16)
        fold.genome.validate(proposals.rows)
        assert set(np.unique(proposals.parents).tolist()) <= told | {-1}


@pytest.mark.parametrize("name", NAMES)
def test_survives_nothing_but_failures(name: str) -> None:
    fold = Fold(catalog.get(name)(), genome_of("flat"), fails=1.0).run(20)
    assert len(fold.proposals) == 20


@pytest.mark.parametrize("name", NAMES)
def test_survives_equal_values(name: str) -> None:
    fold = Fold(catalog.get(name)(), genome_of("flat"))
    fold.values = lambda rows: np.zeros((len(rows), 1))
    fold.run(40, 20)
    assert len(fold.numbers) > 20


TINY = [(n, s) for n, s in itertools.product(NAMES, ("single choice", "tiny")) if supported(n, s, 1)]


def test_a_space_of_one_part_is_refused_by_flows_of_parts_alone() -> None:
    assert {n for n in NAMES if (n, "single choice") not in TINY} == {"nested", "separate", "hybrid"}


@pytest.mark.parametrize(("name", "space"), TINY)
def test_finds_all_of_a_tiny_space(name: str, space: str) -> None:
    fold = Fold(catalog.get(name)(), genome_of(space)).run(60, 8)
    assert len(fold.numbers) == fold.genome.size
