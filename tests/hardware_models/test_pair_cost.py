"""Costs of pairs equal the estimate of each network on its own accelerator."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyglove as pg
import pytest

from autoglyph.hardware_models import PairCost, estimate, pair_cost, record, segment_reader
from autoglyph.hardware_models.accelerator import area_mm2, device_of
from autoglyph.search_spaces.accelerator import accelerator_space
from autoglyph.search_spaces.codesign import CoDesign, feasible
from autoglyph.search_spaces.genome import Rows
from autoglyph.search_spaces.space import SearchSpace, load_space

JOINT = load_space("nahas")


def _check(cost: PairCost, space: SearchSpace, rows: Rows) -> None:
    found = cost(rows)
    for at, row in enumerate(rows):
        pair = space.genome.decode(row)
        alone = estimate(record(pair.architecture), device_of(pair.accelerator), cost.batch)
        expected = {
            "latency_ms": alone.latency_s * 1e3,
            "energy_mj": alone.energy_j * 1e3,
            "area_mm2": area_mm2(pair.accelerator.columns),
            "peak_mb": alone.peak_bytes / 1e6,
            "madds": alone.madds,
            "parameters": alone.parameters,
            "activations": alone.activations,
            "peak_tera_ops_per_s": alone.peak_ops_per_s / 1e12,
        }
        assert set(found) == set(expected)
        for name, value in expected.items():
            assert found[name].dtype == np.float64 and found[name].shape == (len(rows),)
            assert found[name][at] == pytest.approx(value, rel=1e-9), name


def _valid(space: SearchSpace, n: int, seed: int = 0) -> Rows:
    rows = space.genome.random(3 * n, np.random.default_rng(seed))
    return rows[space.feasible(rows)][:n]


def _space(architecture: Any, accelerator: Any) -> SearchSpace:
    return SearchSpace("pairs", lambda: CoDesign(architecture=architecture, accelerator=accelerator), feasible=feasible)


@pytest.mark.parametrize("batch", [1, 8])
def test_equals_each_pair_by_itself(batch: int) -> None:
    cost = PairCost(JOINT, batch=batch)
    rows = _valid(JOINT, 40)
    _check(cost, JOINT, rows)
    _check(cost, JOINT, rows[::-3])
    mutants = JOINT.genome.mutate(rows, np.random.default_rng(1))
    _check(cost, JOINT, mutants[JOINT.feasible(mutants)])


def test_networks_of_any_space() -> None:
    space = _space(load_space("efficientnet_x").value.clone(deep=True), accelerator_space())
    _check(PairCost(space), space, _valid(space, 25))


def test_one_part_may_be_fixed() -> None:
    on_pixel = _space(load_space("efficientnet").value.clone(deep=True), load_space("accelerator").individual("pixel"))
    _check(PairCost(on_pixel), on_pixel, _valid(on_pixel, 20))
    of_b0 = _space(load_space("efficientnet").individual("b0"), accelerator_space())
    _check(PairCost(of_b0), of_b0, _valid(of_b0, 20))


def test_a_network_with_a_float() -> None:
    network = load_space("efficientnet").individual("b0")
    network.rebind({"scaling.width": pg.floatv(0.3, 1.0), "scaling.resolution": 64})
    space = _space(network, accelerator_space())
    assert space.genome.dtype is np.float64
    _check(PairCost(space), space, _valid(space, 10))


def test_what_is_kept_may_be_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pair_cost, "ROWS_AT_ONCE", 7)
    monkeypatch.setattr(pair_cost, "READINGS_KEPT", 30)
    monkeypatch.setattr(segment_reader, "BLOCKS_KEPT", 8)
    _check(PairCost(JOINT), JOINT, _valid(JOINT, 40))


def test_no_rows_at_all() -> None:
    found = PairCost(JOINT)(_valid(JOINT, 3)[:0])
    assert all(values.shape == (0,) for values in found.values())


def test_other_spaces_and_batches_are_refused() -> None:
    with pytest.raises(ValueError, match="of type EfficientNet; costs of pairs need a space of CoDesign"):
        PairCost(load_space("efficientnet"))
    with pytest.raises(ValueError, match="batch is 0; give 1 or more"):
        PairCost(JOINT, batch=0)
