"""Update rules of three groups with decays (Neural Optimizer Search), trained in a small network."""

from autoglyph.child_programs.expressions.training import ExpressionTraining
from autoglyph.experiments.domain import Domain
from autoglyph.experiments.objectives import maximize
from autoglyph.search_spaces.expressions.fingerprint import fingerprint
from autoglyph.search_spaces.spaces.optimizer_rule_3_decays import SPACE

DOMAIN = Domain(
    space=SPACE,
    objectives=[maximize("accuracy")],
    program=ExpressionTraining(learning_rate=None),
    fingerprint=fingerprint,
    sources={"trained": "validation accuracy of a small network after few steps, by the back-end of the program"},
)
