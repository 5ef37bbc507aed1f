"""Trainings between two rungs: position and variables as an .npz file without pickles."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any

import numpy as np


def pack(variables: Sequence[Any], *, position: int, unit: str) -> bytes:
    """All that a training needs to go on from here.

    Args:
        variables: of TensorFlow: weights, optimizer and whatever else changes in training.
        position: how far the training is.
        unit: what that is counted in, such as "epoch".
    """
    file = io.BytesIO()
    arrays: dict[str, Any] = {f"variable_{i}": variable.numpy() for i, variable in enumerate(variables)}
    np.savez(file, **{unit: np.array(position), **arrays})
    return file.getvalue()


def unpack(state: bytes, variables: Sequence[Any], *, unit: str) -> int:
    """Gives variables the values they had when `pack` was called, and returns the position.

    Raises:
        ValueError: if it was called for another network or optimizer.
    """
    with np.load(io.BytesIO(state), allow_pickle=False) as file:
        arrays = [file[f"variable_{i}"] for i in range(len(file.files) - 1)]
        position = int(file[unit])
    if [a.shape for a in arrays] != [tuple(v.shape) for v in variables]:
        raise ValueError("The checkpoint is one of another network: remove it, and the child begins again.")
    for variable, array in zip(variables, arrays, strict=True):
        variable.assign(array)
    return position
