"""`autoglyph cost`: what a network costs on a chip, kernel by kernel."""

from __future__ import annotations

from typing import Annotated

import typer

from autoglyph.experiments.commands import _common
from autoglyph.experiments.commands._common import JsonOption, StoreOption

PANEL, ORDER = _common.REPLAY_PANEL, 31
_KERNEL_LINES = 15


def command(
    model: Annotated[str, typer.Argument(help="RUN:TRIAL, RUN:best or SPACE:NAME.")],
    device: Annotated[str, typer.Option(help="Name of a chip, or a .toml file.")],
    batch: Annotated[int | None, typer.Option(min=1, help="Images in one inference.")] = None,
    store: StoreOption = _common.DEFAULT_STORE_PATH,
    as_json: JsonOption = False,
) -> None:
    """Estimate latency, energy and memory of a network."""
    from autoglyph.experiments import replay

    found = replay.replay(model, store)
    costs = replay.costs(replay.architecture_of(found), device, batch)
    if as_json:
        _common.print_json({"model": found.name, **costs})
    else:
        print_costs(found.name, costs)


def print_costs(name: str, costs: dict[str, object]) -> None:
    """Prints totals and the most expensive kernels."""
    kernels = costs["kernels"]
    assert isinstance(kernels, list)
    print(
        f"{name} on {costs['device']} (analytic model), batch {costs['batch']}: "
        f"{costs['latency_ms']:.4g} ms, {costs['energy_mj']:.4g} mJ, peak {costs['peak_mb']:.4g} MB, "
        f"{costs['madds']:,} multiply-adds and {costs['parameters']:,} parameters an image."
    )
    slowest = sorted(kernels, key=lambda k: -k["latency_us"])[:_KERNEL_LINES]
    headings = list(slowest[0])
    title = f"The slowest {len(slowest)} of {len(kernels)} kernels"
    _common.print_table(title, headings, [[k[h] for h in headings] for k in slowest])
