"""`autoglyph replay` of expressions: text and counts, files that stand alone, training, and what is refused."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from autoglyph.experiments.cli import run
from autoglyph.search_spaces import load_space

# Keras 3.15 saves its variables through an __array__ that does not know NumPy 2's copy argument.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy:DeprecationWarning")

NAMED = {
    "activation:swish",
    "optimizer_rule:sgd",
    "optimizer_rule:adam",
    "optimizer_rule_2:powersign",
    "optimizer_rule_3:addsign",
    *(f"optimizer_rule_3_decays:powersign-{decay}" for decay in ("ld", "cd", "rd")),
    *(f"optimizer_rule_4_decays:addsign-{decay}" for decay in ("ld", "cd", "rd")),
    *(f"optimizer_rule_extended:{name}" for name in ("momentum", "rmsprop", "lion")),
    *(f"backprop_rule:{name}" for name in ("backprop", "feedback-alignment", "direct-feedback-alignment")),
}


def replayed(capsys: pytest.CaptureFixture[str], *words: Any) -> dict[str, Any]:
    assert run(["replay", *map(str, words), "--json"]) == 0
    return dict(json.loads(capsys.readouterr().out))


@pytest.mark.parametrize("reference", sorted(NAMED))
def test_named_individuals_replay(capsys: pytest.CaptureFixture[str], tmp_path: Path, reference: str) -> None:
    result = replayed(capsys, reference, "--summary", "--export", tmp_path / "found.py")
    assert result["text"] and result["latex"] and len(result["units"]) == result["counts"]["units"]
    compile((tmp_path / "found.py").read_text(), "found.py", "exec")


def test_text_and_counts_are_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["replay", "activation:swish", "--summary"]) == 0
    printed = capsys.readouterr().out
    assert "gate(beta * x, x)" in printed and "units 1 (1 needed)" in printed and "beta_times(x)" in printed


@pytest.mark.slow
def test_a_trained_network_loads_with_the_file_beside_it(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    words = ["--train", "digits", "--epochs", "2", "--limit", "300", "--export", tmp_path / "m.keras"]
    result = replayed(capsys, "backprop_rule_2:sign-symmetry", *words)
    assert result["training"]["network"] == "dense" and len(result["training"]["epochs"]) == 2
    program = (
        "import sys; sys.modules['autoglyph'] = None; sys.path.insert(0, '.'); import keras, numpy as np, m; "
        "model = keras.models.load_model('m.keras'); "
        "from sklearn.datasets import load_digits; d = load_digits(); "
        "x = (d.images / 16)[..., None].astype('float32'); "
        "print(np.mean(np.asarray(model(x)).argmax(axis=1) == d.target))"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=tmp_path, check=True, capture_output=True, text=True)
    known = result["training"]["epochs"][-1]["top1"]
    assert abs(100 * float(done.stdout) - known) < 15 and known > 15


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--cost", "tpu_v3"], "leave --cost out"),
        (["--steps", "5"], "leave --steps out"),
        (["--width", "0.5"], "leave --width out"),
        (["--translate", "x.txt"], "leave --translate out"),
        (["--scale", "proxy"], "leave --scale out"),
        (["--scale", "full", "--train", "digits"], "leave --scale out"),
        (["--limit", "50"], "add --train DATA"),
        (["--export", "m.keras"], "add --train DATA"),
        (["--export", "m.h5"], "NAME.py"),
        (["--export", "1x.py"], "Python can import"),
        (["--train", "digits", "--export", "no-name.keras"], "Python can import"),
    ],
)
def test_wishes_that_make_no_sense_are_refused(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: list[str], sentence: str
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run(["replay", "activation:swish", *words]) == 2
    printed = capsys.readouterr()
    assert sentence in " ".join(printed.err.split()) and list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_the_learning_rate_of_an_update_rule_is_chosen() -> None:
    from autoglyph.child_programs import load_dataset
    from autoglyph.child_programs.expression_layers import standalone_file
    from autoglyph.child_programs.expression_layers.training import LEARNING_RATES, train_found

    file = standalone_file(load_space("optimizer_rule_extended").individual("lion"), "lion")
    trained = train_found(file, load_dataset("digits", seed=0, limit=200), epochs=1, seed=0, quiet=True)
    assert len(trained.learning_rates) == len(LEARNING_RATES)
    assert trained.learning_rates[f"{trained.learning_rate:g}"] == max(trained.learning_rates.values())
    assert all(np.isfinite(weights).all() for weights in trained.model.get_weights())
