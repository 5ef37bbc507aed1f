"""Images with boxes to train and measure detectors on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from autoglyph.child_programs.detection.boxes import Boxes
from autoglyph.child_programs.images import ImageArray, unit_range


class Images(Protocol):
    """Square images of one size, from memory or from files."""

    @property
    def channels(self) -> int:
        """1 for grey, 3 for RGB."""
        ...

    def batch(self, rows: Sequence[int] | NDArray[Any]) -> ImageArray:
        """(n, side, side, channels) images by number, in [0, 1]."""
        ...


@dataclass(frozen=True, eq=False)
class StoredImages:
    """Images in memory.

    Attributes:
        pixels: (n, side, side, channels) integers 0 to 255.
    """

    pixels: NDArray[np.uint8]

    @property
    def channels(self) -> int:
        """1 for grey, 3 for RGB."""
        return int(self.pixels.shape[-1])

    def batch(self, rows: Sequence[int] | NDArray[Any]) -> ImageArray:
        """(n, side, side, channels) images by number, in [0, 1]."""
        return unit_range(self.pixels[np.asarray(rows)])


@dataclass(frozen=True, eq=False)
class ImageFiles:
    """Images that are read when they are needed.

    Attributes:
        files: one an image.
        resolution: side of the square that an image is scaled into, its upper left corner in that of the square and
            the rest black.
        channels: 1 for grey, 3 for RGB.
    """

    files: tuple[Path, ...]
    resolution: int
    channels: int = 3

    def batch(self, rows: Sequence[int] | NDArray[Any]) -> ImageArray:
        """(n, side, side, channels) images by number, in [0, 1].

        Raises:
            ValueError: if a file cannot be read, in one sentence.
        """
        return np.stack([read_square(self.files[row], self.resolution, self.channels)[0] for row in rows])


@dataclass(frozen=True, eq=False)
class DetectionExamples:
    """Images, and the boxes in each.

    Attributes:
        images: the images.
        boxes: (n, 4) of each image, in pixels of the square images.
        labels: (n,) class numbers from 0 of each image.
        crowds: (n,) of each image, whether a box holds a crowd: such boxes are not trained on, and detections in them
            are neither right nor wrong.
        scales: (images,) pixels of the square image for one pixel of the original.
    """

    images: Images
    boxes: tuple[Boxes, ...]
    labels: tuple[NDArray[np.int32], ...]
    crowds: tuple[NDArray[np.bool_], ...]
    scales: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.boxes)

    @property
    def num_boxes(self) -> int:
        """Boxes in all images."""
        return sum(map(len, self.boxes))


@dataclass(frozen=True, eq=False)
class DetectionDataset:
    """Images with boxes in three parts.

    Attributes:
        train: to train on.
        valid: to select individuals on.
        test: to report on; not looked at in a search.
        resolution: side of the square images, pixels.
        class_names: of the classes, by number.
        name: what the data is called in a record.
        source: where it comes from, and how its parts were made.
        skipped: one sentence for every annotation that was left out.
        anchor_size: side of the smallest anchor in units of the distance of positions that suits its boxes.
    """

    train: DetectionExamples
    valid: DetectionExamples
    test: DetectionExamples
    resolution: int
    class_names: tuple[str, ...]
    name: str
    source: str
    skipped: tuple[str, ...] = ()
    anchor_size: float = 4.0

    @property
    def channels(self) -> int:
        """1 for grey, 3 for RGB."""
        return self.train.images.channels

    @property
    def classes(self) -> int:
        """How many there are."""
        return len(self.class_names)


def read_square(file: Path, resolution: int, channels: int) -> tuple[ImageArray, float]:
    """An image file scaled into a square, its upper left corner in that of the square and the rest black.

    Args:
        file: any format that Pillow reads.
        resolution: side of the square, pixels.
        channels: 1 for grey, 3 for RGB.

    Returns:
        (resolution, resolution, channels) in [0, 1], and pixels of the square for one pixel of the file.

    Raises:
        ValueError: if the file cannot be read, in one sentence.
    """
    import PIL.Image

    try:
        with PIL.Image.open(file) as opened:
            image = opened.convert("L" if channels == 1 else "RGB")
    except (OSError, SyntaxError, ValueError, PIL.Image.DecompressionBombError) as error:
        raise ValueError(f"Cannot read {str(file)!r} as an image ({error}): give a PNG or JPEG file.") from error
    scale = resolution / max(image.size)
    width, height = (max(1, round(side * scale)) for side in image.size)
    scaled = np.asarray(image.resize((width, height), PIL.Image.Resampling.BILINEAR), np.float32) / 255
    square = np.zeros((resolution, resolution, channels), np.float32)
    square[:height, :width] = scaled[..., None] if channels == 1 else scaled
    return square, scale
