"""What fingerprints of expressions save in a search, and how often they merge candidates that differ.

Of every space of expressions, 10,000 different random candidates are looked at (all where there are fewer). A
duplicate computes the same as a candidate before it, a degenerate one is not worth training; neither is trained. Every
merged pair is then compared where the fingerprint did not look: activation functions, their derivatives and their
dependence on beta at 1,602 other inputs from -200 to 200 and five other values of beta; update rules on 600 weights
after 1, 4 and 40 gradients of scales from 0.000001 to 10; error rules on layers of other sizes and scales.
"""

from __future__ import annotations

import functools
import sys
import time
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from autoglyph.experiments import domain as domains
from autoglyph.search_spaces import Genome
from autoglyph.search_spaces.expressions.backprop_rules import operands as backprop_operands
from autoglyph.search_spaces.expressions.evaluate import derivatives, evaluate
from autoglyph.search_spaces.expressions.numerics import Context
from autoglyph.search_spaces.expressions.optimizers import NOISE_STD, Moments
from autoglyph.search_spaces.expressions.optimizers import operands as update_operands
from autoglyph.search_spaces.expressions.program import Program

Array = NDArray[np.float64]
CANDIDATES = 10_000
RELATIVE, ABSOLUTE = 1e-5, 1e-8
BETAS = (-2.0, -0.1, 0.9, 2.2, 5.0)
_SEED = 20175


def run(*, quick: bool = False) -> dict[str, Any]:
    """Counts duplicates, degenerate candidates and wrong merges of every space of expressions.

    Args:
        quick: 500 candidates of each.

    Returns:
        "ratios": shares by space: of candidates that are duplicates, that are degenerate, that are saved in all, and
        of merged pairs that differ; "figures": CPU time of a fingerprint, merged pairs and those that differ.
    """
    ratios: dict[str, float] = {}
    figures: dict[str, float] = {}
    for name in expression_domains():
        print(f"bench fingerprints: {name}", file=sys.stderr)
        found = count(name, 500 if quick else CANDIDATES)
        for key in ("duplicates", "degenerate", "saved", "wrong_merges"):
            ratios[f"{name}_{key}"] = found[key]
        for key in ("candidates", "ms_per_fingerprint", "merged_pairs", "wrong_pairs"):
            figures[f"{name}_{key}"] = found[key]
    pairs = sum(value for key, value in figures.items() if key.endswith("merged_pairs"))
    wrong = sum(value for key, value in figures.items() if key.endswith("wrong_pairs"))
    ratios["all_wrong_merges"] = wrong / max(1, pairs)
    return {"bench": "fingerprints", "ratios": ratios, "figures": figures}


def expression_domains() -> list[str]:
    """Names of the built-in domains with fingerprints."""
    return [n for n in domains.built_in_names() if domains.load_domain(n).fingerprint is not None]


def count(name: str, candidates: int) -> dict[str, float]:
    """What fingerprints do to random candidates of a domain.

    Args:
        name: of the domain.
        candidates: how many different ones.

    Returns:
        Shares of duplicates, of degenerate candidates and of both ("saved"), the share of merged pairs that differ
        ("wrong_merges"), their numbers, and the CPU time of a fingerprint in ms.
    """
    domain = domains.load_domain(name)
    assert domain.fingerprint is not None
    programs = [domain.space.genome.decode(row) for row in different_rows(domain.space.genome, candidates)]
    started = time.process_time()
    prints = [domain.fingerprint(program) for program in programs]
    seconds = time.process_time() - started
    first: dict[str, Program] = {}
    pairs: list[tuple[Program, Program]] = []
    for program, found in zip(programs, prints, strict=True):
        if not found.degenerate and first.setdefault(found.key, program) is not program:
            pairs.append((first[found.key], program))
    degenerate = sum(bool(found.degenerate) for found in prints)
    wrong = sum(not compute_the_same(*pair) for pair in pairs)
    n = len(programs)
    return {
        "candidates": n,
        "duplicates": len(pairs) / n,
        "degenerate": degenerate / n,
        "saved": (len(pairs) + degenerate) / n,
        "wrong_merges": wrong / max(1, len(pairs)),
        "merged_pairs": len(pairs),
        "wrong_pairs": wrong,
        "ms_per_fingerprint": 1e3 * seconds / n,
    }


def different_rows(genome: Genome, n: int) -> list[Any]:
    """Draws n different rows in random order, or all of a space that is not larger."""
    rng = np.random.default_rng(_SEED)
    if 0 < genome.size <= n:
        return [genome.rows_at(i, i + 1)[0] for i in rng.permutation(genome.size).tolist()]
    rows: dict[bytes, Any] = {}
    while len(rows) < n:
        drawn = genome.random(n - len(rows), rng)
        rows.update(zip(genome.keys(drawn), drawn, strict=True))
    return list(rows.values())


def compute_the_same(a: Program, b: Program) -> bool:
    """Whether two programs of a vocabulary agree to five digits on probes that no fingerprint reads."""
    for one, other in zip(_values(a), _values(b), strict=True):
        usable = np.isfinite(one)
        if not np.array_equal(usable, np.isfinite(other)):
            return False
        if not np.allclose(one[usable], other[usable], rtol=RELATIVE, atol=ABSOLUTE):
            return False
    return True


def _values(program: Program) -> list[Array]:
    if program.vocabulary == "activation":
        return [np.stack(derivatives(program, _inputs()[None, :], np.array(BETAS)[:, None]))]
    probes = _error_probes() if program.vocabulary == "backprop" else _update_probes()
    context = Context(drop=_drop)
    return [np.asarray(evaluate(program, terms, context), np.float64) for terms in probes]


@functools.cache
def _inputs() -> Array:
    near = np.linspace(-4, 4, 1001)
    return np.concatenate([near, np.linspace(-200, 200, 601)]) + 1e-4


@functools.cache
def _update_probes() -> list[Mapping[str, Array]]:
    probes: list[Mapping[str, Array]] = []
    for gradients in (1, 4, 40):
        rng = np.random.default_rng([_SEED, gradients])
        w, noise, moments = rng.normal(size=600), rng.normal(0, NOISE_STD, 600), Moments()
        history = rng.normal(size=(gradients, 600)) * np.geomspace(1e-6, 10, 600)
        for g in history:
            moments = moments.after(g)
        probes.append(update_operands(history[-1], w, moments, noise, 2 * gradients))
    return probes


@functools.cache
def _error_probes() -> list[Mapping[str, Array]]:
    probes: list[Mapping[str, Array]] = []
    for number, (batch, units, after, outputs, scale) in enumerate([(9, 11, 7, 10, 1.0), (16, 6, 13, 3, 0.01)]):
        rng = np.random.default_rng([_SEED, number])
        p, p_next = 2 * rng.normal(size=(batch, units)), 2 * rng.normal(size=(batch, after))
        weights, feedback = rng.normal(size=(2, units, after)) * scale**0.5
        probes.append(
            backprop_operands(
                p=p,
                h=np.tanh(p),
                slope=1 - np.tanh(p) ** 2,
                p_next=p_next,
                b_next=scale * rng.normal(size=(batch, after)),
                b_last=scale * rng.normal(size=(batch, outputs)),
                weights=weights,
                feedback=feedback,
                direct_feedback=rng.normal(size=(units, outputs)),
            )
        )
    return probes


def _drop(x: Any, rate: float) -> Any:
    """The same mask for every array of a shape and rate."""
    kept = np.random.default_rng([*np.shape(x), round(rate * 10)]).random(np.shape(x)) >= rate
    return np.where(kept, x / (1 - rate), 0)
