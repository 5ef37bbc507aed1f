"""Scores of sequences: BLEU, share of exact matches, perplexity."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Bleu:
    """Corpus BLEU.

    Args:
        score: 0 to 100.
        signature: the settings and version as sacreBLEU writes them, to be quoted with the score.
    """

    score: float
    signature: str


def corpus_bleu(hypotheses: Sequence[str], references: Sequence[str]) -> Bleu:
    """Corpus BLEU with 13a tokenisation and one reference each, by sacreBLEU (Post, WMT 2018).

    Raises:
        ValueError: if the counts differ or are 0.
    """
    from sacrebleu.metrics.bleu import BLEU

    _check_counts(hypotheses, references)
    metric = BLEU(tokenize="13a")
    score = metric.corpus_score(list(hypotheses), [list(references)]).score
    return Bleu(float(score), str(metric.get_signature()))


def exact_match(hypotheses: Sequence[str], references: Sequence[str]) -> float:
    """Share of hypotheses that equal their reference, 0 to 1.

    Raises:
        ValueError: if the counts differ or are 0.
    """
    _check_counts(hypotheses, references)
    return sum(h == r for h, r in zip(hypotheses, references, strict=True)) / len(references)


def perplexity(negative_log_likelihood: float, tokens: int) -> float:
    """Perplexity of a target token.

    Args:
        negative_log_likelihood: sum over all target tokens, in nats.
        tokens: target tokens it is the sum of, ends among them, padding not.

    Raises:
        ValueError: if there are no tokens.
    """
    if tokens < 1:
        raise ValueError(f"Expected at least one token, received {tokens}.")
    try:
        return math.exp(negative_log_likelihood / tokens)
    except OverflowError:
        return math.inf


def _check_counts(hypotheses: Sequence[str], references: Sequence[str]) -> None:
    if len(hypotheses) != len(references) or not references:
        raise ValueError(f"Expected a hypothesis for each reference, received {len(hypotheses)} and {len(references)}.")
