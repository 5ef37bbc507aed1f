import json
import sqlite3

import pytest

from autoglyph.experiments.run import Run

SEARCH = ("search", "toy.py", "--trials", "300", "--json")


def test_a_search_reports_the_front_it_recorded(toy, run_cli):
    done = run_cli(*SEARCH, "--run", "first", "--html", "front.html", "--png", "front.png")
    assert done.code == 0, done.err
    result = done.json
    assert set(result) >= {"run", "trials", "wall_s", "trials_per_s", "hypervolume", "front"}
    assert result["run"] == "first" and result["trials"] == 300 and result["reason"] == "budget"
    run = Run.open("first")
    assert [entry["trial"] for entry in result["front"]] == run.front.tolist()
    for entry in result["front"]:
        assert set(entry) == {"trial", "objectives", "individual"}
        assert set(entry["objectives"]) == {"quality", "price"}
    qualities = [entry["objectives"]["quality"] for entry in result["front"]]
    prices = [entry["objectives"]["price"] for entry in result["front"]]
    assert qualities == sorted(qualities) and prices == sorted(prices)
    assert (toy.parent / "front.png").read_bytes().startswith(b"\x89PNG")
    page = (toy.parent / "front.html").read_text()
    assert "<script src=" not in page, "the page opens offline"


def test_equal_seeds_give_equal_records_and_others_do_not(toy, run_cli):
    for name, seed in (("a", "1"), ("b", "1"), ("c", "2")):
        assert run_cli(*SEARCH, "--run", name, "--seed", seed).code == 0
    digests = {name: Run.open(name).digest() for name in "abc"}
    assert digests["a"] == digests["b"] != digests["c"]


@pytest.mark.parametrize("algorithm", ["random", "regularized_evolution", "tournament_evolution"])
def test_one_objective_with_every_kind_of_algorithm(toy, run_cli, algorithm):
    done = run_cli(*SEARCH, "--algorithm", algorithm, "--objective", "max:quality")
    assert done.code == 0, done.err
    assert len(done.json["front"]) == 1


def test_a_finished_run_can_get_more_trials_and_equals_a_longer_one(toy, run_cli):
    assert run_cli("search", "toy.py", "--trials", "130", "--run", "short", "--json").code == 0
    assert run_cli("resume", "short", "--trials", "300", "--json").code == 0
    assert run_cli(*SEARCH, "--run", "long").code == 0
    assert Run.open("short").digest() == Run.open("long").digest()
    refused = run_cli("resume", "short", "--trials", "200")
    assert refused.code == 2 and "give --trials 300 or more" in refused.err


def test_constraints_refuse_before_a_trial_is_spent(toy, run_cli):
    done = run_cli(*SEARCH, "--constraint", "price<=20", "--run", "cheap")
    assert done.code == 0, done.err
    assert done.json["refused"] > 0 and done.json["trials"] == 300
    assert Run.open("cheap").metrics["price"].max() <= 20
    assert (
        run_cli("search", "toy.py", "--trials", "100", "--constraint", "price<=20", "--run", "half", "--json").code == 0
    )
    assert run_cli("resume", "half", "--trials", "300", "--json").code == 0
    assert Run.open("half").digest() == Run.open("cheap").digest()


def test_impossible_constraints_end_the_search(toy, run_cli):
    done = run_cli(*SEARCH, "--constraint", "price<=-1")
    assert done.code == 0 and done.json["trials"] == 0 and done.json["reason"] == "exhausted"


def test_trained_children_report_rungs_and_failures(toy, run_cli):
    done = run_cli("search", "toy.py:TRAINED", "--trials", "40", "--run", "t", "--json")
    assert done.code == 0, done.err
    assert done.json["failed"] > 0
    run = Run.open("t")
    failed = [t for t in run.trials if t.status == "failed"]
    assert all("too wide <script>" in t.error for t in failed)
    completed = [t for t in run.trials if t.status == "completed"]
    assert all(len(json.loads(t.rungs)) == 2 for t in completed)
    assert run_cli("search", "toy.py:TRAINED", "--trials", "15", "--run", "u", "--json").code == 0
    assert run_cli("resume", "u", "--trials", "40", "--json").code == 0
    assert Run.open("u").digest() == run.digest()


def test_settings_reach_algorithm_and_record(toy, run_cli):
    done = run_cli(*SEARCH, "--run", "s", "--set", "algorithm.population_size=20", "--set", "seed=5")
    assert done.code == 0, done.err
    experiment = Run.open("s").record.experiment
    assert experiment["algorithm"]["settings"]["population_size"] == 20 and experiment["seed"] == 5


def test_text_output_draws_the_front(toy, run_cli):
    done = run_cli("search", "toy.py", "--trials", "50")
    assert done.code == 0, done.err
    assert "Pareto front" in done.out and "Recorded as toy-1" in done.out and "autoglyph show toy-1" in done.out


def test_the_inspecting_commands_agree(toy, run_cli):
    result = run_cli(*SEARCH, "--run", "r").json
    assert run_cli("pareto", "r", "--json", "--csv", "all.csv").json["front"] == result["front"]
    assert len((toy.parent / "all.csv").read_text().splitlines()) == 301
    (listed,) = run_cli("runs", "--json").json
    assert listed["run"] == "r" and listed["trials"] == 300 and listed["status"] == "finished"
    trial = result["front"][0]["trial"]
    shown = run_cli("show", "r", str(trial), "--json").json
    assert shown["individual"] == result["front"][0]["individual"] and shown["on_front"]
    assert run_cli("show", "r", "--json").json["digest"] == Run.open("r").digest()
    for arguments in (("runs",), ("show", "r"), ("show", "r", str(trial)), ("pareto", "r")):
        assert run_cli(*arguments).code == 0


def test_a_space_that_runs_out_ends_the_search(toy, run_cli):
    toy.write_text(
        "import pyglove as pg\nfrom autoglyph.search_spaces import SearchSpace\n"
        "from autoglyph.experiments import Domain, maximize\n"
        "space = SearchSpace('tiny', pg.Dict(a=pg.oneof([1, 2, 3]), b=pg.oneof([1, 2])))\n"
        "DOMAIN = Domain(space=space, score=lambda c: {'score': c.column('a') * c.column('b')},"
        " objectives=[maximize('score')])\n"
    )
    for algorithm in ("exhaustive", "random", "regularized_evolution"):
        result = run_cli(*SEARCH, "--algorithm", algorithm).json
        assert result["trials"] == 6 and result["reason"] == "exhausted"
        assert result["front"][0]["objectives"] == {"score": 6.0}


def test_records_are_plain_json_in_sqlite(toy, run_cli):
    assert run_cli(*SEARCH).code == 0
    database = sqlite3.connect(toy.parent / "autoglyph.db")
    best = database.execute("SELECT max(json_extract(metrics, '$.quality')) FROM trials").fetchone()[0]
    database.close()
    assert best == pytest.approx(max(Run.open("toy-1").metrics["quality"]))
