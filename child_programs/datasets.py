"""Image data to train children on: digits, `.npz` files and what keras.datasets downloads.

Children are measured, and so selected, on the validation images. `Dataset.validation` says what those are:
where they are the data's own test images, the accuracy of a selected individual is no estimate for unseen
images. Ask for a `validation_share` to keep the test images out of the search.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from autoglyph.child_programs.dataset_sources import LabelledImages, Source, read_source
from autoglyph.child_programs.images import ImageArray, resize, unit_range

DEFAULT_VALIDATION_SHARE = 0.2


@dataclass(frozen=True, eq=False)
class Dataset:
    """Labelled images in two parts.

    Attributes:
        x_train: (n, height, width, channels) float32 in [0, 1].
        y_train: (n,) int32 class numbers.
        x_valid: (m, height, width, channels) float32 in [0, 1].
        y_valid: (m,) int32 class numbers.
        classes: how many classes there are.
        name: what the data is called in a record.
        source: where it comes from.
        validation: what the validation images are.
    """

    x_train: ImageArray
    y_train: NDArray[np.int32]
    x_valid: ImageArray
    y_valid: NDArray[np.int32]
    classes: int
    name: str
    source: str
    validation: str

    @property
    def resolution(self) -> int:
        """Side of the square images, pixels."""
        return int(self.x_train.shape[1])

    @property
    def channels(self) -> int:
        """1 for grey, 3 for RGB."""
        return int(self.x_train.shape[-1])

    def resized(self, resolution: int) -> Dataset:
        """The same data with images of another side; itself if they have it."""
        if resolution == self.resolution:
            return self
        return replace(self, x_train=resize(self.x_train, resolution), x_valid=resize(self.x_valid, resolution))


def load_dataset(
    name: str,
    *,
    seed: int,
    resolution: int | None = None,
    limit: int | None = None,
    validation_share: float | None = None,
) -> Dataset:
    """Loads labelled images and divides them into training and validation images.

    Args:
        name: "digits"; a path to a `.npz` file with x_train and y_train, optionally x_test and y_test; or
            "mnist", "fashion_mnist", "cifar10", "cifar100", which Keras downloads once.
        seed: decides which images are drawn for validation and under the limit.
        resolution: side to which images are scaled, pixels; None keeps square images as they are.
        limit: at most so many training images, and at most so many validation images, drawn at random.
        validation_share: part of the training images to draw for validation, the data's test images being
            left unused. None takes the data's test images, or a fifth of the training images where there
            are none.

    Returns:
        The data, the same for equal arguments.

    Raises:
        ValueError: in one sentence that names the fix, if the data or an argument does not fit.
    """
    if validation_share is not None and not 0 < validation_share < 1:
        raise ValueError(f"Expected a validation share between 0 and 1, received {validation_share}.")
    if limit is not None and limit < 1:
        raise ValueError(f"Expected a limit of at least 1 image, received {limit}.")
    source = read_source(name)
    classes = _count_classes(source)
    rng = np.random.default_rng([seed, 0])
    train, valid, validation = _divided(source, validation_share, seed, rng)
    (x_train, y_train), (x_valid, y_valid) = _limited(train, limit, rng), _limited(valid, limit, rng)
    height, width = x_train.shape[1:3]
    if resolution is None and height != width:
        raise ValueError(f"The images of {name!r} are {height} x {width}: give a resolution to make them square.")
    side = height if resolution is None else resolution
    return Dataset(
        x_train=resize(unit_range(x_train), side),
        y_train=y_train,
        x_valid=resize(unit_range(x_valid), side),
        y_valid=y_valid,
        classes=classes,
        name=source.name,
        source=source.origin,
        validation=validation,
    )


def _count_classes(source: Source) -> int:
    parts = [source.train, *([source.test] if source.test else [])]
    labels = [part.labels for part in parts if len(part.labels)]
    classes = int(max(part.max() for part in labels)) + 1
    if classes < 2:
        raise ValueError(f"{source.name!r} has one class: give images of at least two.")
    if classes > sum(map(len, labels)):
        raise ValueError(f"{source.name!r} has labels up to {classes - 1}: number the classes from 0 without gaps.")
    return classes


def _divided(
    source: Source, share: float | None, seed: int, rng: np.random.Generator
) -> tuple[LabelledImages, LabelledImages, str]:
    if share is None and source.test is not None:
        return source.train, source.test, "the data's own test images"
    share = DEFAULT_VALIDATION_SHARE if share is None else share
    count = len(source.train.labels)
    if count < 2:
        raise ValueError(f"{source.name!r} has {count} training image: give at least two to divide.")
    order = rng.permutation(count)
    held = min(max(1, round(count * share)), count - 1)
    validation = f"{held} of {count} training images, drawn with seed {seed}"
    return _subset(source.train, order[held:]), _subset(source.train, order[:held]), validation


def _limited(part: LabelledImages, limit: int | None, rng: np.random.Generator) -> LabelledImages:
    if limit is None or limit >= len(part.labels):
        return part
    return _subset(part, rng.permutation(len(part.labels))[:limit])


def _subset(part: LabelledImages, rows: NDArray[np.int64]) -> LabelledImages:
    return LabelledImages(part.images[rows], part.labels[rows])
