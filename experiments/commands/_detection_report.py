"""What `autoglyph replay` prints of a detector."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from autoglyph.experiments.commands import _common


def print_exported(result: Mapping[str, Any]) -> None:
    """Says where an exported detector comes from."""
    made_by = result["made_by"]
    print(f"{result['model']}: {made_by.get('model')} of {made_by.get('space')}, trained on {made_by.get('data')}")


def print_training(training: Mapping[str, Any]) -> None:
    """Prints what was trained on, the epochs and the test."""
    _common.print_table(
        f"Trained on {training['data']} ({training['images']:,} images, {training['boxes']:,} boxes; "
        f"{training['validation_images']:,} images for validation)",
        ["epoch", "training loss", "validation AP (%)", "AP50", "AP75"],
        [[e["epoch"], e["loss"], e["ap"], e["ap50"], e["ap75"]] for e in training["epochs"]],
    )
    test = training["test"]
    sizes = ", ".join(
        f"{size} {test[f'ap_{size}']:.2f}" for size in ("small", "medium", "large") if f"ap_{size}" in test
    )
    print(
        f"{test['images']:,} test images, {test['boxes']:,} boxes: AP {test['ap']:.2f} %, AP50 {test['ap50']:.2f} %, "
        f"AP75 {test['ap75']:.2f} %; by size of box: {sizes}"
    )


def saved(result: Mapping[str, Any]) -> str:
    """Says what can be done with an exported detector."""
    path = result["export"]
    if "training" not in result:
        return f"Saved: {path} (load with keras.models.load_model; untrained)"
    return f"Saved: {path} (load with keras.models.load_model, or autoglyph replay {path} --predict IMAGE)"


def print_prediction(prediction: Mapping[str, Any]) -> None:
    """Prints the boxes found in an image."""
    rows = [[b["class"], b["score"], *(f"{corner:.1f}" for corner in b["box"])] for b in prediction["boxes"]]
    _common.print_table(
        f"{len(rows)} boxes in {prediction['image']}", ["class", "score", "left", "top", "right", "bottom"], rows
    )
    if "output" in prediction:
        print(f"Drawn: {prediction['output']}")
