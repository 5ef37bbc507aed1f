"""Trials that failed, with their text, those of the same cause together."""

from __future__ import annotations

from typing import NamedTuple

from autoglyph.experiments.run import Run
from autoglyph.experiments.views.safe_text import lines, plain


class Failure(NamedTuple):
    """Trials that failed in the same way.

    Attributes:
        cause: the last line of their text, cut.
        trials: their numbers.
        text: of the first of them, with its line ends; plain text, not HTML.
    """

    cause: str
    trials: list[int]
    text: str


def failures(run: Run) -> list[Failure]:
    """The failures of a run, the most frequent first."""
    by_cause: dict[str, list[int]] = {}
    for trial, text in run.errors.items():
        last = next((line for line in reversed(text.splitlines()) if line.strip()), "no text")
        by_cause.setdefault(plain(last, 200), []).append(trial)
    ordered = sorted(by_cause.items(), key=lambda item: -len(item[1]))
    return [Failure(cause, trials, lines(run.errors[trials[0]])) for cause, trials in ordered]
