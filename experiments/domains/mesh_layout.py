"""Mesh layouts of a Transformer: time of a training step against memory of a processor, both analytic."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from autoglyph.experiments.domain import Candidates, Domain
from autoglyph.experiments.objectives import minimize
from autoglyph.search_spaces.spaces.mesh_layout import DIMS, PROGRAM, SPACE, layout_arrays


def _score(candidates: Candidates) -> Mapping[str, Any]:
    from autoglyph.hardware_models import load_device
    from autoglyph.hardware_models.parallel.mesh import estimate_layouts

    axes, sizes = layout_arrays(candidates.rows, candidates.genome)
    costs = estimate_layouts(PROGRAM, load_device("tpu_v3:datasheet"), DIMS, axes, sizes)
    return {
        "step_ms": costs.step_s * 1e3,
        "memory_gb": costs.memory_bytes / 1e9,
        "communication_gb": costs.communication_bytes / 1e9,
    }


DOMAIN = Domain(
    space=SPACE,
    objectives=[minimize("step_ms"), minimize("memory_gb")],
    score=_score,
    sources={"score": "Mesh-TensorFlow model: local work, ring collectives, TPU v3 cores as their datasheet has them"},
)
