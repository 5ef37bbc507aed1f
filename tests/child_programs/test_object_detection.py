"""The detection child program: it learns, repeats, goes on from a checkpoint, and its detectors outlive it in files."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from autoglyph.child_programs.base import Measurement
from autoglyph.child_programs.detection.detection_data import load_detection
from autoglyph.child_programs.detection.detector import Detector
from autoglyph.child_programs.detection.detector_file import load_detector, save_detector
from autoglyph.child_programs.detection.early_exit import exit_models
from autoglyph.child_programs.detection.examples import DetectionDataset, DetectionExamples, StoredImages
from autoglyph.child_programs.detection.object_detection import ObjectDetection
from autoglyph.search_spaces.architectures.retinanet import RetinaNet
from autoglyph.search_spaces.spaces.nas_fpn import r50_fpn, r50_nas_fpn


def squares() -> DetectionDataset:
    """Bright squares of two sizes, each a class, on black canvases: learned in a few steps."""
    parts = []
    for seed, count in enumerate((32, 8, 8)):
        rng = np.random.default_rng(seed)
        pixels, boxes, labels = np.zeros((count, 128, 128, 1), np.uint8), [], []
        for image in pixels:
            label = int(rng.integers(2))
            left, top = rng.integers(0, 128 - 64, 2)
            side = (24, 56)[label]
            image[top : top + side, left : left + side] = 255
            boxes.append(np.array([[left, top, left + side, top + side]], np.float32))
            labels.append(np.array([label], np.int32))
        parts.append(
            DetectionExamples(
                StoredImages(pixels),
                tuple(boxes),
                tuple(labels),
                tuple(np.zeros(1, bool) for _ in boxes),
                np.ones(count),
            )
        )
    return DetectionDataset(*parts, 128, ("small", "large"), "squares", "drawn", anchor_size=2.0)


def program(*epochs: int) -> ObjectDetection:
    return ObjectDetection(epochs=list(epochs), width=0.0625, batch_size=8, learning_rate=0.01)


def network(pyramid: str = "fpn") -> RetinaNet:
    small = r50_fpn() if pyramid == "fpn" else r50_nas_fpn(stacks=1)
    small.rebind(head_depth=1)
    return small


@pytest.fixture(scope="module")
def measured() -> Iterator[list[tuple[Measurement, bytes]]]:
    child = program(1, 12).run(network(), seed=0, data=squares())
    yield [(m, m.state()) for m in child if m.state is not None]


def test_a_child_learns(measured: list[tuple[Measurement, bytes]]) -> None:
    (first, _), (last, _) = measured
    assert (first.rung, last.rung) == (0, 1)
    assert last.values["ap50"] > 30 > first.values["ap50"]
    assert last.values["train_loss"] < first.values["train_loss"] / 2
    assert 0 <= last.values["ap"] <= last.values["ap50"] <= 100
    assert last.values["child_parameters"] > 1000


def test_a_child_goes_on_from_its_checkpoint_in_another_training(measured: list[tuple[Measurement, bytes]]) -> None:
    (_, state), (last, _) = measured
    (again,) = program(1, 12).run(network(), seed=0, data=squares(), checkpoint=state)
    assert again.rung == 1 and dict(again.values) == dict(last.values)
    with pytest.raises(ValueError, match="checkpoint is one of another network"):
        next(program(1, 2).run(network("nas_fpn"), seed=0, data=squares(), checkpoint=state))


def test_a_pyramid_of_merging_cells_is_trained_with_as_many_stacks_as_asked_at_every_exit() -> None:
    data = squares()
    individual = network("nas_fpn")
    assert program(1).sized(r50_nas_fpn(), data).pyramid.sym_getattr("stacks") == 1
    individual.rebind(exits=True)
    two = program(1).clone(deep=True)
    two.rebind(stacks=2)
    begun = two.begin(individual, seed=0, data=data)
    first, last = (Detector(m, begun.detector.anchors, data.class_names) for m in exit_models(begun.detector.model))
    images = data.valid.images.batch([0])
    for detector in (first, last):
        logits, codes = (values.numpy() for values in detector._outputs(images))
        assert logits.shape == (1, len(detector.anchors.boxes), 2) and codes.shape == (*logits.shape[:2], 4)
        assert abs(np.median(logits) - np.log(0.01 / 0.99)) < 0.5, "classes are rare at the start"
    assert begun.detector.measure(data.valid) == last.measure(data.valid)


LOADED_ALONE = """
import sys, numpy as np, keras
model = keras.models.load_model(sys.argv[1])
outputs = model(np.load(sys.argv[2]))
assert not [name for name in sys.modules if name.startswith("autoglyph")]
np.savez(sys.argv[3], *[output.numpy() for output in outputs])
"""


@pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy:DeprecationWarning")
def test_exported_detectors_load_here_and_in_plain_keras(tmp_path: Path) -> None:
    data = squares()
    begun = program(1).begin(network(), seed=0, data=data)
    begun.training.train_until(1)
    file = save_detector(begun.detector, tmp_path / "squares.keras", {"model": "test"})
    loaded, made_by = load_detector(file)
    images = data.test.images.batch([0, 1])
    for ours, theirs in zip(begun.detector.detect(images), loaded.detect(images), strict=True):
        np.testing.assert_allclose(ours.boxes, theirs.boxes, atol=1e-3)
    assert made_by == {"model": "test"} and loaded.class_names == ("small", "large")
    np.save(tmp_path / "images.npy", images)
    paths = [str(tmp_path / name) for name in ("squares.keras", "images.npy", "outputs.npz")]
    subprocess.run([sys.executable, "-c", LOADED_ALONE, *paths], check=True, cwd=tmp_path, capture_output=True)
    with np.load(tmp_path / "outputs.npz") as outputs:
        for name, ours in zip(outputs.files, begun.detector.model(images), strict=True):
            np.testing.assert_allclose(outputs[name], ours.numpy(), atol=1e-4)
    settings = json.loads((tmp_path / "squares.json").read_text())
    settings["classes"].append("third")
    (tmp_path / "squares.json").write_text(json.dumps(settings))
    with pytest.raises(ValueError, match=r"does not describe squares.keras .* export the detector again"):
        load_detector(file)
    (tmp_path / "squares.json").unlink()
    with pytest.raises(ValueError, match="There is no file .*squares.json"):
        load_detector(file)


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"epochs": []}, "epochs that rise"),
        ({"epochs": [2, 1]}, "epochs that rise"),
        ({"batch_size": 0}, "batch_size above 0"),
        ({"width": 0.0}, "width above 0"),
        ({"resolution": 100}, "multiple of 128"),
        ({"norm_momentum": 1.0}, "norm_momentum from 0"),
    ],
)
def test_settings_that_do_not_fit_are_refused(settings: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        ObjectDetection(**settings)


def test_other_individuals_and_sizes_are_refused() -> None:
    with pytest.raises(ValueError, match="Expected a RetinaNet to train, received str"):
        next(program(1).run("text", seed=0, data=squares()))
    full = ObjectDetection(epochs=[1], width=None)
    with pytest.raises(ValueError, match="takes images of 640 pixels, the data has 128"):
        full.begin(r50_fpn(), seed=0, data=load_detection("digits_canvas", seed=0, limit=1))
