"""Pairs of network and accelerator a second in joint search, against networks on one device.

All rates are by CPU time, so they are those of one core whatever the number of threads.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from autoglyph.hardware_models import PairCost, PopulationCost, estimate, load_device, record
from autoglyph.hardware_models.accelerator import device_of
from autoglyph.search_spaces.genome import Rows
from autoglyph.search_spaces.space import SearchSpace, load_space

_REPETITIONS = 5


def run(*, quick: bool = False) -> dict[str, Any]:
    """Measures random rows of the `nahas` space whose accelerators are valid, all different.

    Args:
        quick: fewer pairs, to see that it runs.

    Returns:
        "figures": pairs a second, first with every segment still to be read, then with all known and new pairs; and
        networks a second of the same networks on the baseline accelerator, from tables, and one by one.
        "ratios": of these rates.
    """
    joint, networks = load_space("nahas"), load_space("efficientnet")
    n = 5_000 if quick else 50_000
    rows = [_valid(joint, n, seed) for seed in range(1 + _REPETITIONS)]
    assert np.array_equal(joint.genome.cardinalities[: networks.genome.length], networks.genome.cardinalities)

    pairs = PairCost(joint)
    first = _rate(pairs, rows[0])
    known = statistics.median(_rate(pairs, some) for some in rows[1:])
    fixed = PopulationCost(networks, load_device("accelerator:baseline"))
    architectures = [np.ascontiguousarray(some[:, : networks.genome.length]) for some in rows]
    fixed(architectures[0])
    on_one_device = statistics.median(_rate(fixed, some) for some in architectures[1:])
    alone = _rate_one_by_one(joint, rows[0][: 20 if quick else 200])
    return {
        "bench": "pairs",
        "ratios": {
            "pairs_vs_one_by_one": known / alone,
            "first_pairs_vs_one_by_one": first / alone,
            "networks_on_one_device_vs_pairs": on_one_device / known,
        },
        "figures": {
            "pairs_per_s": known,
            "pairs_per_s_first": first,
            "networks_per_s_on_one_device": on_one_device,
            "pairs_per_s_one_by_one": alone,
            "pairs": n,
        },
    }


def _valid(space: SearchSpace, n: int, seed: int) -> Rows:
    """(n, L) different rows with valid accelerators."""
    rng = np.random.default_rng(seed)
    rows = np.unique(space.genome.random(2 * n, rng), axis=0)
    rows = rng.permutation(rows[space.feasible(rows)])[:n]
    assert len(rows) == n
    return rows


def _rate(work: Callable[[Rows], object], rows: Rows) -> float:
    started = time.process_time()
    work(rows)
    return len(rows) / (time.process_time() - started)


def _rate_one_by_one(space: SearchSpace, rows: Rows) -> float:
    space.genome.decode(rows[0])  # compiles the decoder

    def work(some: Rows) -> None:
        for row in some:
            pair = space.genome.decode(row)
            device = device_of(pair.accelerator)
            estimate(record(pair.architecture, fusion=device.fusion), device)

    return _rate(work, rows)
