"""The cells of NAS-Bench-201, trained on the data at hand: one cell a stage at half the published width."""

from autoglyph.child_programs import ImageClassification
from autoglyph.experiments.domain import Domain
from autoglyph.experiments.objectives import maximize
from autoglyph.search_spaces.spaces.nasbench201 import SPACE

DOMAIN = Domain(
    space=SPACE,
    objectives=[maximize("top1")],
    program=ImageClassification(epochs=[1, 2, 4], width=0.5, resolution=None),
    device="tpu_v3:chip",
    sources={"trained": "validation top-1 of a small copy, trained for few epochs"},
)
