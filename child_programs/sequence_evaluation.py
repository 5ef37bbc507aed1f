"""Final scores of a trained encoder-decoder: perplexity given the answer, BLEU and exact matches without it."""

from __future__ import annotations

from dataclasses import dataclass

from autoglyph.child_programs.sequence_decoding import SequenceDecoder
from autoglyph.child_programs.sequence_training import SequenceTraining
from autoglyph.child_programs.sequences.ragged import SequencePairs
from autoglyph.child_programs.sequences.scores import corpus_bleu, exact_match
from autoglyph.child_programs.sequences.vocabulary import Vocabulary
from autoglyph.child_programs.translation import decoded_texts

LONGER = 16
"""Tokens by which an output may be longer than its padded source (a choice)."""
_DECODING_TOKENS, _DECODING_MULTIPLE = 4096, 16


@dataclass(frozen=True)
class Evaluation:
    """Scores of a model on pairs it was not trained on.

    Attributes:
        perplexity: of a target token, ends among them.
        token_accuracy: target tokens predicted right, percent.
        bleu: 0 to 100, of greedy decoding.
        bleu_signature: settings and version, as sacreBLEU writes them.
        exact_match: outputs that equal their reference, percent.
        hypotheses: the outputs, in the order of the pairs.
    """

    perplexity: float
    token_accuracy: float
    bleu: float
    bleu_signature: str
    exact_match: float
    hypotheses: tuple[str, ...]


def decode(decoder: SequenceDecoder, pairs: SequencePairs, vocabulary: Vocabulary) -> tuple[str, ...]:
    """Texts that greedy decoding makes of the sources, in their order."""
    return decoded_texts(
        lambda source: decoder.greedy(source, steps=source.shape[1] + LONGER).tokens[:, 0],
        pairs,
        vocabulary,
        tokens=_DECODING_TOKENS,
        multiple=_DECODING_MULTIPLE,
    )


def evaluate(
    training: SequenceTraining, decoder: SequenceDecoder, pairs: SequencePairs, vocabulary: Vocabulary
) -> Evaluation:
    """Scores a trained model.

    Args:
        training: gives perplexity.
        decoder: of the same model.
        pairs: to score on.
        vocabulary: of their token ids.
    """
    measured = training.measure(pairs)
    hypotheses = decode(decoder, pairs, vocabulary)
    bleu = corpus_bleu(hypotheses, pairs.references)
    return Evaluation(
        perplexity=measured["perplexity"],
        token_accuracy=measured["token_accuracy"],
        bleu=bleu.score,
        bleu_signature=bleu.signature,
        exact_match=100 * exact_match(hypotheses, pairs.references),
        hypotheses=hypotheses,
    )
