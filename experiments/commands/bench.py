"""`autoglyph bench`: measured ratios against named peers, in one run on this machine."""

from __future__ import annotations

import importlib
import inspect
from pathlib import Path
from typing import Annotated, Any

import typer

from autoglyph.experiments.commands import _common
from autoglyph.experiments.commands._common import JsonOption

PANEL, ORDER = _common.REFERENCE_PANEL, 43
_PACKAGE = "autoglyph.experiments.benchmarks"


def command(
    name: Annotated[str | None, typer.Argument(help="Name of a benchmark; without it, they are listed.")] = None,
    table: Annotated[
        Path | None, typer.Option(metavar="TABLE.csv", help="A tabular benchmark, for those that can use one.")
    ] = None,
    png: Annotated[Path | None, typer.Option(metavar="FILE", help="A picture, of those that draw one.")] = None,
    quick: Annotated[bool, typer.Option("--quick", help="A small size that only shows that it works.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Measure Autoglyph against its peers."""
    from autoglyph.search_spaces import plugins

    modules = {n: importlib.import_module(f"{_PACKAGE}.{n}") for n in plugins.module_names(_PACKAGE)}
    benchmarks = {n: m for n, m in modules.items() if hasattr(m, "run")}
    if name is None:
        rows = [{"bench": n, "description": (m.__doc__ or "").strip().splitlines()[0]} for n, m in benchmarks.items()]
        if as_json:
            _common.print_json(rows)
        else:
            _common.print_table("Benchmarks", ["bench", "description"], [list(r.values()) for r in rows])
        return
    if name not in benchmarks:
        raise plugins.unknown_name("benchmark", name, benchmarks)
    run = benchmarks[name].run
    wanted: dict[str, Any] = {key: path for key, path in (("table", table), ("picture", png)) if path is not None}
    for key in wanted:
        if key not in inspect.signature(run).parameters:
            raise ValueError(f"The benchmark {name} has no {key}: leave out --{'png' if key == 'picture' else key}.")
    result = run(quick=quick, **wanted)
    if as_json:
        _common.print_json(result)
        return
    _common.print_table(f"bench {name}: ours against a peer", ["ratio", "value"], list(result["ratios"].items()))
    _common.print_table("Figures", ["figure", "value"], list(result["figures"].items()))
