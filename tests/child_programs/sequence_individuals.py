"""Small individuals of the Evolved Transformer's space, and tokens for them."""

from __future__ import annotations

from typing import Any

import numpy as np

from autoglyph.search_spaces import load_space

SPACE = load_space("evolved_transformer")
VOCABULARY = 29


def small(name: str, relative: int = 0) -> Any:
    """A known individual with 64 channels where the published one has 512."""
    individual = SPACE.individual(name).proxy(resolution=7, channels=1, classes=VOCABULARY, width=64 / 512)
    individual.rebind(target_length=5, relative_positions=relative, raise_on_no_change=False)
    return individual


def random_individuals(count: int, seed: int) -> list[Any]:
    """Feasible individuals with 32 channels and at most two cells, with and without dropout and sinusoids."""
    rows = SPACE.genome.random(8 * count, np.random.default_rng(seed))
    rows = rows[SPACE.feasible(rows)][:count]
    assert len(rows) == count
    individuals = [SPACE.genome.decode(row) for row in rows]
    for i, individual in enumerate(individuals):
        individual.rebind(
            dimension=32,
            vocabulary=VOCABULARY,
            source_length=6,
            target_length=5,
            dropout=0.1 * (i % 2),
            relative_positions=i % 3,
            encoder_cells=min(individual.encoder_cells, 2),
            decoder_cells=min(individual.decoder_cells, 2),
            raise_on_no_change=False,
        )
    return individuals


def tokens(shape: tuple[int, int], seed: int) -> Any:
    """Tokens without padding."""
    return np.random.default_rng(seed).integers(1, VOCABULARY, shape)


def randomised(model: Any, seed: int = 0) -> Any:
    """The model with offsets and scales that are not 0 and 1."""
    rng = np.random.default_rng(seed)
    for variable in model.trainable_variables:
        if len(variable.shape) == 1:
            variable.assign(np.asarray(variable) + 0.3 * rng.standard_normal(variable.shape))
    return model
