"""Rank correlations equal SciPy's; errors do not depend on the unit of the prediction."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import kendalltau, spearmanr

from autoglyph.hardware_models import agreement as module
from autoglyph.hardware_models.agreement import agreement, kendall, spearman

VALUES = st.lists(st.tuples(st.integers(0, 12), st.integers(0, 12)), min_size=3, max_size=60)


@given(VALUES)
def test_ranks_are_those_of_scipy(pairs: list[tuple[int, int]]) -> None:
    a, b = np.array(pairs, float).T
    if len(set(a)) == 1 or len(set(b)) == 1:
        assert np.isnan(spearman(a, b)) and np.isnan(kendall(a, b))
        return
    assert spearman(a, b) == pytest.approx(spearmanr(a, b)[0])
    assert kendall(a, b) == pytest.approx(kendalltau(a, b)[0])


def test_pairs_in_several_parts_count_once(monkeypatch: pytest.MonkeyPatch) -> None:
    a, b = np.random.default_rng(0).integers(0, 30, (2, 101)).astype(float)
    monkeypatch.setattr(module, "_PAIRS_AT_ONCE", 350)
    assert kendall(a, b) == pytest.approx(kendalltau(a, b)[0])


def test_errors_by_hand() -> None:
    found = agreement(np.array([1.0, 2.0, 3.0, 4.0, 6.0]), np.array([2.0, 4.0, 6.0, 10.0, 12.0]))
    assert found.scale == 2.0 and found.networks == 5
    assert found.mape == pytest.approx(0.2 / 5)
    assert (found.spearman, found.kendall, found.slow60_spearman) == pytest.approx((1.0, 1.0, 1.0))


def test_the_slow_part_is_judged_alone() -> None:
    measured = np.arange(1.0, 11.0)
    predicted = np.array([4.0, 3.0, 2.0, 1.0, 5.0, 6.0, 7.0, 8.0, 9.0, 10.0])
    found = agreement(predicted, measured)
    assert found.slow60_spearman == pytest.approx(1.0) and found.spearman < 0.95


def test_a_unit_changes_nothing_but_the_scale() -> None:
    rng = np.random.default_rng(1)
    predicted, measured = rng.uniform(1, 2, (2, 50))
    one, other = agreement(predicted, measured), agreement(1e3 * predicted, measured)
    assert other.scale == pytest.approx(one.scale / 1e3)
    assert (other.mape, other.kendall, other.spearman) == pytest.approx((one.mape, one.kendall, one.spearman))


def test_too_few_networks_are_refused() -> None:
    with pytest.raises(ValueError, match="has 2 measured networks; ranks need three or more"):
        agreement(np.ones(2), np.ones(2))
