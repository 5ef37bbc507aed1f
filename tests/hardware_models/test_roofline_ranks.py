"""Ranks against measured throughputs, beside the baselines that cost nothing."""

from __future__ import annotations

import json

import numpy as np
import pytest
from accel_nasbench import SPACE, rows_and_columns
from numpy.typing import NDArray
from scipy.stats import spearmanr

from autoglyph.hardware_models import PopulationCost, estimate, load_device, record
from autoglyph.search_spaces.space import load_space


def _ranks(device: str, measured: str, slow_share: float) -> dict[str, float]:
    """Spearman correlation of each predictor with measured time an example, on the slow networks."""
    rows, table = rows_and_columns()
    time = 1 / table[measured]
    known: NDArray[np.bool_] = np.isfinite(time)
    slow = known & (time >= np.quantile(time[known], 1 - slow_share))
    costs = PopulationCost(SPACE, load_device(device))(rows)
    return {name: float(spearmanr(costs[name][slow], time[slow])[0]) for name in ("latency_ms", "madds", "activations")}


@pytest.mark.parametrize(
    ("device", "measured", "slow_share"),
    [("tpu_v3", "throughput_tpuv3", 0.6), ("tpu_v2", "throughput_tpuv2", 0.6), ("a100", "throughput_a100", 1.0)],
)
def test_latency_ranks_better_than_the_baselines(device: str, measured: str, slow_share: float) -> None:
    """Calibrated, on 3,000 networks: TPUv3 0.992, multiply-adds 0.634, activations 0.892."""
    ranks = _ranks(device, measured, slow_share)
    print(f"{device}, slow {slow_share:.0%}:", json.dumps(ranks))
    assert ranks["latency_ms"] > ranks["madds"]
    assert ranks["latency_ms"] > ranks["activations"]


def test_efficientnet_x_is_faster_than_efficientnet_on_datacenter_chips() -> None:
    """Li et al. 2021: X-B0 has more than twice the multiply-adds of B0 and is faster on TPU v3 and V100."""
    space = load_space("efficientnet_x")
    for name in ("tpu_v3", "v100"):
        device = load_device(name)
        plain, fast = (
            estimate(record(space.individual(member), fusion=device.fusion), device) for member in ("b0", "x-b0")
        )
        assert fast.madds > 2 * plain.madds
        assert fast.latency_s < plain.latency_s
