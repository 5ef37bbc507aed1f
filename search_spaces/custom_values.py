"""Strings of custom decision points as numbers in rows."""

from __future__ import annotations

import hashlib

_HASH_BITS = 53  # what a float64 holds exactly


class CustomValues:
    """Two-way table between strings and the numbers that stand for them in rows.

    The number of a string is a hash of it, so it does not depend on what a process has seen before, and
    rows of the same individual are equal in every process. Only the way back needs the table, which is
    filled by whoever brings the string in: a random draw, a `pg.DNA` or a JSON form.
    """

    def __init__(self) -> None:
        self._strings: dict[int, str] = {}

    def number(self, string: str) -> int:
        """The number of a string, from 1 to 2**53 - 1, remembered for the way back.

        Raises:
            TypeError: if the value is not a string.
            ValueError: if another string has the same number.
        """
        if not isinstance(string, str):
            raise TypeError(f"Expected a string for a custom decision point, received {string!r}.")
        hashed = hashlib.sha256(string.encode("utf-8", "surrogatepass")).digest()
        number = (int.from_bytes(hashed[:8], "big") >> (64 - _HASH_BITS)) or 1
        known = self._strings.setdefault(number, string)
        if known != string:
            raise ValueError(f"The custom values {known!r} and {string!r} have the same hash: change one.")
        return number

    def string(self, number: float) -> str:
        """The string of a number.

        Raises:
            ValueError: if this process has not seen the string.
        """
        try:
            return self._strings[int(number)]
        except (KeyError, ValueError, OverflowError):
            raise ValueError(
                f"The number {number!r} stands for no custom value seen in this process: read the row with from_json."
            ) from None

    def __contains__(self, number: float) -> bool:
        return number in self._strings
