"""Options of the commands that train children: where, how many at once, within which limits."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from autoglyph.experiments.executors.base import ExecutorOptions

_GROUP = "Where children are trained"

ExecutorOption = Annotated[str, typer.Option(help="serial, or ray.", rich_help_panel=_GROUP)]
WorkersOption = Annotated[int | None, typer.Option(min=1, help="Children trained at once.", rich_help_panel=_GROUP)]
RayAddressOption = Annotated[
    str | None,
    typer.Option(help="A Ray cluster, such as auto; without it, one is started here.", rich_help_panel=_GROUP),
]
CpusOption = Annotated[float, typer.Option(min=0, help="Cores a child.", rich_help_panel=_GROUP)]
GpusOption = Annotated[float, typer.Option(min=0, help="Accelerators a child.", rich_help_panel=_GROUP)]
ChildSecondsOption = Annotated[
    float | None, typer.Option(min=0, help="Longest time from rung to rung of a child.", rich_help_panel=_GROUP)
]
ChildMemoryOption = Annotated[
    float | None, typer.Option(min=0, help="Most memory of a child, 1e9 bytes.", rich_help_panel=_GROUP)
]
RetriesOption = Annotated[
    int, typer.Option(min=0, help="New attempts for a child whose worker was lost.", rich_help_panel=_GROUP)
]


def executor_options(
    store: Path,
    *,
    workers: int | None,
    ray_address: str | None,
    cpus: float,
    gpus: float,
    child_seconds: float | None,
    child_memory_gb: float | None,
    retries: int,
) -> ExecutorOptions:
    """The options of an executor; children are kept between rungs in a folder beside the record."""
    from autoglyph.experiments.executors.base import ExecutorOptions

    return ExecutorOptions(
        workers=workers,
        ray_address=ray_address,
        cpus=cpus,
        gpus=gpus,
        child_seconds=child_seconds,
        child_memory_gb=child_memory_gb,
        retries=retries,
        checkpoints=store.with_name(store.name + ".checkpoints"),
    )
