"""`autoglyph replay` of encoder-decoders: counts, training, a folder that translates, and what is refused."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from autoglyph.child_programs.sequence_decoding import SequenceDecoder
from autoglyph.child_programs.sequence_model import build_sequence_model
from autoglyph.child_programs.sequences.scores import corpus_bleu
from autoglyph.child_programs.sequences.vocabulary import train_subwords
from autoglyph.child_programs.translation import translate
from autoglyph.child_programs.translator_bundle import Translator, load_translator, save_translator
from autoglyph.experiments.cli import run
from autoglyph.search_spaces import load_space

# Keras 3.15 saves its variables through an __array__ that does not know NumPy 2's copy argument.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy:DeprecationWarning")

TINY = "evolved_transformer:transformer_tiny"
LINES = ["a b c d e", "", "  q w e r t y  ", "z", "nothing known"]
REFERENCES = ["e d c b a", "", "y t r e w q", "z", "known nothing"]
STRANGER = """
import sys
sys.modules["autoglyph"] = None
import keras
import numpy as np
model = keras.models.load_model(sys.argv[1])
source, target = np.array([[5, 6, 7, 2]]), np.array([[1, 7, 6, 5]])
np.save(sys.argv[2], np.asarray(model([source, target])))
"""


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What one command trained, exported and translated; "folder" and "texts" are its files."""
    folder = tmp_path_factory.mktemp("replay")
    (folder / "in.txt").write_text("".join(f"{line}\n" for line in LINES), encoding="utf-8")
    (folder / "ref.txt").write_text("".join(f"{line}\n" for line in REFERENCES), encoding="utf-8")
    words = ["replay", TINY, "--train", "reversal", "--steps", "60", "--limit", "300", "--json", "--beams", "2"]
    words += ["--export", str(folder / "made"), "--output", str(folder / "out.txt")]
    words += ["--translate", str(folder / "in.txt"), "--reference", str(folder / "ref.txt")]
    with pytest.MonkeyPatch.context() as patch:
        printed: list[str] = []
        patch.setattr("autoglyph.experiments.commands._common.print_json", lambda v: printed.append(json.dumps(v)))
        assert run(words) == 0
    return {**json.loads(printed[0]), "folder": folder, "texts": (folder / "out.txt").read_text().split("\n")[:-1]}


def refusal(capsys: pytest.CaptureFixture[str], *words: Any) -> str:
    assert run(["replay", *map(str, words)]) == 2
    printed = capsys.readouterr()
    assert printed.out == "" and printed.err.count("\n") == 1
    return printed.err


