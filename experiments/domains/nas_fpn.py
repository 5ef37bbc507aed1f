"""NAS-FPN: feature pyramids for detection, costed as RetinaNets on ResNet-50 at 640 pixels."""

from autoglyph.experiments.domain import Domain
from autoglyph.experiments.objectives import minimize
from autoglyph.search_spaces.spaces.nas_fpn import SPACE

DOMAIN = Domain(space=SPACE, objectives=[minimize("latency_ms")], device="v100")
