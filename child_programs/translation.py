"""Translation of texts with a trained encoder-decoder."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from autoglyph.child_programs.sequence_decoding import ALPHA, SequenceDecoder
from autoglyph.child_programs.sequences.batches import padded_lengths, token_batches
from autoglyph.child_programs.sequences.ragged import RaggedArray, SequencePairs
from autoglyph.child_programs.sequences.vocabulary import Vocabulary

Batch = NDArray[np.int32]

EXTRA_STEPS = 50
"""An output may be longer than its padded source by so many tokens, as in Vaswani et al. 2017, section 6.1."""
_LENGTH_MULTIPLE = 32
_BATCH_TOKENS = 4096


@dataclass(frozen=True)
class Translation:
    """Texts and what became of them.

    Attributes:
        texts: one for each source.
        cut: sources that were longer than allowed, of which only the beginning was translated.
    """

    texts: tuple[str, ...]
    cut: int


def translate(
    decoder: SequenceDecoder,
    vocabulary: Vocabulary,
    sources: Sequence[str],
    *,
    beams: int = 1,
    alpha: float = ALPHA,
    max_length: int = 256,
) -> Translation:
    """Translates texts; one without tokens stays empty.

    Args:
        decoder: of a trained model.
        vocabulary: that it was trained with.
        sources: texts.
        beams: open hypotheses of a beam search; 1 decodes greedily.
        alpha: exponent of the length penalty of a beam search.
        max_length: tokens of a source that are read, without its end.
    """
    if max_length < 1:
        raise ValueError(f"Expected a maximum of at least 1 token, received {max_length}.")
    if not sources:
        return Translation((), 0)
    rows = vocabulary.encode(sources)
    given = RaggedArray.of([row[:max_length] for row in rows])
    pairs = SequencePairs(given, RaggedArray.of([[] for _ in rows]), tuple(sources), ("",) * len(rows))
    longest = int(padded_lengths(pairs, multiple=_LENGTH_MULTIPLE).max())
    tokens = min(_BATCH_TOKENS // beams, len(rows) * longest)

    def decoded(source: Batch) -> Batch:
        steps = source.shape[1] + EXTRA_STEPS
        if beams == 1:
            return decoder.greedy(source, steps=steps).tokens[:, 0]
        return decoder.beam(source, steps=steps, beams=beams, alpha=alpha).tokens[:, 0]

    texts = decoded_texts(decoded, pairs, vocabulary, tokens=tokens, multiple=_LENGTH_MULTIPLE)
    return Translation(texts, sum(len(row) > max_length for row in rows))


def decoded_texts(
    decode: Callable[[Batch], Batch], pairs: SequencePairs, vocabulary: Vocabulary, *, tokens: int, multiple: int
) -> tuple[str, ...]:
    """Texts that are decoded from the sources of pairs, in their order.

    Args:
        decode: (n, S) padded sources to (n, T) tokens.
        pairs: whose sources are decoded.
        vocabulary: of their tokens.
        tokens: rows times padded length of a batch.
        multiple: padded lengths are multiples of it.
    """
    texts = [""] * len(pairs)
    for batch in token_batches(pairs, tokens=tokens, multiple=multiple, shuffle=False):
        decoded = vocabulary.decode(decode(batch["source"]).tolist())
        for index, text in zip(batch["index"].tolist(), decoded, strict=True):
            if index >= 0:
                texts[index] = text
    return tuple(texts)
