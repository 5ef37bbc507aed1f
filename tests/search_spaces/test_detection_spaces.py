"""The spaces of detection: sizes, published members, refusals."""

from __future__ import annotations

import math

import numpy as np
import pytest

from autoglyph.hardware_models import record
from autoglyph.search_spaces import load_space
from autoglyph.search_spaces.architectures.efficient_spinenet import BLOCKS, EfficientSpineNet, count_madds
from autoglyph.search_spaces.architectures.efficientdet import efficientdet
from autoglyph.search_spaces.architectures.madd_budget import fit_widths
from autoglyph.search_spaces.architectures.mobilenet_v2 import mobilenet_v2
from autoglyph.search_spaces.architectures.resnet_rs import resnet
from autoglyph.search_spaces.architectures.retinanet import RetinaNet
from autoglyph.search_spaces.blocks.feature_pyramid import Fpn
from autoglyph.search_spaces.blocks.nas_fpn import Merge, NasFpn
from autoglyph.search_spaces.blocks.scale_permuted import BlockPlan, unread_joined
from autoglyph.search_spaces.genome import Genome
from autoglyph.search_spaces.spaces import nas_fpn, spinenet, spinenet_widths


def test_seven_merging_cells_have_their_published_number_of_points() -> None:
    assert load_space("nas_fpn").size == 3_017_710_080_000_000


@pytest.mark.parametrize("cells", [5, 6, 9])
def test_any_number_of_merging_cells_is_a_space(cells: int) -> None:
    pairs = math.prod(math.comb(5 + i, 2) for i in range(cells))
    size = pairs * 2**cells * 5 ** (cells - 5) * math.factorial(5)
    genome = Genome(nas_fpn.nas_fpn_value(cells, stacks=1, filters=8))
    assert genome.size == size
    small = genome.decode(genome.random(1, np.random.default_rng(cells))[0])
    assert len(small.pyramid.plan()) == cells


def test_the_spinenet_space_has_the_size_of_the_closed_form() -> None:
    assert load_space("spinenet").size == spinenet.space_size(15) == 12_492_903_838_757_739_560_999_325_794_304 * 10**9
    assert Genome(spinenet.spinenet_value(levels=[3, 4])).size == spinenet.space_size(7)


@pytest.mark.parametrize(
    ("space", "name", "parameters", "millions", "giga_madds"),
    [
        ("nas_fpn", "r50_fpn", 34_070_414, 34.0, 97.0),
        ("nas_fpn", "r50_nas_fpn_7_256", 60_057_998, 60.3, 140.6),
        ("spinenet", "49S", 11_934_221, 11.9, 33.8),
        ("spinenet", "49", 28_522_638, 28.5, 85.4),
        ("spinenet", "96", 42_954_126, 43.0, 265.4),
        ("spinenet", "143", 66_938_766, 67.0, 524.0),
        ("spinenet", "190", 163_595_870, 163.6, 1885.0),
    ],
)
def test_published_members_have_their_published_counts(
    space: str, name: str, parameters: int, millions: float, giga_madds: float
) -> None:
    workload = record(load_space(space).individual(name))
    assert workload.parameters == parameters
    assert workload.parameters / 1e6 == pytest.approx(millions, rel=0.005)
    assert workload.madds / 1e9 == pytest.approx(giga_madds, rel=0.005)


def test_the_mobile_spinenet_has_its_published_counts() -> None:
    """2.34 M and 1.0 G, as tensorflow/tpu prints them."""
    workload = record(load_space("spinenet_widths").individual("mb_49"))
    assert workload.parameters == 2_337_138
    assert round(workload.madds / 1e9, 1) == 1.0


@pytest.mark.parametrize(
    ("name", "millions", "giga_madds"),
    [("D0", 3.9, 2.54), ("D1", 6.6, 6.1), ("D2", 8.1, 11.0), ("D3", 12.0, 24.9), ("D4", 20.7, 55.2)],
)
def test_efficientdets_have_their_published_counts(name: str, millions: float, giga_madds: float) -> None:
    workload = record(efficientdet(name))
    assert round(workload.parameters / 1e6, 1) == millions
    assert workload.madds / 1e9 == pytest.approx(giga_madds, rel=0.02)


