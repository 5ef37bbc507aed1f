"""`autoglyph spaces`: the search spaces there are and their known individuals."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from autoglyph.experiments.commands import _common
from autoglyph.experiments.commands._common import JsonOption

PANEL, ORDER = _common.REFERENCE_PANEL, 40


def command(
    space: Annotated[str | None, typer.Argument(help="Show the decisions of one space.")] = None,
    as_json: JsonOption = False,
) -> None:
    """List search spaces, or the decisions of one."""
    from autoglyph.experiments.domain import built_in_names, load_domain
    from autoglyph.experiments.experiment import describe_columns

    if space is None:
        rows: list[dict[str, Any]] = []
        for name in built_in_names():
            domain = load_domain(name)
            rows.append(
                {
                    "space": name,
                    "points": domain.space.size,
                    "decisions": domain.space.genome.length,
                    "individuals": domain.space.individual_names,
                    "accuracy": domain.accuracy_names,
                    "description": domain.space.description,
                }
            )
        if as_json:
            _common.print_json(rows)
            return
        headings = ["space", "points", "decisions", "named individuals", "accuracy", "description"]
        cells = [
            [r["space"], f"{float(r['points']):.3g}", r["decisions"], _abridged(r["individuals"]),
             ", ".join(r["accuracy"]), r["description"]]
            for r in rows
        ]  # fmt: skip
        _common.print_table("Search spaces", headings, cells)
        return
    domain = load_domain(space)
    columns = describe_columns(domain)
    if as_json:
        _common.print_json(
            {
                "space": domain.space.name,
                "points": domain.space.size,
                "digest": domain.space.digest,
                "individuals": domain.space.individual_names,
                "decisions": columns,
            }
        )
        return
    cells = [
        [
            c["name"],
            c["kind"],
            ", ".join(" ".join(str(v).split()) for v in c["candidates"]) or str(c["bounds"] or ""),
        ]
        for c in columns
    ]
    _common.print_table(f"{domain.space.name}: {domain.space.size:,} points", ["decision", "kind", "candidates"], cells)
    print("Named individuals: " + (", ".join(domain.space.individual_names) or "none"))


def _abridged(names: list[str]) -> str:
    return ", ".join(names) if len(names) <= 8 else f"{len(names)}: {', '.join(names[:3])}, ... {names[-1]}"
