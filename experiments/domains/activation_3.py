"""Activation functions of three core units (Swish), trained in a small network."""

from autoglyph.child_programs.expressions.training import ExpressionTraining
from autoglyph.experiments.domain import Domain
from autoglyph.experiments.objectives import maximize
from autoglyph.search_spaces.expressions.fingerprint import fingerprint
from autoglyph.search_spaces.spaces.activation_3 import SPACE

DOMAIN = Domain(
    space=SPACE,
    objectives=[maximize("accuracy")],
    program=ExpressionTraining(),
    fingerprint=fingerprint,
    sources={"trained": "validation accuracy of a small network after few steps, by the back-end of the program"},
)
