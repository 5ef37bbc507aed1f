"""The Evolved Transformer's search space, judged by what its networks cost.

Costs are those of one sentence pair of 64 tokens each; parameters count the shared embeddings.
"""

from autoglyph.experiments.domain import Domain
from autoglyph.experiments.objectives import minimize
from autoglyph.search_spaces.spaces.evolved_transformer import SPACE

DOMAIN = Domain(
    space=SPACE,
    objectives=[minimize("latency_ms"), minimize("parameters")],
    program=None,
    device="tpu_v3:chip",
)
