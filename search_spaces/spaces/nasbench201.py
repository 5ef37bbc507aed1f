"""The cells of NAS-Bench-201 (Dong and Yang 2020): five operations on each of six edges, 15,625 points."""

from __future__ import annotations

from typing import Any, get_args

import numpy as np
import pyglove as pg
from numpy.typing import NDArray

from autoglyph.search_spaces.architectures import nasbench201
from autoglyph.search_spaces.architectures.nasbench201 import EDGES, Edge, NasBench201, is_connected
from autoglyph.search_spaces.genome import Genome, Rows
from autoglyph.search_spaces.space import SearchSpace

OPERATIONS: tuple[str, ...] = get_args(Edge)


def cell_text(individual: Any) -> str:
    """The cell string of an individual, by which tables name it."""
    return nasbench201.cell_text([str(edge) for edge in individual.edges])


def _space() -> Any:
    return NasBench201(edges=[pg.oneof(list(OPERATIONS)) for _ in EDGES])


def _connected(rows: Rows, genome: Genome) -> NDArray[np.bool_]:
    """Cells without a path from input to output compute a constant and are not tried."""
    return np.array([is_connected([OPERATIONS[gene] for gene in row]) for row in rows.tolist()], bool)


def _resnet() -> NasBench201:
    """The cell of a residual network, as in the paper's Figure 1 of known cells."""
    return NasBench201(edges=["nor_conv_3x3", "none", "nor_conv_3x3", "skip_connect", "none", "skip_connect"])


SPACE = SearchSpace(
    "nasbench201",
    _space,
    individuals={"resnet": _resnet},
    feasible=_connected,
    description="One cell of four nodes, five operations an edge, stacked for CIFAR-10",
)
