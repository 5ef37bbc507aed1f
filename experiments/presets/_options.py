"""Options that presets share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

StoreOption = Annotated[Path, typer.Option(help="The record.")]
WorkersOption = Annotated[int, typer.Option(min=0, help="Processes on Ray; 0 trains in this one.")]
SeedOption = Annotated[int, typer.Option(min=0, help="Of the search.")]
PictureOption = Annotated[Path | None, typer.Option(metavar="FILE", help="A picture to draw.")]
SmokeOption = Annotated[bool, typer.Option("--smoke", help="A small size that only shows that it works.")]
