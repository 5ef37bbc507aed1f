"""`autoglyph cost`: what a network costs on a chip, kernel by kernel."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from autoglyph.experiments.commands import _common
from autoglyph.experiments.commands._common import JsonOption, StoreOption

if TYPE_CHECKING:
    from autoglyph.hardware_models.device import Device
    from autoglyph.hardware_models.workload import Workload

PANEL, ORDER = _common.REPLAY_PANEL, 31
_KERNEL_LINES = 15
_COLUMNS = (
    "name", "latency_us", "compute_us", "memory_us", "bound", "madds", "ops_per_byte", "attained_giga_ops_per_s",
)  # fmt: skip
_APPLICATIONS = "keras.applications:"


def command(
    model: Annotated[
        str, typer.Argument(help="RUN:TRIAL, RUN:best, SPACE:NAME, FILE.keras or keras.applications:NAME.")
    ],
    device: Annotated[
        str | None, typer.Option(help="Name of a chip, or a .toml file; an individual may bring its own.")
    ] = None,
    batch: Annotated[int | None, typer.Option(min=1, help="Examples in one batch.")] = None,
    training: Annotated[bool, typer.Option("--training", help="Also cost one training step.")] = False,
    optimizer: Annotated[str, typer.Option(help="Of the training step: sgd, momentum or adam.")] = "adam",
    roofline: Annotated[Path | None, typer.Option(metavar="FILE", help="Draw it: .html, .png, .svg or .pdf.")] = None,
    store: StoreOption = _common.DEFAULT_STORE_PATH,
    as_json: JsonOption = False,
) -> None:
    """Estimate latency, energy and memory of a network."""
    from autoglyph.experiments.pictures.roofline import save_roofline, terminal_roofline
    from autoglyph.experiments.replaying import replayed

    name, chip, workload, counts = _read(model, device, store)
    costs: dict[str, Any] = {**replayed.workload_costs(workload, chip, batch), **counts}
    if training:
        costs["training"] = replayed.training_costs(workload, chip, batch, optimizer)
    if roofline is not None:
        _common.note(f"Wrote {save_roofline(name, costs, roofline)}.")
    if as_json:
        _common.print_json({"model": name, **costs})
        return
    print_costs(name, costs)
    if device is None:
        print(f"Its own accelerator: {chip.title}.")
    if training:
        _print_training(costs)
    if roofline is not None:
        print(terminal_roofline(name, costs))


def _read(model: str, device: str | None, store: Path) -> tuple[str, Device, Workload, dict[str, int]]:
    """Name, chip and workload of what is to be costed, and the counts of Keras where it is a Keras model."""
    from autoglyph.experiments.replaying import replayed
    from autoglyph.hardware_models import load_device, record

    chip = None if device is None else load_device(device)
    if model.endswith(".keras") or model.startswith(_APPLICATIONS):
        if chip is None:
            raise ValueError(f"Name the chip on which {model} runs with --device; autoglyph devices lists them.")
        from autoglyph.child_programs.keras_file import applications_model, load_keras
        from autoglyph.child_programs.keras_walk import record_model

        name = model.removeprefix(_APPLICATIONS)
        loaded = load_keras(model) if model.endswith(".keras") else applications_model(name)
        walked = record_model(loaded, fusion=chip.fusion)
        counts = {"keras_parameters": walked.parameters, "keras_trainable_parameters": walked.trainable_parameters}
        return name, chip, walked.workload, counts
    found = replayed.replay(model, store)
    chip = chip or replayed.device_of(found)
    return found.name, chip, record(replayed.architecture_of(found), fusion=chip.fusion), {}


def _print_training(costs: dict[str, Any]) -> None:
    step = costs["training"]
    print(
        f"One training step with {step['optimizer']}: {step['latency_ms']:.4g} ms "
        f"({step['latency_ms'] / costs['latency_ms']:.3g} x inference, update {step['update_ms']:.4g} ms), "
        f"{step['energy_mj']:.4g} mJ, peak {step['peak_mb']:.4g} MB, {step['madds']:,} multiply-adds an example."
    )


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
    title = f"The slowest {len(slowest)} of {len(kernels)} kernels"
    _common.print_table(title, _COLUMNS, [[k[column] for column in _COLUMNS] for k in slowest])
