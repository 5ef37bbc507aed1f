"""The accelerator space of NAHAS: 50,000 edge accelerators (Zhou et al. 2021).

Known individuals; what is recalled was not read in a source at hand:
- "baseline": the paper's, 4 x 4 PEs of 4 lanes of 64 units, 2 MB and 32 KB, 26.2 tera-operations/s (recalled, the
  peak follows from the parameters). Its I/O bandwidth is not known: 15 GB/s is the nearest to the 17 GB/s that
  Yazdanbakhsh et al. 2021 (arXiv:2102.10423, recalled) give for their Edge TPU of the same grid, V1.
- "coral": like the Coral Edge TPU, the point of 8 MB in all with the peak nearest to its 4 tera-operations/s, 3.3.
  Coral does not publish its grid, and its USB link of 0.64 GB/s is slower than any choice.
- "pixel": like the Edge TPU V3 of Yazdanbakhsh et al. (recalled): 4 x 1 PEs of 8 lanes of 32 units, 2 MB and 8 KB.
  Theirs has 32 GB/s and 1.066 GHz, hence 8.7 tera-operations/s instead of 6.6.
"""

from __future__ import annotations

import functools
from collections.abc import Callable

from autoglyph.search_spaces.accelerator import Accelerator, accelerator_space
from autoglyph.search_spaces.codesign import feasible
from autoglyph.search_spaces.space import SearchSpace


def _accelerator(
    pes: tuple[int, int], lanes: int, simd_units: int, memory_mb: float, register_kb: int, io_gb_per_s: float
) -> Accelerator:
    return Accelerator(
        pes_x=pes[0],
        pes_y=pes[1],
        simd_units=simd_units,
        compute_lanes=lanes,
        local_memory_mb=memory_mb,
        register_file_kb=register_kb,
        io_bandwidth_gb_per_s=io_gb_per_s,
    )


INDIVIDUALS: dict[str, Callable[[], Accelerator]] = {
    "baseline": functools.partial(_accelerator, (4, 4), 4, 64, 2.0, 32, 15.0),
    "coral": functools.partial(_accelerator, (2, 2), 2, 64, 2.0, 32, 5.0),
    "pixel": functools.partial(_accelerator, (4, 1), 8, 32, 2.0, 8, 25.0),
}

SPACE = SearchSpace(
    "accelerator",
    accelerator_space,
    individuals=INDIVIDUALS,
    feasible=feasible,
    description="Edge accelerators: grid, lanes, SIMD units, local memory, register file and I/O bandwidth",
)
