"""Options and output that several commands share."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from autoglyph.experiments.store import DEFAULT_STORE

StoreOption = Annotated[Path, typer.Option("--store", metavar="FILE", help="The record.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON object instead of text.")]
DEFAULT_STORE_PATH = Path(DEFAULT_STORE)

_WIDTH_IN_A_FILE = 120

SEARCH_PANEL = "Search"
INSPECT_PANEL = "Inspect"
REPLAY_PANEL = "Replay"
REFERENCE_PANEL = "What there is"


def print_json(value: Any) -> None:
    """Prints one JSON value on standard output, numbers that are not finite as null."""
    json.dump(_without_nan(value), sys.stdout, indent=2, ensure_ascii=False, allow_nan=False)
    print()


def print_table(title: str, headings: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Prints a table; columns of numbers are set right."""
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    cells = [list(row) for row in rows]
    table = Table(header_style="bold", box=SIMPLE_HEAD, pad_edge=False)
    for i, heading in enumerate(headings):
        numeric = bool(cells) and all(isinstance(row[i], (int, float)) for row in cells)
        table.add_column(escape(heading), justify="right" if numeric else "left", overflow="fold")
    for row in cells:
        table.add_row(*(escape(format_value(v)) for v in row))
    console = Console() if sys.stdout.isatty() else Console(width=_WIDTH_IN_A_FILE)
    console.print(escape(title), style="bold")
    console.print(table)


def format_value(value: Any) -> str:
    """A value for people: four significant digits, thousands in groups."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:,.0f}" if abs(value) >= 1e5 else f"{value:.4g}"
    return f"{value:,}" if isinstance(value, int) else str(value)


def note(text: str) -> None:
    """Prints a remark on standard error, where it does not mix with results."""
    print(text, file=sys.stderr)


def _without_nan(value: Any) -> Any:
    if isinstance(value, float):
        return value if value - value == 0 else None
    if isinstance(value, dict):
        return {str(k): _without_nan(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [_without_nan(v) for v in value]
    return value.item() if hasattr(value, "item") else value
