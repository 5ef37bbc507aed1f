"""`autoglyph devices`: the chips whose cost can be estimated, every figure with its source."""

from __future__ import annotations

import dataclasses
from typing import Annotated, Any

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
        values = dataclasses.asdict(chosen.figures) | dataclasses.asdict(chosen.model)
        figures = {name: {"value": v, "source": chosen.sources.get(name, "")} for name, v in values.items()}
        if as_json:
            _common.print_json({"device": chosen.name, "description": chosen.title, "figures": figures})
            return
        cells = [[name, str(f["value"]), f["source"]] for name, f in figures.items()]
        _common.print_table(f"{chosen.name}: {chosen.title}", ["figure", "value", "source"], cells)
        return
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
            }
        )
    if as_json:
        _common.print_json(rows)
        return
    headings = ["device", "peak (T op/s)", "off-chip (GB/s)", "default batch", "description"]
    keys = ["device", "peak_tera_ops_per_s", "bandwidth_gb_per_s", "batch", "description"]
    _common.print_table("Devices", headings, [[r[k] for k in keys] for r in rows])
