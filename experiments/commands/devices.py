"""`autoglyph devices`: the chips whose cost can be estimated, every figure with its source."""

from __future__ import annotations

from typing import Annotated

import typer

from autoglyph.experiments.commands import _common
from autoglyph.experiments.commands._common import JsonOption

PANEL, ORDER = _common.REFERENCE_PANEL, 42


def command(
    device: Annotated[str | None, typer.Argument(help="Show all figures of one device.")] = None,
    as_json: JsonOption = False,
) -> None:
    """List devices, or the figures of one."""
    from autoglyph.hardware_models import available_devices, load_device

    if device is not None:
        chosen = load_device(device)
        figures = chosen.figures()
        if as_json:
            _common.print_json({"device": chosen.name, "figures": figures})
            return
        cells = [[name, str(f["value"]), f["source"]] for name, f in figures.items()]
        _common.print_table(f"{chosen.name}: {chosen.description}", ["figure", "value", "source"], cells)
        return
    rows = []
    for name in available_devices():
        loaded = load_device(name)
        rows.append({"device": name, "description": loaded.description, "batch": loaded.default_batch})
    if as_json:
        _common.print_json(rows)
        return
    cells = [[r["device"], r["batch"], r["description"]] for r in rows]
    _common.print_table("Devices", ["device", "default batch", "description"], cells)
