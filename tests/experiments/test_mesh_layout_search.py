"""Searching mesh layouts finds what trying all of them finds: batch by {heads, d_ff, vocab}."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from autoglyph.experiments.domain import Candidates, load_domain
from autoglyph.experiments.run import Run
from autoglyph.hardware_models import load_device
from autoglyph.hardware_models.parallel.mesh import estimate_layout
from autoglyph.search_spaces.spaces.mesh_layout import PROGRAM

BEST = {"batch": "x", "heads": "y", "d_ff": "y", "vocab": "y"}
MIRRORED = {dim: "xy"[axis == "x"] for dim, axis in BEST.items()}


def test_the_optimum_of_all_layouts_is_batch_by_heads_d_ff_and_vocab() -> None:
    domain = load_domain("mesh_layout")
    genome = domain.space.genome
    rows = genome.rows_at(0, genome.size)
    rows = rows[domain.space.feasible(rows)]
    assert domain.score is not None
    scores = domain.score(Candidates(genome, rows))
    order = np.argsort(scores["step_ms"], kind="stable")
    best = genome.decode(rows[order[0]])
    assert best.mesh == "8x8" and best.layout == BEST
    assert scores["step_ms"][order[0]] < scores["step_ms"][order[1]]
    one = estimate_layout(PROGRAM, load_device("tpu_v3:datasheet"), best.mesh_sizes, best.layout)
    assert one.step_s * 1e3 == pytest.approx(scores["step_ms"][order[0]], rel=1e-12)
    assert one.memory_bytes / 1e9 == pytest.approx(scores["memory_gb"][order[0]], rel=1e-12)
    for mesh in ("32x2", "16x4"):
        (fastest, *_) = [i for i in order if genome.decode(rows[i]).mesh == mesh]
        assert genome.decode(rows[fastest]).layout in (BEST, MIRRORED)


@pytest.mark.parametrize("algorithm", ["exhaustive", "regularized_evolution"])
def test_searches_find_the_optimum(
    run_cli: Callable, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, algorithm: str
) -> None:
    monkeypatch.chdir(tmp_path)
    trials = "1000" if algorithm == "exhaustive" else "300"
    options = ("--algorithm", algorithm, "--trials", trials, "--objective", "min:step_ms", "--run", "r", "--json")
    found = run_cli("search", "mesh_layout", *options)
    assert found.code == 0, found.err
    run = Run.open("r", "autoglyph.db")
    genome = load_domain("mesh_layout").space.genome
    trial = run.trial(int(run.front[0]))
    point = genome.decode(genome.from_json(json.loads(trial.genes)))
    assert point.mesh == "8x8" and point.layout == BEST


def test_the_default_search_finds_the_front_of_all_layouts(
    run_cli: Callable, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name, options in {
        "all": ("--algorithm", "exhaustive", "--trials", "1000"),
        "some": ("--trials", "300"),
    }.items():
        assert run_cli("search", "mesh_layout", *options, "--run", name, "--json").code == 0
    fronts = [
        sorted(run.trial(int(trial)).genes for trial in run.front)
        for run in (Run.open(name, "autoglyph.db") for name in ("all", "some"))
    ]
    assert fronts[0] == fronts[1] and len(fronts[0]) > 1
