"""The table of NAS-Bench-201 from its official archive, by the official library.

`python -m autoglyph.child_programs.nats_bench_table NATS-tss-v1_0-3ffb9-simple --output nasbench201.csv` writes what
`--data nasbench201.csv` reads. It needs `pip install nats_bench` (Dong, Liu, Musial and Gabrys 2021). The archive is
pickled, so reading it runs what it holds: take it from its authors alone. The table is plain text.
"""

from __future__ import annotations

import argparse
import csv
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

NAME = "arch_str"
RUNGS = {"acc12_cifar10_val": 12.0, "acc200_cifar10_test_mean": 200.0}
"""Epochs by column: validation accuracy of the short training, test accuracy of the long one, means over seeds."""

_SOURCES = {
    "acc12_cifar10_val": ("cifar10-valid", "valid-accuracy"),
    "acc200_cifar10_test_mean": ("cifar10", "test-accuracy"),
}


def table_rows(api: Any) -> list[dict[str, str]]:
    """Measurements of all cells of an archive, in percent.

    Args:
        api: of `nats_bench.create(archive, "tss")`.

    Returns:
        A row for each cell that the archive holds, by column.

    Raises:
        ValueError: if it holds none.
    """
    rows = []
    for number in range(len(api)):
        row = {NAME: str(api.arch(number))}
        try:
            for column, epochs in RUNGS.items():
                data, measured = _SOURCES[column]
                found = api.get_more_info(number, data, hp=f"{epochs:g}", is_random=False)
                row[column] = f"{found[measured]:.6g}"
        except (ValueError, FileNotFoundError):  # an archive of some of the cells
            continue
        rows.append(row)
    if not rows:
        raise ValueError("The archive holds no trained cell: give that of the topology search space (tss).")
    return rows


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command.

    Args:
        arguments: of the command line; those of the process by default.

    Returns:
        Exit code: 0, or 2 if the archive cannot be used.
    """
    parser = argparse.ArgumentParser(description="Write the table of NAS-Bench-201 from its official archive.")
    parser.add_argument("archive", type=Path, help="file .pickle.pbz2, or folder of the simple archive")
    parser.add_argument("--output", type=Path, default=Path("nasbench201.csv"), help="CSV file to write")
    options = parser.parse_args(arguments)
    try:
        rows = table_rows(_open(options.archive))
        with options.output.open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, [NAME, *RUNGS])
            writer.writeheader()
            writer.writerows(rows)
    except (ValueError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    print(f"{len(rows):,} cells written: {options.output}")
    return 0


def _open(archive: Path) -> Any:
    try:
        import nats_bench
    except ModuleNotFoundError as error:
        raise ValueError("The archive is read by the library of its authors: pip install nats_bench.") from error
    if not archive.exists():
        raise ValueError(f"There is no archive {str(archive)!r}: check the path.")
    try:
        return nats_bench.create(str(archive), "tss", fast_mode=archive.is_dir(), verbose=False)
    except Exception as error:  # of whatever kind: it unpickles
        raise ValueError(
            f"{str(archive)!r} is no archive of NATS-Bench ({error}): give that of its authors."
        ) from error


if __name__ == "__main__":
    sys.exit(main())
