"""The process of linked pairs against textbook Gaussian regression, and climbing against brute force."""

import numpy as np
import pytest

from autoglyph.algorithms import linked_process
from autoglyph.algorithms.growing_cholesky import GrowingCholesky
from autoglyph.algorithms.linked_process import LinkedProcess, Samples

SIZES = np.array([3, 4, 2, 5])
LINKS = np.array([[0, 1], [1, 3]])
OFFSETS = np.cumsum(SIZES) - SIZES


def random_rows(n: int, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return np.unique(np.stack([rng.integers(size, size=n) for size in SIZES], axis=1), axis=0)


def values_of(samples: Samples, number: int, rows: np.ndarray) -> np.ndarray:
    places = rows + OFFSETS
    double = samples.double[number][places[:, :, None], places[:, None, :]].sum(axis=(1, 2)) / 2
    return samples.single[number][places].sum(axis=1) + double


def prior_covariance(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    equal = first[:, None] == second[None]
    pairs = sum(equal[:, :, i] & equal[:, :, j] for i, j in LINKS)
    main_share = linked_process._MAIN_SHARE
    return main_share / len(SIZES) * equal.sum(axis=2) + (1 - main_share) / len(LINKS) * pairs


@pytest.mark.parametrize("steps", [[200], [1] * 40, [7, 64, 3, 100, 1, 25]])
def test_cholesky_grows_to_the_factor(steps: list[int]) -> None:
    rng = np.random.default_rng(1)
    n = sum(steps)
    root = rng.normal(size=(n, n))
    matrix = root @ root.T / n + np.eye(n)
    factor = GrowingCholesky(n + 5)
    for step in steps:
        start = len(factor)
        factor.append(matrix[start : start + step, : start + step].astype(np.float32))
    assert len(factor) == n
    right = rng.normal(size=(n, 3)).astype(np.float32)
    lower = np.linalg.cholesky(matrix)
    np.testing.assert_allclose(factor.forward(right), np.linalg.solve(lower, right), atol=2e-4)
    np.testing.assert_allclose(factor.backward(right), np.linalg.solve(lower.T, right), atol=2e-4)


def test_samples_have_mean_and_spread_of_the_posterior() -> None:
    measured, others = random_rows(25), random_rows(200, seed=1)[::9]
    values = np.sin(measured @ np.array([1.0, 2.0, 3.0, 5.0]))
    process = LinkedProcess(SIZES, LINKS, 64)
    process.add(measured[:10])
    process.add(measured[10:])
    count = 4000
    samples = process.samples(np.repeat(values[:, None], count, axis=1), np.random.default_rng(0))
    drawn = np.array([values_of(samples, i, others) for i in range(count)])

    targets = (values - values.mean()) / values.std()
    noise, constant = linked_process._NOISE, linked_process._CONSTANT
    own = prior_covariance(measured, measured) + constant + noise * np.eye(len(measured))
    cross = prior_covariance(others, measured)
    scale = targets @ np.linalg.solve(own, targets) / len(targets)
    mean = cross @ np.linalg.solve(own, targets)
    covariance = scale * (prior_covariance(others, others) - cross @ np.linalg.solve(own, cross.T))
    np.testing.assert_allclose(drawn.mean(axis=0), mean, atol=5 * np.sqrt(scale / count) + 1e-3)
    np.testing.assert_allclose(np.cov(drawn.T), covariance, atol=0.06 * scale)


def test_samples_pass_through_what_was_measured() -> None:
    rows = random_rows(30)
    values = np.random.default_rng(2).normal(size=SIZES.sum())[rows + OFFSETS].sum(axis=1)
    process = LinkedProcess(SIZES, LINKS, len(rows))
    process.add(rows)
    samples = process.samples(np.stack([values, -values], axis=1), np.random.default_rng(3))
    assert np.corrcoef(values_of(samples, 0, rows), values)[0, 1] > 0.99
    assert np.corrcoef(values_of(samples, 1, rows), -values)[0, 1] > 0.99


def test_forgetting_starts_afresh() -> None:
    rows = random_rows(20)
    process, fresh = LinkedProcess(SIZES, LINKS, 64), LinkedProcess(SIZES, LINKS, 64)
    process.add(random_rows(30, seed=5))
    process.forget()
    for each in (process, fresh):
        each.add(rows)
    targets = np.arange(len(rows), dtype=float)[:, None]
    first, second = (each.samples(targets, np.random.default_rng(0)) for each in (process, fresh))
    np.testing.assert_array_equal(first.double, second.double)


def test_climbs_to_where_no_single_change_helps() -> None:
    process = LinkedProcess(SIZES, LINKS, 64)
    rows = random_rows(40)
    process.add(rows)
    samples = process.samples(np.random.default_rng(1).normal(size=(len(rows), 2)), np.random.default_rng(2))
    starts = np.stack([rows[:6], rows[6:12]])
    climbed = samples.climb(starts + OFFSETS, 100) - OFFSETS
    for number in range(2):
        for start, row in zip(starts[number], climbed[number], strict=True):
            height = values_of(samples, number, row[None])[0]
            assert height >= values_of(samples, number, start[None])[0] - 1e-5
            for decision, size in enumerate(SIZES):
                neighbours = np.repeat(row[None], size, axis=0)
                neighbours[:, decision] = np.arange(size)
                assert values_of(samples, number, neighbours).max() <= height + 1e-4


def test_climbs_one_change_at_a_time() -> None:
    process = LinkedProcess(SIZES, LINKS, 64)
    process.add(random_rows(40))
    samples = process.samples(np.random.default_rng(1).normal(size=(len(process), 1)), np.random.default_rng(2))
    starts = random_rows(8, seed=9)[None] + OFFSETS
    for steps in (0, 1, 2):
        assert (samples.climb(starts, steps) != starts).sum(axis=2).max() <= steps
