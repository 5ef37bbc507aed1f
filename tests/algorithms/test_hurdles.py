"""Hurdle rules: progressive dynamic hurdles against the statement of the algorithm, halving by hand, contracts."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from autoglyph.algorithms import Outcomes, hurdles
from autoglyph.algorithms.hurdles import Finished, NewHurdle
from autoglyph.algorithms.hurdles.base import passes_gate
from autoglyph.algorithms.hurdles.no_hurdles import NoHurdles
from autoglyph.algorithms.hurdles.progressive_dynamic_hurdles import ProgressiveDynamicHurdles
from autoglyph.algorithms.hurdles.successive_halving import SuccessiveHalving
from autoglyph.algorithms.random import Random
from autoglyph.algorithms.tournament_evolution import TournamentEvolution
from autoglyph.experiments.benchmarks.simulated_training import simulate
from autoglyph.search_spaces import Genome

STEPS = (30.0, 60.0, 120.0, 240.0)
SPACE = {f"x{i}": list(range(7)) for i in range(6)}


def genome() -> Genome:
    import pyglove as pg

    return Genome(pg.Dict({name: pg.oneof(values) for name, values in SPACE.items()}))


def curves(rows: np.ndarray) -> np.ndarray:
    quality = rows @ np.array([1.0, -0.7, 0.5, 0.3, 1.1, -0.2]) + np.sin(rows).sum(axis=1)
    speed = 0.3 + 0.1 * rows[:, 0]
    return quality[:, None] - 6.0 * (np.array(STEPS) / STEPS[0])[None] ** -speed[:, None]


def fitness(curve: np.ndarray, h: list[float]) -> tuple[float, int]:
    """FITNESS of the statement: train s_0, then on while strictly above the hurdle; +infinity ends the list."""
    bars, i = [*h, math.inf], 0
    f = curve[0]
    while f > bars[i]:
        i += 1
        f = curve[i]
    return float(f), i


def as_stated(seed: int, p: int, m: int) -> tuple[list[tuple[float, int]], list[float]]:
    """PDH of the statement, with the parents and deaths that tournament evolution draws."""
    space, evolution = genome(), TournamentEvolution(population_size=p, tournament_size=5, mutation_rate=0.3)
    evolution.setup(space, 1, seed)
    children: list[tuple[float, int]] = []
    known: dict[bytes, int] = {}
    h: list[float] = []

    def new_child() -> None:
        while True:
            (row,) = evolution.ask(1).rows
            (key,) = space.keys(row[None])
            fresh = key not in known
            if fresh:
                known[key] = len(children)
                children.append(fitness(curves(row[None])[0], h))
            at = known[key]
            evolution.tell(Outcomes(np.array([at]), row[None], np.array([[children[at][0]]])))
            if fresh:
                return

    for _ in range(p):
        new_child()
    for stage in range(len(STEPS) - 1):
        for _ in range(m):
            new_child()
        population = [children[t] for t in evolution.members()]
        longest = [f for f, i in population if i == stage] if stage else [f for f, _ in population]
        h.append(math.fsum(longest) / len(longest))
    for _ in range(m):
        new_child()
    return children, h


@pytest.mark.parametrize("seed", range(5))
def test_pdh_is_the_stated_algorithm(seed: int) -> None:
    p, m = 12, 25
    children, h = as_stated(seed, p, m)
    algorithm = TournamentEvolution(population_size=p, tournament_size=5, mutation_rate=0.3)
    rule = ProgressiveDynamicHurdles(children_per_hurdle=m)
    budget = sum(STEPS[i] for _, i in children)
    found = simulate(genome(), algorithm, rule, curves, STEPS, budget, seed)
    assert [round(x.value, 12) for x in found.hurdles] == [round(x, 12) for x in h]
    assert found.fitness.tolist() == [f for f, _ in children]
    assert (found.rungs - 1).tolist() == [i for _, i in children]


def test_steps_follow_from_the_promotions() -> None:
    algorithm = TournamentEvolution(population_size=10, tournament_size=4, mutation_rate=0.3)
    found = simulate(genome(), algorithm, ProgressiveDynamicHurdles(children_per_hurdle=20), curves, STEPS, 6000, 1)
    increments = np.diff([0, *STEPS])
    closed_form = sum(increments[k] * np.sum(found.rungs > k) for k in range(len(STEPS)))
    assert found.spent[-1] == closed_form


def test_hurdles_are_frozen_when_a_child_is_proposed() -> None:
    rule = ProgressiveDynamicHurdles(children_per_hurdle=2)
    rule.setup(3, 0)
    before = rule.gate()
    assert rule.tell(Finished(0, 1.0, 1), [0]) == []
    assert rule.tell(Finished(1, 3.0, 1), [0, 1]) == [NewHurdle(0, 2.0, 2, 2)]
    assert before == () and rule.gate() == (2.0,)
    assert not passes_gate(before, 0, 99.0)
    assert passes_gate((2.0,), 0, 2.1) and not passes_gate((2.0,), 0, 2.0), "strictly greater"
    assert not passes_gate((2.0,), 1, math.inf), "the sentinel ends the list"


def test_later_hurdles_are_set_by_the_members_trained_longest() -> None:
    rule = ProgressiveDynamicHurdles(children_per_hurdle=1)
    rule.setup(3, 2)
    assert rule.tell(Finished(0, 1.0, 1), [0]) == [] == rule.tell(Finished(1, 2.0, 1), [0, 1])
    assert rule.tell(Finished(2, 3.0, 1), [1, 2]) == [NewHurdle(0, 2.5, 1, 2)]
    assert rule.tell(Finished(3, 2.0, 1), [1, 2, 3]) == [NewHurdle(1, None, 2, 0)], (
        "none was trained so long: postponed"
    )
    assert rule.tell(Finished(4, 9.0, 2), [1, 4]) == [NewHurdle(1, 9.0, 3, 1)]
    assert rule.tell(Finished(5, 7.0, 3), [1, 4, 5]) == [], "no hurdle after the last rung"


def test_failures_and_repeated_tells_set_no_hurdle() -> None:
    rule = ProgressiveDynamicHurdles(children_per_hurdle=3)
    rule.setup(2, 0)
    for _ in range(5):
        assert rule.tell(Finished(0, -math.inf, 0), [0]) == []
    assert rule.tell(Finished(1, 4.0, 1), [0, 1]) == []
    assert rule.tell(Finished(2, 6.0, 1), [0, 1, 2]) == [NewHurdle(0, 5.0, 3, 2)]


@given(st.lists(st.floats(-5, 5), min_size=1, max_size=40), st.integers(2, 4))
def test_halving_lets_the_best_of_those_measured_so_far_go_on(values: list[float], eta: int) -> None:
    rule = SuccessiveHalving(eta=eta)
    rule.setup(2, 0)
    for n, value in enumerate(values, start=1):
        best = sorted(values[:n])[-max(1, n // eta) :]
        assert rule.passes(n, 0, value) == (value >= best[0])
    assert not rule.passes(99, 1, math.inf) and not rule.passes(98, 0, math.nan)


@pytest.mark.parametrize("name", hurdles.available())
def test_every_rule_ends_every_child_at_the_last_rung_and_starts_afresh(name: str) -> None:
    rule = hurdles.get(name)().for_budget(200, 4)
    runs = [simulate(genome(), Random(), rule, curves, STEPS, 9000, 4) for _ in range(2)]
    for found in runs:
        assert found.rungs.min() >= 1 and found.rungs.max() <= len(STEPS)
    np.testing.assert_array_equal(runs[0].rungs, runs[1].rungs)
    assert name != "no_hurdles" or (runs[0].rungs == len(STEPS)).all()
    assert name == "no_hurdles" or runs[0].rungs.mean() < 3
    with pytest.raises(ValueError, match="at least one rung"):
        rule.setup(0, 0)


def test_rules_and_settings_that_do_not_exist_are_named() -> None:
    with pytest.raises(ValueError, match="did you mean 'pdh'"):
        hurdles.get("phd")
    for rule in (SuccessiveHalving(eta=1), ProgressiveDynamicHurdles(children_per_hurdle=-1)):
        with pytest.raises(ValueError, match="Expected"):
            rule.setup(3, 0)


def test_a_rule_settles_equal_stages_unless_told() -> None:
    assert ProgressiveDynamicHurdles().for_budget(90, 3).children_per_hurdle == 30
    assert ProgressiveDynamicHurdles(children_per_hurdle=7).for_budget(90, 3).children_per_hurdle == 7
    assert NoHurdles().for_budget(90, 3) == NoHurdles()


@pytest.mark.slow
def test_pdh_beats_full_training_at_equal_steps_on_synthetic_curves() -> None:
    from autoglyph.experiments.benchmarks import hurdles as benchmark

    wins = [benchmark.synthetic(s) > benchmark.synthetic(s, fixed_steps=180.0) for s in range(10)]
    assert sum(wins) >= 8
