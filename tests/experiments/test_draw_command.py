"""`autoglyph draw`: pyramids and scale-permuted backbones as words and pictures."""

import numpy as np
import pytest

from autoglyph.experiments.pictures.level_graph import level_nodes, level_text
from autoglyph.search_spaces import load_space


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def test_the_published_pyramid_in_words(run_cli):
    assert run_cli("draw", "nas_fpn:r50_nas_fpn_7_256").out.splitlines()[1:] == [
        "  m1 (level 4) = attention(P4, P6)",
        "  m2 (level 4) = sum(P4, m1)",
        "  P3' (level 3) = sum(P3, m2)",
        "  P4' (level 4) = sum(m2, P3')",
        "  P5' (level 5) = attention(P3', P4') + P5",
        "  P7' (level 7) = attention(m2, P5') + P7",
        "  P6' (level 6) = attention(P5', P7')",
    ]


@pytest.mark.parametrize(("model", "nodes"), [("nas_fpn:r50_nas_fpn_7_256", 12), ("spinenet:49", 17)])
def test_published_networks_are_drawn(run_cli, tmp_path, model, nodes):
    result = run_cli("draw", model, "--output", "picture.svg", "--json").json
    assert len(result["nodes"]) == nodes
    assert sum(node["is_output"] for node in result["nodes"]) == 5
    first = (tmp_path / "picture.svg").read_bytes()
    assert b"<svg" in first
    run_cli("draw", model, "--output", "picture.png")
    assert (tmp_path / "picture.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize("space", ["nas_fpn", "spinenet"])
def test_random_individuals_are_put_in_words(space):
    loaded = load_space(space)
    for row in loaded.genome.random(20, np.random.default_rng(0)):
        individual = loaded.genome.decode(row)
        nodes = level_nodes(individual.pyramid if space == "nas_fpn" else individual.backbone)
        assert sorted(node.level for node in nodes if node.is_output) == [3, 4, 5, 6, 7]
        assert len(level_text(nodes)) == {"nas_fpn": 7, "spinenet": 16}[space]
        assert all(max((*node.inputs, *node.unread), default=-1) < i for i, node in enumerate(nodes))


@pytest.mark.parametrize(
    ("arguments", "fix"),
    [
        (("nas_fpn:r50_fpn",), "give an individual of nas_fpn or spinenet"),
        (("efficientnet:b0",), "give an individual of nas_fpn or spinenet"),
        (("spinenet:49", "--output", "picture.bmp"), "end its name in .png"),
        (("spinenet:48",), "run a search first"),
    ],
)
def test_bad_input_is_refused_in_a_sentence(run_cli, arguments, fix):
    result = run_cli("draw", *arguments)
    assert result.code == 2
    assert fix in result.err
