"""A Transformer with norms before its layers in plain NumPy, which takes its weights from a Keras model by name."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


class TransformerByHand:
    """Vaswani et al. 2017, with norms before the layers and one table of embeddings for all.

    Args:
        weights: (layer, weight) -> array; layers are "encoder_1_self_query" and the like.
        layers: in the encoder, and as many in the decoder.
        heads: of attention.
    """

    def __init__(self, weights: dict[tuple[str, str], Any], layers: int, heads: int) -> None:
        self._weights = {name: np.asarray(value, np.float64) for name, value in weights.items()}
        self._layers, self._heads = layers, heads
        self._table = self._weights["tokens", "embeddings"]

    def logits(self, source: NDArray[Any], target: NDArray[Any]) -> Floats:
        """(batch, target length, vocabulary)."""
        seen = source != 0
        x = self._embed(source)
        for i in range(1, self._layers + 1):
            y = self._norm(x, f"encoder_{i}_self")
            x = x + self._attention(y, y, f"encoder_{i}_self", seen[:, None, None, :])
            x = x + self._feed_forward(x, f"encoder_{i}_feed")
        encoded = self._norm(x, "encoder_final")
        length = target.shape[1]
        past = np.tril(np.ones((length, length), bool))[None, None]
        x = self._embed(target)
        for i in range(1, self._layers + 1):
            y = self._norm(x, f"decoder_{i}_self")
            x = x + self._attention(y, y, f"decoder_{i}_self", past)
            y = self._norm(x, f"decoder_{i}_attend")
            x = x + self._attention(y, encoded, f"decoder_{i}_attend", seen[:, None, None, :])
            x = x + self._feed_forward(x, f"decoder_{i}_feed")
        return np.asarray(self._norm(x, "decoder_final") @ self._table.T)

    def _embed(self, tokens: NDArray[Any]) -> Floats:
        size = self._table.shape[1]
        x = np.zeros((*tokens.shape, size))
        for t in range(tokens.shape[1]):
            for c in range(size // 2):
                angle = t / 10_000 ** (c / (size // 2 - 1))
                x[:, t, c], x[:, t, size // 2 + c] = np.sin(angle), np.cos(angle)
        return np.asarray(self._table[tokens] * size**0.5 + x)

    def _norm(self, x: Floats, layer: str) -> Floats:
        mean, variance = x.mean(-1, keepdims=True), x.var(-1, keepdims=True)
        normed = (x - mean) / np.sqrt(variance + 1e-6)
        return np.asarray(normed * self._weights[f"{layer}_norm", "gamma"] + self._weights[f"{layer}_norm", "beta"])

    def _attention(self, x: Floats, context: Floats, layer: str, visible: NDArray[np.bool_]) -> Floats:
        q, k, v = (
            self._split(values @ self._weights[f"{layer}_{part}", "kernel"])
            for part, values in (("query", x), ("key", context), ("value", context))
        )
        scores = q @ k.swapaxes(-1, -2) / q.shape[-1] ** 0.5
        shares = np.where(visible, np.exp(scores - scores.max(-1, keepdims=True)), 0)
        shares /= shares.sum(-1, keepdims=True)
        together = (shares @ v).swapaxes(1, 2)
        return np.asarray(together.reshape(*x.shape[:2], -1) @ self._weights[f"{layer}_output", "kernel"])

    def _split(self, x: Floats) -> Floats:
        return x.reshape(*x.shape[:2], self._heads, -1).swapaxes(1, 2)

    def _feed_forward(self, x: Floats, layer: str) -> Floats:
        y = self._norm(x, layer)
        inner, outer = f"{layer}_inner", f"{layer}_outer"
        y = np.maximum(y @ self._weights[inner, "kernel"] + self._weights[inner, "bias"], 0)
        return np.asarray(y @ self._weights[outer, "kernel"] + self._weights[outer, "bias"])


def weights_of(model: Any, layers: int) -> dict[tuple[str, str], Any]:
    """The weights of the encoded seed under the names of `TransformerByHand`."""
    names = {"tokens": "tokens", "encoder_final_norm": "encoder_final_norm", "decoder_final_norm": "decoder_final_norm"}
    attention = ["query", "key", "value", "output", "norm"]
    for i in range(1, layers + 1):
        for side, blocks in (("encoder", ["self", "feed"]), ("decoder", ["self", "attend", "feed"])):
            for number, block in enumerate(blocks, 1):
                ours, theirs = f"{side}_{i}_{block}", f"{side}_cell{i}_block{number}_left"
                if block == "feed":
                    after = f"{side}_cell{i}_block{number + 1}_left_dense"
                    names |= {f"{ours}_norm": f"{theirs}_norm", f"{ours}_inner": f"{theirs}_dense"}
                    names[f"{ours}_outer"] = after
                else:
                    names |= {f"{ours}_{part}": f"{theirs}_{part}" for part in attention}
    return {
        (ours, variable.name): variable.numpy()
        for ours, theirs in names.items()
        for variable in model.get_layer(theirs).weights
    }
