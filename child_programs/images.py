"""Image arrays brought to the size and range that children take."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

ImageArray = NDArray[np.float32]


def unit_range(images: NDArray[Any]) -> ImageArray:
    """float32 images in [0, 1] of integers 0 to 255 or of floats already in that range."""
    if images.dtype.kind == "f":
        return images.astype(np.float32)
    return images.astype(np.float32) / np.float32(255)


def resize(images: ImageArray, resolution: int) -> ImageArray:
    """Scales images to squares by bilinear interpolation, low-pass filtered where they shrink.

    Args:
        images: (n, height, width, channels).
        resolution: side of the result, pixels.

    Returns:
        (n, resolution, resolution, channels); the same array if it has this size already.

    Raises:
        ValueError: if the resolution is less than one pixel.
    """
    if resolution < 1:
        raise ValueError(f"Expected a resolution of at least 1 pixel, received {resolution}.")
    height, width = images.shape[1:3]
    if height == width == resolution:
        return images
    down, across = _interpolation(height, resolution), _interpolation(width, resolution)
    scaled = np.einsum("ph,qw,nhwc->npqc", down, across, images, optimize=True)
    return np.array(np.clip(scaled, 0, 1), np.float32, order="C")


def _interpolation(size: int, resolution: int) -> ImageArray:
    """(resolution, size) weights of a triangle filter as wide as the coarser of the two grids."""
    step = size / resolution
    centres = (np.arange(resolution) + 0.5) * step - 0.5
    distances = np.abs(np.arange(size)[None, :] - centres[:, None]) / max(step, 1.0)
    weights = np.maximum(0.0, 1.0 - distances)
    return np.asarray(weights / weights.sum(1, keepdims=True), np.float32)
