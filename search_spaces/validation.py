"""What makes an array of numbers a row of a space: checks for rows of foreign origin."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from autoglyph.search_spaces.columns import Layout, MultiChoice, Slot
from autoglyph.search_spaces.custom_values import CustomValues

Mask = NDArray[np.bool_]


def check_shape(rows: NDArray[Any], length: int) -> None:
    """Refuses anything but (n, L) finite numbers.

    Raises:
        ValueError: in one sentence.
    """
    if rows.ndim != 2 or rows.shape[1] != length:
        raise ValueError(f"Expected rows of {length} numbers, received an array of shape {rows.shape}.")
    if rows.dtype.kind not in "iuf":
        raise ValueError(f"Expected rows of numbers, received an array of {rows.dtype}.")
    if not np.isfinite(rows).all():
        raise ValueError("Expected finite numbers, received a row with NaN or infinity.")


def check_values(rows: NDArray[Any], active: Mask, layout: Layout, custom_values: CustomValues) -> None:
    """Refuses rows that are not canonical points of the space.

    Args:
        rows: (n, L) finite numbers.
        active: (n, L) mask of the genes whose decision is made.
        layout: the columns.
        custom_values: the strings that custom genes may stand for.

    Raises:
        ValueError: in one sentence about the first fault found.
    """
    for slot in layout.slots:
        _check_column(rows[:, slot.index], active[:, slot.index], slot, custom_values)
    for group in layout.multi_choices:
        if group.constrained:
            _check_multi_choice(rows[active[:, group.start]][:, group.indices], group)


def _check_column(values: NDArray[Any], active: Mask, slot: Slot, custom_values: CustomValues) -> None:
    column = slot.column
    if (values[~active] != 0).any():
        raise ValueError(f"Expected 0 for {column.name} where no choice above needs it.")
    values = values[active]
    if column.kind == "choice":
        bad = (values != np.floor(values)) | (values < 0) | (values >= slot.cardinality)
        wanted = f"a candidate number from 0 to {slot.cardinality - 1}"
    elif column.bounds is not None:
        bad = (values < column.bounds[0]) | (values > column.bounds[1])
        wanted = f"a number from {column.bounds[0]} to {column.bounds[1]}"
    else:
        bad = np.array([value not in custom_values for value in values.tolist()], bool)
        wanted = "the number of a custom value seen in this process"
    if bad.any():
        raise ValueError(f"Expected {wanted} for {column.name}, received {values[bad][0]}.")


def _check_multi_choice(choices: NDArray[Any], group: MultiChoice) -> None:
    in_order = np.sort(choices, axis=1)
    if group.sorted and (choices != in_order).any():
        raise ValueError(f"Expected choices in the order of their candidates for {group.spec.id}.")
    if group.distinct and (in_order[:, 1:] == in_order[:, :-1]).any():
        raise ValueError(f"Expected distinct choices for {group.spec.id}, received the same candidate twice.")
