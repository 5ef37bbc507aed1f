"""Fair paths: every candidate of a decision equally often, no path that is infeasible."""

import itertools

import numpy as np
import pyglove as pg
import pytest

from autoglyph.child_programs.datasets import load_dataset
from autoglyph.child_programs.weight_sharing.fair_paths import fair_paths
from autoglyph.child_programs.weight_sharing.one_shot import Schedule, train_fairly
from autoglyph.child_programs.weight_sharing.paths import paths_of
from autoglyph.child_programs.weight_sharing.shared_weights import SharedWeights
from autoglyph.child_programs.weight_sharing.supernet import Supernet
from autoglyph.search_spaces import SearchSpace
from autoglyph.search_spaces.spaces.nasbench201 import SPACE

NUMBERS = SearchSpace("numbers", pg.Dict(x=pg.oneof([1, 2, 3]), y=pg.oneof([1, 2, 3, 4]), z=pg.oneof([1, 2])))


def test_every_candidate_comes_as_often_as_any_other() -> None:
    rows = np.stack(list(itertools.islice(fair_paths(NUMBERS, np.random.default_rng(0)), 24)))
    for column, size in enumerate((3, 4, 2)):
        for deal in rows[:, column].reshape(-1, size):
            assert sorted(deal.tolist()) == list(range(size))
    assert len({row.tobytes() for row in rows}) > 12, "decisions are dealt independently"


def test_infeasible_paths_are_left_out() -> None:
    rows = np.stack(list(itertools.islice(fair_paths(SPACE, np.random.default_rng(1)), 500)))
    assert SPACE.feasible(rows).all()
    counts = np.stack([np.bincount(column, minlength=5) for column in rows.T])
    assert counts.min() > 75 and counts.max() < 125


def test_what_cannot_be_dealt_is_refused() -> None:
    with pytest.raises(ValueError, match="has real decisions"):
        next(fair_paths(SearchSpace("real", pg.Dict(x=pg.floatv(0.0, 1.0))), np.random.default_rng(0)))
    none = SearchSpace("none", pg.oneof([1, 2]), feasible=lambda rows, genome: np.zeros(len(rows), bool))
    with pytest.raises(ValueError, match="No feasible path of none"):
        next(fair_paths(none, np.random.default_rng(0)))


@pytest.mark.slow
def test_weights_learn_along_fair_paths() -> None:
    supernet = Supernet(SharedWeights(0), load_dataset("digits", seed=0, limit=300), width=0.25)
    paths = paths_of(supernet, SPACE.genome)
    progress = list(train_fairly(paths, SPACE, Schedule(30, batch_size=32)))
    assert [each.step for each in progress] == list(range(1, 31))
    assert np.mean([each.loss for each in progress[-5:]]) < np.mean([each.loss for each in progress[:5]])
