"""Detection that leaves a stack of pyramids early: one Keras model for each exit, all of the same weights.

Ghiasi, Lin and Le 2019 (NAS-FPN, anytime detection): with heads behind every pyramid, a detector can stop behind any of
them, as the time allows.
"""

from __future__ import annotations

from typing import Any

from autoglyph.search_spaces.blocks.feature_pyramid import LEVELS

OUTPUTS = 2 * len(LEVELS)
"""Of one exit: class logits and box codes of every level."""


def exit_models(model: Any) -> list[Any]:
    """The detectors within a detector with exits, from the first exit to the last.

    Each is the part of the network that its own outputs need, and its layers are those of `model`: what trains one
    trains the others, and nothing is copied.

    Args:
        model: a `keras.Model` of a `RetinaNet`, ten outputs an exit.

    Returns:
        Models of ten outputs; the one of a detector without exits is the whole detector.

    Raises:
        ValueError: if the outputs are no multiple of ten.
    """
    import keras

    outputs = model.outputs
    if not outputs or len(outputs) % OUTPUTS:
        raise ValueError(f"The model has {len(outputs)} outputs: give a detector, which has {OUTPUTS} for each exit.")
    return [
        keras.Model(model.inputs[0], outputs[start : start + OUTPUTS], name=f"{model.name}_exit{number}")
        for number, start in enumerate(range(0, len(outputs), OUTPUTS), start=1)
    ]
