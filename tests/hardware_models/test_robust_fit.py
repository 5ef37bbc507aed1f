"""The fit finds known minima, keeps to its bounds and is not pulled by outliers."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import least_squares

from autoglyph.hardware_models.robust_fit import Floats, fit

T = np.linspace(0, 4, 40)


def _model(x: Floats) -> Floats:
    return x[0] * np.exp(-x[1] * T) + x[2]


TRUTH = _model(np.array([2.0, 1.3, 0.5]))
LOW, HIGH = np.full(3, 0.01), np.full(3, 10.0)


def test_a_known_minimum() -> None:
    found = fit(lambda x: _model(x) - TRUTH, np.ones(3), LOW, HIGH, width=0.1)
    assert found.x == pytest.approx([2.0, 1.3, 0.5], abs=1e-4) and found.loss < 1e-9


def test_outliers_hardly_pull() -> None:
    data = TRUTH.copy()
    data[[3, 20]] += 5.0
    found = fit(lambda x: _model(x) - data, np.ones(3), LOW, HIGH, width=0.01)
    plain = least_squares(lambda x: _model(x) - data, np.ones(3)).x
    assert np.abs(found.x - [2.0, 1.3, 0.5]).max() < 0.05 < np.abs(plain - [2.0, 1.3, 0.5]).max()


def test_bounds_hold() -> None:
    high = np.array([10.0, 1.0, 10.0])
    found = fit(lambda x: _model(x) - TRUTH, np.full(3, 20.0), LOW, high, width=0.1)
    bounds = (LOW, high)
    expected = least_squares(lambda x: _model(x) - TRUTH, np.full(3, 0.9), bounds=bounds, loss="soft_l1", f_scale=0.1)
    assert found.x[1] == 1.0
    assert found.x == pytest.approx(expected.x, abs=1e-3)
