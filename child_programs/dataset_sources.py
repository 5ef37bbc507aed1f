"""Where labelled images come from, read with care: a file that does not fit is refused in one sentence."""

from __future__ import annotations

import contextlib
import sys
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from autoglyph.search_spaces import plugins

DOWNLOADED = ("cifar10", "cifar100", "fashion_mnist", "mnist")
DIGITS = "digits"

_KEYS_FIX = "save it with numpy.savez(file, x_train=..., y_train=..., x_test=..., y_test=...)"
_UNREADABLE = (
    EOFError,
    KeyError,
    MemoryError,
    NotImplementedError,
    OSError,
    ValueError,
    zipfile.BadZipFile,
    zlib.error,
)


class LabelledImages(NamedTuple):
    """Images (n, height, width, channels) of integers 0 to 255 or floats 0 to 1, labels (n,) from 0."""

    images: NDArray[Any]
    labels: NDArray[np.int32]


class Source(NamedTuple):
    """Labelled images as their origin divides them.

    Attributes:
        train: images to train on.
        test: images to measure on, None where the origin names none.
        name: what the data is called in a record.
        origin: where it comes from.
    """

    train: LabelledImages
    test: LabelledImages | None
    name: str
    origin: str


def read_source(name: str) -> Source:
    """Reads labelled images by name.

    Args:
        name: "digits", a path that ends in ".npz", or the name of a data set that keras.datasets downloads.

    Raises:
        ValueError: in one sentence that names the fix, if there is no such data or it does not fit.
    """
    if name == DIGITS:
        return _read_digits()
    if name in DOWNLOADED:
        return _download(name)
    if Path(name).suffix.lower() == ".npz":
        return _read_npz(Path(name))
    if Path(name).suffix or Path(name).exists():
        raise ValueError(f"Cannot read {name!r} as images: give a .npz file, {_KEYS_FIX}.")
    raise plugins.unknown_name("data set", name, [DIGITS, *DOWNLOADED])


def _read_digits() -> Source:
    from sklearn.datasets import load_digits

    bunch = load_digits()
    train = _checked(DIGITS, "x_train", bunch.images / 16.0, "y_train", bunch.target)
    return Source(train, None, DIGITS, "scikit-learn load_digits: 1,797 images of 8 x 8 (UCI, Alpaydin 1998)")


def _download(name: str) -> Source:
    import keras

    loader: Callable[[], Any] = getattr(keras.datasets, name).load_data
    try:
        with contextlib.redirect_stdout(sys.stderr):
            (x_train, y_train), (x_test, y_test) = loader()
    except Exception as error:  # Keras raises a bare Exception where a download fails
        raise ValueError(
            f"keras.datasets could not load {name!r}: connect to the internet once, "
            f"or give a .npz file instead ({_first_line(error)})."
        ) from error
    return Source(
        _checked(name, "x_train", x_train, "y_train", y_train),
        _checked(name, "x_test", x_test, "y_test", y_test),
        name,
        f"keras.datasets.{name}",
    )


def _read_npz(path: Path) -> Source:
    where = repr(str(path))
    if not path.is_file():
        raise ValueError(f"There is no file {where}: check the path.")
    if not zipfile.is_zipfile(path):
        raise ValueError(f"{where} is not a .npz archive: {_KEYS_FIX}.")
    try:
        with np.load(path, allow_pickle=False) as archive:
            arrays = {key: archive[key] for key in _wanted_keys(where, archive.files)}
    except _MissingKeys:
        raise
    except _UNREADABLE as error:
        fix = "save plain numeric arrays" if "pickle" in str(error) else "write the file again"
        raise ValueError(f"{where} cannot be read ({_first_line(error)}): {fix}.") from error
    train = _checked(where, "x_train", arrays["x_train"], "y_train", arrays["y_train"])
    test = None
    if "x_test" in arrays:
        test = _checked(where, "x_test", arrays["x_test"], "y_test", arrays["y_test"])
        if test.images.shape[1:] != train.images.shape[1:]:
            raise ValueError(
                f"{where} has training images {train.images.shape[1:]} and test images "
                f"{test.images.shape[1:]}: make their sizes equal."
            )
    return Source(train, test, path.stem, str(path))


class _MissingKeys(ValueError):
    pass


def _wanted_keys(where: str, found: list[str]) -> list[str]:
    held = ", ".join(sorted(found)) or "nothing"
    missing = {"x_train", "y_train"} - set(found)
    if missing:
        raise _MissingKeys(f"{where} holds {held} but not {' and '.join(sorted(missing))}: {_KEYS_FIX}.")
    if ("x_test" in found) != ("y_test" in found):
        raise _MissingKeys(f"{where} holds {held}: give both x_test and y_test, or neither.")
    return ["x_train", "y_train", *(key for key in ("x_test", "y_test") if key in found)]


def _checked(where: str, x_key: str, images: Any, y_key: str, labels: Any) -> LabelledImages:
    images = _checked_images(f"{x_key} of {where}", np.asarray(images))
    labels = _checked_labels(f"{y_key} of {where}", np.asarray(labels))
    if len(images) != len(labels):
        raise ValueError(
            f"{where} has {len(images)} images in {x_key} and {len(labels)} labels in {y_key}: give one label an image."
        )
    return LabelledImages(images, labels)


def _checked_images(what: str, images: NDArray[Any]) -> NDArray[Any]:
    if images.ndim == 3:
        images = images[..., None]
    if images.ndim != 4 or images.shape[-1] not in (1, 3):
        raise ValueError(
            f"{what} has shape {images.shape}: "
            "give (n, height, width) or (n, height, width, channels) with 1 or 3 channels last."
        )
    if 0 in images.shape:
        raise ValueError(f"{what} has shape {images.shape}: give at least one image of at least one pixel.")
    if images.dtype.kind not in "uif":
        raise ValueError(f"{what} is of type {images.dtype}: give integers 0 to 255 or floats 0 to 1.")
    low, high = images.min(), images.max()
    if not (np.isfinite(low) and np.isfinite(high)):
        raise ValueError(f"{what} holds NaN or infinite values: replace them.")
    largest = 1 if images.dtype.kind == "f" else 255
    if low < 0 or high > largest:
        raise ValueError(
            f"{what} of type {images.dtype} ranges from {low} to {high}: give integers 0 to 255 or floats 0 to 1."
        )
    return images


def _checked_labels(what: str, labels: NDArray[Any]) -> NDArray[np.int32]:
    if labels.ndim == 2 and labels.shape[1] == 1:
        labels = labels[:, 0]
    if labels.ndim != 1:
        raise ValueError(f"{what} has shape {labels.shape}: give (n,) class numbers.")
    if labels.dtype.kind not in "ui":
        raise ValueError(f"{what} is of type {labels.dtype}: give integer class numbers from 0.")
    if len(labels) and (labels.min() < 0 or labels.max() >= np.iinfo(np.int32).max):
        raise ValueError(f"{what} ranges from {labels.min()} to {labels.max()}: number the classes from 0.")
    return labels.astype(np.int32)


def _first_line(error: BaseException) -> str:
    lines = str(error).strip().splitlines()
    return (lines[0] if lines else type(error).__name__).rstrip(".")
