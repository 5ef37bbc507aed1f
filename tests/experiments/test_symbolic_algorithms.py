"""Experiments with algorithms as values: flows, and PyGlove's generators, recorded, described and resumed."""

from collections.abc import Callable
from pathlib import Path

import pyglove as pg
import pytest

from autoglyph.algorithms.joint import Joint
from autoglyph.algorithms.nested import Nested
from autoglyph.algorithms.pyglove_generator import PyGloveGenerator
from autoglyph.algorithms.separate import Separate
from autoglyph.experiments import Run, Store, load_domain, maximize
from autoglyph.experiments.experiment import Experiment, define, describe, describe_columns, from_description
from autoglyph.experiments.search import Search

EVOLUTION = pg.evolution.regularized_evolution(population_size=6, tournament_size=3)


def recorded(experiment: Experiment, store: Path, trials: int, run: str = "r") -> Run:
    """Runs or continues an experiment."""
    domain = load_domain(experiment.domain)
    with Store(store, create=True) as opened:
        if run not in [r.name for r in opened.runs()]:
            opened.create_run(run, "", describe(experiment, domain), describe_columns(domain))
        again, domain = from_description(opened.run(run).experiment)
        again.rebind(trials=trials, raise_on_no_change=False)
        Search(again, domain).run(opened, opened.run(run))
    return Run.open(run, store)


def test_an_experiment_takes_a_generator_of_pyglove_as_its_algorithm(toy: Path) -> None:
    experiment = Experiment(
        domain=str(toy), algorithm=EVOLUTION.clone(), objectives=[maximize("quality")], accuracy="score"
    )
    assert isinstance(experiment.algorithm, PyGloveGenerator)
    experiment.rebind({"algorithm.generator.population_update.n": 5, "seed": 3}, raise_on_no_change=False)
    whole = recorded(experiment, toy.parent / "a.db", 30)
    recorded(experiment, toy.parent / "b.db", 11)
    parts = recorded(experiment, toy.parent / "b.db", 30)
    assert len(whole) == 30 and whole.digest() == parts.digest()


def test_flows_as_values_are_recorded_and_resumed(toy: Path) -> None:
    flow = Separate(part="head", trials=8, then=Nested(outer_part="width", inner_trials=5, inner=Joint(trials=4)))
    experiment, _ = define(str(toy), algorithm=flow, objectives=["max:quality"], trials=40, seed=1)
    whole = recorded(experiment, toy.parent / "a.db", 40)
    recorded(experiment, toy.parent / "b.db", 17)
    parts = recorded(experiment, toy.parent / "b.db", 40)
    assert len(whole) == 40 and whole.digest() == parts.digest()
    held = {t.genes.split(",")[0] for t in whole.trials[:4]}
    assert len(held) == 1, "the width is held while the head varies"


def test_flows_are_searched_by_command_line(toy: Path, run_cli: Callable) -> None:
    settings = ("--set", "algorithm.part=head", "--set", "algorithm.trials=6", "--objective", "max:quality")
    done = run_cli("search", toy, "--algorithm", "separate", *settings, "--trials", "20", "--run", "s", "--json")
    assert done.code == 0, done.err
    assert run_cli("resume", "s", "--trials", "24", "--json").code == 0


def test_a_flow_with_code_is_kept_in_a_file(toy: Path, run_cli: Callable) -> None:
    experiment, domain = define(str(toy), algorithm=Separate(part=pg.hyper.Float), objectives=["max:quality"])
    with pytest.raises(ValueError, match=r"'part' of Separate holds code \(Float\).*my\.py:ALGORITHM"):
        describe(experiment, domain)
    (toy.parent / "flow.py").write_text(
        "import pyglove as pg\nfrom autoglyph.algorithms.separate import Separate\n"
        "ALGORITHM = Separate(part=pg.hyper.Float, trials=6)\n"
    )
    done = run_cli("search", toy, "--algorithm", "flow.py", "--objective", "max:quality", "--trials", "12",
                   "--run", "f", "--json")  # fmt: skip
    assert done.code == 0, done.err
    assert run_cli("resume", "f", "--trials", "14", "--json").code == 0
    first = [t.genes.split(",") for t in Run.open("f", "autoglyph.db").trials[:6]]
    assert len({(g[0], g[2], g[3]) for g in first}) == 1, "only the float varies at first"


@pytest.mark.parametrize("algorithm", ["random", "regularized_evolution", "reinforce", "ppo"])
def test_one_child_program_is_searched_by_every_kind_of_algorithm_without_an_edit(
    algorithm: str, toy: Path, run_cli: Callable
) -> None:
    before = toy.read_bytes()
    done = run_cli("search", f"{toy}:TRAINED", "--algorithm", algorithm, "--trials", "20", "--run", algorithm, "--json")
    assert done.code == 0 and done.json["trials"] == 20, done.err
    assert toy.read_bytes() == before
    assert Run.open(algorithm, "autoglyph.db").metrics["quality"].shape == (20,)
