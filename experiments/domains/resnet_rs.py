"""ResNets: trained at proxy scale, costed at full scale."""

from autoglyph.child_programs import ImageClassification
from autoglyph.experiments.domain import Domain
from autoglyph.experiments.objectives import maximize, minimize
from autoglyph.search_spaces.spaces.resnet_rs import SPACE

DOMAIN = Domain(
    space=SPACE,
    objectives=[maximize("top1"), minimize("latency_ms")],
    program=ImageClassification(),
    device="tpu_v3",
)
