"""Detectors from the command line: searched, replayed, exported, and set to find boxes in an image file."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
import pytest

from autoglyph.child_programs.detection.digits_canvas import digits_canvas
from autoglyph.child_programs.detection.suppression import Detections
from autoglyph.experiments.pictures.boxes import draw_boxes

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy:DeprecationWarning")
FPN = "nas_fpn:r50_fpn"
SMALL = ("--train", "digits_canvas", "--width", "0.0625", "--epochs", "1", "--limit", "8")


@pytest.fixture
def canvas(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    pixels = digits_canvas(seed=0, limit=1).test.images.batch([0])[0, ..., 0]
    PIL.Image.fromarray((255 * pixels).astype(np.uint8)).save("canvas.png")
    return Path("canvas.png")


@pytest.mark.slow
def test_a_detector_is_trained_measured_exported_and_used(canvas: Path, run_cli: Callable[..., Any]) -> None:
    trained = run_cli(
        "replay", FPN, *SMALL, "--export", "fpn.keras", "--predict", canvas, "--output", "1.png", "--json"
    )
    assert trained.code == 0, trained.err
    result = trained.json
    assert (
        result["trainable_parameters"] == result["workload_parameters"] and result["madds"] == result["workload_madds"]
    )
    assert result["training"]["images"] == result["training"]["test"]["images"] == 8
    assert {"ap", "ap50", "ap75"} <= set(result["training"]["test"]) and result["training"]["epochs"][0]["loss"] > 0
    settings = json.loads(Path("fpn.json").read_text())
    assert settings["classes"] == list("0123456789") and settings["anchors"]["size"] == 2.0
    used = run_cli("replay", "fpn.keras", "--predict", canvas, "--output", "2.png", "--json")
    assert used.code == 0, used.err
    assert used.json["prediction"]["boxes"] == result["prediction"]["boxes"]
    assert (np.asarray(PIL.Image.open("1.png")) == np.asarray(PIL.Image.open("2.png"))).all()
    shown = run_cli("replay", "fpn.keras", "--predict", canvas)
    assert "r50_fpn of nas_fpn, trained on digits_canvas" in shown.out and "boxes in canvas.png" in shown.out


@pytest.mark.slow
def test_detectors_are_searched_by_training(canvas: Path, run_cli: Callable[..., Any]) -> None:
    small = [f"--set=program.{text}" for text in ("epochs=[1]", "width=0.0625", "limit=8")]
    searched = run_cli(
        "search", "nas_fpn", "--data", "digits_canvas", "--trials", "1", "--run", "cells", *small, "--json"
    )
    assert searched.code == 0, searched.err
    shown = run_cli("show", "cells", "0", "--json")
    assert {"ap", "ap50", "train_loss", "child_parameters"} <= set(shown.json["metrics"])


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ((FPN, "--predict", "canvas.png"), "is not trained: add --train DATA"),
        ((FPN, "--steps", "3"), "leave --steps out"),
        ((FPN, *SMALL, "--predict", "none.png"), "There is no image 'none.png'"),
        ((FPN, *SMALL, "--predict", "text.png"), "Cannot read 'text.png' as an image"),
        ((FPN, *SMALL, "--predict", "canvas.png", "--output", "boxes.txt"), "ends in .png"),
        ((FPN, *SMALL, "--output", "boxes.png"), "add --predict IMAGE"),
        ((FPN, *SMALL, "--export", "fpn.h5"), "ends in .keras"),
        ((FPN, "--train", "digits"), "digits_canvas"),
        ((FPN, "--train", "digits_canvas", "--resolution", "100"), "multiple of 128"),
        ((FPN, "--train", "none.json:images"), "There is no file 'none.json'"),
        (("missing.keras", "--predict", "canvas.png"), "There is no file 'missing.keras'"),
        (("missing.keras",), "give an image with --predict"),
        (("missing.keras", "--train", "digits_canvas"), "leave --train and --export out"),
        (("efficientnet:b0", "--predict", "canvas.png"), "--predict needs a detector"),
        (("evolved_transformer:transformer_tiny", "--predict", "canvas.png"), "--predict needs a detector"),
    ],
)
def test_wishes_that_do_not_fit_are_refused_before_any_training(
    canvas: Path, run_cli: Callable[..., Any], arguments: tuple[str, ...], sentence: str
) -> None:
    Path("text.png").write_text("no image")
    refused = run_cli("replay", *arguments)
    assert refused.code == 2 and sentence in " ".join(refused.err.split()), refused.err


def test_boxes_are_drawn_on_the_enlarged_image(canvas: Path) -> None:
    boxes = np.array([[10, 20, 50, 60], [0, 0, 5, 5]], np.float32)
    found = Detections(boxes, np.array([0, 1], np.int32), np.array([0.9, 0.4], np.float32))
    picture = np.asarray(PIL.Image.open(draw_boxes(canvas, found, ["a", "b"], Path("boxes.png"))))
    assert picture.shape == (512, 512, 3)
    assert picture[4 * 40, 4 * 10].tolist() == [0xE6, 0x9F, 0x00] == picture[4 * 40, 4 * 50].tolist()
    assert picture[4 * 40, 4 * 30].tolist() == [int(np.asarray(PIL.Image.open(canvas))[40, 30])] * 3
    with pytest.raises(ValueError, match="Could not write"):
        draw_boxes(canvas, found, ["a", "b"], Path("boxes.nonsense"))
