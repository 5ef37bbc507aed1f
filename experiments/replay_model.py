"""An individual as a Keras model: built, counted, costed, trained, exported, put to use.

What that means depends on the kind of network; each kind has a file of its own.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from autoglyph.experiments import replay_images, replay_sequences
from autoglyph.experiments.replay import Replayed, architecture_of
from autoglyph.experiments.replay_wishes import Wishes
from autoglyph.search_spaces.architecture import Architecture
from autoglyph.search_spaces.architectures.evolved_transformer import EvolvedTransformer

__all__ = ["Wishes", "carry_out"]


def carry_out(found: Replayed, wishes: Wishes, *, quiet: bool = False) -> dict[str, Any]:
    """Builds the model and does what is wished.

    Args:
        found: the individual.
        wishes: what to do.
        quiet: print nothing; otherwise layers and progress are printed as they come.

    Returns:
        Plain object with "kind", the counts of `summary` and, where wished, "cost", "training", "export" and
        "translation".

    Raises:
        ValueError: if a wish cannot be granted, in one sentence, before any training.
    """
    if wishes.scale not in ("full", "proxy"):
        raise ValueError(f"Unknown scale {wishes.scale!r}: choose full or proxy.")
    network = architecture_of(found)
    result: dict[str, Any] = _kind(network)(network, found, wishes, quiet=quiet)
    return result


@functools.singledispatch
def _kind(network: Architecture) -> Callable[..., dict[str, Any]]:
    return replay_images.carry_out


@_kind.register
def _(network: EvolvedTransformer) -> Callable[..., dict[str, Any]]:
    return replay_sequences.carry_out
