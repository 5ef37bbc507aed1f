"""EfficientNet stages: Accel-NASBench accuracy surrogate or training, against analytic latency."""

from autoglyph.experiments.domain import Domain, Score
from autoglyph.experiments.objectives import maximize, minimize
from autoglyph.search_spaces.spaces.efficientnet import SPACE


def _surrogate() -> Score:
    from autoglyph.child_programs.surrogates.surrogate import load_surrogate

    surrogate = load_surrogate("accel_nasbench")
    surrogate.check_space(SPACE.genome)
    return lambda candidates: {"top1": surrogate.predict(candidates.rows)}


def _program() -> object:
    from autoglyph.child_programs import ImageClassification

    return ImageClassification()


DOMAIN = Domain(
    space=SPACE,
    objectives=[maximize("top1"), minimize("latency_ms")],
    scores={"surrogate": _surrogate},
    program=_program(),
    device="tpu_v3",
    sources={"surrogate": "regression on Accel-NASBench: ImageNet top-1 after a 16-epoch proxy training"},
)
