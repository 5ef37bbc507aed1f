"""Translation of texts with a trained encoder-decoder."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from autoglyph.child_programs.sequence_decoding import ALPHA, SequenceDecoder
from autoglyph.child_programs.sequences.batches import padded_lengths, token_batches
from autoglyph.child_programs.sequences.ragged import RaggedArray, SequencePairs
from autoglyph.child_programs.sequences.vocabulary import Vocabulary

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
    texts = [""] * len(rows)
    for batch in token_batches(pairs, tokens=tokens, multiple=_LENGTH_MULTIPLE, shuffle=False):
        steps = batch["source"].shape[1] + EXTRA_STEPS
        if beams == 1:
            found = decoder.greedy(batch["source"], steps=steps)
        else:
            found = decoder.beam(batch["source"], steps=steps, beams=beams, alpha=alpha)
        decoded = vocabulary.decode(found.tokens[:, 0].tolist())
        for index, text in zip(batch["index"].tolist(), decoded, strict=True):
            if index >= 0:
                texts[index] = text
    return Translation(tuple(texts), sum(len(row) > max_length for row in rows))
