"""Checks of settings that controllers share."""

from __future__ import annotations


def expect_share(name: str, value: float) -> None:
    """Refuses a decay or probability that is not from 0 to 1.

    Raises:
        ValueError: in one sentence.
    """
    if not 0 <= value <= 1:
        raise ValueError(f"Expected {name} from 0 to 1, received {value}.")
