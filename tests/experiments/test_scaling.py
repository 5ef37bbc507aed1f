"""Compound scaling: a toy whose optimum is known, the families on real chips, and their files."""

import json
import math
from pathlib import Path

import pytest

from autoglyph.child_programs import load_dataset
from autoglyph.experiments import cli
from autoglyph.experiments.replaying.replayed import replay
from autoglyph.experiments.scaling.compound import (
    Exponents,
    best_scaling,
    depth_steps,
    exponents,
    largest_resolution,
    spread_out,
)
from autoglyph.experiments.scaling.families import draw_families, scale_families, write_families
from autoglyph.experiments.scaling.networks import ScaledNetworks, SurrogateAccuracy, TrainedAccuracy, scaled_networks
from autoglyph.hardware_models import estimate, load_device, record
from autoglyph.search_spaces.architectures.efficientnet import EfficientNet, Scaling, Stage

BASE = Scaling(width=1.0, depth=1.0, resolution=224)
TINY_STEPS = [1 + n / 50 for n in range(200)]


def networks(device: str = "tpu_v3") -> ScaledNetworks:
    return scaled_networks(replay("efficientnet_x:x-b0"), device)


def test_the_optimum_of_a_known_problem_is_found() -> None:
    """Maximise ln d + ln w + 2 ln r where d w^2 r^2 = 8: multipliers d = 8^(1/4), w = 8^(1/8), r = 8^(1/4)."""

    def cost(s: Scaling) -> float:
        return s.depth * s.width**2 * (s.resolution / 224) ** 2

    def accuracy(s: Scaling) -> float:
        saturating = (math.log(x) for x in (s.depth, s.width, s.resolution / 224))
        d, w, r = saturating
        return 50 - (d - math.log(8) / 4) ** 2 - (w - math.log(8) / 8) ** 2 - (r - math.log(8) / 4) ** 2

    best = best_scaling(cost, accuracy, base=BASE, depths=TINY_STEPS, phi=3, w=0.0)
    assert 0.98 * 8 <= best.cost <= 8
    assert best.scaling.depth == pytest.approx(8 ** (1 / 4), rel=0.03)
    assert best.scaling.width == pytest.approx(8 ** (1 / 8), rel=0.03)
    assert best.scaling.resolution == pytest.approx(224 * 8 ** (1 / 4), rel=0.03)


def test_the_largest_resolution_within_a_cost_is_exact() -> None:
    fitting = largest_resolution(lambda s: float(s.resolution**2), BASE, 1.0, 1.0, 300.0**2 + 1)
    assert fitting is not None and fitting[0].resolution == 300
    assert largest_resolution(lambda s: float(s.resolution**2), BASE, 1.0, 1.0, 200.0**2) is None


def test_depth_steps_are_the_largest_of_equal_networks() -> None:
    steps = depth_steps(1.0, [1, 2, 3, 4], 2.0)
    assert steps == [1.0, 1.25, 1.3333, 1.5, 1.6666, 1.75, 2.0]
    every = {tuple(Scaling(depth=d / 1000).repeats(r) for r in (1, 2, 3, 4)) for d in range(1000, 2001)}
    assert {tuple(Scaling(depth=d).repeats(r) for r in (1, 2, 3, 4)) for d in steps} == every


def test_growth_of_a_pure_family_is_found_exactly() -> None:
    members = [(p, Scaling(width=1.1**p, depth=1.3**p, resolution=224 * 2**p)) for p in (1, 2, 3)]
    growth = exponents(BASE, members)
    assert (growth.alpha, growth.beta, growth.gamma) == pytest.approx((1.3, 1.1, 2.0))
    assert growth.width_to_depth == pytest.approx(math.log(1.1) / math.log(1.3))
    assert Exponents(1.0, 1.2, 1.1).resolution_to_depth == math.inf
    assert growth.scaled(BASE, 2).resolution == 896
    with pytest.raises(ValueError, match="give one doubling or more"):
        exponents(BASE, [])


def test_the_shortlist_is_spread_out() -> None:
    line = [(Scaling(width=1.0, depth=1.0 + n, resolution=224), 0.0) for n in range(9)]
    assert {s.depth for s, _ in spread_out(line, 3)} >= {1.0, 9.0}
    assert spread_out(line, 20) == line


