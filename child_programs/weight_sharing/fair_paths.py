"""Paths in which every candidate of a decision comes equally often (Chu et al. 2021, FairNAS).

Paths drawn independently train some candidates more often than others, which a measurement with shared weights then
takes for worth.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from autoglyph.child_programs.weight_sharing.policy import expect_finite
from autoglyph.search_spaces.genome import Row
from autoglyph.search_spaces.space import SearchSpace

_MAX_DECKS = 1000


def fair_paths(space: SearchSpace, rng: np.random.Generator) -> Iterator[Row]:
    """Feasible paths without end, in their canonical form.

    The candidates of each decision are dealt like cards: all of them, shuffled, before the first comes again. Paths
    that are infeasible are left out after they were dealt, so where there are such, numbers are equal on average only.

    Args:
        space: finite.
        rng: deals.

    Raises:
        ValueError: if a decision of the space is a real number, or a thousand paths in a row are infeasible.
    """
    expect_finite(space)
    genome = space.genome
    sizes = [len(column.candidates) for column in genome.columns]
    hands: list[list[int]] = [[] for _ in sizes]
    refused = 0
    while refused < _MAX_DECKS:
        for hand, size in zip(hands, sizes, strict=True):
            if not hand:
                hand.extend(rng.permutation(size).tolist())
        path = genome.canonical(np.array([[hand.pop() for hand in hands]]).astype(genome.dtype))
        if space.feasible(path)[0]:
            refused = 0
            yield np.asarray(path[0])
        else:
            refused += 1
    raise ValueError(f"No feasible path of {space.name} was dealt in {_MAX_DECKS} tries: check its rule.")
