"""`autoglyph cost` of Keras files: training steps, rooflines and refusals."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from autoglyph.experiments.cli import run


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # Keras' own, in saving
def test_a_keras_file_is_costed_and_drawn(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    import keras

    x = keras.Input((16, 16, 3))
    path = tmp_path / "small.keras"
    keras.Model(x, keras.layers.Conv2D(4, 3, padding="valid", name="stem")(x)).save(path)
    picture = tmp_path / "roof.html"
    assert run(["cost", str(path), "--device", "v100", "--training", "--json", "--roofline", str(picture)]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["madds"] == 14 * 14 * 27 * 4
    assert found["training"]["madds"] == 2 * found["madds"]
    assert [kernel["name"] for kernel in found["kernels"]] == ["stem"]
    assert "stem" in picture.read_text()


@pytest.mark.parametrize("content", [None, "no archive"])
def test_a_missing_or_damaged_file_is_one_sentence(
    content: str | None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "broken.keras"
    if content is not None:
        path.write_text(content)
    assert run(["cost", str(path), "--device", "v100"]) == 2
    assert "broken.keras" in capsys.readouterr().err
