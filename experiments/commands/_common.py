"""Options and output that several commands share."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from autoglyph.experiments.store import DEFAULT_STORE
from autoglyph.experiments.views.safe_text import lines, plain

StoreOption = Annotated[Path, typer.Option("--store", metavar="FILE", help="The record.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON object instead of text.")]
DEFAULT_STORE_PATH = Path(DEFAULT_STORE)

_WIDTH_IN_A_FILE = 120
_LONGEST = 2000  # characters of a cell

SEARCH_PANEL = "Search"
INSPECT_PANEL = "Inspect"
REPLAY_PANEL = "Replay"
REFERENCE_PANEL = "What there is"


def print_json(value: Any) -> None:
    """Prints one JSON value on standard output, numbers that are not finite as null."""
    text = json.dumps(_without_nan(value), indent=2, ensure_ascii=False, allow_nan=False)
    print(text.encode("utf-8", "backslashreplace").decode())  # half a surrogate pair stays the escape it was in JSON


def say(text: str) -> None:
    """Prints lines that may hold text of a record: nothing in them moves the cursor or changes colours."""
    print(lines(text, width=_LONGEST))


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
        table.add_column(escape(plain(heading, 80)), justify="right" if numeric else "left", overflow="fold")
    for row in cells:
        table.add_row(*(escape(format_value(v)) for v in row))
    console = Console() if sys.stdout.isatty() else Console(width=_WIDTH_IN_A_FILE)
    console.print(escape(plain(title, 400)), style="bold")
    console.print(table)


def format_value(value: Any) -> str:
    """A value for people: four significant digits, thousands in groups."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:,.0f}" if abs(value) >= 1e5 else f"{value:.4g}"
    return f"{value:,}" if isinstance(value, int) else plain(value, _LONGEST)


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
