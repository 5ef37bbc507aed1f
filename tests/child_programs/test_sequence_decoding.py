"""Decoding with caches is decoding with the whole model; beam search is what an exhaustive search finds."""

from __future__ import annotations

import functools
import itertools
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from autoglyph.child_programs.decoding_steps import StepContext, step_value
from autoglyph.child_programs.sequence_decoding import SequenceDecoder
from autoglyph.child_programs.sequence_model import build_sequence_model
from autoglyph.child_programs.sequences.vocabulary import BEGIN, END, PADDING
from autoglyph.hardware_models import record
from autoglyph.search_spaces import load_space, ops
from autoglyph.search_spaces.architectures.evolved_transformer import EvolvedTransformer
from autoglyph.search_spaces.blocks.et_cell import Block, Branch
from autoglyph.search_spaces.blocks.et_layers import DEAD, DECODER_LAYERS

VOCABULARY = 6
SOURCES = np.array([[4, 5, 3, 4, END], [5, END, 0, 0, 0], [3, 4, 4, END, 0]], np.int32)


def small(name: str, relative: int = 0) -> EvolvedTransformer:
    return shrunk(load_space("evolved_transformer").individual(name), relative)


def shrunk(individual: Any, relative: int = 0) -> EvolvedTransformer:
    made: EvolvedTransformer = individual.proxy(resolution=8, channels=1, classes=VOCABULARY, width=1 / 16)
    made.rebind(relative_positions=relative, raise_on_no_change=False)
    return made


def every_layer(relative: int) -> EvolvedTransformer:
    """A decoder with a branch of each layer, in wide and narrow blocks joined in all ways."""
    layers = [layer for layer in DECODER_LAYERS if layer != DEAD]
    branches = [
        Branch(
            input=i // 2,
            norm=("layer_norm", "none")[i % 3 == 0],
            layer=layer,
            size=1 + i % 3,
            activation=("none", "swish", "relu", "leaky_relu")[i % 4],
        )
        for i, layer in enumerate([*layers, "gated_linear_unit"])
    ]
    blocks = [
        Block(left=left, right=right, combiner=("add", "concat", "multiply", "add")[i % 4])
        for i, (left, right) in enumerate(zip(branches[::2], branches[1::2], strict=True))
    ]
    made: EvolvedTransformer = small("transformer-tiny", relative).clone(deep=True)
    made.rebind(decoder=blocks, encoder_cells=1, decoder_cells=1)
    return made


def built(individual: EvolvedTransformer, seed: int = 0, strength: float = 1.0) -> Any:
    """The model with weights that make its outputs differ from token to token and from source to source."""
    model = build_sequence_model(individual, seed=0)
    rng = np.random.default_rng(seed)
    for variable in model.trainable_variables:
        spread = 0.2 if variable.ndim == 1 else strength * np.std(variable.numpy())
        variable.assign_add(rng.normal(0.0, spread, variable.shape).astype(np.float32))
    return model


SEEDS = (0, 2, 4)
"""Weights with which greedy outputs end or do not, and the best outputs are long or short."""


@functools.cache
def weights(seed: int) -> list[Any]:
    kept: list[Any] = built(small("transformer-tiny"), seed, strength=3.0).get_weights()
    return kept


@functools.cache
def shared_decoder() -> tuple[SequenceDecoder, Callable[..., Any]]:
    """A decoder, and its model as a graph for all lengths."""
    import tensorflow as tf

    own = SequenceDecoder(small("transformer-tiny"), built(small("transformer-tiny")))
    tokens = tf.TensorSpec([None, None], tf.int32)
    whole = tf.function(lambda *inputs: own.model(list(inputs)), input_signature=[tokens, tokens], autograph=False)
    return own, whole


def decoder(seed: int = SEEDS[1]) -> SequenceDecoder:
    own, _ = shared_decoder()
    own.model.set_weights(weights(seed))
    return own


def log_shares(source: Any, prefix: Any) -> Any:
    """(rows, vocabulary) of the token behind a prefix, by the whole model."""
    _, whole = shared_decoder()
    logits = np.asarray(whole(source, prefix), np.float64)[:, -1]
    logits[:, [PADDING, BEGIN]] = -np.inf
    return logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))


def hold_against_the_model(individual: EvolvedTransformer) -> None:
    model = built(individual)
    target = np.random.default_rng(1).integers(3, VOCABULARY, (len(SOURCES), 8)).astype(np.int32)
    target[:, 0] = BEGIN
    stepwise = SequenceDecoder(individual, model).logits(SOURCES, target)
    assert np.ptp(stepwise, axis=1).max() > 0.1
    for length in (1, 2, 5, 8):
        whole = np.asarray(model([SOURCES, target[:, :length]]))
        np.testing.assert_allclose(stepwise[:, :length], whole, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("relative", [0, 2])
def test_steps_give_the_logits_of_the_whole_model_for_every_layer(relative: int) -> None:
    individual = every_layer(relative)
    used = {branch.layer for block in individual.decoder for branch in (block.left, block.right)}
    assert used == set(DECODER_LAYERS) - {DEAD}
    hold_against_the_model(individual)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["transformer-tiny", "et-tiny"])
