"""Decoding with caches, against running the decoder on the growing output at every step.

The peer encodes the source once and runs the whole decoder, compiled for open lengths, on all that is decoded so far.
All times are CPU times, so they are those of one core whatever the number of threads.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from autoglyph.search_spaces.architectures.evolved_transformer import TABLE, EvolvedTransformer
from autoglyph.search_spaces.space import load_space

INDIVIDUALS = ("transformer-base", "et-base")
LENGTH = 64
ROWS = 16


def run(*, quick: bool = False) -> dict[str, Any]:
    """Measures outputs of 64 tokens for 16 sources of 64 tokens, by the Transformer and the Evolved Transformer.

    Args:
        quick: at an eighth of the width and 16 tokens, to see that it runs.

    Returns:
        "figures": milliseconds of CPU time for one step of 16 rows, and multiply-adds of a step of one row, with
        its share of what is made once a source.
        "ratios": those of the peer, a mean over its steps, divided by those with caches; "length" ratios are steps
        with caches that have room for four times as many positions, divided by those of 64.
    """
    ratios: dict[str, float] = {}
    figures: dict[str, float] = {}
    for name in INDIVIDUALS:
        individual = load_space("evolved_transformer").individual(name)
        length = 16 if quick else LENGTH
        if quick:
            individual = individual.proxy(resolution=length, channels=1, classes=1000, width=0.125)
        found = _measure(individual, length)
        key = name.replace("-", "_")
        ratios |= {
            f"{key}_time": found["peer_ms"] / found["cached_ms"],
            f"{key}_madds": found["peer_madds"] / found["cached_madds"],
            f"{key}_length_time": found["long_ms"] / found["cached_ms"],
        }
        figures |= {f"{key}_{figure}": value for figure, value in found.items()}
    return {"bench": "decoding", "ratios": ratios, "figures": figures}


def _measure(individual: EvolvedTransformer, length: int) -> dict[str, float]:
    from autoglyph.child_programs import prepare_process

    prepare_process(None)
    import keras
    import tensorflow as tf

    from autoglyph.child_programs.decoding_nets import ENCODED
    from autoglyph.child_programs.sequence_decoding import SequenceDecoder
    from autoglyph.child_programs.sequence_model import build_sequence_model
    from autoglyph.child_programs.sequences.vocabulary import END

    model = build_sequence_model(individual, seed=0)
    decoder = SequenceDecoder(individual, model)
    table = model.get_layer(TABLE).embeddings
    table.assign(table * (np.arange(individual.vocabulary) != END)[:, None])  # so that no output ends early
    rng = np.random.default_rng(0)
    source, target = rng.integers(4, individual.vocabulary, (2, ROWS, length)).astype(np.int32)
    encoder = keras.Model(model.inputs[0], model.get_layer(ENCODED).output)
    whole = keras.Model([encoder.output, model.inputs[1]], model.output)
    compiled = tf.function(
        lambda encoded, tokens: whole([encoded, tokens])[:, -1],
        input_signature=[tf.TensorSpec([None, None, individual.dimension]), tf.TensorSpec([None, None], tf.int32)],
        autograph=False,
    )
    encoded = encoder(source)

    def cached(steps: int) -> None:
        if not decoder.greedy(source, steps=steps).tokens.all():
            raise ValueError("An output ended before the last step, so the times are not those of all steps.")

    def peer(steps: int) -> None:
        for step in range(1, steps + 1):
            compiled(encoded, tf.constant(target[:, :step]))

    for work, steps in ((cached, length), (cached, 4 * length), (peer, 1)):
        work(steps)

    step_madds, madds_once = decoder.madds(source_length=length, steps=length)
    return {
        "cached_ms": _milliseconds(lambda: cached(length)) / length,
        "long_ms": _milliseconds(lambda: cached(4 * length)) / (4 * length),
        "peer_ms": _milliseconds(lambda: peer(length), repeats=1) / length,
        "cached_madds": step_madds + madds_once / length,
        "peer_madds": statistics.mean(_decoder_madds(individual, step, length) for step in range(1, length + 1)),
    }


def _decoder_madds(individual: EvolvedTransformer, steps: int, source_length: int) -> int:
    """Multiply-adds of the whole decoder on an output of so many tokens."""
    from autoglyph.hardware_models import record

    sized: EvolvedTransformer = individual.clone(deep=True)
    sized.rebind(source_length=source_length, target_length=steps, raise_on_no_change=False)
    kernels = record(sized).kernels
    return sum(int(kernel["madds"]) for kernel in kernels if str(kernel["name"]).startswith("decoder"))


def _milliseconds(work: Callable[[], object], repeats: int = 3) -> float:
    """CPU time, median."""
    times = []
    for _ in range(repeats):
        started = time.process_time()
        work()
        times.append(time.process_time() - started)
    return 1e3 * statistics.median(times)
