"""What makes an array of numbers a row of a space: checks for rows of foreign origin."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from autoglyph.search_spaces.columns import Layout, MultiChoice, Slot
from autoglyph.search_spaces.custom_values import CustomValues

Mask = NDArray[np.bool_]


class Validation:
    """The checks of one space; each refusal is one sentence about the first fault found."""

    def __init__(self, layout: Layout, custom_values: CustomValues) -> None:
        self._slots = layout.slots
        self._custom_values = custom_values
        self._constrained = [group for group in layout.multi_choices if group.constrained]
        bounds = [slot.column.bounds or (0.0, slot.cardinality - 1.0) for slot in layout.slots]
        low_high = np.array(bounds, np.float64).reshape(-1, 2)
        kinds = np.array([slot.column.kind for slot in layout.slots], str)
        self._is_custom = kinds == "custom"
        self._is_choice = kinds == "choice"
        self._low = np.where(self._is_custom, -np.inf, low_high[:, 0])
        self._high = np.where(self._is_custom, np.inf, low_high[:, 1])

    def check_shape(self, rows: NDArray[Any]) -> None:
        """Refuses anything but (n, L) finite numbers.

        Raises:
            ValueError: in one sentence.
        """
        length = len(self._slots)
        if rows.ndim != 2 or rows.shape[1] != length:
            raise ValueError(f"Expected rows of {length} numbers, received an array of shape {rows.shape}.")
        if rows.dtype.kind not in "iuf":
            raise ValueError(f"Expected rows of numbers, received an array of {rows.dtype}.")
        if not np.isfinite(rows).all():
            raise ValueError("Expected finite numbers, received a row with NaN or infinity.")

    def check_values(self, rows: NDArray[Any], active: Mask) -> None:
        """Refuses rows that are not canonical points of the space.

        Args:
            rows: (n, L) finite numbers.
            active: (n, L) mask of the genes whose decision is made.

        Raises:
            ValueError: in one sentence.
        """
        bad = active & ((rows < self._low) | (rows > self._high))
        bad |= ~active & (rows != 0)
        if rows.dtype.kind == "f":
            bad |= self._is_choice & (rows != np.floor(rows))
        for column in np.flatnonzero(self._is_custom):
            unknown = [value not in self._custom_values for value in rows[:, column].tolist()]
            bad[:, column] |= active[:, column] & np.array(unknown, bool)
        if bad.any():
            row, column = np.argwhere(bad)[0]
            raise ValueError(_fault(self._slots[column], rows[row, column], bool(active[row, column])))
        for group in self._constrained:
            _check_multi_choice(rows[active[:, group.start]][:, group.indices], group)


def _fault(slot: Slot, value: Any, is_active: bool) -> str:
    column = slot.column
    if not is_active:
        return f"Expected 0 for {column.name} where no choice above needs it, received {value}."
    if column.kind == "choice":
        wanted = f"a candidate number from 0 to {slot.cardinality - 1}"
    elif column.bounds is not None:
        wanted = f"a number from {column.bounds[0]} to {column.bounds[1]}"
    else:
        wanted = "the number of a custom value seen in this process"
    return f"Expected {wanted} for {column.name}, received {value}."


def _check_multi_choice(choices: NDArray[Any], group: MultiChoice) -> None:
    in_order = np.sort(choices, axis=1)
    if group.sorted and (choices != in_order).any():
        raise ValueError(f"Expected choices in the order of their candidates for {group.spec.id}.")
    if group.distinct and (in_order[:, 1:] == in_order[:, :-1]).any():
        raise ValueError(f"Expected distinct choices for {group.spec.id}, received the same candidate twice.")