def test_steps_give_the_logits_of_the_whole_model_for_known_individuals(name: str) -> None:
    hold_against_the_model(small(name))


@pytest.mark.slow
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_steps_give_the_logits_of_the_whole_model_for_random_individuals(seed: int) -> None:
    space = load_space("evolved_transformer")
    rows = space.genome.canonical(space.genome.random(200, np.random.default_rng(seed)))
    individual = shrunk(space.genome.decode(rows[space.feasible(rows)][0]), relative=seed)
    individual.rebind(encoder_cells=1, decoder_cells=2, raise_on_no_change=False)
    hold_against_the_model(individual)


@pytest.mark.parametrize("seed", SEEDS)
def test_greedy_decoding_takes_what_the_whole_model_finds_most_probable(seed: int) -> None:
    steps = 7
    found = decoder(seed).greedy(SOURCES, steps=steps)
    prefix = np.full((len(SOURCES), 1), BEGIN, np.int32)
    scores, ended = np.zeros(len(SOURCES)), np.zeros(len(SOURCES), bool)
    for _ in range(steps):
        shares = log_shares(SOURCES, prefix)
        best = np.where(ended, PADDING, shares.argmax(axis=1))
        scores += np.where(ended, 0.0, shares.max(axis=1))
        ended |= best == END
        prefix = np.concatenate([prefix, best[:, None].astype(np.int32)], axis=1)
    np.testing.assert_array_equal(found.tokens[:, 0], prefix[:, 1:])
    np.testing.assert_allclose(found.scores[:, 0], scores, rtol=1e-5)


@pytest.mark.parametrize("seed", SEEDS)
def test_one_beam_is_greedy_decoding(seed: int) -> None:
    greedy = decoder(seed).greedy(SOURCES, steps=7)
    assert len({tuple(row) for row in greedy.tokens[:, 0].tolist()}) > 1
    beam = decoder(seed).beam(SOURCES, steps=7, beams=1, alpha=0.0)
    np.testing.assert_array_equal(beam.tokens, greedy.tokens)
    np.testing.assert_allclose(beam.scores, greedy.scores, rtol=1e-5)


def outputs_by_score(source: Any, steps: int, alpha: float) -> list[tuple[float, tuple[int, ...]]]:
    """All outputs with an end, best first, scored by the whole model."""
    letters = range(END + 1, VOCABULARY)
    found = []
    for length in range(1, steps + 1):
        prefixes = np.array(list(itertools.product(letters, repeat=length - 1)), np.int32).reshape(
            len(letters) ** (length - 1), length - 1
        )
        begun = np.concatenate([np.full((len(prefixes), 1), BEGIN, np.int32), prefixes], axis=1)
        rows = np.repeat(source[None], len(begun), axis=0)
        total = log_shares(rows, begun)[:, END]
        for t in range(1, length):
            total = total + log_shares(rows, begun[:, :t])[np.arange(len(begun)), begun[:, t]]
        penalty = ((5 + length) / 6) ** alpha
        found += [(s / penalty, (*p, END)) for s, p in zip(total.tolist(), prefixes.tolist(), strict=True)]
    return sorted(found, reverse=True)


@pytest.mark.parametrize("alpha", [0.0, 0.6, 3.0])
def test_a_beam_as_wide_as_all_outputs_finds_the_best_of_all(alpha: float) -> None:
    steps = 4
    best = []
    for seed in SEEDS[1:]:
        found = decoder(seed).beam(SOURCES, steps=steps, beams=108, alpha=alpha)
        for row, source in enumerate(SOURCES):
            (score, tokens), *_ = outputs_by_score(source, steps, alpha)
            assert found.tokens[row, 0].tolist() == [*tokens, *[PADDING] * (steps - len(tokens))]
            assert math.isclose(found.scores[row, 0], score, rel_tol=1e-5)
            best.append(tokens)
    assert len(set(best)) > 2 and len({len(tokens) for tokens in best}) > 1


def plain_beam(source: Any, steps: int, beams: int, alpha: float) -> list[tuple[float, list[int]]]:
    """Beam search in lists, which runs the whole model on every prefix."""

    def penalty(length: int) -> float:
        return float(((5 + length) / 6) ** alpha)

    alive: list[tuple[float, list[int]]] = [(0.0, [])]
    finished: list[tuple[float, list[int]]] = []
    for length in range(1, steps + 1):
        ways = []
        for score, tokens in alive:
            shares = log_shares(source[None], np.array([[BEGIN, *tokens]], np.int32))[0]
            ways += [(score + s, [*tokens, t]) for t, s in enumerate(shares.tolist()) if s > -math.inf]
        ways.sort(key=lambda way: -way[0])
        finished += [(s / penalty(length), t) for s, t in ways[:beams] if t[-1] == END]
        finished = sorted(finished, key=lambda way: -way[0])[:beams]
        alive = [way for way in ways if way[1][-1] != END][:beams]
        if finished and (len(finished) == beams or finished[0][0] >= alive[0][0] / penalty(steps)):
            break
    return finished or [(score / penalty(steps), tokens) for score, tokens in alive]


