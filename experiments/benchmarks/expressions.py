"""Training of expressions as data, against a fresh Keras fit of every candidate on the same data order.

Networks of 64, 64 and 10 units on digits, 200 steps of 64 examples. Candidates are random ones that their fingerprint
lets through, those whose loss is soon no number among them; every side stops there. Times are CPU times of all
threads, of candidates one after the other, so they are those of one core. The TensorFlow program is traced before.
NumPy has a process of its own, as its workers have, for TensorFlow's threads spend time between its calls too.

Learning curves are compared on stable candidates: Keras itself, from starting weights that differ by a millionth,
stays finite and within 0.001 of the loss at every step. The others amplify the rounding of single precision.
"""

from __future__ import annotations

import dataclasses
import functools
import multiprocessing
import time
from concurrent.futures import Executor, ProcessPoolExecutor
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from autoglyph.child_programs.base import ChildFailed
from autoglyph.child_programs.datasets import Dataset, load_dataset
from autoglyph.child_programs.expressions.setup import Setup, make_setup, parts_of
from autoglyph.child_programs.expressions.training import trainer
from autoglyph.search_spaces.expressions.fingerprint import fingerprint
from autoglyph.search_spaces.expressions.program import Program
from autoglyph.search_spaces.space import load_space

CANDIDATES = 40
HIDDEN, STEPS, BATCH = 64, 200, 64
PERTURBATION = 1e-6
TOLERANCE = 1e-3


class Kind(NamedTuple):
    """A kind of candidate.

    Attributes:
        space: where candidates are drawn.
        learning_rate: of their trainings.
        numpy_agrees: whether the learning curves of NumPy are held to the tolerance too.
    """

    space: str
    learning_rate: float
    numpy_agrees: bool


KINDS = {
    "activations": Kind("activation_2", 0.05, True),
    "optimizers": Kind("optimizer_rule_2", 0.01, False),
    "backprop_rules": Kind("backprop_rule_2", 0.05, True),
}


@dataclass(frozen=True)
class Run:
    """One training.

    Attributes:
        losses: (200,) of every step, NaN from where they are no number.
        accuracy: percent, NaN where the training broke off.
        seconds: CPU time from the candidate to its accuracy.
    """

    losses: NDArray[np.float64]
    accuracy: float
    seconds: float


def run(*, quick: bool = False) -> dict[str, Any]:
    """Measures speed and agreement of the three kinds of candidates.

    Args:
        quick: 3 candidates of each kind rather than 40.

    Returns:
        "ratios": candidates per CPU second over those of Keras, and shares of stable candidates whose learning curve
        is that of Keras within 0.001; "figures": candidates per CPU second, numbers of candidates, deviations, and
        seconds to trace the TensorFlow program.
    """
    from autoglyph.child_programs.tensorflow_process import prepare_process

    prepare_process(1)
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as worker:
        measured = {name: _measure(kind, worker, 3 if quick else CANDIDATES) for name, kind in KINDS.items()}
    ratios: dict[str, float] = {}
    figures: dict[str, float] = {}
    for name, kind in KINDS.items():
        found = measured[name]
        runs, again = found.runs, found.keras_again
        speeds = {backend: len(again) / sum(each.seconds for each in runs[backend]) for backend in runs}
        ratios |= {f"{name}_{backend}_over_keras": speeds[backend] / speeds["keras"] for backend in _OURS}
        figures |= {f"{name}_{backend}_per_cpu_s": speed for backend, speed in speeds.items()}
        figures[f"{name}_tensorflow_tracing_s"] = found.tracing_s
        own = [_deviation(a, b) for a, b in zip(runs["keras"], again, strict=True)]
        is_stable = np.array(own) <= TOLERANCE
        is_dead = np.array([np.isnan(each.accuracy) for each in runs["keras"]])
        figures |= {
            f"{name}_candidates": float(len(again)),
            f"{name}_no_number_in_keras": float(is_dead.sum()),
            f"{name}_stable": float(is_stable.sum()),
        }
        for backend in _OURS:
            pairs = list(zip(runs["keras"], runs[backend], strict=True))
            deviations = np.array([_deviation(a, b) for a, b in pairs])[is_stable]
            if len(deviations) and (backend == "tensorflow" or kind.numpy_agrees):
                ratios[f"{name}_{backend}_curves_as_keras"] = float(np.mean(deviations <= TOLERANCE))
            accuracies = np.array([abs(a.accuracy - b.accuracy) for a, b in pairs])[is_stable]
            figures |= {
                f"{name}_{backend}_stable_as_keras": float(np.sum(deviations <= TOLERANCE)),
                f"{name}_{backend}_largest_deviation": float(np.max(deviations, initial=0.0)),
                f"{name}_{backend}_largest_accuracy_difference": float(np.max(accuracies, initial=0.0)),
            }
    return {"bench": "expressions", "ratios": ratios, "figures": figures}


