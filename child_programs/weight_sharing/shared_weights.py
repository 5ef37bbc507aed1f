"""The weights that the networks of a space share, by operation."""

from __future__ import annotations

import io
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

Arrays = list[NDArray[np.float32]]


class SharedWeights:
    """Keras layers and scales of normalisations, made when a path first needs them.

    An operation is known by its scoped name, its settings of shape and, for a normalisation, the operation it stands
    behind: a 3x3 and a 1x1 convolution at one place have weights of their own, and so have the normalisations behind
    them.

    Args:
        seed: of initial values, which depend on it and on the key alone.
    """

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self.layers: dict[str, Any] = {}
        self.plain: dict[str, Any] = {}
        """Layers without weights, kept because making one takes longer than applying it."""
        self.norms: dict[str, tuple[Any, Any]] = {}
        self._waiting: dict[str, Arrays] = {}

    def seed_of(self, key: str) -> int:
        """Seed of the initial values of an operation."""
        return zlib.crc32(f"{self._seed}/{key}".encode())

    def fill(self, key: str) -> bool:
        """Gives a layer that was just made the values that were read for it; False if there are none."""
        if key not in self._waiting:
            return False
        self.layers[key].set_weights(self._waiting.pop(key))
        return True

    def norm(self, key: str, channels: int) -> tuple[Any, Any]:
        """(channels,) scale and offset of a batch normalisation, as TensorFlow variables."""
        if key not in self.norms:
            import tensorflow as tf

            scale, offset = self._waiting.pop(key, [np.ones(channels, np.float32), np.zeros(channels, np.float32)])
            self.norms[key] = tf.Variable(tf.convert_to_tensor(scale)), tf.Variable(tf.convert_to_tensor(offset))
        return self.norms[key]

    def variables(self) -> list[Any]:
        """All trainable TensorFlow variables."""
        of_layers = [v.value for layer in self.layers.values() for v in layer.trainable_variables]
        return of_layers + [variable for pair in self.norms.values() for variable in pair]

    def values(self) -> dict[str, Arrays]:
        """All weights as arrays, by key."""
        found = {key: [np.asarray(w) for w in layer.get_weights()] for key, layer in self.layers.items()}
        found |= {key: [v.numpy() for v in pair] for key, pair in self.norms.items()}
        return found | self._waiting

    def assign(self, values: Mapping[str, Arrays]) -> None:
        """Gives weights that were made the values of `values`.

        Raises:
            KeyError: if a key was never made.
        """
        for key, arrays in values.items():
            if key in self.norms:
                for variable, array in zip(self.norms[key], arrays, strict=True):
                    variable.assign(array)
            else:
                self.layers[key].set_weights(arrays)

    def save(self, path: Path) -> None:
        """Writes an .npz file without pickles."""
        values = self.values()
        arrays = {f"{key}|{at}": array for key, each in values.items() for at, array in enumerate(each)}
        buffer = io.BytesIO()
        np.savez(buffer, **arrays)  # type: ignore[arg-type]
        path.write_bytes(buffer.getvalue())

    @classmethod
    def load(cls, path: Path, seed: int = 0) -> SharedWeights:
        """Reads what `save` wrote.

        Args:
            path: the file.
            seed: of operations that the file does not hold.

        Raises:
            ValueError: if it is no such file.
            FileNotFoundError: if there is no such file.
        """
        if not path.is_file():
            raise FileNotFoundError(f"There is no file {str(path)!r}: make one with autoglyph supernet.")
        weights = cls(seed)
        try:
            with np.load(path, allow_pickle=False) as file:
                for name in file.files:
                    key, _, at = name.rpartition("|")
                    arrays = weights._waiting.setdefault(key, [])
                    if int(at) != len(arrays) or not key:
                        raise ValueError(name)
                    arrays.append(file[name])
        except (ValueError, OSError, KeyError) as error:
            raise ValueError(f"{str(path)!r} holds no shared weights: make it with autoglyph supernet.") from error
        return weights
