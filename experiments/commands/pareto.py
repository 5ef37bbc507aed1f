"""`autoglyph pareto`: the front of a run as text, page, picture or table."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from autoglyph.experiments.commands import _common
from autoglyph.experiments.commands._common import JsonOption, StoreOption

PANEL, ORDER = _common.INSPECT_PANEL, 22


def command(
    run: Annotated[str, typer.Argument(help="Name of the run.")],
    html: Annotated[Path | None, typer.Option(help="Write a report: all views in one page that opens offline.")] = None,
    png: Annotated[Path | None, typer.Option(help="Write a picture (.png, .svg, .pdf).")] = None,
    csv: Annotated[Path | None, typer.Option(help="Write all trials as a table.")] = None,
    store: StoreOption = _common.DEFAULT_STORE_PATH,
    as_json: JsonOption = False,
) -> None:
    """Show the Pareto front of a run."""
    from autoglyph.experiments.commands._search_report import front_entries, print_front
    from autoglyph.experiments.pictures import pareto_front
    from autoglyph.experiments.run import Run

    opened = Run.open(run, store)
    if html is not None:
        from autoglyph.experiments.views.report import write_report

        write_report(opened, html, store=store)
    if png is not None:
        pareto_front.write_image(opened, png)
    if csv is not None:
        with pareto_front.replaced_file(csv) as temporary:
            opened.frame().to_csv(temporary, index=False)
    if as_json:
        _common.print_json(
            {
                "run": opened.name,
                "trials": len(opened),
                "hypervolume": opened.hypervolume,
                "front": front_entries(opened),
                "device": opened.record.experiment["device"],
                "accuracy_source": opened.record.experiment["accuracy_source"],
            }
        )
        return
    print_front(opened)
    for path in (html, png, csv):
        if path is not None:
            print(f"Written: {path}")
