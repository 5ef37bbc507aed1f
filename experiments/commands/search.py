"""`autoglyph search`: define a search, run it, show its front."""

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

PANEL, ORDER = _common.SEARCH_PANEL, 10


def command(
    space: Annotated[str, typer.Argument(help="A search space by name, or file.py[:NAME].")],
    algorithm: Annotated[str | None, typer.Option(help="See `autoglyph algorithms`.")] = None,
    flow: Annotated[
        str, typer.Option(help="joint, phased[:PART,PART] or nested[:PART]: in which order parts of the space vary.")
    ] = "joint",
    device: Annotated[str | None, typer.Option(help="Chip of the latency model, or none.")] = None,
    batch: Annotated[int | None, typer.Option(min=1, help="Images in one inference of the latency model.")] = None,
    objective: Annotated[
        list[str] | None,
        typer.Option(help="max:METRIC, min:METRIC or lacs(ACC, LATENCY, target=T); repeatable."),
    ] = None,
    constraint: Annotated[list[str] | None, typer.Option(help="METRIC<=NUMBER or METRIC>=NUMBER; repeatable.")] = None,
    accuracy: Annotated[str | None, typer.Option(help="A score of the space, or trained.")] = None,
    data: Annotated[
        str | None,
        typer.Option(
            metavar="DATA",
            help="What the domain trains on or looks up: digits, FILE.npz, a keras.datasets name, a sequence task, "
            "SOURCE:TARGET text, digits_canvas, COCO's ANNOTATIONS.json:FOLDER, or a table.",
        ),
    ] = None,
    trials: Annotated[int, typer.Option(help="Different individuals to evaluate.")] = 1000,
    seed: Annotated[int, typer.Option(help="Seed of all randomness.")] = 0,
    hurdles: Annotated[
        str | None, typer.Option(help="Who is trained further: pdh, asha, or another rule by name.")
    ] = None,
    in_flight: Annotated[
        int, typer.Option(min=0, help="Children in training at once, told as they end; 0: batch after batch.")
    ] = 0,
    executor: ExecutorOption = "serial",
    workers: WorkersOption = None,
    ray_address: RayAddressOption = None,
    cpus: CpusOption = 1.0,
    gpus: GpusOption = 0.0,
    child_seconds: ChildSecondsOption = None,
    child_memory_gb: ChildMemoryOption = None,
    retries: RetriesOption = 2,
    set_: Annotated[
        list[str] | None, typer.Option("--set", metavar="PATH=VALUE", help="Any setting; repeatable.")
    ] = None,
    run: Annotated[str | None, typer.Option(help="Name of the run.")] = None,
    html: Annotated[Path | None, typer.Option(help="Write a report: all views in one page that opens offline.")] = None,
    png: Annotated[Path | None, typer.Option(help="Write the front as a picture (.png, .svg).")] = None,
    tensorboard: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Write curves and hyperparameters for TensorBoard.")
    ] = None,
    store: StoreOption = _common.DEFAULT_STORE_PATH,
    as_json: JsonOption = False,
) -> None:
    """Search a space and show the Pareto front."""
    from autoglyph.experiments.commands._search_report import carry_out
    from autoglyph.experiments.experiment import define, describe, describe_columns
    from autoglyph.experiments.search import Search
    from autoglyph.experiments.store import Store

    started = time.perf_counter()
    experiment, domain = define(
        space,
        algorithm=algorithm,
        objectives=objective or (),
        constraints=constraint or (),
        trials=trials,
        seed=seed,
        accuracy=accuracy,
        device=device,
        batch=batch,
        data=data,
        flow=flow,
        hurdles=hurdles,
        in_flight=in_flight,
        settings=_pairs(set_ or []),
    )
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
    search = Search(experiment, domain, executor=executor, options=options)
    with Store(store, create=True) as opened:
        prefix = Path(space.partition(".py")[0]).name
        record = opened.create_run(run, prefix, describe(experiment, domain), describe_columns(domain))
        carry_out(search, opened, record, started=started, html=html, png=png, tensorboard=tensorboard, as_json=as_json)


def _pairs(settings: list[str]) -> dict[str, str]:
    for text in settings:
        if "=" not in text:
            raise ValueError(f"Cannot read the setting {text!r}: write --set PATH=VALUE.")
    return dict(text.split("=", 1) for text in settings)