def test_costs_equal_those_of_the_recorded_network() -> None:
    scaled = networks()
    scaling = Scaling(width=1.27, depth=1.62, resolution=263)
    for _ in range(2):
        workload = record(scaled.network(scaling), fusion=scaled.device.fusion)
        cost = scaled.cost(scaling)
        assert cost.latency_s == estimate(workload, scaled.device, batch=scaled.batch).latency_s
        assert (cost.madds, cost.parameters) == (workload.madds, workload.parameters)
    assert scaled.device.name == "tpu_v3:chip"


def test_families_are_repeatable_and_replay_to_the_same_networks(tmp_path: Path) -> None:
    results = []
    for _ in range(2):
        scaled = networks()
        accuracy = SurrogateAccuracy(scaled)
        results.append(scale_families(scaled, accuracy, source=accuracy.source, doublings=1))
    assert results[0] == results[1]
    assert "surrogate 'compound_scaling'" in results[0]["accuracy_source"]
    for objective, key in (("latency", "latency_ratio"), ("madds", "madds_ratio")):
        assert 1.96 <= results[0]["families"][objective]["members"][1][key] <= 2.0
    files = write_families(results[0], "efficientnet_x:x-b0", tmp_path / "families")
    assert [file.name for file in files] == ["latency-1.json", "madds-1.json"]
    for file, family in zip(files, results[0]["families"].values(), strict=True):
        scaled = scaled_networks(replay(str(file)), "tpu_v3")
        member = family["members"][1]
        cost = scaled.cost(scaled.base.scaling)
        assert (cost.latency_s * 1e3, cost.madds) == (member["latency_ms"], member["madds"])
        assert json.loads(file.read_text())["made_by"]["accuracy_source"] == results[0]["accuracy_source"]


@pytest.mark.slow
def test_depth_grows_most_on_tpu_v3_as_published() -> None:
    scaled = networks()
    accuracy = SurrogateAccuracy(scaled)
    result = scale_families(scaled, accuracy, source=accuracy.source, doublings=4)
    ours = result["families"]["latency"]["coefficients"]
    assert ours["alpha"] > max(ours["beta"], ours["gamma"])
    by_madds = result["families"]["madds"]["coefficients"]
    assert ours["ln_resolution_to_ln_depth"] < by_madds["ln_resolution_to_ln_depth"]
    published = result["published"]["EfficientNet-X, GPU b1-b7 (LACS)"]
    assert published["ln_width_to_ln_depth"] == pytest.approx(0.56, abs=0.02)
    assert published["ln_resolution_to_ln_depth"] == pytest.approx(0.26, abs=0.02)


@pytest.mark.slow
def test_trained_accuracy_says_so_and_trains_the_scaled_proxies(tmp_path: Path) -> None:
    small = EfficientNet(stages=[Stage(filters=16, repeats=1, stride=2, expansion=1)], head_filters=32)
    scaled = ScaledNetworks(small, load_device("v100").without_host(), 128)
    accuracy = TrainedAccuracy(scaled, load_dataset("digits", seed=0, limit=64), "digits", epochs=1, resolution=8)
    result = scale_families(scaled, accuracy, source=accuracy.source, doublings=1, tolerance=0.1, shortlist=2)
    assert result["accuracy_source"].startswith("trained at proxy scale: digits, 1 epochs")
    assert result["families"]["latency"]["members"][1]["compared"] == 2
    assert 0 <= result["families"]["latency"]["members"][1]["top1"] <= 100
    picture = tmp_path / "families.png"
    draw_families(result, picture)
    assert picture.stat().st_size > 10_000


def test_nothing_is_chosen_where_no_accuracy_can_be_told() -> None:
    with pytest.raises(ValueError, match="No network of this base has 2 times its cost"):
        best_scaling(
            lambda s: s.depth * (s.resolution / 224) ** 2, lambda s: None, base=BASE, depths=[1.0, 1.5, 2.0], phi=1
        )


def test_bad_wishes_are_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["scale", "efficientnet:b0", "--device", "v100", "--accuracy", "guess"]) == 2
    assert "Unknown accuracy source 'guess'" in capsys.readouterr().err
    assert cli.run(["scale", "efficientnet:b0", "--device", "none"]) == 2
