"""Decoding token by token gives the logits of the whole sequence."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sequence_individuals import random_individuals, randomised, small, tokens

from autoglyph.child_programs.sequence_model import build_sequence_model
from autoglyph.child_programs.sequence_steps import StepDecoder


def decoder_of(individual: Any) -> tuple[Any, StepDecoder]:
    individual.rebind(encoder_cells=1, decoder_cells=1, raise_on_no_change=False)
    model = randomised(build_sequence_model(individual, seed=3))
    return model, StepDecoder(individual, model)


def step_through(decoder: StepDecoder, source: Any, target: Any) -> Any:
    state, logits = decoder.start(source), []
    for t in range(target.shape[1]):
        assert state.position == t
        some, state = decoder.step(target[:, t], state)
        logits.append(np.asarray(some))
    return np.stack(logits, axis=1)


def source_and_target() -> tuple[Any, Any]:
    source = tokens((3, 6), 0)
    source[1, 4:] = 0
    return source, tokens((3, 7), 1)


@pytest.mark.parametrize("individual", [("transformer_base", 0), ("et_base", 0), ("et_base", 2)])
def test_steps_equal_the_whole_sequence(individual: tuple[str, int]) -> None:
    model, decoder = decoder_of(small(*individual))
    source, target = source_and_target()
    assert np.abs(step_through(decoder, source, target) - model([source, target])).max() < 1e-5


@pytest.mark.slow
def test_steps_of_random_individuals_equal_the_whole_sequence() -> None:
    source, target = source_and_target()
    for individual in random_individuals(2, seed=11):
        model, decoder = decoder_of(individual)
        whole = np.asarray(model([source, target]))
        assert np.abs(step_through(decoder, source, target) - whole).max() < 1e-5 * max(1, np.abs(whole).max())


def test_a_step_uses_the_present_weights_and_rows_can_be_taken() -> None:
    model, decoder = decoder_of(small("et_base"))
    source, target = source_and_target()
    state = decoder.start(source)
    before, _ = decoder.step(target[:, 0], state)
    randomised(model, seed=9)
    after, _ = decoder.step(target[:, 0], decoder.start(source))
    assert not np.allclose(before, after, atol=1e-3)
    assert np.abs(step_through(decoder, source, target) - model([source, target])).max() < 1e-5

    _, state = decoder.step(target[:, 0], decoder.start(source))
    rows = np.array([2, 0, 0, 1])
    beams, _ = decoder.step(target[rows, 1], state.take(rows))
    plain, _ = decoder.step(target[:, 1], state)
    assert np.allclose(beams, np.asarray(plain)[rows], atol=1e-5)


def test_places_of_beams_change_without_their_memory() -> None:
    model, decoder = decoder_of(small("transformer_base"))
    source = np.repeat(tokens((1, 6), 0), 2, axis=0)
    target = tokens((2, 3), 1)
    _, state = decoder.step(target[:, 0], decoder.start(source))
    swapped, _ = decoder.step(target[[1, 0], 1], state.take_caches(np.array([1, 0])))
    assert np.allclose(np.asarray(swapped)[::-1], np.asarray(model([source, target]))[:, 1], atol=1e-5)


def test_what_depends_on_the_source_is_worked_out_once() -> None:
    _, decoder = decoder_of(small("transformer_base"))
    state = decoder.start(tokens((2, 5), 0))
    assert [tuple(t.shape) for t in state.memory] == [(2, 5, 1)] + [(2, 5, 64)] * 2, "a mask, keys and values"
    assert [tuple(t.shape) for t in state.caches] == [(2, 0, 64)] * 2
    names = {layer.name for layer in decoder.step_model.layers}
    assert "decoder_cell1_block2_left_query" in names and "decoder_cell1_block2_left_key" not in names
