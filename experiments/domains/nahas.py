"""NAHAS: a network and its accelerator; Accel-NASBench accuracy surrogate against analytic latency."""

from __future__ import annotations

from autoglyph.experiments.domain import Domain, Score
from autoglyph.experiments.objectives import maximize, minimize
from autoglyph.search_spaces.parts import Part
from autoglyph.search_spaces.spaces.nahas import SPACE


def _surrogate() -> Score:
    from autoglyph.child_programs.surrogates.surrogate import load_surrogate

    networks = Part(SPACE.genome, "architecture")
    surrogate = load_surrogate("accel_nasbench")
    surrogate.check_space(networks.genome)
    return lambda candidates: {"top1": surrogate.predict(networks.of(candidates.rows))}


DOMAIN = Domain(
    space=SPACE,
    objectives=[maximize("top1"), minimize("latency_ms")],
    scores={"surrogate": _surrogate},
    sources={"surrogate": "regression on Accel-NASBench: ImageNet top-1 after a 16-epoch proxy training"},
)
