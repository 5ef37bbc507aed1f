"""The encoder-decoder child program: schedule, losses, rungs, repeatability, checkpoints, budgets, learning."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import pyglove as pg
import pytest

from autoglyph.child_programs.base import ChildFailed
from autoglyph.child_programs.fused_optimizers import Adam
from autoglyph.child_programs.sequence_model import build_sequence_model
from autoglyph.child_programs.sequence_to_sequence import SequenceToSequence
from autoglyph.child_programs.sequence_training import SequenceTraining, noam_schedule, smoothed_losses
from autoglyph.child_programs.sequences.batches import token_batches
from autoglyph.child_programs.sequences.ragged import RaggedArray, SequencePairs
from autoglyph.child_programs.sequences.sequence_dataset import SequenceDataset, load_sequences
from autoglyph.child_programs.sequences.sequence_tasks import LETTERS
from autoglyph.child_programs.sequences.vocabulary import SymbolVocabulary
from autoglyph.hardware_models import record
from autoglyph.search_spaces import load_space
from autoglyph.search_spaces.architectures.evolved_transformer import EvolvedTransformer

SPACE = load_space("evolved_transformer")


def quick(**changes: Any) -> SequenceToSequence:
    small = {"steps": [2, 4], "batch_tokens": 128, "dimension": 32, "parameters": None, "warmup_steps": 4, "limit": 60}
    return SequenceToSequence(**(small | changes))


def small_network(cells: int = 1) -> EvolvedTransformer:
    network = SPACE.individual("transformer-tiny").clone(deep=True)
    network.rebind(encoder_cells=cells, decoder_cells=cells, raise_on_no_change=False)
    assert isinstance(network, EvolvedTransformer)
    return network


@pytest.fixture(scope="module")
def copies() -> SequenceDataset:
    return load_sequences("copy", seed=0, limit=60)


def values(program: SequenceToSequence, data: SequenceDataset, seed: int = 0) -> list[Mapping[str, float]]:
    return [m.values for m in program.run(small_network(), seed=seed, data=data)]


def test_the_noam_schedule_by_hand() -> None:
    rates = noam_schedule(16, dimension=64, warmup_steps=4, scale=2.0)
    assert rates[0] == pytest.approx(2 / 8 * 1 / 8)  # step 1: 1 x 4^-1.5
    assert rates[3] == pytest.approx(2 / 8 / 2)  # step 4: the peak, 4^-0.5
    assert rates[15] == pytest.approx(2 / 8 / 4)  # step 16: 16^-0.5
    assert rates.argmax() == 3 and (np.diff(rates[3:]) < 0).all()


def test_smoothed_losses_by_hand() -> None:
    logits = np.log(np.array([[0.7, 0.2, 0.1]], np.float32)) + 3
    assert float(smoothed_losses(logits, np.array([0]), 0.0)[0]) == pytest.approx(-math.log(0.7), rel=1e-6)
    targets = 0.9 * np.array([1, 0, 0]) + 0.1 / 3
    expected = -(targets * np.log([0.7, 0.2, 0.1])).sum()
    assert float(smoothed_losses(logits, np.array([0]), 0.1)[0]) == pytest.approx(expected, rel=1e-6)


def test_padding_and_empty_rows_have_no_part_in_a_measurement(copies: SequenceDataset) -> None:
    network = quick().sized(small_network(), copies)
    model = build_sequence_model(network, seed=0)
    training = SequenceTraining(
        model,
        Adam(model.trainable_variables),
        copies.train,
        batch_tokens=128,
        label_smoothing=0.1,
        learning_rates=noam_schedule(1, dimension=32, warmup_steps=1),
        seed=0,
    )
    measured = training.measure(copies.valid)
    loss, right, tokens = 0.0, 0, 0
    for batch in token_batches(copies.valid, tokens=20, shuffle=False):
        for source, target_in, target_out in zip(
            *(batch[s] for s in ("source", "target_in", "target_out")), strict=True
        ):
            n = int((target_out != 0).sum())
            if n:
                logits = np.asarray(model([source[None, source != 0], target_in[None, :n]]))[0].astype(np.float64)
                shares = np.exp(logits) / np.exp(logits).sum(-1, keepdims=True)
                loss -= np.log(shares[np.arange(n), target_out[:n]]).sum()
                right += int((logits.argmax(-1) == target_out[:n]).sum())
                tokens += n
    assert tokens == int((copies.valid.target.lengths + 1).sum())
    assert measured["log_perplexity"] == pytest.approx(loss / tokens, rel=1e-5)
    assert measured["perplexity"] == pytest.approx(math.exp(loss / tokens), rel=1e-4)
    assert measured["neg_log_perplexity"] == -measured["log_perplexity"]
    assert measured["token_accuracy"] == pytest.approx(100 * right / tokens)


@pytest.mark.slow
def test_rungs_are_measured_in_order_and_repeatably(copies: SequenceDataset) -> None:
    program = quick(dropout=0.1, steps=[2, 12])
    assert [(r.name, r.units, r.amount) for r in program.rungs] == [("2 steps", "steps", 2), ("12 steps", "steps", 12)]
    measurements = list(program.run(small_network(), seed=0, data=copies))
    assert [m.rung for m in measurements] == [0, 1]
    first, last = (m.values for m in measurements)
    assert last["train_loss"] < first["train_loss"] and last["perplexity"] < first["perplexity"]
    assert set(first) == {
        "perplexity", "log_perplexity", "neg_log_perplexity", "token_accuracy", "train_loss", "child_parameters",
    }  # fmt: skip
    np.random.seed(1)
    assert values(program, copies) == [first, last]
    assert values(program, copies, seed=1) != [first, last]


@pytest.mark.slow
def test_a_checkpoint_gives_what_an_uninterrupted_training_gives(copies: SequenceDataset) -> None:
    program = quick(dropout=0.1, steps=[7, 14])  # the first epoch ends between the rungs
    whole = program.run(small_network(), seed=0, data=copies)
    first = next(whole)
    assert first.state is not None
    state, last = first.state(), next(whole)
    (again,) = program.run(small_network(), seed=0, data=copies, checkpoint=state)
    assert again.rung == 1 and again.values == last.values
    with pytest.raises(ValueError, match="another network"):
        next(program.run(small_network(cells=2), seed=0, data=copies, checkpoint=state))


def test_relative_positions_are_an_option(copies: SequenceDataset) -> None:
    plain = quick().sized(small_network(), copies)
    relative = quick(relative_positions=3).sized(small_network(), copies)
    attentions, tables, head_channels = 2, 2, 32 // 4
    added = attentions * tables * (2 * 3 + 1) * head_channels
    assert record(relative).parameters == record(plain).parameters + added
    assert values(quick(relative_positions=3, steps=[2]), copies)


@pytest.mark.parametrize("parameters", [100_000, 200_000])
def test_widths_are_fitted_to_a_budget(copies: SequenceDataset, parameters: int) -> None:
    for name in ("transformer-tiny", "et-tiny"):
        fitted = quick(parameters=parameters, tolerance=0.15).sized(SPACE.individual(name), copies)
        assert abs(record(fitted).parameters - parameters) <= 0.15 * parameters
        assert fitted.dimension == 32


def test_a_network_beyond_its_budget_fails_before_training(copies: SequenceDataset) -> None:
    child = quick(parameters=2_000).run(small_network(), seed=0, data=copies)
    with pytest.raises(ChildFailed, match=r"brings this individual to 2,000 .* \(the nearest has"):
        next(child)


def test_a_loss_that_is_no_number_fails_the_child(copies: SequenceDataset) -> None:
    with pytest.raises(ChildFailed, match="lower the learning rate"):
        values(quick(learning_rate=1e30), copies)


def test_other_candidates_are_refused(copies: SequenceDataset) -> None:
    with pytest.raises(ValueError, match="Expected an encoder-decoder to train, received int"):
        next(quick().run(3, seed=0, data=copies))


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("steps", []),
        ("steps", [0, 1]),
        ("steps", [2, 2]),
        ("batch_tokens", 0),
        ("parameters", 0),
        ("learning_rate", float("nan")),
        ("warmup_steps", 0),
        ("label_smoothing", 1.0),
        ("dropout", -0.1),
        ("dimension", 48),
        ("relative_positions", -1),
        ("cores", 0),
    ],
)
def test_settings_are_checked(setting: str, value: Any) -> None:
    with pytest.raises(ValueError, match=f"Expected (a )?{setting}"):
        SequenceToSequence(**{setting: value})


def test_settings_travel_as_json() -> None:
    program = quick(cores=2, validation="a:b")
    assert pg.eq(pg.from_json(program.to_json()), program)


@pytest.mark.slow
def test_a_tiny_transformer_learns_to_reverse_short_strings() -> None:
    from autoglyph.child_programs.sequence_decoding import SequenceDecoder
    from autoglyph.child_programs.sequence_evaluation import evaluate

    data = short_reversals()
    program = quick(steps=[400], batch_tokens=512, dimension=64, warmup_steps=100, limit=None)
    network, model, training = program.begin(small_network(), seed=0, data=data)
    training.train_until(400)
    found = evaluate(training, SequenceDecoder(network, model), data.test, data.vocabulary)
    assert found.exact_match > 95 and found.bleu > 95 and found.perplexity < 1.2


def short_reversals() -> SequenceDataset:
    """Different strings of 2 to 6 of ten letters and their reversals; the last 200 are test pairs."""
    rng = np.random.default_rng(0)
    drawn = dict.fromkeys(tuple(rng.integers(4, 14, rng.integers(2, 7)).tolist()) for _ in range(6000))
    vocabulary = SymbolVocabulary(LETTERS[:10])
    rows = list(drawn)
    parts = {"train": rows[:-400], "valid": rows[-400:-200], "test": rows[-200:]}
    pairs = {}
    for part, sources in parts.items():
        targets = [row[::-1] for row in sources]
        pairs[part] = SequencePairs(
            RaggedArray.of(sources),
            RaggedArray.of(targets),
            tuple(vocabulary.decode(sources)),
            tuple(vocabulary.decode(targets)),
        )
    empty = load_sequences("copy", seed=0, limit=2)
    return dataclasses.replace(empty, vocabulary=vocabulary, max_length=6, **pairs)
