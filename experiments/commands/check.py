"""`autoglyph check`: whether a domain keeps the contracts that every domain keeps."""

from __future__ import annotations

from typing import Annotated

import typer

from autoglyph.experiments.commands import _common
from autoglyph.experiments.commands._common import JsonOption

PANEL, ORDER = _common.SEARCH_PANEL, 13


def command(
    domain: Annotated[str, typer.Argument(help="A search space by name, or file.py[:NAME].")],
    seconds: Annotated[
        float, typer.Option(min=0.0, help="After which a child program is stopped between two measurements.")
    ] = 20.0,
    data: Annotated[str | None, typer.Option(help="Data that a child program trains on.")] = None,
    as_json: JsonOption = False,
) -> int:
    """Check a domain before searching it: line and fix of what is wrong."""
    from autoglyph.experiments.checking.check import check_domain

    report = check_domain(domain, seconds=seconds, data=data)
    if as_json:
        _common.print_json(report.to_json())
    else:
        rows = [["broken" if f.problem else "kept", f.contract, f.note or ""] for f in report.findings]
        _common.print_table(f"Contracts of {domain}", ["", "contract", "found"], rows)
    for finding in report.problems:
        _common.note(report.sentence(finding))
    return 0 if report.ok else 2
