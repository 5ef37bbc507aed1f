import numpy as np
import pytest

from autoglyph.experiments.objectives import (
    fitness,
    lacs,
    maximize,
    minimize,
    nahas,
    objective_from_json,
    objective_to_json,
    parse_constraint,
    parse_objective,
)

METRICS = {"top1": np.array([70.0, 75.0, np.nan]), "latency_ms": np.array([1.0, 2.0, 1.0])}


@pytest.mark.parametrize(
    ("text", "objective"),
    [
        ("max:top1", maximize("top1")),
        ("min:latency_ms", minimize("latency_ms")),
        ("top1", maximize("top1")),
        ("latency_ms", minimize("latency_ms")),
        ("maximize(top1)", maximize("top1")),
        ("lacs(top1, latency_ms, target=1.5)", lacs("top1", "latency_ms", target=1.5)),
        ("lacs('top1', 'energy_mj', target=2, w=-0.1, form='hard')",
         lacs("top1", "energy_mj", target=2, w=-0.1, form="hard")),
        ("nahas(top1, latency_ms, target=1.5)", nahas("top1", "latency_ms", target=1.5)),
        ("nahas(top1, energy_mj, target=2, area=area_mm2, area_target=50, form=hard)",
         nahas("top1", "energy_mj", target=2, area="area_mm2", area_target=50, form="hard")),
    ],
)  # fmt: skip
def test_objectives_are_read_and_survive_json(text, objective):
    assert parse_objective(text) == objective
    assert objective_from_json(objective_to_json(objective)) == objective


@pytest.mark.parametrize("text", ["max top1", "lacs(top1)", "__import__('os')", "lacs(top1, latency_ms, goal=1)", ""])
def test_other_text_is_refused(text):
    with pytest.raises(ValueError, match="Cannot read the objective"):
        parse_objective(text)


def test_fitness_is_maximised_and_refuses_what_is_not_finite():
    values = fitness([maximize("top1"), minimize("latency_ms")], METRICS)
    np.testing.assert_array_equal(values, [[70, -1], [75, -2], [-np.inf, -np.inf]])


def test_lacs_is_the_published_product():
    soft = lacs("top1", "latency_ms", target=1.0).values(METRICS)
    np.testing.assert_allclose(soft[:2], [70, 75 * 2**-0.07])
    hard = lacs("top1", "latency_ms", target=1.0, form="hard").values(METRICS)
    np.testing.assert_allclose(hard[:2], [70, 37.5])


def test_nahas_is_the_published_product():
    metrics = {
        "top1": np.array([70.0, 70.0, 70.0, 70.0]),
        "latency_ms": np.array([1.0, 4.0, 1.0, 4.0]),
        "area_mm2": np.array([25.0, 25.0, 100.0, 100.0]),
    }
    both = {"target": 2.0, "area": "area_mm2", "area_target": 50.0}
    hard = nahas("top1", "latency_ms", form="hard", **both).values(metrics)
    np.testing.assert_allclose(hard, [70.0, 35.0, 35.0, 17.5])  # 70 within both targets, halved for each that is missed
    soft = nahas("top1", "latency_ms", **both).values(metrics)
    up, down = 0.5**-0.07, 2**-0.07  # 1.0497..., 0.9526...
    np.testing.assert_allclose(soft, [70 * up * up, 70 * down * up, 70 * up * down, 70 * down * down])
    np.testing.assert_allclose(soft[[0, 3]], [77.1334, 63.5263], rtol=1e-5)
    without_area = nahas("top1", "latency_ms", target=2.0, form="hard")
    assert without_area.metrics == ("top1", "latency_ms")
    np.testing.assert_allclose(without_area.values(metrics), [70.0, 35.0, 70.0, 35.0])


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"target": 0.0}, "latency_ms in nahas must be positive"),
        ({"target": 1.0, "area": "area_mm2", "area_target": -1.0}, "area_mm2 in nahas must be positive"),
        ({"target": 1.0, "area": "area_mm2"}, "give both"),
        ({"target": 1.0, "area_target": 5.0}, "give both"),
    ],
)
def test_targets_of_nahas_are_checked(settings, message):
    with pytest.raises(ValueError, match=message):
        nahas("top1", "latency_ms", **settings).function()


def test_constraints_bound_a_metric():
    np.testing.assert_array_equal(parse_constraint("latency_ms<=1.5").holds(METRICS), [True, False, True])
    np.testing.assert_array_equal(parse_constraint("latency_ms >= 2").holds(METRICS), [False, True, False])
    with pytest.raises(ValueError, match="Cannot read the constraint"):
        parse_constraint("latency_ms<2..0")
