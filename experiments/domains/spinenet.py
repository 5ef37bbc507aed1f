"""SpineNet: scale-permuted backbones for detection, costed as RetinaNets at 640 pixels."""

from autoglyph.experiments.domain import Domain
from autoglyph.experiments.objectives import minimize
from autoglyph.search_spaces.spaces.spinenet import SPACE

DOMAIN = Domain(space=SPACE, objectives=[minimize("latency_ms")], device="v100")
