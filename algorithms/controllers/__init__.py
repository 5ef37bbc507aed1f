"""Learned controllers: the recurrent network, its tokens, and what the algorithms that train it share."""

from autoglyph.algorithms.controllers.adam import Adam
from autoglyph.algorithms.controllers.decision_sequence import DecisionSequence
from autoglyph.algorithms.controllers.lstm import Controller

__all__ = ["Adam", "Controller", "DecisionSequence"]
