"""Detection data by name: built-in canvases of digits, or files in COCO's format."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from autoglyph.child_programs.detection import digits_canvas
from autoglyph.child_programs.detection.coco_files import read_coco
from autoglyph.child_programs.detection.examples import DetectionDataset, DetectionExamples, ImageFiles
from autoglyph.search_spaces import plugins

HELD_OUT_SHARE = 0.1
"""Of the images, for validation and once more for the test, where a file does not say."""
COCO_RESOLUTION = 128
"""Side that images of files are scaled to unless another one is asked for."""


def load_detection(
    name: str, *, seed: int, resolution: int | None = None, limit: int | None = None, strict: bool = False
) -> DetectionDataset:
    """Loads images with boxes and divides them into training, validation and test images.

    Args:
        name: "digits_canvas"; "ANNOTATIONS.json:FOLDER" in COCO's format, of which a tenth is held out for validation
            and a tenth for the test; or "ANNOTATIONS.json:FOLDER,ANNOTATIONS.json:FOLDER", the second to test on.
        seed: of what is drawn or held out.
        resolution: side of the square images, pixels; None for 128.
        limit: most images of each part.
        strict: refuse a bad annotation in place of leaving it out.

    Raises:
        ValueError: in one sentence that names the fix, if there is no such data or it does not fit.
    """
    if limit is not None and limit < 1:
        raise ValueError(f"Expected a limit of at least 1 image, received {limit}.")
    if name == digits_canvas.NAME:
        return digits_canvas.digits_canvas(seed=seed, resolution=resolution or digits_canvas.SIDE, limit=limit)
    if ".json" not in name:
        raise plugins.unknown_name("detection data set", name, [digits_canvas.NAME, "ANNOTATIONS.json:FOLDER"])
    paths = [_paths(part) for part in name.split(",")]
    if len(paths) > 2:
        raise ValueError(
            f"{name!r} names {len(paths)} files of annotations: give one, or one to train and one to test."
        )
    files = [read_coco(*pair, resolution=resolution or COCO_RESOLUTION, strict=strict) for pair in paths]
    if len({file.class_names for file in files}) > 1:
        raise ValueError(f"The files of {name!r} have other categories: give files with the same ones.")
    rng = np.random.default_rng([seed, 0])
    order = rng.permutation(len(files[0].examples))
    held = max(1, round(HELD_OUT_SHARE * len(order)))
    if len(order) < (3 if len(files) == 1 else 2):
        raise ValueError(f"{name!r} has {len(order)} images: give enough to train, validate and test on.")
    valid, rest = order[:held], order[held:]
    if len(files) == 2:
        test = _subset(files[1].examples, np.arange(len(files[1].examples)), limit)
        parts = f"{held} images for validation"
    else:
        test = _subset(files[0].examples, rest[:held], limit)
        rest = rest[held:]
        parts = f"{held} images for validation and {held} for the test"
    return DetectionDataset(
        train=_subset(files[0].examples, rest, limit),
        valid=_subset(files[0].examples, valid, limit),
        test=test,
        resolution=resolution or COCO_RESOLUTION,
        class_names=files[0].class_names,
        name=paths[0][0].stem,
        source=f"{name}, {parts} drawn with seed {seed}",
        skipped=tuple(sentence for file in files for sentence in file.skipped),
    )


def _paths(part: str) -> tuple[Path, Path]:
    annotations, separator, folder = part.rpartition(":")
    if not separator or not annotations or not folder:
        raise ValueError(f"Cannot read {part!r} as detection data: write ANNOTATIONS.json:FOLDER.")
    return Path(annotations), Path(folder)


def _subset(examples: DetectionExamples, rows: NDArray[np.intp], limit: int | None) -> DetectionExamples:
    chosen = rows[:limit].tolist()
    images = examples.images
    assert isinstance(images, ImageFiles)
    return DetectionExamples(
        replace(images, files=tuple(images.files[row] for row in chosen)),
        tuple(examples.boxes[row] for row in chosen),
        tuple(examples.labels[row] for row in chosen),
        tuple(examples.crowds[row] for row in chosen),
        examples.scales[chosen],
    )
