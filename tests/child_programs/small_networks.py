"""Networks that train in a second, for tests of what surrounds the training."""

from __future__ import annotations

import numpy as np

from autoglyph.child_programs.datasets import Dataset
from autoglyph.search_spaces.architectures.efficientnet import EfficientNet, Scaling, Stage


def tiny_network() -> EfficientNet:
    return EfficientNet(
        stages=[Stage(filters=16, repeats=1, stride=1, expansion=2), Stage(filters=24, repeats=2, stride=2)],
        stem_filters=16,
        head_filters=64,
        scaling=Scaling(resolution=16),
        classes=4,
    )


def bright_squares(images: int = 96, classes: int = 4, resolution: int = 8) -> Dataset:
    """Noisy images whose class is the quadrant that is bright."""
    rng = np.random.default_rng(0)
    labels = rng.integers(classes, size=2 * images).astype(np.int32)
    pixels = rng.random((2 * images, resolution, resolution, 1), np.float32) * 0.5
    half = resolution // 2
    for image, label in zip(pixels, labels, strict=True):
        row, column = divmod(int(label), 2)
        image[row * half : (row + 1) * half, column * half : (column + 1) * half] += 0.5
    return Dataset(
        x_train=pixels[:images],
        y_train=labels[:images],
        x_valid=pixels[images:],
        y_valid=labels[images:],
        classes=classes,
        name="bright_squares",
        source="made by the test",
        validation="made by the test",
    )
