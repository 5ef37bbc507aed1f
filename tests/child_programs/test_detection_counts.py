"""Detectors as Keras models: outputs at five levels, and counts equal to those of the workload."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from autoglyph.child_programs import build_model, build_shapes, count_madds, count_parameters
from autoglyph.child_programs.detection.early_exit import exit_models
from autoglyph.hardware_models import record
from autoglyph.search_spaces import load_space
from autoglyph.search_spaces.architectures.efficientdet import efficientdet
from autoglyph.search_spaces.architectures.mobilenet_v2 import mobilenet_v2
from autoglyph.search_spaces.architectures.resnet_rs import resnet
from autoglyph.search_spaces.architectures.retinanet import CLASS_LOGITS, RetinaNet
from autoglyph.search_spaces.blocks.feature_pyramid import Fpn
from autoglyph.search_spaces.spaces.nas_fpn import leaving_after

CLASSES = 3
SIDES = (16, 8, 4, 2, 1)
SPACES = ["nas_fpn", "spinenet", "spinenet_widths"]


def small(individual: RetinaNet) -> RetinaNet:
    """A detector of few and narrow layers that keeps every decision of the pyramid or backbone."""
    proxy = individual.proxy(resolution=128, channels=1, classes=CLASSES, width=0.05)
    changes: dict[str, Any] = {"head_depth": 0}
    if individual.pyramid.sym_hasattr("stacks"):
        changes["pyramid.stacks"] = 1
    proxy.rebind(changes, raise_on_no_change=False)
    return proxy


def assert_detects(individual: RetinaNet) -> None:
    """Ten outputs of the right shapes, and parameters and multiply-adds alike in both readings."""
    model, workload = build_shapes(individual), record(individual)
    logits = [(None, side, side, 9 * CLASSES) for side in SIDES]
    codes = [(None, side, side, 9 * 4) for side in SIDES]
    assert [output.shape for output in model.outputs] == [*logits, *codes]
    assert (count_parameters(model), count_madds(model)) == (workload.parameters, workload.madds)


def individuals(space: str, count: int, seed: int) -> Iterator[RetinaNet]:
    genome = load_space(space).genome
    for row in genome.random(count, np.random.default_rng(seed)):
        yield genome.decode(row)


@pytest.mark.parametrize("space", SPACES)
def test_random_individuals_detect_at_five_levels_and_are_counted_alike(space: str) -> None:
    for individual in individuals(space, 2, seed=0):
        assert_detects(small(individual))


@pytest.mark.slow
@pytest.mark.parametrize(("space", "count"), [("nas_fpn", 200), ("spinenet", 15)])
def test_many_random_individuals_detect_at_five_levels_and_are_counted_alike(space: str, count: int) -> None:
    gc.disable()  # a third of the time of making models goes to collections
    try:
        for n, individual in enumerate(individuals(space, count, seed=1)):
            assert_detects(small(individual))
            if n % 20 == 0:
                gc.collect()
    finally:
        gc.enable()


@pytest.mark.parametrize(("space", "name"), [("nas_fpn", "r50_fpn"), ("spinenet", "49")])
def test_published_members_are_counted_alike(space: str, name: str) -> None:
    individual = load_space(space).individual(name)
    model, workload = build_shapes(individual), record(individual)
    assert (count_parameters(model), count_madds(model)) == (workload.parameters, workload.madds)


@pytest.mark.parametrize("name", ["resnet-18", "mobilenet-v2", "efficientnet-b0", "efficientnet-x-b0"])
def test_every_family_is_a_backbone(name: str) -> None:
    backbone = {
        "resnet-18": lambda: resnet(18),
        "mobilenet-v2": mobilenet_v2,
        "efficientnet-b0": lambda: load_space("efficientnet").individual("b0"),
        "efficientnet-x-b0": lambda: load_space("efficientnet_x").individual("x-b0"),
    }[name]()
    proxy = backbone.proxy(resolution=128, channels=1, classes=CLASSES, width=0.25)
    assert_detects(RetinaNet(backbone=proxy, pyramid=Fpn(filters=8), classes=CLASSES, head_filters=8, head_depth=1))


def test_a_bidirectional_pyramid_is_counted_alike() -> None:
    proxy = efficientdet("D0").proxy(resolution=128, channels=1, classes=CLASSES, width=0.125)
    assert_detects(proxy)


def test_heads_share_their_convolutions_and_not_their_norms() -> None:
    individual = small(load_space("nas_fpn").individual("r50_fpn"))
    individual.rebind(head_depth=1)
    model = build_model(individual, seed=0)
    names = [layer.name for layer in model.layers]
    assert names.count("heads_class_conv1") == 1
    assert CLASS_LOGITS in names
    assert {f"heads_class_p{level}_norm1" for level in range(3, 8)} <= {*names}
    image = np.random.default_rng(0).normal(size=(1, 128, 128, 1)).astype(np.float32)
    assert all(np.isfinite(np.asarray(output)).all() for output in model(image))


def test_detection_leaves_early_at_the_cost_of_the_pyramids_that_ran() -> None:
    individual = small(load_space("nas_fpn").individual("r50_nas_fpn_7_256_anytime"))
    individual.rebind({"pyramid.stacks": 3, "head_depth": 1})
    model, workload = build_model(individual, seed=0), record(individual)
    assert (count_parameters(model), count_madds(model)) == (workload.parameters, workload.madds)
    exits = exit_models(model)
    assert [len(each.outputs) for each in exits] == [10, 10, 10]
    for stacks, each in enumerate(exits, start=1):
        alone = record(leaving_after(individual, stacks))
        assert (count_parameters(each), count_madds(each)) == (alone.parameters, alone.madds)
    image = np.random.default_rng(0).normal(size=(1, 128, 128, 1)).astype(np.float32)
    outputs = model(image)
    for at, each in enumerate(exits):
        for whole, part in zip(outputs[10 * at : 10 * at + 10], each(image), strict=True):
            np.testing.assert_array_equal(np.asarray(whole), np.asarray(part))


def test_exits_that_are_not_there_are_refused() -> None:
    import keras

    with pytest.raises(ValueError, match="1 outputs: give a detector"):
        exit_models(keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)]))
    with pytest.raises(ValueError, match="stacks 7 pyramids"):
        leaving_after(load_space("nas_fpn").individual("r50_nas_fpn_7_256"), 8)
    with pytest.raises(ValueError, match="stacks 0 pyramids"):
        leaving_after(load_space("nas_fpn").individual("r50_fpn"), 1)
