"""Exported models load and predict the same where this project cannot be imported."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from small_networks import tiny_network

from autoglyph.child_programs import build_model, export_model
from autoglyph.search_spaces import load_space

# Keras 3.15 saves its variables through an __array__ that does not know NumPy 2's copy argument.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy:DeprecationWarning")

STRANGER = """
import sys

class Blocker:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] == "autoglyph":
            raise ImportError("autoglyph is not installed here")

sys.meta_path.insert(0, Blocker())
try:
    import autoglyph.search_spaces
except ImportError:
    pass
else:
    sys.exit("the blocker does not work")
import keras
import numpy as np
model = keras.models.load_model(sys.argv[1])
np.save(sys.argv[3], np.asarray(model(np.load(sys.argv[2]))))
assert not any(name.split(".")[0] == "autoglyph" for name in sys.modules)
"""


def predictions_of_a_stranger(model: Path, images: Any, folder: Path) -> Any:
    np.save(folder / "images.npy", images)
    subprocess.run(
        [sys.executable, "-I", "-c", STRANGER, str(model), str(folder / "images.npy"), str(folder / "logits.npy")],
        cwd=folder,
        check=True,
        capture_output=True,
    )
    return np.load(folder / "logits.npy")


def test_a_stranger_loads_a_random_individual_and_predicts_the_same(tmp_path: Path) -> None:
    genome = load_space("efficientnet_x").genome
    individual = genome.decode(genome.random(1, np.random.default_rng(3))[0])
    model = build_model(individual.proxy(resolution=32, channels=3, classes=10, width=0.25), seed=0)
    rng = np.random.default_rng(0)
    for variable in model.non_trainable_variables:
        if "moving" in variable.name:
            variable.assign(rng.uniform(0.5, 1.5, variable.shape))
    images = rng.random((3, 32, 32, 3), np.float32)
    file = export_model(model, tmp_path / "child.keras")
    assert file == tmp_path / "child.keras" and [p.name for p in tmp_path.iterdir()] == ["child.keras"]
    assert np.allclose(predictions_of_a_stranger(file, images, tmp_path), model(images), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("name", ["model.h5", "model", "model.keras.zip"])
def test_other_suffixes_are_refused_before_anything_is_written(tmp_path: Path, name: str) -> None:
    with pytest.raises(ValueError, match=r"ends in \.keras"):
        export_model(None, tmp_path / name)
    assert list(tmp_path.iterdir()) == []


def test_a_missing_folder_and_a_folder_in_its_place_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="make the folder"):
        export_model(None, tmp_path / "absent" / "m.keras")
    (tmp_path / "m.keras").mkdir()
    with pytest.raises(ValueError, match="it is a folder"):
        export_model(None, tmp_path / "m.keras")


def test_a_failed_export_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    file = tmp_path / "m.keras"
    file.write_text("what was there")
    program = """
import resource, sys
from small_networks import tiny_network
from autoglyph.child_programs import build_model, export_model
model = build_model(tiny_network(), seed=0)
resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))
try:
    export_model(model, sys.argv[1])
except ValueError as error:
    print(error)
"""
    done = subprocess.run(
        [sys.executable, "-c", program, str(file)],
        cwd=Path(__file__).parent,
        capture_output=True,
        text=True,
        check=True,
    )
    assert "Could not write" in done.stdout and "choose another folder" in done.stdout
    assert done.stdout.count("\n") == 1
    assert file.read_text() == "what was there" and list(tmp_path.iterdir()) == [file]


def test_an_export_replaces_what_was_there(tmp_path: Path) -> None:
    import keras

    file = tmp_path / "m.keras"
    file.write_text("what was there")
    model = build_model(tiny_network(), seed=0)
    export_model(model, str(file))
    assert keras.models.load_model(file).count_params() == model.count_params()
