"""Bad input gets one sentence that names the fix, exit code 2, and costs nothing that was recorded."""

import re

import pytest

from autoglyph.experiments.run import Run

CASES = {
    "unknown space": (("search", "eficientnet"), "did you mean 'efficientnet'"),
    "unknown device": (("search", "efficientnet", "--device", "tpu_v33"), "did you mean 'tpu_v3'"),
    "unknown algorithm": (("search", "toy.py", "--algorithm", "nsga3"), "did you mean 'nsga2'"),
    "missing file": (("search", "nothing.py"), "check the path"),
    "missing name in file": (("search", "toy.py:OTHER"), "defines no OTHER"),
    "unknown metric": (("search", "toy.py", "--objective", "max:qualty"), "did you mean 'quality'"),
    "unreadable objective": (("search", "toy.py", "--objective", "more quality"), "max:METRIC"),
    "unreadable constraint": (("search", "toy.py", "--constraint", "price<5"), "METRIC<=NUMBER"),
    "unknown setting": (("search", "toy.py", "--set", "algorithm.populaton_size=3"), "algorithm.population_size"),
    "setting of a wrong type": (("search", "toy.py", "--set", "algorithm.population_size=many"), "does not take"),
    "setting out of range": (("search", "toy.py", "--set", "algorithm.population_size=0"), "population_size"),
    "no trials": (("search", "toy.py", "--trials", "0"), "at least one trial"),
    "negative seed": (("search", "toy.py", "--seed", "-1"), "seed of 0 or more"),
    "option value of a wrong type": (("search", "toy.py", "--trials", "ten"), "'--trials'.*integer.*--help"),
    "unknown option": (("search", "toy.py", "--trails", "10"), "--trails"),
    "two objectives for one": (("search", "toy.py", "--algorithm", "regularized_evolution"), "choose nsga2"),
    "unknown accuracy": (("search", "efficientnet", "--accuracy", "measured"), "trained"),
    "unknown run": (("show", "other"), "its runs: kept"),
    "unknown trial": (("show", "kept", "999"), "0 to 29"),
    "run name taken": (("search", "toy.py", "--run", "kept"), "autoglyph resume kept"),
    "record absent": (("runs", "--store", "absent.db"), "run a search first"),
    "foreign record": (("runs", "--store", "toy.py"), "not a record"),
    "replay without a name": (("replay", "kept"), "RUN:TRIAL"),
    "replay of no network": (("replay", "kept:0", "--summary"), "are no networks"),
    "replay of an unknown individual": (("replay", "efficientnet_x:x-b9", "--summary"), "'x-b8'|x-b"),
    "cost on an unknown device": (("cost", "efficientnet_x:x-b0", "--device", "tpu9"), "tpu_v"),
    "unknown benchmark": (("bench", "genom"), "did you mean 'genome'"),
    "picture of an unknown format": (("pareto", "kept", "--png", "x.bmp"), r"\.png"),
    "page in a missing folder": (("pareto", "kept", "--html", "no/x.html"), "no folder"),
}


@pytest.mark.parametrize("case", CASES)
def test_bad_input(case, toy, run_cli):
    arguments, fix = CASES[case]
    assert run_cli("search", "toy.py", "--trials", "30", "--run", "kept", "--json").code == 0
    before = Run.open("kept").digest()
    done = run_cli(*arguments)
    assert done.code == 2, done
    assert done.out == ""
    assert re.search(fix, done.err), done.err
    assert "Traceback" not in done.err
    assert Run.open("kept").digest() == before
    assert [r["run"] for r in run_cli("runs", "--json").json] == ["kept"], "nothing was left behind"


def test_a_record_of_another_space_is_not_decoded(toy, run_cli):
    assert run_cli("search", "toy.py", "--trials", "30", "--run", "kept", "--json").code == 0
    toy.write_text(toy.read_text().replace("[8, 16, 32, 64]", "[8, 16, 32, 64, 128]"))
    for command in (("resume", "kept", "--trials", "60"), ("replay", "kept:0")):
        done = run_cli(*command)
        assert done.code == 2 and "another version of the space" in done.err
    assert run_cli("pareto", "kept", "--json").code == 0, "reading needs no space"


def test_debug_shows_where_it_happened(toy, run_cli, monkeypatch):
    monkeypatch.setenv("AUTOGLYPH_DEBUG", "")
    with pytest.raises(ValueError, match="Unknown search space"):
        run_cli("--debug", "search", "nothing")
