"""Keras models of the Evolved Transformer's space: equal to a Transformer by hand, causal, blind to padding."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sequence_individuals import SPACE, VOCABULARY, random_individuals, randomised, small, tokens
from test_export import STRANGER
from transformer_by_hand import TransformerByHand, weights_of

from autoglyph.child_programs import KerasNet, build_shapes, count_madds, count_parameters, export_model
from autoglyph.child_programs.sequence_model import FreeLengthNet, build_sequence_model
from autoglyph.hardware_models import record
from autoglyph.search_spaces.blocks.et_layers import ATTEND, DEAD, DECODER_LAYERS, ENCODER_LAYERS, Surroundings
from autoglyph.search_spaces.net import Tensor
from autoglyph.search_spaces.ops_sequence import NonzeroMask, SequenceAttention, TokenInput


@pytest.mark.slow
@pytest.mark.parametrize(("name", "parameters"), [("transformer_base", 61_147_136), ("et_base", 64_064_512)])
def test_parameters_of_the_published_networks_in_keras(name: str, parameters: int) -> None:
    individual = SPACE.individual(name)
    model, workload = build_shapes(individual), record(individual)
    assert count_parameters(model) == model.count_params() == workload.parameters == parameters
    assert count_madds(model) == workload.madds


def test_the_encoded_seed_is_a_transformer() -> None:
    decoded = SPACE.genome.decode(SPACE.genome.encode(SPACE.individual("transformer_base")))
    assert (decoded.encoder_cells, decoded.decoder_cells) == (6, 6)
    decoded = decoded.proxy(resolution=7, channels=1, classes=VOCABULARY, width=64 / 512)
    decoded.rebind(encoder_cells=2, decoder_cells=2)
    model = randomised(build_sequence_model(decoded, seed=1))
    source, target = tokens((3, 9), 0), tokens((3, 6), 1)
    source[1, 6:] = 0
    target[2, 4:] = 0
    by_hand = TransformerByHand(weights_of(model, 2), layers=2, heads=8)
    expected = by_hand.logits(source, target)
    assert expected.std() > 0.3, "differences are seen"
    assert np.abs(np.asarray(model([source, target])) - expected).max() < 1e-5


def decoder_layer(layer: str, relative: int = 0) -> Any:
    """(model of one layer of a decoder on 32 channels, its input)."""
    import keras

    net = KerasNet(seed=0)
    x, encoded = net.input((8, 32), name="x"), net.input((6, 32), name="encoded")
    mask = net.apply(NonzeroMask(name="mask"), encoded)
    around = Surroundings(causal=True, heads=4, widest=999, relative=relative, encoded=encoded, encoded_mask=mask)
    output = DECODER_LAYERS[layer](net, x, 32, around)
    return keras.Model(net.inputs, output.value)


LAYERS = [(layer, 0) for layer in DECODER_LAYERS if layer not in (DEAD,)] + [("attention_4_heads", 2)]
POSITION_WISE = {"standard_conv_1x1", "gated_linear_unit", "identity", ATTEND}


@pytest.mark.parametrize(("layer", "relative"), LAYERS)
def test_no_gradient_from_the_future(layer: str, relative: int) -> None:
    import tensorflow as tf

    model = decoder_layer(layer, relative)
    rng = np.random.default_rng(0)
    x = tf.constant(rng.standard_normal((1, 8, 32)), tf.float32)
    encoded = tf.constant(rng.standard_normal((1, 6, 32)), tf.float32)
    sees = np.zeros((8, 8), bool)
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(x)
        weighted = model([x, encoded]) * tf.constant(rng.standard_normal(32), tf.float32)
        outputs = [tf.reduce_sum(weighted[:, t]) for t in range(8)]
    for t, output in enumerate(outputs):
        sees[t] = np.abs(np.asarray(tape.gradient(output, x))[0]).sum(-1) > 0
    assert not np.triu(sees, 1).any(), "no position sees a later one"
    assert np.diag(sees).all()
    assert (sees & ~np.eye(8, dtype=bool)).any() != (layer in POSITION_WISE), "layers with a window see the past"


@pytest.mark.parametrize("layer", [layer for layer in ENCODER_LAYERS if layer != DEAD])
def test_encoder_layers_do_not_see_padding(layer: str) -> None:
    import keras

    net = FreeLengthNet(seed=0)
    x, ids = net.input((8, 32), name="x"), net.apply(TokenInput(name="ids", shape=(8,)))
    around = Surroundings(causal=False, heads=4, widest=999, mask=net.apply(NonzeroMask(name="mask"), ids))
    model = keras.Model(net.inputs, ENCODER_LAYERS[layer](net, x, 32, around).value)
    values = np.random.default_rng(0).standard_normal((1, 8, 32)).astype(np.float32)
    present = np.array([[3, 3, 3, 3, 3, 0, 0, 0]])
    padded, cut = model([values, present]), model([values[:, :5], present[:, :5]])
    assert np.allclose(padded[:, :5], cut, atol=1e-5)
    reaches = not np.allclose(model([values, present * 0 + 3])[:, :5], cut, atol=1e-3)
    assert reaches == (layer not in POSITION_WISE), "without padding, later positions do count"


@pytest.mark.parametrize("which", ["transformer_base", "et_base", "relative", "random"])
def test_padding_and_the_future_do_not_change_logits(which: str) -> None:
    if which == "random":
        individuals = random_individuals(2, seed=5)
    else:
        individuals = [small("et_base", 3) if which == "relative" else small(which)]
    for individual in individuals:
        individual.rebind(encoder_cells=1, decoder_cells=2, raise_on_no_change=False)
        model = randomised(build_sequence_model(individual, seed=2))
        source, target = tokens((2, 6), 2), tokens((2, 7), 3)
        logits = np.asarray(model([source, target]))
        padded = np.asarray(model([np.pad(source, ((0, 0), (0, 5))), np.pad(target, ((0, 0), (0, 2)))]))
        scale = np.abs(logits).max()
        assert np.isfinite(logits).all() and np.abs(padded[:, :7] - logits).max() < 1e-5 * scale
        later = target.copy()
        later[:, 4:] = tokens((2, 3), 4)
        changed = np.asarray(model([source, later]))
        assert np.abs(changed[:, :4] - logits[:, :4]).max() < 1e-6 * scale
        assert np.abs(changed[:, 4:] - logits[:, 4:]).max() > 1e-3 * scale
        other = np.asarray(model([tokens((2, 6), 9), target]))
        assert np.abs(other - logits).max() > 1e-4 * scale, "the source matters"


def attention(relative: int, *, causal: bool, lengths: tuple[int, int] = (7, 7)) -> Any:
    import keras

    net = KerasNet(seed=3)
    queries = net.input((lengths[0], 12), name="q")
    keys, values = (net.input((lengths[1], 12), name=name) for name in ("k", "v"))
    op = SequenceAttention(name="attention", heads=3, causal=causal, relative=relative)
    return keras.Model(net.inputs, net.apply(op, queries, keys, values).value)


def qkv(length: int = 7, seed: int = 0) -> list[Any]:
    return [*np.random.default_rng(seed).standard_normal((3, 2, length, 12)).astype(np.float32)]


def relative_by_hand(inputs: list[Any], a: Any, b: Any, k: int, *, causal: bool) -> Any:
    """Shaw et al. 2018, equations 3 and 4, one pair of positions at a time; a and b are (2k + 1, head size)."""
    q, keys, v = (x.reshape(2, x.shape[1], 3, 4).astype(np.float64) for x in inputs)
    length = q.shape[1]
    z = np.zeros((2, length, 3, 4))
    for n in range(2):
        for head in range(3):
            for i in range(length):
                visible = range(i + 1) if causal else range(length)
                row = [int(np.clip(j - i, -k, k)) + k for j in visible]
                e = np.array([q[n, i, head] @ (keys[n, j, head] + a[r]) / 2 for j, r in zip(visible, row, strict=True)])
                alpha = np.exp(e - e.max()) / np.exp(e - e.max()).sum()
                z[n, i, head] = sum(s * (v[n, j, head] + b[r]) for s, j, r in zip(alpha, visible, row, strict=True))
    return z.reshape(2, length, 12)


@pytest.mark.parametrize("causal", [False, True])
def test_relative_positions_compute_the_papers_sums(causal: bool) -> None:
    model, inputs = attention(2, causal=causal), qkv()
    a, b = (np.asarray(model.get_layer(f"attention_relative_{part}").kernel) for part in ("keys", "values"))
    assert (a.shape, b.shape) == ((4, 5), (5, 4)) and count_parameters(model) == 2 * (2 * 2 + 1) * 4
    assert np.allclose(model(inputs), relative_by_hand(inputs, a.T, b, 2, causal=causal), atol=1e-5)


@pytest.mark.parametrize("causal", [False, True])
def test_tables_of_zero_are_vanilla_attention(causal: bool) -> None:
    relative, vanilla, inputs = attention(2, causal=causal), attention(0, causal=causal), qkv()
    assert not np.allclose(relative(inputs), vanilla(inputs), atol=1e-2)
    for variable in relative.trainable_variables:
        variable.assign(np.zeros(variable.shape))
    assert np.allclose(relative(inputs), vanilla(inputs), atol=1e-6)


def test_relative_positions_are_shift_equivariant() -> None:
    """Far from the ends a shifted sequence gives shifted outputs, which sinusoids do not."""
    length, k, shift = 12, 2, 3
    model = attention(k, causal=False, lengths=(length + shift, length + shift))
    inputs = [x.astype(np.float32) for x in qkv(length)]
    logits = []
    for before in (0, shift):
        padded = [np.pad(x, ((0, 0), (before, shift - before), (0, 0))) for x in inputs]
        hidden = np.zeros((2, length + shift, 1), np.float32)
        hidden[:, before : before + length] = 1
        logits.append(np.asarray(masked_attention(model, k, padded, hidden))[:, before : before + length])
    assert np.allclose(logits[0], logits[1], atol=1e-5)


def masked_attention(model: Any, k: int, inputs: list[Any], mask: Any) -> Any:
    """The attention of a model, with a mask of keys."""
    import keras

    net = KerasNet(seed=3)
    length = inputs[0].shape[1]
    q, key, v = (net.input((length, 12), name=name) for name in "qkv")
    seen = net.input((length, 1), name="mask")
    op = SequenceAttention(name="attention", heads=3, relative=k)
    masked = keras.Model(net.inputs, net.apply(op, q, key, v, seen).value)
    masked.set_weights(model.get_weights())
    return masked([*inputs, mask])


def test_relative_positions_add_two_tables_an_attention() -> None:
    k, sinusoidal, relative = 3, small("transformer_base"), small("transformer_base", 3)
    extra = record(relative).parameters - record(sinusoidal).parameters
    assert extra == (6 + 6) * 2 * (2 * k + 1) * (64 // 8)


def test_random_individuals_are_counted_alike() -> None:
    for individual in random_individuals(4, seed=7):
        model, workload = build_shapes(individual), record(individual)
        assert (count_parameters(model), count_madds(model)) == (workload.parameters, workload.madds)


@pytest.mark.slow
def test_many_random_individuals_are_counted_alike() -> None:
    for individual in random_individuals(40, seed=8):
        model, workload = build_shapes(individual), record(individual)
        assert (count_parameters(model), count_madds(model)) == (workload.parameters, workload.madds)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy:DeprecationWarning")
@pytest.mark.parametrize("relative", [0, 2])
def test_a_stranger_loads_an_individual_and_predicts_the_same(tmp_path: Path, relative: int) -> None:
    individual = small("et_base", relative)
    individual.encoder[5].left.rebind(layer="lightweight_conv_5x1_r_4")
    individual.rebind(encoder_cells=1, decoder_cells=1)
    model = randomised(build_sequence_model(individual, seed=0))
    inputs = [tokens((2, 6), 0), tokens((2, 6), 1)]
    file = export_model(model, tmp_path / "translator.keras")
    assert np.allclose(predictions_of_a_stranger(file, inputs, tmp_path), model(inputs), rtol=1e-5, atol=1e-5)


def predictions_of_a_stranger(model: Path, inputs: list[Any], folder: Path) -> Any:
    np.save(folder / "tokens.npy", inputs)
    program = STRANGER.replace("model(np.load(sys.argv[2]))", "model([*np.load(sys.argv[2])])")
    command = [sys.executable, "-I", "-c", program, str(model), str(folder / "tokens.npy"), str(folder / "logits.npy")]
    subprocess.run(command, cwd=folder, check=True, capture_output=True)
    return np.load(folder / "logits.npy")


def test_seeds_decide_the_weights() -> None:
    individual = small("et_tiny")
    individual.rebind(encoder_cells=1, decoder_cells=1)
    first, same, other = (build_sequence_model(individual, seed=seed) for seed in (1, 1, 2))
    for a, b in zip(first.weights, same.weights, strict=True):
        assert np.array_equal(a, b)
    assert not np.array_equal(first.get_layer("tokens").embeddings, other.get_layer("tokens").embeddings)


def test_free_lengths_are_checked_but_for_lengths() -> None:
    net = FreeLengthNet()
    x = net.input((4, 3))
    assert x.shape == (4, 3) and x.value.shape == (None, None, 3)
    with pytest.raises(ValueError, match="Keras computed shape"):
        net.dense(Tensor((4, 5, 3), x.value), 2)