_OURS = ("numpy", "tensorflow")


class _Measured(NamedTuple):
    runs: dict[str, list[Run]]
    keras_again: list[Run]
    tracing_s: float


def feasible_candidates(space: str, count: int) -> list[Program]:
    """Random candidates that are not degenerate."""
    genome, rng = load_space(space).genome, np.random.default_rng(1)
    found: list[Program] = []
    while len(found) < count:
        candidate = genome.decode(genome.random(1, rng)[0])
        if not fingerprint(candidate).degenerate:
            found.append(candidate)
    return found


def _measure(kind: Kind, worker: Executor, count: int) -> _Measured:
    import keras

    candidates = feasible_candidates(kind.space, count)
    started = time.process_time()
    _run("tensorflow", candidates[0], kind.learning_rate)
    tracing_s = time.process_time() - started
    _run("keras", candidates[0], kind.learning_rate)
    worker.submit(_run, "numpy", candidates[0], kind.learning_rate).result()
    runs: dict[str, list[Run]] = {backend: [] for backend in ("keras", *_OURS)}
    again = []
    for candidate in candidates:
        runs["keras"].append(_run("keras", candidate, kind.learning_rate))
        runs["numpy"].append(worker.submit(_run, "numpy", candidate, kind.learning_rate).result())
        runs["tensorflow"].append(_run("tensorflow", candidate, kind.learning_rate))
        again.append(_run("keras", candidate, kind.learning_rate, perturbed=True))
    keras.utils.clear_session()  # not between candidates: the compiled program of all would be made again
    return _Measured(runs, again, tracing_s)


@functools.cache
def _digits() -> Dataset:
    return load_dataset("digits", seed=0, validation_share=0.2)


def _run(backend: str, candidate: Program, learning_rate: float, *, perturbed: bool = False) -> Run:
    data = _digits()
    losses, accuracy = np.full(STEPS, np.nan), float("nan")
    started = time.process_time()
    parts = parts_of(candidate)
    setup = make_setup(data, seed=0, hidden=HIDDEN, steps=STEPS, batch=BATCH, has_beta=parts.has_beta)
    if perturbed:
        setup = _perturbed(setup)
    running = trainer(backend, parts, setup, learning_rate)
    try:
        losses = running.train(STEPS)
        accuracy, _ = running.validate()
    except ChildFailed:
        pass
    return Run(losses, accuracy, time.process_time() - started)


def _perturbed(setup: Setup) -> Setup:
    """The same training from weights that differ by a millionth."""
    rng = np.random.default_rng(5)
    signs = rng.choice(np.array([-1, 1], np.float32), len(setup.start))
    return dataclasses.replace(setup, start=setup.start * (1 + np.float32(PERTURBATION) * signs))


def _deviation(a: Run, b: Run) -> float:
    """Largest difference of the losses of a step; infinite where one is no number."""
    difference = np.abs(a.losses - b.losses)
    return float(difference.max()) if np.isfinite(difference).all() else float("inf")
