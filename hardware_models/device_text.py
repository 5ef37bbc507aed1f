"""Writing device files."""

from __future__ import annotations

import dataclasses
import json

from autoglyph.hardware_models.device import Device


def device_toml(device: Device, remark: str = "") -> str:
    """A device as the text of a device file, which `device_file.read_device` reads back to an equal device.

    Args:
        device: what to write; every number must have its source.
        remark: comment at the top.
    """
    lines = [f"# {line}".rstrip() for line in remark.splitlines()] + ([""] if remark else [])
    for key in ("name", "title", "family", "precision", "cores", "fusion", "batch"):
        lines.append(f"{key} = {json.dumps(getattr(device, key), ensure_ascii=False)}")
    for name, table in (("figures", device.figures), ("model", device.model)):
        lines += ["", f"[{name}]"]
        for field in dataclasses.fields(table):
            source = json.dumps(device.sources[field.name], ensure_ascii=False)
            before = device.uncalibrated.get(field.name)
            kept = "" if before is None else f", uncalibrated = {before!r}"
            lines.append(f"{field.name} = {{ value = {getattr(table, field.name)!r}, source = {source}{kept} }}")
    return "\n".join(lines) + "\n"
