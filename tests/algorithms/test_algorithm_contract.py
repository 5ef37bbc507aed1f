"""What every algorithm promises; a new file in algorithms/ is tested by being there."""

import numpy as np
import pyglove as pg
import pytest

from autoglyph.algorithms import Outcomes, catalog
from autoglyph.search_spaces import Genome

ALGORITHMS = list(catalog.available())
SPACES = {
    "flat": pg.Dict(**{f"x{i}": pg.oneof([0, 1, 2, 3]) for i in range(6)}),
    "nested": pg.Dict(
        head=pg.oneof([pg.Dict(a=pg.oneof([1, 2, 3])), pg.Dict(b=pg.manyof(2, [1, 2, 3, 4]), c=pg.oneof([1, 2]))]),
        tail=pg.oneof(["x", "y", "z"]),
    ),
    "permutation": pg.Dict(order=pg.permutate([1, 2, 3, 4]), pick=pg.manyof(2, [1, 2, 3, 4, 5], sorted=True)),
    "float": pg.Dict(rate=pg.floatv(-1.0, 1.0), kind=pg.oneof([1, 2, 3])),
}
FINITE = ["flat", "nested", "permutation"]
CASES = [(a, s) for a in ALGORITHMS for s in SPACES if a != "exhaustive" or s in FINITE]  # the others are infinite


def genome_of(space: str) -> Genome:
    return Genome(SPACES[space])


def fitness_of(rows: np.ndarray, objectives: int) -> np.ndarray:
    weights = np.cos(np.arange(rows.shape[1]))
    first = rows @ weights
    return np.stack([first, -(rows**2).sum(axis=1)][:objectives], axis=1).astype(float)


def drive(algorithm, genome, *, objectives=1, seed=3, asks=25, batch=None, drop=False, fail=False):
    """Runs a search as the platform does; returns all proposals and the history of tells."""
    algorithm.setup(genome, objectives, seed)
    known: dict[bytes, int] = {}
    table = np.zeros((0, objectives))
    proposals = []
    for number in range(asks):
        proposed = algorithm.ask(batch or algorithm.batch_size)
        if len(proposed.rows) == 0:
            break
        proposals.append(proposed)
        values = fitness_of(proposed.rows, objectives)
        if fail:
            values[::3] = -np.inf
        kept = []
        for index, key in enumerate(genome.keys(proposed.rows)):
            if drop and (number + index) % 4 == 0 and key not in known:
                continue
            if key not in known:
                known[key] = len(known)
                table = np.concatenate([table, values[[index]]])
            kept.append(index)
        trials = np.array([known[k] for k in genome.keys(proposed.rows[kept])], np.int64)
        if kept:
            algorithm.tell(Outcomes(trials, proposed.rows[kept], table[trials]))
    return proposals, len(known)


@pytest.mark.parametrize(("name", "space"), CASES)
def test_proposals_are_canonical_points_with_honest_parents(name, space):
    genome = genome_of(space)
    proposals, told = drive(catalog.get(name)(), genome)
    assert proposals
    for proposed in proposals:
        genome.validate(proposed.rows)
        assert proposed.parents.shape == (len(proposed.rows), 2)
        assert proposed.parents.min() >= -1 and proposed.parents.max() < told


@pytest.mark.parametrize(("name", "space"), CASES)
def test_equal_seeds_and_tells_give_equal_proposals(name, space):
    genome = genome_of(space)
    first, _ = drive(catalog.get(name)(), genome)
    second, _ = drive(catalog.get(name)(), genome)
    other, _ = drive(catalog.get(name)(), genome, seed=4)
    for a, b in zip(first, second, strict=True):
        np.testing.assert_array_equal(a.rows, b.rows)
        np.testing.assert_array_equal(a.parents, b.parents)
    if name != "exhaustive":
        assert any(not np.array_equal(a.rows, b.rows) for a, b in zip(first, other, strict=False))


@pytest.mark.parametrize("name", ALGORITHMS)
def test_setup_starts_afresh(name):
    genome, algorithm = genome_of("flat"), catalog.get(name)()
    first, _ = drive(algorithm, genome)
    again, _ = drive(algorithm, genome)
    for a, b in zip(first, again, strict=True):
        np.testing.assert_array_equal(a.rows, b.rows)


@pytest.mark.parametrize(
    "options", [{"batch": 1, "asks": 200}, {"batch": 300, "asks": 4}, {"drop": True}, {"fail": True}]
)
@pytest.mark.parametrize("space", ["flat", "nested"])
@pytest.mark.parametrize("name", ALGORITHMS)
def test_any_batch_missing_tells_and_failures_are_survived(name, space, options):
    genome = genome_of(space)
    proposals, _ = drive(catalog.get(name)(), genome, **options)
    for proposed in proposals:
        genome.validate(proposed.rows)


@pytest.mark.parametrize("name", ALGORITHMS)
def test_objectives_are_served_or_refused_in_one_sentence(name):
    algorithm = catalog.get(name)()
    if algorithm.multi_objective:
        proposals, _ = drive(algorithm, genome_of("nested"), objectives=2)
        assert proposals
    else:
        with pytest.raises(ValueError, match="choose nsga2"):
            algorithm.setup(genome_of("flat"), 2, 0)
    with pytest.raises(ValueError, match="at least one objective"):
        algorithm.setup(genome_of("flat"), 0, 0)


@pytest.mark.parametrize("name", [n for n in ALGORITHMS if n not in ("random", "exhaustive")])
def test_searching_beats_chance(name):
    genome = Genome(pg.Dict(**{f"x{i}": pg.oneof(list(range(8))) for i in range(12)}))
    best = []
    for candidate in (name, "random"):
        proposals, _ = drive(catalog.get(candidate)(), genome, batch=10, asks=60)
        best.append(max(fitness_of(p.rows, 1).max() for p in proposals))
    assert best[0] > best[1]


@pytest.mark.parametrize("name", ALGORITHMS)
def test_settings_out_of_range_are_refused(name):
    algorithm = catalog.get(name)()
    whole = [k for k in map(str, algorithm.sym_keys()) if type(algorithm.sym_getattr(k)) is int]
    assert whole
    for key in whole:
        changed = algorithm.clone(deep=True, override={key: -1})
        with pytest.raises(ValueError, match="Expected"):
            changed.setup(genome_of("flat"), 1, 0)


def test_unknown_names_are_refused_with_the_nearest():
    with pytest.raises(ValueError, match="did you mean 'nsga2'"):
        catalog.get("nsga22")
