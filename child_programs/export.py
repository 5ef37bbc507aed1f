"""Saving a Keras model so that it loads where this project is not installed."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

SUFFIX = ".keras"


def check_export_path(path: str | Path) -> Path:
    """The path as one that a model can be saved to.

    Raises:
        ValueError: in one sentence that names the fix, if the suffix or the folder does not fit.
    """
    file = Path(path)
    if file.suffix != SUFFIX:
        raise ValueError(f"Cannot export to {str(path)!r}: give a file name that ends in {SUFFIX}.")
    if not file.parent.is_dir():
        raise ValueError(f"Cannot export to {str(path)!r}: make the folder {str(file.parent)!r} first.")
    if file.is_dir():
        raise ValueError(f"Cannot export to {str(path)!r}: it is a folder.")
    return file


def export_model(model: Any, path: str | Path) -> Path:
    """Saves a model as a `.keras` file, whole or not at all.

    The file is written beside its place and renamed, so an interrupted export leaves what was there before.

    Args:
        model: a `keras.Model`; models of `build_model` consist of stock layers, so that
            `keras.models.load_model` needs nothing of this project to read them. They give logits.
        path: file name that ends in ".keras".

    Returns:
        The path.

    Raises:
        ValueError: in one sentence that names the fix, if the path does not fit or cannot be written.
    """
    file = check_export_path(path)
    try:
        with tempfile.TemporaryDirectory(prefix=f".{file.stem}-", dir=file.parent) as folder:
            temporary = Path(folder) / file.name
            model.save(temporary)
            temporary.replace(file)
    except OSError as error:
        raise ValueError(
            f"Could not write {str(file)!r} ({error.strerror or error}): free some space or choose another folder."
        ) from error
    return file