@pytest.mark.slow
def test_the_base_transformer_has_its_published_size_in_both_readings(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["replay", "evolved_transformer:transformer_base", "--json", "--cost", "tpu_v3:chip"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["parameters"] == found["trainable_parameters"] == found["workload_parameters"] == 61_147_136
    assert found["madds"] == found["workload_madds"] == found["cost"]["madds"]
    assert found["cost"]["latency_ms"] > 0


def test_layers_and_both_counts_are_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["replay", TINY, "--scale", "proxy", "--summary"]) == 0
    printed = capsys.readouterr().out
    first, second = printed.splitlines()[-2:]
    assert f"Total params: {first.split()[1]} " in printed
    assert first.split(" trainable")[1].split()[-1] == second.split()[-1]


def test_a_training_is_measured_tested_and_set_to_work(exported: dict[str, Any]) -> None:
    training, translation = exported["training"], exported["translation"]
    assert [m["step"] for m in training["measurements"]] == list(range(6, 61, 6))
    assert training["measurements"][-1]["perplexity"] < training["measurements"][0]["perplexity"]
    assert training["vocabulary"] == 30 and training["label_smoothing"] == 0.1
    assert training["test"]["pairs"] == 300 and 0 <= training["test"]["exact_match"] <= 100
    assert len(exported["texts"]) == translation["lines"] == len(LINES)
    assert exported["texts"][1] == "" and exported["texts"][0] and translation["beams"] == 2
    assert translation["bleu"] == corpus_bleu(exported["texts"], REFERENCES).score


def test_the_folder_translates_without_the_record(exported: dict[str, Any], capsys: pytest.CaptureFixture[str]) -> None:
    folder = exported["folder"]
    assert sorted(p.name for p in (folder / "made").iterdir()) == ["model.keras", "settings.json"]
    assert run(["replay", str(folder / "made"), "--translate", str(folder / "in.txt"), "--beams", "2"]) == 0
    assert capsys.readouterr().out.split("\n")[:-1] == exported["texts"]


def test_plain_keras_loads_the_model_of_the_folder(exported: dict[str, Any], tmp_path: Path) -> None:
    file = exported["folder"] / "made" / "model.keras"
    subprocess.run(
        [sys.executable, "-I", "-c", STRANGER, str(file), str(tmp_path / "logits.npy")],
        cwd=tmp_path,
        check=True,
        capture_output=True,
    )
    model = load_translator(file.parent).model
    expected = model([np.array([[5, 6, 7, 2]]), np.array([[1, 7, 6, 5]])])
    np.testing.assert_allclose(np.load(tmp_path / "logits.npy"), expected, rtol=1e-5, atol=1e-5)


@pytest.fixture(scope="module")
def subwords() -> Translator:
    words = ["das haus", "ein kleines haus", "the house", "a small house", "grün", "green", "ein haus ist grün"]
    vocabulary = train_subwords(words, size=290)
    individual = load_space("evolved_transformer").individual("et-tiny")
    small = individual.proxy(resolution=16, channels=1, classes=vocabulary.size, width=0.25)
    small.rebind(encoder_cells=1, decoder_cells=1, relative_positions=4)
    return Translator(small, build_sequence_model(small, seed=3), vocabulary, 12, {"model": "untrained"})


def test_a_folder_with_subwords_gives_back_what_was_saved(subwords: Translator, tmp_path: Path) -> None:
    read = load_translator(save_translator(subwords, tmp_path / "made"))
    assert read.individual == subwords.individual and read.vocabulary == subwords.vocabulary
    assert (read.max_length, read.made_by) == (12, {"model": "untrained"})
    sources = ["ein haus", "a small green house " * 4]
    found = [
        translate(SequenceDecoder(t.individual, t.model), t.vocabulary, sources, max_length=t.max_length)
        for t in (subwords, read)
    ]
    assert found[0] == found[1] and found[0].cut == 1 and all(found[0].texts)
    save_translator(read, tmp_path / "made")
    assert sorted(p.name for p in (tmp_path / "made").iterdir()) == ["model.keras", "settings.json", "vocabulary.model"]


def change(*path: Any, to: Any) -> Callable[[Path], None]:
    def apply(folder: Path) -> None:
        settings = json.loads((folder / "settings.json").read_text())
        at = settings
        for key in path[:-1]:
            at = at[key]
        at[path[-1]] = to
        (folder / "settings.json").write_text(json.dumps(settings))

    return apply


DAMAGES: dict[str, tuple[Callable[[Path], Any], str]] = {
    "no settings": (lambda f: (f / "settings.json").unlink(), "There is no '.*settings.json'"),
    "no model": (lambda f: (f / "model.keras").unlink(), "There is no file '.*model.keras'"),
    "cut model": (lambda f: (f / "model.keras").write_bytes(b"PK\x03\x04"), "Cannot load"),
    "settings are no JSON": (lambda f: (f / "settings.json").write_text("{"), "is not JSON"),
    "another format": (change("format", to="else"), "holds no translator"),
    "another version": (change("version", to=2), "this release reads version 1"),
    "an unknown key": (change("code", to="1"), "Unknown key 'code'"),
    "no length": (change("max_length", to=0), "max_length must be"),
    "an unknown layer": (change("individual", "decoder", 0, "left", "layer", to="attention_5_heads"), "did you mean"),
    "a later state": (change("individual", "decoder", 0, "left", "input", to=3), "block 1 is out of range"),
    "a type to import": (change("individual", "encoder", 0, to={"_type": "os.system"}), "describes no individual"),
    "too many cells": (change("individual", "encoder_cells", to=10**9), "encoder_cells is 1000000000"),
    "no number": (change("individual", "multiplier", to=float("nan")), "multiplier is nan"),
    "another network": (change("individual", "decoder_cells", to=2), "is not the network of settings.json"),
    "another vocabulary": (change("individual", "vocabulary", to=291), "token ids for 291"),
    "a file elsewhere": (change("vocabulary", "file", to="/etc/passwd"), "must be symbols, or subwords in"),
    "no subwords": (lambda f: (f / "vocabulary.model").unlink(), "There is no '.*vocabulary.model'"),
    "damaged subwords": (lambda f: (f / "vocabulary.model").write_bytes(b"x" * 9), "is no SentencePiece model"),
}


@pytest.fixture(scope="module")
def whole_folder(subwords: Translator, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_translator(subwords, tmp_path_factory.mktemp("whole") / "made")


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_folder_that_does_not_fit_is_refused_in_one_sentence(
    damage: str, whole_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    spoil, reason = DAMAGES[damage]
    folder = Path(shutil.copytree(whole_folder, tmp_path / "made"))
    spoil(folder)
    with pytest.raises(ValueError, match=reason):
        load_translator(folder)
    assert "made" in refusal(capsys, folder)


def test_a_model_with_code_in_it_is_refused(whole_folder: Path, tmp_path: Path) -> None:
    import keras

    folder = Path(shutil.copytree(whole_folder, tmp_path / "made"))
    keras.Sequential([keras.Input((2,)), keras.layers.Lambda(lambda x: x)]).save(folder / "model.keras")
    with pytest.raises(ValueError, match="Cannot load"):
        load_translator(folder)


def test_what_cannot_be_done_is_refused_before_any_work(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], whole_folder: Path
) -> None:
    source, other = tmp_path / "in.txt", tmp_path / "other.txt"
    source.write_text("a b\nc\n")
    other.write_text("b a\n")
    (tmp_path / "latin.txt").write_bytes("grün\n".encode("latin-1"))
    train = (TINY, "--train", "reversal")
    assert "add --train DATA, or give a folder" in refusal(capsys, TINY, "--translate", source)
    assert "add --translate FILE" in refusal(capsys, *train, "--output", tmp_path / "out.txt")
    assert "2 lines and" in refusal(capsys, *train, "--translate", source, "--reference", other)
    assert "is not UTF-8" in refusal(capsys, *train, "--translate", tmp_path / "latin.txt")
    assert "does not exist" in refusal(capsys, *train, "--translate", tmp_path / "absent.txt")
    assert "a folder that exists" in refusal(capsys, whole_folder, "--translate", source, "--output", tmp_path)
    assert "would hold a vocabulary" in refusal(capsys, TINY, "--export", tmp_path / "made")
    assert "something else is there" in refusal(capsys, *train, "--export", tmp_path)
    assert "make the folder" in refusal(capsys, *train, "--export", tmp_path / "absent" / "made")
    assert "Unknown sequence data set" in refusal(capsys, TINY, "--train", "reverse")
    assert "trained and exported" in refusal(capsys, whole_folder, "--train", "reversal")
    assert "is an image classifier" in refusal(capsys, "efficientnet:b0", "--translate", source)
    assert "leave --steps out" in refusal(capsys, "efficientnet:b0", "--steps", "3")
    assert "settings.json" in refusal(capsys, tmp_path)
