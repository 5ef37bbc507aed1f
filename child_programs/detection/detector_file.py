"""A trained detector as files: NAME.keras, which plain Keras loads, and NAME.json, which says what its outputs mean."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from autoglyph.child_programs.detection.anchors import AnchorGrid
from autoglyph.child_programs.detection.detector import Detector
from autoglyph.child_programs.export import check_export_path, export_model
from autoglyph.child_programs.keras_file import load_keras

FORMAT = "autoglyph detector 1"


def settings_file(path: Path) -> Path:
    """Where the meaning of the outputs of a model file is kept."""
    return path.with_suffix(".json")


def save_detector(detector: Detector, path: Path, made_by: Mapping[str, Any]) -> Path:
    """Writes both files.

    Args:
        detector: trained.
        path: file name that ends in ".keras"; the other file stands beside it.
        made_by: plain values that say where the detector comes from.

    Returns:
        The path.

    Raises:
        ValueError: in one sentence, if the path does not fit or cannot be written.
    """
    file = check_export_path(path)
    settings = {
        "format": FORMAT,
        "classes": list(detector.class_names),
        "anchors": detector.anchors.to_json(),
        "made_by": dict(made_by),
    }
    export_model(detector.model, file)
    try:
        settings_file(file).write_text(json.dumps(settings, indent=2) + "\n", encoding="utf-8")
    except OSError as error:
        reason = error.strerror or error
        raise ValueError(f"Could not write {str(settings_file(file))!r} ({reason}): choose another folder.") from error
    return file


def load_detector(path: Path) -> tuple[Detector, dict[str, Any]]:
    """The detector of two files, and what made it; code in the files is not run.

    Raises:
        ValueError: in one sentence, if a file is missing or does not fit.
    """
    model = load_keras(path)
    side = settings_file(path)
    if not side.is_file():
        raise ValueError(f"There is no file {str(side)!r}, which says what {path.name} puts out: put it beside it.")
    try:
        settings = json.loads(side.read_text(encoding="utf-8"))
        if settings["format"] != FORMAT:
            raise ValueError(f"its format is {settings['format']!r}")
        names = tuple(str(name) for name in settings["classes"])
        detector = Detector(model, AnchorGrid.from_json(settings["anchors"]), names)
        made_by = dict(settings["made_by"])
    except (OSError, KeyError, TypeError, ValueError) as error:
        raise ValueError(
            f"{str(side)!r} does not describe {path.name} ({error}): export the detector again."
        ) from error
    return detector, made_by
