"""Records of a few trials, made without a search."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from autoglyph.experiments.run import Run
from autoglyph.experiments.store import RunRecord, Store, TrialRecord

COLUMNS: list[dict[str, Any]] = [
    {"name": "width", "kind": "choice", "candidates": [8, 16, 32], "bounds": None, "parent": -1, "parent_value": -1},
    {"name": "rate", "kind": "float", "candidates": [], "bounds": [0.0, 1.0], "parent": -1, "parent_value": -1},
    {"name": "head", "kind": "choice", "candidates": ["flat", "deep"], "bounds": None, "parent": -1,
     "parent_value": -1},
    {"name": "head[=1/2].layers", "kind": "choice", "candidates": [1, 2], "bounds": None, "parent": 2,
     "parent_value": 1},
]  # fmt: skip
TWO = [{"kind": "maximize", "metric": "top1"}, {"kind": "minimize", "metric": "latency_ms"}]


def experiment(**changes: Any) -> dict[str, Any]:
    described = {
        "domain": "nowhere.py", "space": "small", "digest": "0", "objectives": TWO, "trials": 10, "seed": 0,
        "algorithm": {"name": "random", "settings": {}}, "device": "tpu_v3", "batch": None, "accuracy": "trained",
        "accuracy_source": "trained", "constraints": [], "data": "digits", "program": None,
    }  # fmt: skip
    return {**described, **changes}


def trials(values: np.ndarray, parents: Sequence[Sequence[int]] = (), **fields: Any) -> list[TrialRecord]:
    """Trials of (n, 2) top-1 and latency, with decisions that decide the first of them."""
    rng = np.random.default_rng(0)
    made = []
    for i, (top1, latency) in enumerate(values.tolist()):
        genes = [int(top1) % 3, round(float(rng.random()), 3), i % 2, (i // 2) % 2 if i % 2 else 0]
        metrics = {"top1": top1, "latency_ms": latency, "madds": 1e6 + i}
        lineage = json.dumps(list(parents[i])) if parents else "[]"
        record = TrialRecord(i, i, "completed", json.dumps(genes), lineage, json.dumps(metrics), None, 0.5, None)
        made.append(record._replace(**{k: v[i] for k, v in fields.items()}))
    return made


def run_of(values: np.ndarray, parents: Sequence[Sequence[int]] = (), *, name: str = "r", **fields: Any) -> Run:
    record = RunRecord(1, name, "2026-01-01T00:00:00+00:00", experiment(), COLUMNS)
    return Run(record, trials(values, parents, **fields))


def store_run(path: Path, records: Sequence[TrialRecord], name: str = "r", **changes: Any) -> Run:
    with Store(path, create=True) as store:
        record = store.create_run(name, "r", experiment(**changes), COLUMNS)
        store.append_event(record.run, "started", {"budget": len(records)})
        store.append_trials(record.run, records)
    return Run.open(name, path)


def cloud(n: int, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return np.stack([rng.integers(0, 60, n).astype(float), rng.random(n) * 50 + 1], axis=1)
