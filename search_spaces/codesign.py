"""Co-design: a network and the accelerator that it runs on, as one individual."""

from __future__ import annotations

import numpy as np
import pyglove as pg

from autoglyph.search_spaces.accelerator import CHOICES, Accelerator, Columns, Mask, valid
from autoglyph.search_spaces.architecture import Architecture
from autoglyph.search_spaces.genome import Genome, Rows


class CoDesign(pg.Object):
    """A network and its accelerator (NAHAS, Zhou et al. 2021).

    Attributes:
        architecture: the network; fixed or searched.
        accelerator: the chip; fixed or searched.
    """

    architecture: Architecture
    accelerator: Accelerator


PREFIX = "accelerator."


def accelerator_columns(rows: Rows, genome: Genome) -> Columns:
    """(n,) arrays of the parameters of the accelerators in rows, decided or fixed.

    Args:
        rows: (n, L) canonical rows of a space of `CoDesign` or of `Accelerator`.
        genome: of that space.

    Raises:
        ValueError: if a parameter hangs on a choice between whole accelerators.
    """
    value = genome.template.value
    prefix = PREFIX if isinstance(value, CoDesign) else ""
    holder = value.sym_getattr("accelerator") if prefix else value
    if not isinstance(holder, Accelerator):
        raise ValueError("Choose the parameters of an accelerator one by one, not among whole accelerators.")
    number = {column.name: i for i, column in enumerate(genome.columns)}
    found = {}
    for name in CHOICES:
        at = number.get(prefix + name)
        fixed = holder.sym_getattr(name)
        found[name] = np.full(len(rows), fixed) if at is None else genome.literals(rows, at)
    return found


def feasible(rows: Rows, genome: Genome) -> Mask:
    """(n,) mask of the rows whose accelerator is valid."""
    return valid(accelerator_columns(rows, genome))
