"""Links between chips: how long a transfer takes, and what ring collectives move."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

DEFAULT_BANDWIDTH_GB_PER_S = 82.0
"""One link of TPU v3 in one direction: 656 Gbit/s (recalled from Norrie et al. 2021; 1e9 bytes)."""

DEFAULT_LATENCY_US = 1.0
"""Assumption; no published figure."""


@dataclass(frozen=True)
class Link:
    """A connection from one chip to the next, in one direction.

    Attributes:
        bandwidth_gb_per_s: 1e9 bytes a second.
        latency_us: time from the first byte sent to the first byte received.

    Raises:
        ValueError: if the bandwidth is not positive or the latency is negative.
    """

    bandwidth_gb_per_s: float = DEFAULT_BANDWIDTH_GB_PER_S
    latency_us: float = DEFAULT_LATENCY_US

    def __post_init__(self) -> None:
        if not 0 < self.bandwidth_gb_per_s < float("inf"):
            raise ValueError(f"The link has {self.bandwidth_gb_per_s:g} GB/s: give a positive number.")
        if not 0 <= self.latency_us < float("inf"):
            raise ValueError(f"The link has a latency of {self.latency_us:g} us: give 0 or more.")

    def transfer_s(self, size_bytes: Any, steps: Any = 1) -> Any:
        """Time to move bytes in so many transfers one after the other."""
        return np.asarray(size_bytes) / (self.bandwidth_gb_per_s * 1e9) + np.asarray(steps) * self.latency_us * 1e-6


def all_reduce_bytes(size_bytes: Any, processors: Any) -> Any:
    """Bytes that each processor sends in a ring all-reduce: 2 (n - 1) / n of the array.

    Args:
        size_bytes: of the array that every processor holds.
        processors: n, those in the ring.
    """
    return 2 * all_gather_bytes(size_bytes, processors)


def all_gather_bytes(size_bytes: Any, processors: Any) -> Any:
    """Bytes that each processor sends in a ring all-gather or reduce-scatter: (n - 1) / n of the whole array.

    Args:
        size_bytes: of the gathered array.
        processors: n, those in the ring.
    """
    count = np.asarray(processors)
    return np.asarray(size_bytes) * (count - 1) / count
