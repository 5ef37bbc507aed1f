"""`autoglyph new`: a domain file to begin with."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from autoglyph.experiments.commands import _common
from autoglyph.experiments.commands._common import JsonOption

PANEL, ORDER = _common.SEARCH_PANEL, 12


def command(
    name: Annotated[str, typer.Argument(help="Of the domain and its file, such as my_domain.")],
    folder: Annotated[Path, typer.Option(metavar="FOLDER", help="Where to write it.")] = Path("."),
    as_json: JsonOption = False,
) -> None:
    """Write a small commented domain file to begin with."""
    from autoglyph.experiments.checking.template import write_domain

    path = write_domain(name, folder)
    if as_json:
        _common.print_json({"file": str(path)})
        return
    print(f"Wrote {path}: a space, two ways to score it, and its objectives. Next:")
    print(f"  autoglyph check {path}")
    print(f"  autoglyph search {path} --trials 200")