@pytest.mark.parametrize(
    ("backbone", "parameters"),
    [
        (resnet(18), 11_689_512),
        (resnet(34), 21_797_672),
        (resnet(50), 25_557_032),
        (mobilenet_v2(), 3_504_872),
    ],
)
def test_backbones_have_their_published_parameters_as_classifiers(backbone: object, parameters: int) -> None:
    assert record(backbone).parameters == parameters  # type: ignore[arg-type]


@pytest.mark.parametrize(("space", "name"), [("nas_fpn", "r50_nas_fpn_7_256"), ("spinenet", "49")])
def test_published_members_are_points_of_their_space(space: str, name: str) -> None:
    loaded = load_space(space)
    individual = loaded.individual(name)
    assert loaded.genome.decode(loaded.genome.encode(individual)).sym_eq(individual)


def test_the_efficient_spinenet_of_equal_widths_needs_no_factor() -> None:
    budget = count_madds([1.0] * BLOCKS)
    assert EfficientSpineNet(widths=[1.0] * BLOCKS, madds=budget).fitted_widths() == [1.0] * BLOCKS


def test_every_share_of_a_budget_meets_it_within_two_per_cent() -> None:
    space, budget = load_space("spinenet_widths"), count_madds([1.0] * BLOCKS)
    for row in space.genome.random(40, np.random.default_rng(0)):
        backbone = space.genome.decode(row).backbone
        assert count_madds(backbone.fitted_widths()) == pytest.approx(budget, rel=0.02)


def test_another_budget_is_met_too() -> None:
    genome = Genome(spinenet_widths.spinenet_widths_value(madds=400_000_000))
    backbone = genome.decode(genome.random(1, np.random.default_rng(1))[0]).backbone
    assert count_madds(backbone.fitted_widths()) == pytest.approx(400_000_000, rel=0.02)


def test_a_budget_that_no_widths_meet_is_refused() -> None:
    with pytest.raises(ValueError, match="No factors on the widths meet 50 multiply-adds"):
        fit_widths(lambda widths: 100 * sum(round(width) + 1 for width in widths), [1.0, 1.0], 50)


def test_proxies_of_a_budget_keep_its_widths() -> None:
    space = load_space("spinenet_widths")
    individual = space.genome.decode(space.genome.random(1, np.random.default_rng(2))[0])
    small = individual.proxy(resolution=128, channels=1, classes=10, width=0.5)
    assert [*small.backbone.widths] == individual.backbone.fitted_widths()
    assert (small.resolution, small.channels, small.classes) == (128, 1, 10)


def test_unread_blocks_join_the_output_of_their_level_and_width_alone() -> None:
    def plan(inputs: tuple[int, ...], level: int, channels: int = 8) -> BlockPlan:
        return BlockPlan(inputs, level, "residual", channels, channels)

    stem = [plan((), 2), plan((), 2)]
    inner = [plan((0, 1), 3), plan((0, 1), 3, 16)]
    outputs = [plan((0, 1), 3), plan((0, 4), 4), plan((0, 5), 5), plan((0, 6), 6), plan((0, 7), 7)]
    assert unread_joined([*stem, *inner, *outputs])[4:] == [(2,), (), (), (), ()]


def test_refusals_name_the_fix() -> None:
    with pytest.raises(ValueError, match="give 640"):
        record(RetinaNet(backbone=resnet(50, 600), pyramid=Fpn()))
    with pytest.raises(ValueError, match="give 5 or more"):
        nas_fpn.nas_fpn_value(cells=4)
    merges = [Merge(inputs=[0, 1], op="sum") for _ in range(7)]
    with pytest.raises(ValueError, match="permutation"):
        NasFpn(merges=merges, levels=[3, 4], order=[3, 4, 5, 6, 6]).plan()
    with pytest.raises(ValueError, match="two different ones"):
        NasFpn(merges=[Merge(inputs=[0, 9], op="sum"), *merges[1:]], levels=[3, 4], order=[3, 4, 5, 6, 7]).plan()
    broken = spinenet.spinenet()
    broken.rebind({"backbone.shifts[0]": -2})
    with pytest.raises(ValueError, match="levels and adjustments from 1 to 7"):
        record(broken)
    with pytest.raises(ValueError, match="give one for each"):
        count_madds([1.0])