@pytest.mark.parametrize("alpha", [0.0, 0.6])
def test_a_narrow_beam_keeps_and_drops_what_plain_lists_do(alpha: float) -> None:
    steps, beams = 6, 3
    kinds = set()
    for seed in SEEDS:
        found = decoder(seed).beam(SOURCES, steps=steps, beams=beams, alpha=alpha)
        for row, source in enumerate(SOURCES):
            wanted = plain_beam(source, steps, beams, alpha)
            kinds.add((len(wanted), wanted[0][1][-1] == END))
            np.testing.assert_allclose(found.scores[row, : len(wanted)], [score for score, _ in wanted], rtol=1e-4)
            assert np.isneginf(found.scores[row, len(wanted) :]).all()
            for tokens, (_, expected) in zip(found.tokens[row], wanted, strict=False):
                assert tokens.tolist() == expected + [PADDING] * (steps - len(expected))
    assert {ended for _, ended in kinds} == {True, False} and len(kinds) > 2


def test_what_is_found_for_a_source_does_not_depend_on_its_company() -> None:
    together = decoder().beam(SOURCES, steps=6, beams=3)
    alone = decoder().beam(np.repeat(SOURCES[1:2], 3, axis=0), steps=6, beams=3)
    np.testing.assert_array_equal(alone.tokens[2], together.tokens[1])
    np.testing.assert_allclose(alone.scores[2], together.scores[1], rtol=1e-5)


def test_a_source_without_tokens_has_an_output_without_tokens() -> None:
    source = SOURCES.copy()
    source[1] = [END, 0, 0, 0, 0]
    greedy, beam = decoder().greedy(source, steps=7), decoder().beam(source, steps=6, beams=3)
    assert not greedy.tokens[1].any() and not beam.tokens[1].any()
    np.testing.assert_array_equal(greedy.tokens[[0, 2]], decoder().greedy(SOURCES, steps=7).tokens[[0, 2]])


def test_all_steps_together_do_the_work_of_one_run_of_the_decoder() -> None:
    for individual in (small("transformer-tiny"), every_layer(2)):
        individual.rebind(source_length=24, target_length=40, raise_on_no_change=False)
        kernels = record(individual).kernels
        whole = sum(int(k["madds"]) for k in kernels if str(k["name"]).startswith("decoder"))
        step, once = SequenceDecoder(individual, build_sequence_model(individual)).madds(source_length=24, steps=40)
        assert 40 * step + once == whole


def test_weights_that_change_are_seen() -> None:
    individual = small("transformer-tiny")
    model = built(individual)
    own = SequenceDecoder(individual, model)
    before = own.greedy(SOURCES, steps=7)
    model.set_weights(weights(SEEDS[1]))
    changed = own.greedy(SOURCES, steps=7)
    assert not np.allclose(changed.scores, before.scores)
    np.testing.assert_array_equal(changed.tokens, decoder(SEEDS[1]).greedy(SOURCES, steps=7).tokens)


def test_what_cannot_be_decoded_is_refused_by_name() -> None:
    import keras

    with pytest.raises(ValueError, match="no layer 'encoder_unpadded'"):
        SequenceDecoder(small("transformer-tiny"), keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)]))
    with pytest.raises(ValueError, match="no layer .*built of this individual"):
        SequenceDecoder(small("et-tiny"), decoder().model).greedy(SOURCES, steps=2)
    context = StepContext("block_pool", decoder().model.get_layer, None, {}, 1)
    with pytest.raises(NotImplementedError, match="block_pool: no step of decoding for GlobalPool"):
        step_value(ops.GlobalPool(name="pool", kind="max"), context, np.zeros((1, 1, 4)))
    with pytest.raises(ValueError, match="only a convolution that is padded before"):
        step_value(ops.Conv(name="conv", filters=4, kernel=3), context, np.zeros((1, 1, 4)))
    with pytest.raises(ValueError, match="show its future"):
        step_value(ops.ZeroPad(name="pad", amounts=((1, 1),)), context, np.zeros((1, 1, 4)))


@pytest.mark.parametrize(("beams", "alpha"), [(0, 0.6), (2, -0.1)])
def test_settings_of_a_beam_search_out_of_range_are_refused(beams: int, alpha: float) -> None:
    with pytest.raises(ValueError, match="at least one beam and alpha"):
        decoder().beam(SOURCES, steps=3, beams=beams, alpha=alpha)
    with pytest.raises(ValueError, match="at least 1 step"):
        decoder().greedy(SOURCES, steps=0)
