"""A training that goes on from its checkpoint is the training that was left alone."""

from __future__ import annotations

import io

import numpy as np
import pytest
from small_networks import bright_squares, tiny_network
from test_image_classification import quick

from autoglyph.child_programs import Measurement


@pytest.mark.parametrize("optimizer", ["adam", "sgd"])
def test_the_rest_is_the_same_to_the_last_bit(optimizer: str) -> None:
    program = quick(epochs=[1, 2, 4], optimizer=optimizer, learning_rate=0.003)
    alone = [m.values for m in program.run(tiny_network(), seed=3, data=bright_squares())]
    child = program.run(tiny_network(), seed=3, data=bright_squares())
    first, second = next(child), next(child)
    assert first.state is not None and second.state is not None
    state = second.state()
    child.close()  # type: ignore[attr-defined]
    (last,) = program.run(tiny_network(), seed=3, data=bright_squares(), checkpoint=state)
    assert last.rung == 2
    assert dict(last.values) == alone[2]


def test_a_checkpoint_is_plain_arrays() -> None:
    measurement = next(quick().run(tiny_network(), seed=0, data=bright_squares()))
    with np.load(io.BytesIO(state_of(measurement)), allow_pickle=False) as file:
        assert int(file["epoch"]) == 1
        assert all(file[name].dtype.kind in "fiu" for name in file.files)


def test_a_checkpoint_of_another_network_is_refused() -> None:
    state = state_of(next(quick().run(tiny_network(), seed=0, data=bright_squares())))
    with pytest.raises(ValueError, match="The checkpoint is one of another network"):
        next(quick(optimizer="sgd").run(tiny_network(), seed=0, data=bright_squares(), checkpoint=state))


def state_of(measurement: Measurement) -> bytes:
    assert measurement.state is not None
    return measurement.state()
