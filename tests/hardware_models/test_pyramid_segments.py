"""Parts of networks that take and return several tensors, and weights that several uses share."""

from __future__ import annotations

import numpy as np
import pytest
from tiny_networks import OneSegment

from autoglyph.hardware_models import load_device, record
from autoglyph.hardware_models.population import PopulationCost
from autoglyph.hardware_models.recorder import Recorder, read_segment
from autoglyph.hardware_models.roofline import estimate
from autoglyph.search_spaces import load_space
from autoglyph.search_spaces.architecture import Segment
from autoglyph.search_spaces.net import Net, Tensor, the_one


def double(net: Net, maps: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
    """Convolves the first map and passes the second on."""
    return net.conv(maps[0], 2 * maps[0].channels, 3), maps[1]


def test_a_segment_takes_and_returns_several_tensors() -> None:
    reading = read_segment(Segment("pair", (), double), [], ((8, 8, 4), (4, 4, 6)), "full", {})
    assert reading.output == ((8, 8, 8), (4, 4, 6))
    (kernel,) = [kernel for placed in reading.pieces for kernel in placed.kernels()]
    assert kernel[0] == "pair_conv"
    assert kernel[-1] == 8 * 8 * 4 + 8 * 8 * 8 + 4 * 4 * 6, "the map that is passed on is kept meanwhile"


def test_a_block_of_several_tensors_costs_what_its_operations_cost() -> None:
    def read(as_block: bool) -> tuple[list[tuple[int, ...]], list[int]]:
        def build(net: Net, maps: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
            for _ in range(2):
                maps = net.block("double", double, maps) if as_block else double(net, maps)
            return maps

        reading = read_segment(Segment("pair", (), build), [], ((8, 8, 4), (4, 4, 6)), "full", {})
        kernels = [kernel for placed in reading.pieces for kernel in placed.kernels()]
        assert reading.output == ((8, 8, 16), (4, 4, 6))
        return [kernel[1:-1] for kernel in kernels], [kernel[-1] for kernel in kernels]

    (loose, live), (blocks, live_in_blocks) = read(False), read(True)
    assert loose == blocks
    assert all(a <= b for a, b in zip(live, live_in_blocks, strict=True))


def test_shared_weights_count_once_and_their_multiply_adds_at_every_use() -> None:
    def write(net: Net) -> Tensor:
        x = net.input((8, 8, 4))
        for _ in range(3):
            with net.shared("trunk"):
                x = net.conv(x, 4, 3, use_bias=True, name="conv")
        return x

    workload = record(OneSegment(write))  # type: ignore[arg-type]
    assert len(workload) == 3
    assert workload.parameters == 9 * 4 * 4 + 4 == workload.kernels["weight_elements"].sum()
    assert workload.madds == 3 * 64 * 9 * 4 * 4


def test_shared_weights_of_other_sizes_are_refused() -> None:
    net = Recorder("full", {})
    with net.shared("trunk"):
        net.conv(net.tensor((8, 8, 4)), 4, 3)
        with pytest.raises(ValueError, match="equal channels"):
            net.conv(net.tensor((8, 8, 5)), 4, 3)


def test_a_block_among_shared_weights_is_refused() -> None:
    net = Recorder("full", {})
    with net.shared("trunk"), pytest.raises(ValueError, match="without a block"):
        net.block("double", double, (net.tensor((8, 8, 4)), net.tensor((4, 4, 6))))


def test_one_output_is_not_several() -> None:
    with pytest.raises(ValueError, match="one of 2"):
        the_one((Tensor((1,)), Tensor((2,))))


def test_costs_of_a_population_of_detectors_equal_those_of_each() -> None:
    space, device = load_space("nas_fpn"), load_device("v100")
    rows = space.genome.random(6, np.random.default_rng(4))
    costs = PopulationCost(space, device)(rows)
    for i, row in enumerate(rows):
        workload = record(space.genome.decode(row), fusion=device.fusion)
        one = estimate(workload, device)
        assert (workload.parameters, workload.madds) == (costs["parameters"][i], costs["madds"][i])
        assert costs["latency_ms"][i] == pytest.approx(one.latency_s * 1e3)
        assert costs["peak_mb"][i] == pytest.approx(one.peak_bytes / 1e6)
