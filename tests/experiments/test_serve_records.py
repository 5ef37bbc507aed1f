"""What the live page reads: growing runs, and what of a page has to be sent."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from serve_pages import better, search_run, unfinished_run

from autoglyph.experiments.run import Run
from autoglyph.experiments.serving.place import Place, address, run_place
from autoglyph.experiments.serving.records import Records
from autoglyph.experiments.store import Store, StoreError


@pytest.fixture
def record(tmp_path: Path) -> Path:
    path = tmp_path / "a.db"
    trials = search_run(path, "whole", trials=60, seed=1)
    unfinished_run(path, "going", trials[:25])
    return path


def test_a_run_that_grew_is_the_run_read_afresh(record: Path) -> None:
    records = Records(record)
    trials = Run.open("whole", record).trials
    for end in (25, 40, 41, 60):
        seen = records.run("going")
        assert seen.front.tolist() == Run.open("going", record).front.tolist()
        for name in ("completed", "genes", "active", "parents", "seconds"):
            np.testing.assert_array_equal(getattr(seen, name), getattr(Run.open("going", record), name))
        fresh = Run.open("going", record).metrics
        assert list(seen.metrics) == list(fresh)
        for name, values in seen.metrics.items():
            np.testing.assert_array_equal(values, fresh[name])
        assert records.run("going") is seen, "nothing new, nothing read"
        with Store(record) as store:
            store.append_trials(store.run("going").run, trials[len(seen) : end])
    assert len(records.run("going")) == 60


def test_the_list_follows_the_best(record: Path) -> None:
    records = Records(record)
    (before,) = [s for s in records.summaries() if s.record.name == "going"]
    trials = Run.open("whole", record).trials
    with Store(record) as store:
        store.append_trials(store.run("going").run, [better(trials[0], 25, 99.5)])
    (after,) = [s for s in records.summaries() if s.record.name == "going"]
    assert before.best["top1"] < after.best["top1"] == 99.5 and after.trials == 26
    assert before.best["latency_ms"] >= after.best["latency_ms"]
    assert (before.status, before.budget) == ("running", 1000)


def test_the_stamp_changes_with_its_run_alone(record: Path) -> None:
    records = Records(record)
    going, whole = Place(("run", "going")), Place(("run", "whole"))
    before = records.stamp(going), records.stamp(whole)
    with Store(record) as store:
        store.append_event(store.run("going").run, "interrupted", {})
    assert records.stamp(going) != before[0] and records.stamp(whole) == before[1]


def test_a_run_is_found_by_name_or_number(record: Path) -> None:
    records = Records(record)
    assert records.find("going").name == records.find("~2").name == "going"
    with pytest.raises(StoreError, match="no run"):
        records.find("../a.db")


@given(st.text(), st.integers(1, 10**6), st.integers(0, 10**6))
def test_every_run_has_an_address_that_leads_back(name: str, run: int, trial: int) -> None:
    place = run_place(name, run, trial, "lineage")
    pathname, _, search = place.href.partition("?")
    assert Place.of(pathname, "?" + search) == place
    where = address(name, run)
    assert where in (name, f"~{run}") and "/" not in where and where.strip(".") != ""
