"""`autoglyph cost` of Keras files and individuals: training steps, own accelerators, rooflines and refusals."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from autoglyph.experiments.cli import run
from autoglyph.hardware_models import load_device
from autoglyph.hardware_models.accelerator import load_accelerator

KERAS_SAVES = pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy:DeprecationWarning")
Captured = pytest.CaptureFixture[str]


def cost(capsys: Captured, *arguments: str) -> Any:
    assert run(["cost", *arguments, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def refusal(capsys: Captured, *arguments: str) -> str:
    assert run(["cost", *arguments]) == 2
    error = capsys.readouterr().err
    assert "Traceback" not in error and len(error.strip().splitlines()) == 1
    return error


@KERAS_SAVES
def test_a_keras_file_is_costed_and_drawn(tmp_path: Path, capsys: Captured) -> None:
    import keras

    x = keras.Input((16, 16, 3))
    path = tmp_path / "small.keras"
    keras.Model(x, keras.layers.Conv2D(4, 3, padding="valid", name="stem")(x)).save(path)
    picture = tmp_path / "roof.html"
    found = cost(capsys, str(path), "--device", "v100", "--training", "--roofline", str(picture))
    assert found["madds"] == 14 * 14 * 27 * 4
    assert found["parameters"] == found["keras_parameters"] == found["keras_trainable_parameters"] == 27 * 4 + 4
    assert [kernel["name"] for kernel in found["kernels"]] == ["stem"]
    step = found["training"]
    assert step["madds"] == sum(kernel["madds"] for kernel in step["kernels"]) == 2 * found["madds"]
    assert [kernel["name"] for kernel in step["kernels"]] == ["stem", "stem_weight_gradient", "update"]
    assert step["kernels"][-1]["bytes"] == 7 * 112 * load_device("v100").element_bytes  # 4 read and 3 written, Adam
    assert "stem" in picture.read_text()
    assert "--device" in refusal(capsys, str(path))


def test_the_training_step_lists_its_kernels(capsys: Captured) -> None:
    found = cost(capsys, "efficientnet:b0", "--device", "tpu_v3:chip", "--training", "--optimizer", "sgd")
    step = found["training"]
    assert step["madds"] == 3 * found["madds"] - found["kernels"][0]["madds"]
    assert sum(k["latency_us"] for k in step["kernels"]) <= step["latency_ms"] * 1e3 * (1 + 1e-9)
    assert step["kernels"][-1]["latency_us"] == pytest.approx(step["update_ms"] * 1e3)
    names = {kernel["name"] for kernel in step["kernels"]}
    assert names > {kernel["name"] for kernel in found["kernels"]}


def test_an_individual_runs_on_its_own_accelerator_unless_told(capsys: Captured) -> None:
    own = cost(capsys, "nahas:b0-coral")
    named = cost(capsys, "nahas:b0-coral", "--device", load_accelerator("coral").name)
    assert own["device"] == "its own accelerator" and named["device"] == "accelerator:coral"
    assert own["latency_ms"] == named["latency_ms"] != cost(capsys, "nahas:b0-pixel")["latency_ms"]
    assert own["device_title"] == named["device_title"]
    assert run(["cost", "nahas:b0-coral"]) == 0
    assert f"Its own accelerator: {own['device_title']}." in capsys.readouterr().out
    assert "--device" in refusal(capsys, "efficientnet:b0")
    assert "no networks" in refusal(capsys, "accelerator:coral", "--device", "v100")


def test_text_has_totals_kernels_training_and_roofline(tmp_path: Path, capsys: Captured) -> None:
    picture = tmp_path / "roof.png"
    assert run(["cost", "efficientnet:b0", "--device", "v100", "--training", "--roofline", str(picture)]) == 0
    out = capsys.readouterr().out
    for part in ("385,814,752 multiply-adds", "The slowest 15 of", "One training step with adam", "RR ridge point"):
        assert part in out
    assert picture.is_file()


@pytest.mark.parametrize("content", [None, b"no archive", b"PK\x03\x04 cut short"])
def test_a_missing_or_damaged_file_is_one_sentence(content: bytes | None, tmp_path: Path, capsys: Captured) -> None:
    path = tmp_path / "broken.keras"
    if content is not None:
        path.write_bytes(content)
    assert "broken.keras" in refusal(capsys, str(path), "--device", "v100")


def test_other_bad_input_is_one_sentence(tmp_path: Path, capsys: Captured) -> None:
    model = ["efficientnet:b0", "--device", "v100"]
    assert "ResNet50" in refusal(capsys, "keras.applications:ResNet49", "--device", "v100")
    assert "lion" in refusal(capsys, *model, "--training", "--optimizer", "lion")
    assert ".png" in refusal(capsys, *model, "--roofline", str(tmp_path / "roof.gif"))
    assert "no folder" in refusal(capsys, *model, "--roofline", str(tmp_path / "absent" / "roof.png"))
