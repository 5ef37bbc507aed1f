"""Batches, scores, and what importing the package costs."""

import math
import subprocess
import sys

import numpy as np
import pytest

from autoglyph.child_programs.sequences.batches import token_batches
from autoglyph.child_programs.sequences.scores import corpus_bleu, exact_match, perplexity
from autoglyph.child_programs.sequences.sequence_dataset import load_sequences

PAIRS = load_sequences("infix_to_postfix", seed=2, limit=300).train


@pytest.mark.parametrize("shuffle", [True, False])
@pytest.mark.parametrize("tokens", [1, 200, 1000])
def test_every_pair_comes_once(tokens: int, shuffle: bool) -> None:
    batches = list(token_batches(PAIRS, tokens=tokens, seed=1, shuffle=shuffle))
    seen = np.concatenate([batch["index"] for batch in batches])
    assert sorted(seen[seen >= 0].tolist()) == list(range(len(PAIRS)))
    shapes = {batch["source"].shape for batch in batches}
    assert len(shapes) == len({length for _, length in shapes})
    for batch in batches:
        rows, length = batch["source"].shape
        assert length % 8 == 0
        assert rows == 1 or rows * length <= tokens
        assert {array.dtype for array in batch.values()} == {np.dtype(np.int32)}
        for row, at in enumerate(batch["index"].tolist()):
            source = PAIRS.source[at].tolist() if at >= 0 else []
            target = PAIRS.target[at].tolist() if at >= 0 else []
            end = [2] if at >= 0 else []
            assert batch["source"][row].tolist() == [*source, 2] + [0] * (length - len(source) - 1)
            assert batch["target_in"][row].tolist() == [1, *target] + [0] * (length - len(target) - 1)
            assert batch["target_out"][row].tolist() == [*target, *end] + [0] * (length - len(target) - len(end))


def test_order_is_a_function_of_seed_and_epoch() -> None:
    def order(seed: int, epoch: int) -> list[int]:
        return [i for b in token_batches(PAIRS, tokens=200, seed=seed, epoch=epoch) for i in b["index"].tolist()]

    assert order(1, 2) == order(1, 2)
    assert order(1, 2) != order(1, 3)
    assert order(1, 2) != order(2, 2)
    with pytest.raises(ValueError, match="tokens and multiple"):
        next(token_batches(PAIRS, tokens=0))


def test_bleu() -> None:
    reference = "the cat sat on the mat"
    assert corpus_bleu([reference], [reference]).score == pytest.approx(100)
    assert corpus_bleu(["nothing of it is right here"], [reference]).score < 10
    # precisions 5/6, 3/5, 1/4 and, smoothed, 1/(2 x 3); equal lengths
    found = corpus_bleu(["the cat lay on the mat"], [reference])
    assert found.score == pytest.approx(100 * (5 / 6 * 3 / 5 * 1 / 4 * 1 / 6) ** 0.25)
    assert "tok:13a" in found.signature and "version:" in found.signature


def test_match_and_perplexity() -> None:
    assert exact_match(["a", "b", "c", "d"], ["a", "b", "c", "x"]) == 0.75
    assert perplexity(10 * math.log(7), 10) == pytest.approx(7)
    assert perplexity(1e9, 1) == math.inf
    for score in (corpus_bleu, exact_match):
        with pytest.raises(ValueError, match="received 1 and 2"):
            score(["a"], ["a", "b"])
    with pytest.raises(ValueError, match="at least one token"):
        perplexity(1.0, 0)


def test_import_is_light() -> None:
    code = (
        "import sys\n"
        "from autoglyph.child_programs.sequences import batches, scores, sequence_dataset\n"
        "heavy = {'sentencepiece', 'sacrebleu', 'tensorflow', 'keras'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
