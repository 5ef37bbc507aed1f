"""`autoglyph devices`: the chips whose cost can be estimated, their figures, and how well the estimates hold."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from autoglyph.experiments.commands import _common
from autoglyph.experiments.commands._common import JsonOption

if TYPE_CHECKING:
    from autoglyph.experiments.device_validation import Validation
    from autoglyph.hardware_models.agreement import Agreement
    from autoglyph.hardware_models.calibration import Calibration

PANEL, ORDER = _common.REFERENCE_PANEL, 42

app = typer.Typer(help="List devices; show, calibrate and validate one.", invoke_without_command=True)

TableArgument = Annotated[Path, typer.Argument(metavar="TABLE.csv", help="Measured networks, in any known format.")]
ColumnOption = Annotated[str | None, typer.Option(help="Measured column; without it, the one measured on the device.")]


@app.callback()
def list_devices(context: typer.Context, as_json: JsonOption = False) -> None:
    """List devices; show, calibrate and validate one."""
    if context.invoked_subcommand is not None:
        return
    from autoglyph.hardware_models import available_devices, load_device

    rows: list[dict[str, Any]] = []
    for name in available_devices():
        loaded = load_device(name)
        rows.append(
            {
                "device": name,
                "description": loaded.title,
                "peak_tera_ops_per_s": loaded.peak_ops_per_s / 1e12,
                "bandwidth_gb_per_s": loaded.bandwidth_bytes_per_s / 1e9,
                "batch": loaded.batch,
                "calibrated": bool(loaded.uncalibrated),
            }
        )
    if as_json:
        _common.print_json(rows)
        return
    headings = ["device", "peak (T op/s)", "off-chip (GB/s)", "default batch", "calibrated", "description"]
    keys = ["device", "peak_tera_ops_per_s", "bandwidth_gb_per_s", "batch", "calibrated", "description"]
    _common.print_table("Devices", headings, [[r[k] for k in keys] for r in rows])


@app.command()
def show(
    device: Annotated[
        str,
        typer.Argument(
            help="Name of a chip, or a .toml file; NAME:datasheet uncalibrated, NAME:chip without its host."
        ),
    ],
    as_json: JsonOption = False,
) -> None:
    """Show all figures of a device and where they come from."""
    from autoglyph.hardware_models import load_device

    chosen = load_device(device)
    values = dataclasses.asdict(chosen.figures) | dataclasses.asdict(chosen.model)
    figures = {name: {"value": v, "source": chosen.sources.get(name, "")} for name, v in values.items()}
    if as_json:
        _common.print_json({"device": chosen.name, "description": chosen.title, "figures": figures})
        return
    cells = [[name, str(f["value"]), f["source"]] for name, f in figures.items()]
    _common.print_table(f"{chosen.name}: {chosen.title}", ["figure", "value", "source"], cells)


@app.command()
def calibrate(
    device: Annotated[str, typer.Argument(help="Name of a chip, or a .toml file.")],
    table: TableArgument,
    networks: Annotated[int, typer.Option(min=1, help="Networks to fit to; the others judge the fit.")] = 60,
    leave_one_out: Annotated[
        bool, typer.Option("--leave-one-out", help="Small tables: fit to all, judge each by a fit to the others.")
    ] = False,
    column: ColumnOption = None,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the draw of the networks.")] = 0,
    output: Annotated[
        Path | None, typer.Option(metavar="FILE.toml", help="Write a device file with the fitted constants.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Fit constants of a device's model to measured networks, judged on the others."""
    from autoglyph.experiments import device_validation

    if output is not None and output.suffix != ".toml":
        raise ValueError(f"Cannot write a device as {output.name!r}: end its name in .toml.")
    count = None if leave_one_out else networks
    found = device_validation.calibrate(device, table, column, count=count, seed=seed)
    if output is not None:
        device_validation.write_device(found.after, output)
    if as_json:
        _common.print_json(_calibration_json(found))
        return
    _print_calibration(found, leave_one_out)
    if output is not None:
        print(f"Written: {output} (use it with --device {output})")


@app.command()
def validate(
    table: TableArgument,
    device: Annotated[
        str,
        typer.Option(help="Name of a chip, or a .toml file; NAME:datasheet uncalibrated, NAME:chip without its host."),
    ],
    column: ColumnOption = None,
    html: Annotated[Path | None, typer.Option(metavar="FILE", help="Write an interactive page.")] = None,
    png: Annotated[Path | None, typer.Option(metavar="FILE", help="Write a picture (.png, .svg or .pdf).")] = None,
    as_json: JsonOption = False,
) -> None:
    """Compare estimated with measured times, beside multiply-adds and activations."""
    from autoglyph.experiments import device_validation

    found = device_validation.validate(device, table, column)
    for path, write in ((html, device_validation.write_html), (png, device_validation.write_image)):
        if path is not None:
            write(found, path)
    if as_json:
        _common.print_json(_validation_json(found))
    else:
        _print_validation(found)
        for path in (html, png):
            if path is not None:
                print(f"Written: {path}")


def _figures(found: Agreement) -> dict[str, float]:
    return {
        "spearman": found.spearman,
        "kendall": found.kendall,
        "mape": found.mape,
        "slow60_spearman": found.slow60_spearman,
    }


def _calibration_json(found: Calibration) -> dict[str, Any]:
    return {
        "device": found.after.name,
        "calibration_networks": found.calibration_networks,
        "constants": {
            name: {"before": getattr(found.before.model, name), "after": getattr(found.after.model, name)}
            for name in found.fitted
        },
        "held_out": {
            "networks": found.held_out_after.networks,
            "before": _figures(found.held_out_before),
            "after": _figures(found.held_out_after) | {"mape_without_scale": found.held_out_mape},
        },
    }


def _validation_json(found: Validation) -> dict[str, Any]:
    baselines = {name: _figures(each) for name, each in found.baselines.items()}
    model = found.model
    return {
        "device": found.device,
        "networks": model.networks,
        **_figures(model),
        "scale": model.scale,
        "baselines": baselines,
        "activations_do_as_well": found.activations_do_as_well,
    }


_AGREEMENT_HEADINGS = ["", "Spearman", "on the slow 60 %", "Kendall", "MAPE (%), one scale factor"]


def _agreement_cells(name: str, found: Agreement) -> list[Any]:
    return [name, found.spearman, found.slow60_spearman, found.kendall, 100 * found.mape]


def _print_calibration(found: Calibration, leave_one_out: bool) -> None:
    constants = [[name, getattr(found.before.model, name), getattr(found.after.model, name)] for name in found.fitted]
    title = f"{found.after.name}: constants fitted to {found.calibration_networks} networks"
    _common.print_table(title, ["constant", "before", "after"], constants)
    rows = [_agreement_cells("before", found.held_out_before), _agreement_cells("after", found.held_out_after)]
    others = "networks, each left out once" if leave_one_out else "held-out networks"
    _common.print_table(f"On the {found.held_out_after.networks:,} {others}", _AGREEMENT_HEADINGS, rows)
    print(f"MAPE after calibration without a scale factor: {100 * found.held_out_mape:.2f} %.")


def _print_validation(found: Validation) -> None:
    rows = [_agreement_cells(f"{found.device} (analytic model)", found.model)]
    rows += [_agreement_cells(name, each) for name, each in found.baselines.items()]
    _common.print_table(f"{found.model.networks:,} networks of {found.table}", _AGREEMENT_HEADINGS, rows)
    if found.activations_do_as_well:
        print("The activation count alone ranks these networks as well as the model does.")
