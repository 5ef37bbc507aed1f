"""Population costs equal the estimate of each network by itself, whatever the space and the table's form."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyglove as pg
import pytest

from autoglyph.hardware_models import (
    PopulationCost,
    estimate,
    load_device,
    population,
    record,
    segment_reader,
    segment_table,
)
from autoglyph.search_spaces.architecture import Architecture, Segment
from autoglyph.search_spaces.architectures.efficientnet import EfficientNet, Scaling, Stage
from autoglyph.search_spaces.genome import Rows
from autoglyph.search_spaces.net import Net, Tensor
from autoglyph.search_spaces.space import SearchSpace, load_space


def _check(cost: PopulationCost, space: SearchSpace, rows: Rows) -> None:
    found = cost(rows)
    for at, row in enumerate(rows):
        alone = estimate(record(space.genome.decode(row), fusion=cost.fusion), cost.device, cost.batch)
        expected = {
            "latency_ms": alone.latency_s * 1e3,
            "energy_mj": alone.energy_j * 1e3,
            "peak_mb": alone.peak_bytes / 1e6,
            "madds": alone.madds,
            "parameters": alone.parameters,
            "activations": alone.activations,
        }
        assert set(found) == set(expected)
        for name, value in expected.items():
            assert found[name].dtype == np.float64 and found[name].shape == (len(rows),)
            assert found[name][at] == pytest.approx(value, rel=1e-9), name


@pytest.mark.parametrize("device", ["tpu_v3", "coral_edge_tpu", "v100"])
@pytest.mark.parametrize("space", ["efficientnet", "efficientnet_x", "resnet_rs"])
def test_equals_each_network_by_itself(space: str, device: str) -> None:
    chosen = load_space(space)
    cost = PopulationCost(chosen, load_device(device))
    rng = np.random.default_rng(0)
    rows = chosen.genome.random(25, rng)
    _check(cost, chosen, rows)
    _check(cost, chosen, chosen.genome.mutate(rows, rng)[:10])  # some segments known, some new
    _check(cost, chosen, rows[::-2][:5])


def test_batch_and_fusion_can_be_chosen() -> None:
    space = load_space("efficientnet")
    cost = PopulationCost(space, load_device("tpu_v3", cores=2), batch=5, fusion="eager")
    assert (cost.batch, cost.fusion) == (5, "eager")
    _check(cost, space, space.genome.random(5, np.random.default_rng(0)))


def test_named_individuals_are_rows_too() -> None:
    space = load_space("efficientnet_x")
    names = space.individual_names[::5]
    rows = np.stack([space.genome.encode(space.individual(name)) for name in names])
    _check(PopulationCost(space, load_device("tpu_v3")), space, rows)


def test_tables_that_outgrow_their_dense_form(monkeypatch: pytest.MonkeyPatch) -> None:
    space = load_space("efficientnet_x")
    rows = space.genome.random(30, np.random.default_rng(1))
    for entries in (0, 2_000, 100_000):
        monkeypatch.setattr(segment_table, "DENSE_ENTRIES", entries)
        cost = PopulationCost(space, load_device("tpu_v3"))
        for some in (rows[:3], rows[:10], rows[5:]):
            _check(cost, space, some)


def test_tables_and_blocks_that_are_full_start_afresh(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(segment_table, "ENTRIES_KEPT", 4)
    monkeypatch.setattr(segment_reader, "BLOCKS_KEPT", 8)
    monkeypatch.setattr(population, "ROWS_AT_ONCE", 7)
    for name in ("efficientnet", "efficientnet_x"):
        space = load_space(name)
        cost = PopulationCost(space, load_device("tpu_v3"))
        rows = space.genome.random(25, np.random.default_rng(2))
        _check(cost, space, rows)
        _check(cost, space, rows[:9])


def _network(**scaling: Any) -> EfficientNet:
    stages = [
        Stage(filters=16, stride=2, kernel=pg.oneof([3, 5]), repeats=pg.oneof([1, 2]), expansion=pg.oneof([1, 4])),
        Stage(filters=pg.oneof([16, 24]), stride=1, repeats=2, se_ratio=pg.oneof([0.0, 0.5])),
    ]
    return EfficientNet(stages=stages, scaling=Scaling(resolution=32, **scaling))


def test_a_gene_that_is_a_float() -> None:
    space = SearchSpace("floats", lambda: _network(width=pg.floatv(0.5, 2.0)))
    assert space.genome.dtype is np.float64
    _check(PopulationCost(space, load_device("tpu_v3")), space, space.genome.random(20, np.random.default_rng(0)))


def test_a_choice_between_whole_stages_and_shapes() -> None:
    """Conditional genes, and resolutions that lead to equal shapes further on."""

    def make() -> EfficientNet:
        network = _network(depth=pg.oneof([1.0, 2.0]))
        first = Stage(filters=16, stride=2, repeats=1)
        second = Stage(filters=16, stride=2, kernel=pg.oneof([3, 5, 7]), repeats=pg.oneof([1, 2, 3]))
        network.rebind({"stages[0]": pg.oneof([first, second]), "scaling.resolution": pg.oneof([29, 30, 32, 40])})
        return network

    space = SearchSpace("stages", make)
    _check(PopulationCost(space, load_device("tpu_v3")), space, space.genome.random(40, np.random.default_rng(0)))


class Tower(Architecture):
    """One segment that every gene matters to: more codes than a table or a float can number."""

    widths: list[int]

    def segments(self) -> Sequence[Segment]:
        return [Segment("tower", ("widths",), _tower)]

    def proxy(self, *, resolution: int, channels: int, classes: int, width: float) -> Any:
        raise NotImplementedError

    def for_data(self, *, channels: int, classes: int) -> Any:
        raise NotImplementedError

    @property
    def resolution(self) -> int:
        return 8


def _tower(net: Net, _: None, widths: Sequence[int]) -> Tensor:
    x = net.input((8, 8, 3))
    for i, width in enumerate(widths):
        x = net.activation(net.conv(x, width, 3, name=f"conv{i}"), "relu", name=f"relu{i}")
    return x


def test_a_segment_of_many_genes() -> None:
    space = SearchSpace("tower", lambda: Tower([pg.oneof(list(range(1, 17))) for _ in range(16)]))
    cost = PopulationCost(space, load_device("tpu_v3"))
    rows = space.genome.random(20, np.random.default_rng(0))
    _check(cost, space, rows)
    _check(cost, space, rows[::-1])


def test_no_rows_at_all() -> None:
    space = load_space("efficientnet")
    found = PopulationCost(space, load_device("tpu_v3"))(space.genome.random(3, np.random.default_rng(0))[:0])
    assert all(values.shape == (0,) for values in found.values())


def test_blocks_are_read_once() -> None:
    space = load_space("efficientnet")
    cost = PopulationCost(space, load_device("tpu_v3"))
    cost(space.genome.random(5_000, np.random.default_rng(0)))
    known = dict(cost._reader._blocks)
    cost(space.genome.random(5_000, np.random.default_rng(1)))
    assert cost._reader._blocks == known and len(known) == 7 * 24  # 36 genes a stage; layers beyond the first are alike


def test_spaces_of_other_things_are_refused() -> None:
    space = SearchSpace("widths", lambda: pg.Dict(width=pg.oneof([1, 2])))
    with pytest.raises(ValueError, match="Individuals of widths are of type Dict; .* a space of architectures"):
        PopulationCost(space, load_device("tpu_v3"))
    with pytest.raises(ValueError, match="batch is 0; give 1 or more"):
        PopulationCost(load_space("efficientnet"), load_device("tpu_v3"), batch=0)
