"""PyGlove's generators as algorithms and the reverse."""

import random
from pathlib import Path

import numpy as np
import pyglove as pg
import pytest

from autoglyph.algorithms import Outcomes, PyGloveGenerator, as_generator, catalog
from autoglyph.algorithms.nsga2 import NSGA2
from autoglyph.algorithms.pyglove_generator import generator_from_text, generator_text
from autoglyph.algorithms.regularized_evolution import RegularizedEvolution
from autoglyph.search_spaces import Genome

SPACE = pg.Dict(a=pg.oneof([0, 1, 2]), b=pg.oneof([0, pg.oneof([1, 2])]), c=pg.floatv(0.0, 1.0))
GENERATORS = {
    "regularized": lambda: pg.evolution.regularized_evolution(population_size=4, tournament_size=2),
    "climb": lambda: pg.evolution.hill_climb(),
    "neat": lambda: pg.evolution.neat(population_size=10),
    "random": lambda: pg.geno.Random(),
    "dedup": lambda: pg.geno.Deduping(pg.geno.Random()),
    "nsga2": lambda: pg.evolution.nsga2(population_size=3),
}


def drive(algorithm, seed, objectives):
    genome, rows = Genome(SPACE), []
    algorithm.setup(genome, objectives, seed)
    for trial in range(16):
        row = algorithm.ask(1).rows
        fitness = np.array([[row[0, 0] + 1, -row[0, 2]][:objectives]], float)
        if trial == 3:
            fitness[:] = -np.inf
        algorithm.tell(Outcomes(np.array([trial]), row, fitness))
        rows.append(row[0])
    return np.array(rows)


@pytest.mark.parametrize("name", GENERATORS)
def test_proposals_follow_from_the_seed_and_leave_global_randomness_alone(name):
    objectives = 2 if name == "nsga2" else 1
    before = random.getstate()
    algorithm = PyGloveGenerator(generator=GENERATORS[name]())
    first = drive(algorithm, 3, objectives)
    assert random.getstate() == before
    random.seed(99)
    np.testing.assert_array_equal(first, drive(algorithm, 3, objectives))
    assert not np.array_equal(first, drive(algorithm, 4, objectives))


def test_a_generator_that_ends_proposes_nothing_more():
    algorithm = PyGloveGenerator(generator=pg.geno.Sweeping())
    genome = Genome(pg.oneof([1, 2, 3]))
    algorithm.setup(genome, 1, 0)
    assert len(algorithm.ask(5).rows) == 3 and len(algorithm.ask(5).rows) == 0


def test_texts_hold_data_and_no_code():
    generator = GENERATORS["regularized"]()
    assert pg.eq(generator_from_text(generator_text(generator)), generator)
    for code in ("nsga2", "neat"):
        with pytest.raises(ValueError, match=r"my\.py:GENERATOR"):
            generator_text(GENERATORS[code]())
    with pytest.raises(ValueError, match="holds code"):
        generator_from_text('{"_type": "function", "name": "os.system", "code": "4w=="}')


def test_a_file_may_hold_a_generator(tmp_path: Path):
    path = tmp_path / "mine.py"
    path.write_text("import pyglove as pg\nGENERATOR = pg.evolution.nsga2(population_size=3)\n")
    assert catalog.make(f"{path}:GENERATOR").multi_objective


@pytest.mark.parametrize("seed", [0, 1])
def test_sample_takes_our_algorithm(seed):
    def best():
        generator = as_generator(RegularizedEvolution(population_size=8, tournament_size=4), seed=seed)
        rewards = []
        for example, feedback in pg.sample(SPACE, generator, num_examples=30):
            rewards.append(example.a + example.c)
            feedback(rewards[-1])
        return rewards

    assert best() == best()


def test_sample_takes_several_objectives():
    generator = as_generator(NSGA2(population_size=4), num_objectives=2)
    for example, feedback in pg.sample(SPACE, generator, num_examples=10, metrics_to_optimize=["x", "y"]):
        feedback((example.a, -example.c))
    assert generator.num_feedbacks == 10
