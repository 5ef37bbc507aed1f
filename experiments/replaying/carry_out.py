"""An individual as something that trains: built, counted, costed, trained, exported, put to use.

What that means depends on the kind of individual; each kind has a file of its own in `kinds`.
"""

from __future__ import annotations

from typing import Any

from autoglyph.experiments.replaying.kinds import kind_of
from autoglyph.experiments.replaying.replayed import Replayed
from autoglyph.experiments.replaying.wishes import Wishes
from autoglyph.search_spaces.codesign import CoDesign

__all__ = ["Wishes", "carry_out"]


def carry_out(found: Replayed, wishes: Wishes, *, quiet: bool = False) -> dict[str, Any]:
    """Builds the individual and does what is wished.

    Args:
        found: the individual; of one that brings an accelerator, its network is meant.
        wishes: what to do.
        quiet: print nothing; otherwise layers and progress are printed as they come.

    Returns:
        Plain object with "kind" and, of a network, the counts of `summary`; where wished, "cost", "training",
        "export" and what else the kind does.

    Raises:
        ValueError: if a wish cannot be granted, in one sentence, before any training.
    """
    if wishes.scale not in ("full", "proxy"):
        raise ValueError(f"Unknown scale {wishes.scale!r}: choose full or proxy.")
    individual = found.individual
    subject = individual.architecture if isinstance(individual, CoDesign) else individual
    kind = kind_of(subject)
    if kind is None:
        raise ValueError(f"Individuals of {found.space} are no networks: this command needs one.")
    return kind(subject, found, wishes, quiet=quiet)
