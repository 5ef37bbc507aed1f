"""Kernels of one block as one row: what a roofline can name."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

_NUMBERED = (
    re.compile(r".*?(?:block|cell|layer|unit)_?\d+[a-z]?(?=_|$)"),  # stage3_block2, conv4_block3, block1a
    re.compile(r".*?\d+(?=_|$)"),  # conv1, expanded_conv_7, but not conv2d
)
_MOST = 4  # runs of numbers, or names, in one label


def block_name(kernel: str) -> str:
    """The block that a kernel belongs to, from its name.

    That is the name up to the first numbered block, cell, layer or unit, else up to the first number, else without
    its last word.

    Example:
        >>> [block_name(name) for name in ("stage3_block2_se_reduce", "conv1_bn", "stem_conv", "logits")]
        ['stage3_block2', 'conv1', 'stem', 'logits']
    """
    for pattern in _NUMBERED:
        if match := pattern.match(kernel):
            return match.group()
    return kernel.rpartition("_")[0] or kernel


def block_rows(kernels: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Sums over the kernels of each block, in the order in which blocks start.

    Args:
        kernels: rows of `replayed.workload_costs`.

    Returns:
        name, how many kernels, latency_us, operations and bytes of the batch, ops_per_byte,
        attained_giga_ops_per_s, and the bound under which most of the time is spent. A block of one kernel has
        the kernel's name.
    """
    members: dict[str, list[dict[str, Any]]] = {}
    for kernel in kernels:
        members.setdefault(block_name(kernel["name"]), []).append(kernel)
    return [_row(name, rows) for name, rows in members.items()]


def joint_name(names: Sequence[str]) -> str:
    """One label for several blocks: their numbers behind what they share, many of them cut short.

    Example:
        >>> joint_name(["conv4_block2", "conv4_block10", "stage1", "conv4_block3", "conv4_block4"])
        'conv4_block2-4, 10; stage1'
    """
    numbers: dict[str, list[str]] = {}
    for name in names:
        stem = name.rstrip("0123456789")
        numbers.setdefault(stem, []).append(name[len(stem) :])
    parts = [stem + ", ".join(_runs(found)) for stem, found in numbers.items()]
    return "; ".join(parts[:_MOST]) + (f"; {len(parts) - _MOST} more" if len(parts) > _MOST else "")


def _runs(numbers: Sequence[str]) -> list[str]:
    runs: list[list[str]] = []
    for number in sorted(numbers, key=lambda n: int(n or -1)):
        if runs and runs[-1][-1] and int(number) == int(runs[-1][-1]) + 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    texts = [f"{run[0]}-{run[-1]}" if len(run) > 2 else ", ".join(run) for run in runs]
    more = sum(len(run) for run in runs[_MOST:])
    return texts[:_MOST] + ([f"{more} more"] if more else [])


def _row(name: str, kernels: list[dict[str, Any]]) -> dict[str, Any]:
    latency_us, operations, moved = (sum(k[key] for k in kernels) for key in ("latency_us", "operations", "bytes"))
    time_by_bound: dict[str, float] = {}
    for kernel in kernels:
        time_by_bound[kernel["bound"]] = time_by_bound.get(kernel["bound"], 0.0) + kernel["latency_us"]
    return {
        "name": name if len(kernels) > 1 else kernels[0]["name"],
        "kernels": len(kernels),
        "latency_us": latency_us,
        "operations": operations,
        "bytes": moved,
        "ops_per_byte": operations / max(moved, 1),
        "attained_giga_ops_per_s": operations / latency_us / 1e3,
        "bound": max(time_by_bound, key=lambda bound: time_by_bound[bound]),
    }
