"""Individuals as files: they come back as they were, and bad ones are refused in one sentence."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pyglove as pg
import pytest

from autoglyph.experiments import cli
from autoglyph.experiments.individual_file import base_of, read_individual, write_individual
from autoglyph.experiments.replaying.replayed import replay
from autoglyph.hardware_models import record
from autoglyph.search_spaces.architectures.efficientnet_family import efficientnet_x
from autoglyph.search_spaces.expressions.text import to_text
from autoglyph.search_spaces.space import built_in_names, load_space

CHANGES = {"scaling.width": 1.13, "scaling.depth": 1.29, "scaling.resolution": 244}
GOOD: dict[str, Any] = {
    "format": "autoglyph-individual",
    "version": 1,
    "base": "efficientnet_x:x-b0",
    "changes": CHANGES,
    "made_by": {},
}


def test_a_file_replays_to_the_scaled_network(tmp_path: Path) -> None:
    path = tmp_path / "b2.json"
    write_individual(path, base_of("efficientnet_x:x-b0", tmp_path / "none.db"), CHANGES, {"device": "tpu_v3:chip"})
    found = replay(str(path))
    assert found.space == "efficientnet_x"
    expected = record(efficientnet_x((1.13, 1.29, 244), se_coefficient=4))
    assert record(found.individual).rows() == expected.rows()
    assert base_of(str(path), tmp_path / "none.db") == "efficientnet_x:x-b0"


def test_a_base_of_genes_needs_no_record(tmp_path: Path) -> None:
    genome = load_space("efficientnet").genome
    row = genome.rows_at(12345, 12346)[0]
    path = tmp_path / "found.json"
    genes = json.loads(json.dumps(genome.to_json(row)))
    write_individual(path, {"space": "efficientnet", "genes": genes}, {"scaling.depth": 2}, {})
    individual, space = read_individual(path)
    assert space == "efficientnet"
    expected = genome.decode(row).clone(deep=True)
    expected.rebind({"scaling.depth": 2.0})
    assert record(individual).rows() == record(expected).rows()


@pytest.mark.parametrize("name", sorted(built_in_names()))
def test_what_the_page_gives_of_any_space_is_read_again(tmp_path: Path, name: str) -> None:
    """Expressions and detectors too, which have no scaling."""
    space = load_space(name)
    row = space.genome.random(1, np.random.default_rng(0))[0]
    path = tmp_path / "trial-3.json"
    genes = json.loads(json.dumps(space.genome.to_json(row)))
    write_individual(path, {"space": name, "genes": genes}, {}, {"run": "r", "trial": 3})
    found = replay(str(path))
    assert found.space == space.name
    assert pg.eq(found.individual, space.genome.decode(row))


def test_an_expression_from_a_file_is_carried_out(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    space = load_space("activation")
    program = space.individual("swish")
    path = tmp_path / "found.json"
    genes = json.loads(json.dumps(space.genome.to_json(space.genome.encode(program))))
    write_individual(path, {"space": "activation", "genes": genes}, {}, {})
    assert cli.run(["replay", str(path), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["text"] == to_text(program)


def test_a_rule_cannot_be_scaled(tmp_path: Path) -> None:
    path = tmp_path / "scaled.json"
    write_individual(path, "activation:swish", {"scaling.width": 2.0}, {})
    with pytest.raises(ValueError, match="individuals of activation have no scaling; leave 'changes' empty"):
        read_individual(path)


@pytest.mark.parametrize(
    ("edit", "sentence"),
    [
        ({"format": "other"}, "holds no individual"),
        ({"version": 2}, "has version 2"),
        ({"version": True}, "has version True"),
        ({"code": "print(1)"}, "Unknown key 'code'"),
        ({"base": "nowhere:x-b0"}, "Unknown search space 'nowhere'"),
        ({"base": "efficientnet_x:x-b99"}, "Unknown individual"),
        ({"base": "evil.py:SPACE"}, "Unknown search space 'evil.py'"),
        ({"base": "x-b0"}, "cannot read the base"),
        ({"base": 3}, "the base must be"),
        ({"base": {"space": "efficientnet", "genes": [99]}}, "no point of the space"),
        ({"base": {"space": "efficientnet", "genes": "x"}}, "no point of the space"),
        ({"changes": []}, "'changes' must be an object"),
        ({"changes": {"stages[0].kernel": 3}}, "Unknown change 'stages"),
        ({"changes": {"scaling.width": "2"}}, "scaling.width must be a number"),
        ({"changes": {"scaling.width": True}}, "scaling.width must be a number"),
        ({"changes": {"scaling.resolution": 224.5}}, "scaling.resolution must be a whole number"),
        ({"changes": {"scaling.width": 1e9}}, "give 0.05 to 16"),
        ({"changes": {"scaling.width": float("nan")}}, "give 0.05 to 16"),
        ({"changes": {"scaling.depth": -1}}, "give 0.05 to 16"),
        ({"made_by": "me"}, "'made_by' must be an object"),
    ],
)
def test_bad_files_are_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], edit: dict[str, Any], sentence: str
) -> None:
    path = tmp_path / "bad.json"
    path.write_text(json.dumps(GOOD | edit), encoding="utf-8")
    assert cli.run(["cost", str(path), "--device", "tpu_v3"]) == 2
    error = capsys.readouterr().err
    assert sentence in error
    assert error.count("\n") == 1


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"not json", "is not JSON"),
        (b"[" * 100_000, "is not JSON"),
        (b"\xff\xfe", "is not JSON"),
        (b"[1]", "holds no individual"),
        (b" " * ((1 << 20) + 1), "has more than 1,048,576 bytes"),
        (b'{"format": "autoglyph-individual", "version": 1, "base": "efficientnet_x:x-b0"}', "has no 'changes'"),
    ],
)
def test_what_is_no_individual_is_refused(tmp_path: Path, content: bytes, sentence: str) -> None:
    path = tmp_path / "bad.json"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=sentence):
        read_individual(path)
    with pytest.raises(ValueError, match="There is no file"):
        read_individual(tmp_path / "absent.json")
