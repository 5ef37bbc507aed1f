"""Existing code as spaces: traced functions, symbolised classes, rewritten programs, and the page about them."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyglove as pg
import pytest

from autoglyph.experiments import Run
from autoglyph.search_spaces import SearchSpace
from autoglyph.search_spaces.existing_code import TracedFunction, rewritten

DOCS = Path(__file__).parents[2] / "docs"


def blocks(page: str) -> list[str]:
    return [part.partition("```")[0] for part in (DOCS / page).read_text().split("```python\n")[1:]]


def test_a_traced_function_is_run_with_the_choices_of_an_individual() -> None:
    def program() -> float:
        inner = pg.oneof([lambda: pg.oneof([1, 2, 3]), lambda: pg.floatv(0.5, 1.0), 7])
        return float(inner + sum(pg.manyof(2, [10, 20, 40])))

    traced = TracedFunction("f", program)
    genome = traced.space.genome
    values = {traced(genome.decode(row)) for row in genome.random(400, np.random.default_rng(0))}
    whole = {v for v in values if v == int(v)}
    assert whole == {a + b for a in (1, 2, 3, 7) for b in (30, 50, 60)}
    assert all(0.5 <= v % 10 <= 1.0 for v in values - whole) and len(values - whole) > 50
    with pytest.raises(ValueError, match="chooses nothing"):
        TracedFunction("g", lambda: 3)


def test_where_leaves_other_choices_alone() -> None:
    traced = TracedFunction("f", lambda: pg.oneof([1, 2], name="a"), where=lambda hyper: hyper.name == "a")
    assert traced.space.size == 2


def test_rules_rewrite_a_static_program_and_leave_it_as_it_is() -> None:
    program = pg.Dict(a=pg.Dict(kernel=3), b=pg.Dict(kernel=5), c="x")
    space = rewritten("r", program, lambda path, value: pg.oneof([3, 5, 7]) if path.key == "kernel" else value)
    assert space.size == 9 and pg.is_deterministic(program)
    row = space.genome.encode(space.individual("program"))
    assert pg.eq(space.genome.decode(row), program)
    with pytest.raises(ValueError, match="put no choice"):
        rewritten("r", program, {"c": "y"})
    with pytest.raises(ValueError, match=r"pg\.symbolize"):
        rewritten("r", [1, 2], {})


def test_the_traced_function_of_the_page_is_checked_and_searched(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, run_cli: Callable
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("traced.py").write_text(blocks("existing_code.md")[0])
    assert run_cli("check", "traced.py").code == 0
    done = run_cli("search", "traced.py", "--trials", "60", "--run", "t", "--json")
    assert done.code == 0, done.err
    run = Run.open("t")
    assert run.metrics["quality"].max() <= 128 and {c["name"] for c in run.record.columns} >= {"width", "head"}
    assert run_cli("show", "t", "0").code == 0


def test_the_pipeline_of_the_page_is_checked_and_trained(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, run_cli: Callable
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("pipeline.py").write_text(blocks("existing_code.md")[1])
    checked = run_cli("check", "pipeline.py")
    assert checked.code == 0, checked.err
    done = run_cli("search", "pipeline.py", "--trials", "6", "--run", "p", "--json")
    assert done.code == 0 and done.json["failed"] == 0, done.err
    assert Run.open("p").metrics["accuracy"].max() > 60


@pytest.mark.slow
def test_the_keras_function_of_the_page_builds_what_is_chosen() -> None:
    names: dict[str, Any] = {}
    exec(blocks("existing_code.md")[2], names)
    space: SearchSpace = names["space"]
    row = space.genome.random(1, np.random.default_rng(0))[0]
    model = space.genome.decode(row)()
    width = [8, 16][int(row[0])]
    assert model.count_params() == 65 * width + 10 * (width + 1)


def test_the_other_examples_of_the_page_run(toy: Path) -> None:
    for block in blocks("existing_code.md")[3:]:
        names: dict[str, Any] = {}
        exec(block, names)
    assert names["patched"].algorithm.population_size == 16 and names["patched"].seed == 7
