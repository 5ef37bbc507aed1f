"""Proposals per second of a search for activation functions, against ordinary Keras processes.

Both are random searches on two Ray workers with the same data, network and steps, timed once they are warm. Ours trains
in NumPy, and candidates that compute the same once; a Keras worker fits a fresh model for every proposal. Ours is
measured before and after Keras, so that a busy machine is busy for both.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import Any

from autoglyph.experiments.executors.base import ExecutorOptions
from autoglyph.experiments.experiment import define, describe, describe_columns
from autoglyph.experiments.search import Progress, Search
from autoglyph.experiments.store import Store

WORKERS = 2
_IN_FLIGHT = 16
_DOMAIN = "activation"
_OURS = {"program.backend": "numpy", "fingerprints": "true"}
_KERAS = {"program.backend": "keras", "fingerprints": "false"}


def run(*, quick: bool = False) -> dict[str, Any]:
    """Measures both on an instance of Ray that is started here.

    Args:
        quick: fewer proposals.

    Returns:
        "ratios": how many times the proposals of two Keras processes the search completes, with the fingerprint cache
        and without it; "figures": proposals a second and the share that was not trained.
    """
    from autoglyph.experiments.executors.ray_instance import start_or_connect

    proposals, fits = (300, 8) if quick else (900, 24)
    instance = start_or_connect(None, cpus=WORKERS)
    try:
        first, saved = _proposals_per_s("ours with fingerprints", proposals, _OURS)
        plain, _ = _proposals_per_s("ours without fingerprints", proposals // 2, {**_OURS, "fingerprints": "false"})
        keras, _ = _proposals_per_s("Keras", fits, _KERAS)
        last, _ = _proposals_per_s("ours with fingerprints again", proposals, _OURS)
    finally:
        instance.stop()
    ours = (first * last) ** 0.5
    return {
        "bench": "expression_search",
        "ratios": {"keras_processes": ours / keras, "keras_processes_without_fingerprints": plain / keras},
        "figures": {
            "proposals_per_s": ours,
            "proposals_per_s_before_keras": first,
            "proposals_per_s_after_keras": last,
            "proposals_per_s_without_fingerprints": plain,
            "keras_proposals_per_s": keras,
            "share_not_trained": saved,
            "workers": WORKERS,
        },
    }


def _proposals_per_s(what: str, proposals: int, settings: dict[str, str]) -> tuple[float, float]:
    """Proposals a second that a random search records, from the time when a quarter are there; share not trained."""
    print(f"bench expression_search: {what}", file=sys.stderr)
    experiment, domain = define(_DOMAIN, algorithm="random", trials=proposals, in_flight=_IN_FLIGHT, settings=settings)
    search = Search(experiment, domain, executor="ray", options=ExecutorOptions(workers=WORKERS))
    seen: list[Progress] = []
    with tempfile.TemporaryDirectory() as folder, Store(Path(folder) / "bench.db", create=True) as store:
        record = store.create_run("bench", "bench", describe(experiment, domain), describe_columns(domain))
        finished = search.run(store, record, seen.append)
        trials = store.trials(record.run)
    if len(trials) != proposals:
        raise RuntimeError(f"{len(trials)} of {proposals} proposals were recorded ({finished.reason}).")
    warm = next(progress for progress in seen if progress.trials >= proposals // 4)
    rate = (len(trials) - warm.trials) / (finished.wall_s - warm.elapsed_s)
    return rate, sum(trial.rungs is None for trial in trials) / len(trials)
