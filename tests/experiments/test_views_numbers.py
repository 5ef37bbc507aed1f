"""The numbers behind the views: exact where it matters, and the same each time."""

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from small_runs import cloud, run_of, store_run, trials

from autoglyph.algorithms import pareto
from autoglyph.experiments.store import Store, StoreError
from autoglyph.experiments.views.comparison import compare
from autoglyph.experiments.views.decisions import importance, side_by_side
from autoglyph.experiments.views.failures import failures
from autoglyph.experiments.views.lineage import lineage
from autoglyph.experiments.views.points import points, reduced
from autoglyph.experiments.views.progress import hypervolumes, progress
from autoglyph.experiments.views.rungs import rungs, shown_curves


@given(st.integers(1, 4), st.integers(1, 40), st.integers(0, 10**6))
def test_hypervolume_over_trials_is_that_of_each_prefix(columns: int, n: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    fitness = rng.integers(0, 7, (n, columns)).astype(float)
    fitness[rng.random(n) < 0.1] = -np.inf
    reference, counts = np.full(columns, 1.0), np.arange(1, n + 1)
    values = hypervolumes(fitness, reference, counts)
    for count, value in zip(counts, values, strict=True):
        usable = fitness[:count][np.isfinite(fitness[:count]).all(axis=1)]
        assert value == pytest.approx(pareto.hypervolume(usable, reference) if len(usable) else 0.0)


@given(st.integers(1, 400), st.integers(2, 9), st.integers(0, 10**6))
def test_the_front_of_three_objectives_is_exact(n: int, levels: int, seed: int) -> None:
    fitness = np.random.default_rng(seed).integers(0, levels, (n, 3)).astype(float)
    beaten = (
        (fitness[:, None] >= fitness[None]).all(axis=2) & (fitness[:, None] > fitness[None]).any(axis=2)
    ).any(axis=0)  # fmt: skip
    assert (pareto.nondominated_mask(fitness) == ~beaten).all()


@given(st.integers(0, 3000), st.integers(10, 500), st.integers(0, 10**6))
def test_a_reduced_cloud_is_small_keeps_the_front_and_is_always_the_same(n: int, limit: int, seed: int) -> None:
    values = cloud(n, seed)
    keep = np.arange(0, n, 97)
    found = reduced(values, limit, keep)
    assert len(found) <= limit + len(keep) and set(keep) <= set(found)
    assert (found == reduced(values, limit, keep)).all()
    if n <= limit:
        assert len(found) == n


def test_a_window_shows_more_of_what_is_in_it() -> None:
    run = run_of(cloud(5000))
    whole = points(run, limit=300)
    window = [(0.0, 60.0), (10.0, 12.0)]
    inside = (run.metrics["latency_ms"] >= 10) & (run.metrics["latency_ms"] <= 12)
    part = points(run, limit=300, window=window)
    assert (part.front == run.front).all() and (whole.front == run.front).all()
    assert inside[part.cloud].sum() > 3 * inside[whole.cloud].sum()


def test_progress_ends_at_the_front_and_knows_the_time(tmp_path: Path) -> None:
    run = store_run(tmp_path / "r.db", trials(cloud(800)))
    made = progress(run)
    assert made.trials[-1] == 800 and made.hypervolume[-1] == pytest.approx(run.hypervolume)
    assert made.best[-1].tolist() == [run.metrics["top1"].max(), run.metrics["latency_ms"].min()]
    assert (np.diff(made.hypervolume) >= 0).all()
    assert made.seconds is not None and 0 <= made.seconds[0] <= made.seconds[-1] < 60


def test_time_leaves_pauses_out(tmp_path: Path) -> None:
    run = store_run(tmp_path / "r.db", trials(cloud(4)))
    run.events = [
        ("2026-01-01T00:00:00+00:00", "started", {}),
        ("2026-01-01T00:00:10+00:00", "interrupted", {}),
        ("2026-01-02T00:00:00+00:00", "resumed", {}),
    ]
    base = 1767225600.0  # 2026-01-01 in UTC
    run._source.column = lambda name: [base + 2, base + 10, base + 86_400 + 1, base + 86_400 + 5]  # type: ignore[method-assign]
    assert run.searched_s is not None
    assert run.searched_s.tolist() == [2, 10, 11, 15]


def test_a_stored_run_equals_one_in_memory_and_stays_what_it_was(tmp_path: Path) -> None:
    records = trials(cloud(60), [[i - 1] if i else [] for i in range(60)])
    run, same = store_run(tmp_path / "r.db", records[:50]), run_of(cloud(60)[:50])
    with Store(tmp_path / "r.db") as store:
        store.append_trials(1, records[50:])
    assert len(run) == 50 and run.trials == records[:50] and run.trial(7) == records[7]
    assert (run.front == same.front).all() and (run.genes == same.genes).all()
    assert run.parents[:3].tolist() == [[-1, -1], [0, -1], [1, -1]]
    assert run.decisions_of([3, 4]) == [run.decisions(3), run.decisions(4)]
    assert run.members.frame()["trial"].tolist() == run.front.tolist()
    with pytest.raises(StoreError, match="no trial 50"):
        run.trial(50)


def test_a_reader_waits_for_no_writer_and_writes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "r.db"
    store_run(path, trials(cloud(5)))
    with Store(path) as writer, Store(path, read_only=True) as reader, writer._transaction():
        assert reader.trial_count(1) == 5
        with pytest.raises(StoreError, match="permissions"):
            reader.append_event(1, "x")


def test_decisions_and_their_importance() -> None:
    run = run_of(cloud(400))
    found = importance(run)
    assert found.names[0] == "width" and found.r2 > -1 and (found.values == importance(run).values).all()
    seen = side_by_side(run, limit=60)
    assert set(run.front) <= set(seen.trials) and len(seen.trials) <= 60
    layers = next(d for d in seen.decisions if d.name.endswith("layers"))
    assert (np.isnan(layers.values) == (run.genes[seen.trials, 2] == 0)).all()
    with pytest.raises(ValueError, match="needs 40 trials"):
        importance(run_of(cloud(20)))


def test_lineage_follows_recorded_parents_and_says_when_there_are_none() -> None:
    run = run_of(cloud(6), [[], [], [0], [2, 1], [3], []])
    found = lineage(run, 4)
    assert found.recorded and found.generations == {4: 0, 3: 1, 2: 2, 1: 2, 0: 3}
    assert {(s.parent, s.child) for s in found.steps} == {(3, 4), (2, 3), (1, 3), (0, 2)}
    for step in found.steps:
        before, after = run.decisions(step.parent), run.decisions(step.child)
        assert {c.name for c in step.changes} == {n for n in before | after if before.get(n) != after.get(n)}
    assert lineage(run, 2).children == [3]
    alone = lineage(run_of(cloud(6)), 5)
    assert not alone.recorded and [s.child for s in alone.steps] == [5]


def test_rungs_and_failures() -> None:
    reached = [1, 3, 2, 3]
    texts = [json.dumps([{"top1": 10.0 * (r + 1) + i} for r in range(n)]) for i, n in enumerate(reached)]
    status = ["completed", "completed", "completed", "failed"]
    run = run_of(cloud(4), rungs=texts, status=status, error=[None, None, None, "Traceback\nValueError: <b>no</b>\n"])
    run.events = [("2026-01-01T00:00:00+00:00", "hurdle", {"rung": 0, "value": 11.0, "children": 3})]
    seen = rungs(run)
    assert seen.reached.tolist() == reached and seen.stopped().tolist() == [1, 1, 1]
    assert seen.values[1].tolist() == [11.0, 21.0, 31.0] and np.isnan(seen.values[0, 1:]).all()
    assert seen.hurdles[0].value == 11.0 and len(shown_curves(seen, 3)) <= 4
    (failure,) = failures(run)
    assert failure.cause == "ValueError: <b>no</b>" and failure.trials == [3]


def test_comparison_over_seeds() -> None:
    runs = [run_of(cloud(300, seed), name=f"r{seed}") for seed in range(3)]
    for seed, run in enumerate(runs):
        run.record.experiment["seed"] = seed
    found = compare(runs)
    assert found.groups == [[0, 1, 2]] and [a.share for a in found.attainment[0]] == [1 / 3, 2 / 3, 1.0]
    best, middle, worst = found.attainment[0]
    for level in np.linspace(5, 50, 10):
        reached = sorted((r.metrics["top1"][r.metrics["latency_ms"] <= level].max() for r in runs), reverse=True)
        for attained, wanted in zip((best, middle, worst), reached, strict=True):
            within = attained.second <= level
            assert not within.any() or attained.first[within].max() == wanted
    for growth, volume in zip(found.growth, found.hypervolume, strict=True):
        assert growth.values[-1] == pytest.approx(volume)
