"""Networks a second from genes to latency, against estimating each network by itself.

All rates are by CPU time, so they are those of one core whatever the number of threads.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from autoglyph.hardware_models import Device, PopulationCost, estimate, load_device, record
from autoglyph.search_spaces.genome import Rows
from autoglyph.search_spaces.space import SearchSpace, load_space

DEVICE = "tpu_v3"


def run(*, quick: bool = False) -> dict[str, Any]:
    """Measures the `efficientnet` space, whose segments are soon all known, and `efficientnet_x`.

    Args:
        quick: fewer networks, to see that it runs.

    Returns:
        "figures": networks a second; first means that every segment is read, known that none is.
        "ratios": rates divided by that of decoding, recording and estimating one network after the other.
    """
    device = load_device(DEVICE)
    small, large = load_space("efficientnet"), load_space("efficientnet_x")
    rows_of_small = _random(small, 100_000 if quick else 1_000_000)
    rows_of_large = _random(large, 500 if quick else 20_000)

    cost = PopulationCost(small, device)
    first = _rate(lambda: cost(rows_of_small), len(rows_of_small))
    known = statistics.median(_rate(lambda: cost(rows_of_small), len(rows_of_small)) for _ in range(5))
    alone = _rate_one_by_one(small, device, rows_of_small[: 20 if quick else 200])

    cost_of_large = PopulationCost(large, device)
    first_of_large = _rate(lambda: cost_of_large(rows_of_large), len(rows_of_large))
    mutants = large.genome.mutate(rows_of_large[:512], np.random.default_rng(1))
    rate_of_mutants = _rate(lambda: cost_of_large(mutants), len(mutants))
    known_of_large = _rate(lambda: cost_of_large(rows_of_large), len(rows_of_large))
    alone_of_large = _rate_one_by_one(large, device, rows_of_large[: 20 if quick else 200])
    return {
        "bench": "roofline",
        "ratios": {
            "efficientnet_vs_one_by_one": known / alone,
            "efficientnet_x_first_vs_one_by_one": first_of_large / alone_of_large,
            "efficientnet_x_mutants_vs_one_by_one": rate_of_mutants / alone_of_large,
            "efficientnet_x_known_vs_one_by_one": known_of_large / alone_of_large,
        },
        "figures": {
            "networks_per_s": known,
            "networks_per_s_first": first,
            "networks_per_s_one_by_one": alone,
            "efficientnet_x_networks_per_s_first": first_of_large,
            "efficientnet_x_networks_per_s_mutants": rate_of_mutants,
            "efficientnet_x_networks_per_s_known": known_of_large,
            "efficientnet_x_networks_per_s_one_by_one": alone_of_large,
            "networks": len(rows_of_small),
            "efficientnet_x_networks": len(rows_of_large),
        },
    }


def _random(space: SearchSpace, n: int) -> Rows:
    return space.genome.random(n, np.random.default_rng(0))


def _rate(work: Callable[[], object], n: int) -> float:
    started = time.process_time()
    work()
    return n / (time.process_time() - started)


def _rate_one_by_one(space: SearchSpace, device: Device, rows: Rows) -> float:
    space.genome.decode(rows[0])  # compiles the decoder

    def work() -> None:
        for row in rows:
            estimate(record(space.genome.decode(row), fusion=device.fusion), device)

    return _rate(work, len(rows))
