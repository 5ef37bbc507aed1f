"""The accelerator of a fixed network, EfficientNet-B0: analytic latency and energy against area."""

from __future__ import annotations

from autoglyph.experiments.domain import Domain, Score
from autoglyph.experiments.objectives import minimize
from autoglyph.search_spaces.accelerator import accelerator_space
from autoglyph.search_spaces.codesign import CoDesign
from autoglyph.search_spaces.space import SearchSpace, load_space
from autoglyph.search_spaces.spaces.accelerator import SPACE


def _cost_of_b0() -> Score:
    from autoglyph.hardware_models import PairCost

    network = load_space("efficientnet").individual("b0")
    pairs = SearchSpace("b0", lambda: CoDesign(architecture=network, accelerator=accelerator_space()))
    cost = PairCost(pairs)  # its decisions are those of the accelerator
    return lambda candidates: cost(candidates.rows)


DOMAIN = Domain(
    space=SPACE,
    objectives=[minimize("latency_ms"), minimize("energy_mj"), minimize("area_mm2")],
    scores={"cost_of_b0": _cost_of_b0},
    sources={"cost_of_b0": "analytic model of EfficientNet-B0 at 224 x 224, batch 1, on the accelerator"},
)
