"""`autoglyph resume`: go on with a search that stopped, or give a finished one more trials."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated

import typer

from autoglyph.experiments.commands import _common
from autoglyph.experiments.commands._common import JsonOption, StoreOption
from autoglyph.experiments.commands._executor_options import (
    ChildMemoryOption,
    ChildSecondsOption,
    CpusOption,
    ExecutorOption,
    GpusOption,
    RayAddressOption,
    RetriesOption,
    WorkersOption,
    executor_options,
)

PANEL, ORDER = _common.SEARCH_PANEL, 11


def command(
    run: Annotated[str, typer.Argument(help="Name of the run.")],
    trials: Annotated[int | None, typer.Option(help="A larger budget than the run was started with.")] = None,
    executor: ExecutorOption = "serial",
    workers: WorkersOption = None,
    ray_address: RayAddressOption = None,
    cpus: CpusOption = 1.0,
    gpus: GpusOption = 0.0,
    child_seconds: ChildSecondsOption = None,
    child_memory_gb: ChildMemoryOption = None,
    retries: RetriesOption = 2,
    html: Annotated[Path | None, typer.Option(help="Write a report: all views in one page that opens offline.")] = None,
    png: Annotated[Path | None, typer.Option(help="Write the front as a picture (.png, .svg).")] = None,
    tensorboard: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Write curves and hyperparameters for TensorBoard.")
    ] = None,
    store: StoreOption = _common.DEFAULT_STORE_PATH,
    as_json: JsonOption = False,
) -> None:
    """Continue a run to exactly what it would have been."""
    from autoglyph.experiments.commands._search_report import carry_out
    from autoglyph.experiments.experiment import from_description
    from autoglyph.experiments.search import Search
    from autoglyph.experiments.store import Store

    started = time.perf_counter()
    options = executor_options(
        store,
        workers=workers,
        ray_address=ray_address,
        cpus=cpus,
        gpus=gpus,
        child_seconds=child_seconds,
        child_memory_gb=child_memory_gb,
        retries=retries,
    )
    with Store(store) as opened:
        record = opened.run(run)
        done = opened.trial_counts().get(record.run, 0)
        experiment, domain = from_description(record.experiment)
        budgets = [int(e["budget"]) for _, _, e in opened.events(record.run) if "budget" in e]
        budget = trials if trials is not None else max([experiment.trials, *budgets])
        if budget < done:
            raise ValueError(f"The run {run} has {done} trials already: give --trials {done} or more.")
        experiment.rebind(trials=budget, raise_on_no_change=False)
        search = Search(experiment, domain, executor=executor, options=options)
        carry_out(search, opened, record, started=started, html=html, png=png, tensorboard=tensorboard, as_json=as_json)
