"""A training measured rung by rung, begun or taken up again: what all child programs with checkpoints do."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Protocol

from autoglyph.child_programs.base import Measurement


class ResumableTraining(Protocol):
    """A training that can be stopped between two rungs and gone on with in another process."""

    @property
    def position(self) -> int:
        """How far it is: epochs or steps that have passed."""
        ...

    def train_until(self, position: int, /) -> float:
        """Trains on until it is so far, and returns the loss of training."""
        ...

    def state(self) -> bytes:
        """All that it needs to go on from here."""
        ...

    def restore(self, state: bytes, /) -> None:
        """Goes on from where `state` was taken."""
        ...


def measurements(
    training: ResumableTraining,
    ends: Sequence[int],
    measure: Callable[[], Mapping[str, float]],
    *,
    checkpoint: bytes | None,
    started: float,
) -> Iterator[Measurement]:
    """Trains to the end of each rung and measures there.

    Args:
        training: at its beginning.
        ends: of the rungs, in what the training counts; 0 measures before the first step.
        measure: gives the values of a measurement.
        checkpoint: state to go on from; rungs that it has behind it are left out.
        started: `time.perf_counter()` when the child was begun: the first rung pays for building it.

    Yields:
        The values, with "train_loss" where a rung has trained.
    """
    done = -1
    if checkpoint is not None:
        training.restore(checkpoint)
        done = training.position
    for rung, end in enumerate(ends):
        if end <= done:
            continue
        train_loss = training.train_until(end)
        values = {**measure(), **({"train_loss": train_loss} if end else {})}
        yield Measurement(rung, values, time.perf_counter() - started, training.state)
        started = time.perf_counter()
