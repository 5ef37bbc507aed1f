"""Pipelines: cuts against brute force, schedules against closed forms, memory and traffic by hand."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tiny_networks import OneSegment, device, residual_with_gate, workload

from autoglyph.hardware_models import load_device, record
from autoglyph.hardware_models.parallel.link import Link
from autoglyph.hardware_models.parallel.pipeline import border_elements, estimate_pipeline, training_times
from autoglyph.hardware_models.parallel.pipeline_schedule import best_partition, bubble_fraction, simulate
from autoglyph.search_spaces.space import load_space


def brute_force(costs: list[int], borders: list[int], stages: int) -> tuple[int, int]:
    """Smallest bottleneck, and the least that crosses borders at that bottleneck."""
    found = []
    for cuts in itertools.combinations(range(1, len(costs)), stages - 1):
        bounds = [0, *cuts, len(costs)]
        bottleneck = max(sum(costs[a:b]) for a, b in itertools.pairwise(bounds))
        found.append((bottleneck, sum(borders[cut] for cut in cuts)))
    return min(found)


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_partitions_equal_brute_force_up_to_twelve_layers(data: st.DataObject) -> None:
    layers = data.draw(st.integers(1, 12))
    costs = data.draw(st.lists(st.integers(0, 20), min_size=layers, max_size=layers))
    borders = data.draw(st.lists(st.integers(0, 9), min_size=layers, max_size=layers))
    stages = data.draw(st.integers(1, layers))
    starts = best_partition(costs, stages, borders)
    assert starts[0] == 0 and len(starts) == stages and sorted(set(starts)) == starts
    bounds = [*starts, layers]
    bottleneck = max(sum(costs[a:b]) for a, b in itertools.pairwise(bounds))
    assert (bottleneck, sum(borders[s] for s in starts[1:])) == brute_force(costs, borders, stages)


def test_partitions_without_an_answer_are_refused() -> None:
    with pytest.raises(ValueError, match=r"^Cannot cut 3 layers in 4 stages: give 1 to 3\.$"):
        best_partition([1, 2, 3], 4)
    with pytest.raises(ValueError, match="negative"):
        best_partition([1, -2], 1)


@pytest.mark.parametrize(("stages", "micro_batches"), [(1, 1), (2, 1), (2, 32), (4, 32), (8, 32), (5, 3)])
def test_equal_stages_take_what_the_closed_form_says(stages: int, micro_batches: int) -> None:
    rounds = micro_batches + stages - 1
    plain = simulate([1.0] * stages, [2.0] * stages, micro_batches)
    assert plain.step_s == 3 * rounds
    assert plain.bubble == pytest.approx(bubble_fraction(stages, micro_batches), abs=1e-15)
    assert bubble_fraction(stages, micro_batches) == (stages - 1) / rounds
    again: dict[str, Any] = {"recomputation_s": [1.0] * stages}
    assert simulate([1.0] * stages, [2.0] * stages, micro_batches, **again).step_s == 4 * rounds
    early = simulate([1.0] * stages, [2.0] * stages, micro_batches, **again, early_recomputation=True)
    assert early.step_s == 3 * rounds + micro_batches


def test_speedups_of_the_transformer_row() -> None:
    """M = 32 on K = 2, 4, 8, normalised to K = 2, M = 1: the paper measured 1.8, 3.4 and 6.3 on its Transformer."""

    def step(stages: int, micro_batches: int) -> float:
        share = 1 / stages / micro_batches
        return simulate([share] * stages, [2 * share] * stages, micro_batches).step_s

    speedups = [step(2, 1) / step(k, 32) for k in (2, 4, 8)]
    assert [round(s, 2) for s in speedups] == [1.94, 3.66, 6.56]
    for ours, measured in zip(speedups, (1.8, 3.4, 6.3), strict=True):
        assert measured < ours < 1.08 * measured


@settings(max_examples=100, deadline=None)
@given(
    st.integers(1, 6).flatmap(
        lambda k: st.tuples(*(st.lists(st.floats(0.1, 9), min_size=n, max_size=n) for n in (k, k, k, k - 1)))
    ),
    st.integers(1, 9),
    st.booleans(),
)
def test_schedules_hold_every_dependence(times: tuple[list[float], ...], micro_batches: int, early: bool) -> None:
    forward, backward, again, transfers = times
    found = simulate(
        forward, backward, micro_batches, recomputation_s=again, transfers_s=transfers, early_recomputation=early
    )
    tolerance = 1e-9
    for stage in range(len(forward)):
        works = sorted([*found.forward_s[stage].tolist(), *found.backward_s[stage].tolist()])
        for (_, end), (start, _) in itertools.pairwise(works):
            assert start >= end - tolerance  # one task at a time
        assert found.forward_s[stage, :, 1].max() <= found.backward_s[stage, :, 0].min() + tolerance
    for stage, transfer in enumerate(transfers):
        down = found.forward_s[stage + 1, :, 0] - found.forward_s[stage, :, 1]
        up = found.backward_s[stage, :, 1] - backward[stage] - found.backward_s[stage + 1, :, 1]
        assert (down >= transfer - tolerance).all() and (up >= transfer - tolerance).all()
    busy = micro_batches * np.add(np.add(forward, backward), again)
    assert found.step_s >= busy.max() - tolerance
    assert found.step_s * len(forward) * (1 - found.bubble) == pytest.approx(busy.sum())


def test_two_stages_by_hand_with_a_slow_link() -> None:
    """The link takes 3 for each tensor, longer than a stage: it is what the second stage waits for."""
    found = simulate([1, 2], [2, 4], 2, transfers_s=[3])
    assert found.forward_s.tolist() == [[[0, 1], [1, 2]], [[4, 6], [7, 9]]]
    assert found.backward_s.tolist() == [[[20, 22], [16, 18]], [[13, 17], [9, 13]]]
    assert found.step_s == 22 and found.bubble == pytest.approx(1 - 18 / 44)


LAYERS = [
    {"name": name, "kind": 1, "m": 4, "k": 4, "n": 4, "madds": 64, "parameters": 16, "weight_elements": 16}
    | {"read_elements": 16, "written_elements": 16, "live_elements": 32}
    for name in "abcd"
]


def test_memory_and_traffic_by_hand() -> None:
    """Four equal layers of 16 activations and 16 weights, 2 bytes each, batch 8 in 4 micro-batches on 2 chips."""
    wire = Link(bandwidth_gb_per_s=1.0, latency_us=0.01)
    cost = estimate_pipeline(workload(*LAYERS), device(), stages=2, micro_batches=4, batch=8, link=wire)
    assert [(stage.first, stage.kernels, stage.name) for stage in cost.stages] == [(0, 2, "a"), (2, 2, "c")]
    state, entering, written = 2 * 16 * 3 * 2, 16 * 2 * 8, 2 * 16 * 2
    for stage in cost.stages:
        assert stage.state_bytes == state and stage.input_bytes == entering
        assert stage.memory_bytes == state + entering + written * 2
        assert stage.memory_without_recomputation_bytes == state + entering + written * 8
    assert cost.single_device_bytes == 2 * state + entering + 2 * written * 8
    assert cost.transferred_bytes == 2 * 16 * 2 * 8
    forward, backward = (times[:2].sum() for times in training_times(workload(*LAYERS), device(), 2))
    assert cost.stages[0].forward_s == pytest.approx(forward) and backward == pytest.approx(2 * forward)
    transfer = 16 * 2 * 2 / 1e9 + 1e-8
    assert transfer < forward
    assert cost.step_s == pytest.approx(5 * (2 * forward + backward) + 2 * transfer)


def test_without_recomputation_it_is_faster_and_needs_more() -> None:
    network = record(load_space("efficientnet").individual("b0"), fusion="chain")
    options: dict[str, Any] = {"stages": 4, "micro_batches": 8, "batch": 64}
    chip = load_device("tpu_v3:datasheet")
    lean, full = (estimate_pipeline(network, chip, **options, recomputation=r) for r in (True, False))
    assert full.step_s < lean.step_s and lean.memory_bytes < full.memory_bytes / 2
    assert full.memory_bytes == full.memory_without_recomputation_bytes
    early = estimate_pipeline(network, chip, **options, early_recomputation=True)
    assert full.step_s < early.step_s < lean.step_s
    slow = estimate_pipeline(network, chip, **options, link=Link(bandwidth_gb_per_s=0.1))
    assert slow.step_s > lean.step_s and slow.transferred_bytes == lean.transferred_bytes
    alone = estimate_pipeline(network, chip, stages=1, micro_batches=1, batch=64, recomputation=False)
    assert alone.speedup == pytest.approx(1) and alone.memory_bytes == alone.single_device_bytes


def test_skip_connections_across_a_cut_are_moved() -> None:
    network = record(OneSegment(residual_with_gate), fusion="chain")  # type: ignore[arg-type]
    borders = dict(zip(network.kernels["name"], border_elements(network), strict=True))
    image = 8 * 8 * 4
    assert borders["net_conv"] == image
    assert borders["net_excite"] == 2 * image + 4  # the squeezed vector, what the gate is for, and the skip
    assert borders["net_dense"] == 4


BAD = {
    "stages": ({"stages": 5, "micro_batches": 1}, "4 kernels cannot be 5 stages: give 1 to 4"),
    "batch": ({"stages": 2, "micro_batches": 3, "batch": 8}, "batch of 8 does not split in 3 micro-batches"),
    "none": ({"stages": 2, "micro_batches": 0}, "micro_batches is 0"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_pipelines_are_one_sentence(case: str) -> None:
    arguments, message = BAD[case]
    with pytest.raises(ValueError, match=message):
        estimate_pipeline(workload(*LAYERS), device(), **arguments)


@pytest.mark.parametrize("link", [{"bandwidth_gb_per_s": 0.0}, {"latency_us": -1.0}, {"latency_us": float("nan")}])
def test_impossible_links_are_refused(link: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=r"The link has .*: give"):
        Link(**link)
