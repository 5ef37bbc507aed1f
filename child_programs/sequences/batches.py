"""Batches of a token budget in few shapes, for graphs that are traced once a shape."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from autoglyph.child_programs.sequences.ragged import SequencePairs
from autoglyph.child_programs.sequences.vocabulary import BEGIN, END, PADDING

Batch = dict[str, NDArray[np.int32]]


def padded_lengths(pairs: SequencePairs, *, multiple: int = 8) -> NDArray[np.int64]:
    """(rows,) length to which source and target of a pair are padded, with room for one begin or end."""
    longest = np.maximum(pairs.source.lengths, pairs.target.lengths) + 1
    return -(-longest // multiple) * multiple


def token_batches(
    pairs: SequencePairs, *, tokens: int, seed: int = 0, epoch: int = 0, multiple: int = 8, shuffle: bool = True
) -> Iterator[Batch]:
    """One epoch of batches whose rows are about equally long.

    Both sides are padded to the same multiple, and a last batch that is not full is filled with empty rows, so that
    there is one shape for each padded length. An empty row has `index` -1, the source [END], the input [BEGIN] and
    an output of padding alone, which gives no loss.

    Args:
        pairs: what to batch.
        tokens: rows x padded length of a batch are at most this, though a batch has one row at least.
        seed: with `epoch` decides the order.
        epoch: number of the epoch.
        multiple: padded lengths are multiples of this.
        shuffle: False keeps the order of the pairs within a length, and goes from short to long.

    Yields:
        int32 arrays "source" (n, L) that end with END, "target_in" (n, L) that begin with BEGIN, "target_out" (n, L)
        that end with END, padded with 0, and "index" (n,), the rows of `pairs`.

    Raises:
        ValueError: if `tokens` or `multiple` is below 1.
    """
    if tokens < 1 or multiple < 1:
        raise ValueError(f"Expected tokens and multiple of at least 1, received {tokens} and {multiple}.")
    rng = np.random.default_rng([seed, epoch])
    lengths = padded_lengths(pairs, multiple=multiple)
    order = rng.permutation(len(pairs)) if shuffle else np.arange(len(pairs))
    plan: list[tuple[int, NDArray[np.int64]]] = []
    for length in np.unique(lengths).tolist():
        members = order[lengths[order] == length]
        rows = max(1, tokens // length)
        plan += [(length, members[at : at + rows]) for at in range(0, len(members), rows)]
    for at in rng.permutation(len(plan)) if shuffle else range(len(plan)):
        length, members = plan[at]
        yield _batch(pairs, members, length, max(1, tokens // length))


def _batch(pairs: SequencePairs, members: NDArray[np.int64], length: int, rows: int) -> Batch:
    source, target_in, target_out = (np.full((rows, length), PADDING, np.int32) for _ in range(3))
    index = np.full(rows, -1, np.int32)
    index[: len(members)] = members
    target_in[:, 0] = BEGIN
    source[len(members) :, 0] = END
    for row, member in enumerate(members.tolist()):
        given, wanted = pairs.source[member], pairs.target[member]
        source[row, : len(given)] = given
        source[row, len(given)] = END
        target_in[row, 1 : len(wanted) + 1] = wanted
        target_out[row, : len(wanted)] = wanted
        target_out[row, len(wanted)] = END
    return {"source": source, "target_in": target_in, "target_out": target_out, "index": index}
