"""The image classification child program: rungs, repeatability, accuracy above chance, failures."""

from __future__ import annotations

import gc
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyglove as pg
import pytest
from small_networks import bright_squares, tiny_network

from autoglyph.child_programs import ChildFailed, ImageClassification, load_dataset
from autoglyph.search_spaces import load_space

DIGITS_CHANCE = 10.0


def quick(**changes: Any) -> ImageClassification:
    return ImageClassification(**({"epochs": [1, 3], "batch_size": 32, "width": 1.0, "resolution": 8} | changes))


def values(program: ImageClassification, seed: int = 0) -> list[Mapping[str, float]]:
    return [m.values for m in program.run(tiny_network(), seed=seed, data=bright_squares())]


def test_rungs_are_named_and_measured_in_order() -> None:
    program = quick()
    assert [(r.name, r.units, r.amount) for r in program.rungs] == [("1 epoch", "epochs", 1), ("3 epochs", "epochs", 3)]
    measurements = list(program.run(tiny_network(), seed=0, data=bright_squares()))
    assert [m.rung for m in measurements] == [0, 1]
    assert all(set(m.values) == {"top1", "loss", "train_loss"} and m.seconds > 0 for m in measurements)
    assert all(0 <= m.values["top1"] <= 100 for m in measurements)


def test_equal_seeds_give_equal_numbers_whatever_ran_before() -> None:
    before = live_graphs()
    first = values(quick())
    np.random.seed(1)
    assert values(quick()) == first
    assert values(quick(), seed=1) != first
    assert live_graphs() <= before, "children leave no graph behind"


def test_interleaved_children_do_not_disturb_one_another() -> None:
    alone = [values(quick(), seed=seed) for seed in (0, 1)]
    children = [quick().run(tiny_network(), seed=seed, data=bright_squares()) for seed in (0, 1)]
    together = [[measurement.values for measurement in pair] for pair in zip(*children, strict=True)]
    assert [list(pair) for pair in zip(*together, strict=True)] == alone


def test_equal_seeds_give_equal_numbers_in_another_process() -> None:
    program = "from test_image_classification import quick, values; print([dict(v) for v in values(quick())])"
    folder = Path(__file__).parent
    done = subprocess.run([sys.executable, "-c", program], cwd=folder, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == str([dict(v) for v in values(quick())])


def test_the_rungs_do_not_change_the_training() -> None:
    assert values(quick(epochs=[1, 3]))[-1] == values(quick(epochs=[3]))[-1]


def test_closing_a_child_between_rungs_ends_it() -> None:
    before = live_graphs()
    child = quick().run(tiny_network(), seed=0, data=bright_squares())
    assert next(child).rung == 0
    child.close()  # type: ignore[attr-defined]
    assert list(child) == []
    assert live_graphs() <= before


def live_graphs() -> int:
    gc.collect()
    return sum(type(thing).__name__ == "FuncGraph" for thing in gc.get_objects())


def test_b0_at_proxy_size_is_far_better_than_chance_on_digits() -> None:
    data = load_dataset("digits", seed=0, resolution=32)
    b0 = load_space("efficientnet").individual("b0")
    measurements = list(ImageClassification().run(b0, seed=0, data=data))
    assert measurements[-1].values["top1"] > 60 > 6 * DIGITS_CHANCE - 1
    assert measurements[0].values["top1"] > 1.5 * DIGITS_CHANCE
    assert measurements[-1].values["loss"] < np.log(10)


def test_images_are_scaled_to_the_resolution_of_the_program() -> None:
    scaled = [m.values for m in quick().run(tiny_network(), seed=0, data=bright_squares(resolution=8).resized(6))]
    direct = [
        m.values
        for m in quick(resolution=None).run(tiny_network(), seed=0, data=bright_squares().resized(6).resized(8))
    ]
    assert scaled == direct


def test_a_loss_that_is_no_number_fails_the_child() -> None:
    before = live_graphs()
    child = quick(learning_rate=1e30).run(tiny_network(), seed=0, data=bright_squares())
    with pytest.raises(ChildFailed, match="lower the learning rate"):
        list(child)
    assert live_graphs() <= before


def test_other_candidates_are_refused() -> None:
    with pytest.raises(ValueError, match="Expected an Architecture to train, received int"):
        next(quick().run(3, seed=0, data=bright_squares()))


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("epochs", []),
        ("epochs", [0, 1]),
        ("epochs", [2, 1]),
        ("epochs", [1, 1]),
        ("batch_size", 0),
        ("learning_rate", 0.0),
        ("learning_rate", float("nan")),
        ("width", -1.0),
        ("resolution", 0),
        ("cores", 0),
        ("label_smoothing", 1.0),
        ("warmup_share", -0.1),
        ("norm_momentum", 1.0),
    ],
)
def test_settings_are_checked(setting: str, value: Any) -> None:
    with pytest.raises(ValueError, match=f"Expected {setting}"):
        ImageClassification(**{setting: value})
    with pytest.raises(ValueError, match=f"Expected {setting}"):
        ImageClassification().rebind({setting: value})


def test_settings_travel_as_json() -> None:
    program = quick(optimizer="sgd", cores=2)
    assert pg.eq(pg.from_json(program.to_json()), program)
    with pytest.raises(ValueError):
        quick(optimizer="lion")


def test_cores_are_bound_before_tensorflow_runs_and_refused_after() -> None:
    program = """
import tensorflow as tf
from autoglyph.child_programs import prepare_process
prepare_process(1)
tf.constant(1.0) + 1
prepare_process(1)
prepare_process()
print(tf.config.threading.get_intra_op_parallelism_threads(), tf.config.threading.get_inter_op_parallelism_threads())
try:
    prepare_process(2)
except ValueError as error:
    print(error)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    first, second = done.stdout.splitlines()
    assert first == "1 1"
    assert "already runs on 1 cores" in second and "leave the cores out" in second
