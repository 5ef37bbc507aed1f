"""What leaving a stack of pyramids early costs: the published NAS-FPN behind one to seven of its pyramids."""

from __future__ import annotations

from typing import Any

from autoglyph.hardware_models import estimate, load_device, record
from autoglyph.search_spaces.spaces.nas_fpn import RESOLUTION, STACKS, leaving_after, r50_fpn, r50_nas_fpn

DEVICES = ("v100", "p100", "tpu_v3:chip")


def run(*, quick: bool = False) -> dict[str, Any]:
    """Costs at batch 1; nothing is timed, so they are the same in every run.

    Args:
        quick: the first and the last depth alone.

    Returns:
        "ratios": latency behind so many pyramids to that of the plain feature pyramid, by device. "figures":
        parameters, multiply-adds and milliseconds of each depth, and of the plain pyramid.
    """
    whole = r50_nas_fpn()
    depths = (1, STACKS) if quick else range(1, STACKS + 1)
    networks = {"fpn": r50_fpn()} | {f"after_{n}": leaving_after(whole, n) for n in depths}
    ratios: dict[str, float] = {}
    figures: dict[str, float] = {"resolution": RESOLUTION}
    for name, network in networks.items():
        workload = record(network)
        figures |= {f"{name}_mega_parameters": workload.parameters / 1e6, f"{name}_giga_madds": workload.madds / 1e9}
        for device in map(load_device, DEVICES):
            latency_s = estimate(record(network, fusion=device.fusion), device, 1).latency_s
            figures[f"{name}_{device.base_name}_ms"] = latency_s * 1e3
            if name != "fpn":
                ratios[f"{name}_vs_fpn_{device.base_name}"] = latency_s * 1e3 / figures[f"fpn_{device.base_name}_ms"]
    return {"bench": "pyramid_depth", "ratios": ratios, "figures": figures}
