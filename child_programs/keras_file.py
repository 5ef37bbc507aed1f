"""Keras models from files and from keras.applications, for reading only."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from autoglyph.child_programs.tensorflow_process import import_quietly
from autoglyph.search_spaces import plugins


def load_keras(path: str | Path) -> Any:
    """The model of a `.keras` file; code in the file is not run.

    Raises:
        ValueError: in one sentence, if the file is missing or is no Keras model.
    """
    import_quietly()
    import keras

    file = Path(path)
    if not file.is_file():
        raise ValueError(f"There is no file {str(path)!r}: check the path.")
    try:
        return keras.saving.load_model(file, compile=False, safe_mode=True)
    except Exception as error:  # Keras raises many kinds for damaged files
        reason = str(error).strip().split("\n", 1)[0]
        raise ValueError(f"Cannot load {str(path)!r} ({reason}): save the model again with model.save.") from error


def applications_model(name: str) -> Any:
    """A model of keras.applications without its trained weights, at its usual input size or 224 x 224.

    Raises:
        ValueError: if there is none of this name.
    """
    import_quietly()
    import keras

    known = [n for n in dir(keras.applications) if n[0].isupper()]
    if name not in known:
        raise plugins.unknown_name("keras.applications model", name, known)
    make = getattr(keras.applications, name)
    model = make(weights=None)
    return make(weights=None, input_shape=(224, 224, 3)) if None in model.inputs[0].shape[1:] else model
