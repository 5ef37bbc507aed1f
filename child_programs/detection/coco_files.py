"""Images with boxes from files in the format of COCO; a bad annotation is named and left out, or refused."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from autoglyph.child_programs.detection.boxes import no_boxes
from autoglyph.child_programs.detection.examples import DetectionExamples, ImageFiles

_KEYS = ("images", "annotations", "categories")
_SLACK_PIXELS = 1.0
"""Boxes may end so far outside an image: rounding of annotation tools."""


@dataclass(frozen=True)
class CocoFile:
    """What a file of annotations says.

    Attributes:
        examples: all its images that are there.
        class_names: names of the categories in the order of their ids; a class number is a place in this order.
        skipped: one sentence for every annotation or image that was left out.
    """

    examples: DetectionExamples
    class_names: tuple[str, ...]
    skipped: tuple[str, ...]


def read_coco(annotations: Path, folder: Path, *, resolution: int, channels: int = 3, strict: bool = False) -> CocoFile:
    """Reads annotations in COCO's format and checks each of them.

    Args:
        annotations: JSON file with "images" (id, file_name, width, height), "annotations" (image_id, category_id,
            bbox as left, top, width, height in pixels, optionally iscrowd) and "categories" (id, name).
        folder: of the images.
        resolution: side of the squares that images are scaled into, pixels.
        channels: 1 to read images as grey, 3 as RGB.
        strict: refuse the file where an annotation does not fit, in place of leaving it out.

    Raises:
        ValueError: in one sentence that names the fix, if the file cannot be used; with `strict`, also for the first
            annotation that does not fit.
    """
    plain = _read(annotations)
    if not folder.is_dir():
        raise ValueError(f"There is no folder {str(folder)!r}: check the path of the images.")
    reader = _Reader(annotations.name, strict)
    categories = reader.categories(plain["categories"])
    images = reader.images(plain["images"], folder)
    if not images:
        raise ValueError(f"None of the images of {str(annotations)!r} is in {str(folder)!r}: check the folder.")
    for number, annotation in enumerate(plain["annotations"]):
        reader.annotation(number, annotation, images, categories)
    found = list(images.values())
    scales = np.array([resolution / max(image.width, image.height) for image in found])
    examples = DetectionExamples(
        ImageFiles(tuple(image.file for image in found), resolution, channels),
        tuple(
            np.array(image.boxes, np.float32) * np.float32(scale) if image.boxes else no_boxes()
            for image, scale in zip(found, scales, strict=True)
        ),
        tuple(np.array(image.labels, np.int32) for image in found),
        tuple(np.array(image.crowds, bool) for image in found),
        scales,
    )
    if not examples.num_boxes:
        raise ValueError(f"{str(annotations)!r} has no usable box{reader.first()}: check its annotations.")
    return CocoFile(examples, tuple(name for _, name in categories.values()), tuple(reader.skipped))


class _Image:
    def __init__(self, file: Path, width: float, height: float) -> None:
        self.file, self.width, self.height = file, width, height
        self.boxes: list[list[float]] = []
        self.labels: list[int] = []
        self.crowds: list[bool] = []


class _Reader:
    def __init__(self, name: str, strict: bool) -> None:
        self._name, self._strict = name, strict
        self.skipped: list[str] = []

    def first(self) -> str:
        return f" ({self.skipped[0]})" if self.skipped else ""

    def _skip(self, what: str, reason: str) -> None:
        sentence = f"{what} of {self._name} {reason}"
        if self._strict:
            raise ValueError(f"{sentence}: correct it, or leave --strict out to skip it.")
        self.skipped.append(sentence)

    def categories(self, rows: list[Any]) -> dict[Any, tuple[int, str]]:
        """Class number and name by id."""
        names: dict[Any, str] = {}
        for number, row in enumerate(rows):
            if not isinstance(row, Mapping) or not isinstance(row.get("id"), int):
                raise ValueError(f"Category {number} of {self._name} has no whole number as its id: give it one.")
            if row["id"] in names:
                raise ValueError(f"{self._name} has two categories of id {row['id']}: give each its own.")
            names[row["id"]] = str(row.get("name", row["id"]))
        if not names:
            raise ValueError(f"{self._name} has no categories: name the classes.")
        return {key: (number, names[key]) for number, key in enumerate(sorted(names))}

    def images(self, rows: list[Any], folder: Path) -> dict[Any, _Image]:
        """Images that are there by id."""
        found: dict[Any, _Image] = {}
        for number, row in enumerate(rows):
            what = f"Image {number}"
            if not isinstance(row, Mapping) or "id" not in row or not isinstance(row.get("file_name"), str):
                self._skip(what, "has no id or no file_name")
                continue
            what = f"Image {row['id']}"
            file = folder / row["file_name"]
            if _key(row["id"]) is None or row["id"] in found:
                self._skip(what, "has an id that is no number or text, or that another image has")
            elif not file.is_file():
                self._skip(what, f"has no file {str(file)!r}")
            else:
                size = _size(file)
                stated = row.get("width"), row.get("height")
                if size is None:
                    self._skip(what, f"has a file {str(file)!r} that cannot be read as an image")
                elif None not in stated and stated != size:
                    self._skip(what, f"is {stated[0]} x {stated[1]} pixels there and {size[0]} x {size[1]} in its file")
                else:
                    found[row["id"]] = _Image(file, *size)
        return found

    def annotation(
        self, number: int, row: Any, images: dict[Any, _Image], categories: dict[Any, tuple[int, str]]
    ) -> None:
        """Adds a box to its image."""
        if not isinstance(row, Mapping):
            return self._skip(f"Annotation {number}", "is no object")
        what = f"Annotation {row.get('id', number)}"
        image, category = images.get(_key(row.get("image_id"))), categories.get(_key(row.get("category_id")))
        if image is None:
            return self._skip(what, f"names the image {row.get('image_id')!r}, which is not there")
        if category is None:
            return self._skip(what, f"names the category {row.get('category_id')!r}, which is not there")
        box = row.get("bbox")
        if not isinstance(box, list) or len(box) != 4 or not all(_is_number(value) for value in box):
            return self._skip(what, f"has the box {box!r}, which is not four numbers")
        left, top, width, height = (float(value) for value in box)
        if width <= 0 or height <= 0:
            return self._skip(what, f"has the empty box {box!r}")
        right, bottom = left + width, top + height
        inside = min(left, top) >= -_SLACK_PIXELS and right - image.width <= _SLACK_PIXELS
        if not inside or bottom - image.height > _SLACK_PIXELS:
            return self._skip(what, f"has the box {box!r}, outside its image of {image.width:g} x {image.height:g}")
        corners = [max(left, 0.0), max(top, 0.0), min(right, image.width), min(bottom, image.height)]
        if corners[2] <= corners[0] or corners[3] <= corners[1]:
            return self._skip(what, f"has the box {box!r}, outside its image of {image.width:g} x {image.height:g}")
        image.boxes.append(corners)
        image.labels.append(category[0])
        image.crowds.append(bool(row.get("iscrowd", 0)))
        return None


def _read(path: Path) -> dict[str, list[Any]]:
    if not path.is_file():
        raise ValueError(f"There is no file {str(path)!r}: check the path.")
    try:
        plain = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, json.JSONDecodeError, RecursionError) as error:
        raise ValueError(f"{str(path)!r} is not readable JSON ({error}): give annotations in COCO's format.") from error
    if not isinstance(plain, dict) or not all(isinstance(plain.get(key), list) for key in _KEYS):
        raise ValueError(f"{str(path)!r} lacks lists of {', '.join(_KEYS)}: give annotations in COCO's format.")
    return plain


def _size(file: Path) -> tuple[int, int] | None:
    """Width and height of an image file, None where it is none."""
    import PIL.Image

    try:
        with PIL.Image.open(file) as image:
            return image.size
    except (OSError, SyntaxError, ValueError, PIL.Image.DecompressionBombError):
        return None


def _key(value: Any) -> Any:
    return value if isinstance(value, int | str) else None


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
