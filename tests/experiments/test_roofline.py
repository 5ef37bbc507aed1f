"""Rooflines: blocks add up, points stay under the roofs, names cover nothing, pictures hold what they should."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autoglyph.experiments.pictures.label_places import Box, around, place
from autoglyph.experiments.pictures.roofline import save_roofline, terminal_roofline
from autoglyph.experiments.pictures.roofline_blocks import block_name, joint_name
from autoglyph.experiments.pictures.roofline_scene import labels, scene
from autoglyph.experiments.replaying import replayed
from autoglyph.search_spaces import load_space

DEVICES = ("tpu_v3:chip", "v100", "coral_edge_tpu")


def costs_of(device: str) -> dict[str, Any]:
    return replayed.costs(load_space("efficientnet").individual("b0"), device)


@pytest.mark.parametrize(
    ("kernel", "block"),
    [
        ("stage3_block2_se_reduce", "stage3_block2"),
        ("conv4_block3_1_conv", "conv4_block3"),
        ("block1a_dwconv", "block1a"),
        ("convnext_tiny_stage_0_block_1_layernorm", "convnext_tiny_stage_0_block_1"),
        ("encoder_cell2_block4_left_query", "encoder_cell2"),
        ("expanded_conv_7_depthwise", "expanded_conv_7"),
        ("conv1_bn", "conv1"),
        ("conv2d_17", "conv2d_17"),
        ("stem_conv", "stem"),
        ("logits", "logits"),
    ],
)
def test_kernels_have_the_block_that_their_name_says(kernel: str, block: str) -> None:
    assert block_name(kernel) == block


def test_names_at_one_place_are_joined() -> None:
    assert joint_name(["a_block2", "a_block10", "stem", "a_block3", "a_block4"]) == "a_block2-4, 10; stem"
    assert joint_name(["conv", "conv1", "conv2"]) == "conv, 1, 2"
    assert joint_name([f"c{i}" for i in range(1, 20, 2)]) == "c1, 3, 5, 7, 6 more"


@pytest.mark.parametrize("device", DEVICES)
def test_blocks_add_up_and_stay_under_the_roofs(device: str) -> None:
    costs = costs_of(device)
    for key in ("latency_us", "operations", "bytes"):
        assert sum(b[key] for b in costs["blocks"]) == pytest.approx(sum(k[key] for k in costs["kernels"]))
    assert sum(b["kernels"] for b in costs["blocks"]) == len(costs["kernels"])
    assert costs["ridge_ops_per_byte"] * costs["bandwidth_gb_per_s"] == pytest.approx(
        1e3 * costs["peak_tera_ops_per_s"]
    )
    fastest = max(costs["bandwidth_gb_per_s"], costs["on_chip_bandwidth_gb_per_s"])
    for row in (*costs["blocks"], *costs["kernels"]):
        roof = min(1e3 * costs["peak_tera_ops_per_s"], row["ops_per_byte"] * fastest)
        assert row["attained_giga_ops_per_s"] <= roof * (1 + 1e-9)
        assert row["attained_giga_ops_per_s"] == pytest.approx(row["operations"] / row["latency_us"] / 1e3)


@settings(max_examples=30, deadline=None)
@given(
    points=st.lists(st.tuples(st.floats(0, 300), st.floats(0, 200), st.floats(1, 8)), max_size=12),
    size=st.integers(1, 12),
)
def test_labels_cover_nothing(points: list[tuple[float, float, float]], size: int) -> None:
    canvas, taken = Box(0, 0, 300, 200), [Box(0, 150, 80, 200)]
    boxes = place(points, ["x" * size] * len(points), glyph=(4, 9), canvas=canvas, taken=taken)
    found = [box for box in boxes if box is not None]
    obstacles = [*taken, *(around(*point) for point in points)]
    for i, box in enumerate(found):
        assert box.inside(canvas)
        assert not any(box.overlaps(other) for other in (*obstacles, *found[:i]))


@pytest.mark.parametrize("device", DEVICES)
def test_every_block_is_named_in_the_picture(device: str) -> None:
    drawn = scene("b0", costs_of(device))
    found = labels(drawn, Box(60, 46, 778, 446), (3.92, 8.75), [4.0] * len(drawn.blocks))
    assert sorted(name for label in found for name in label.names) == sorted(b["name"] for b in drawn.blocks)
    at = drawn.at(*drawn.ridge, Box(0, 0, 100, 50))
    assert drawn.values(*at, Box(0, 0, 100, 50)) == pytest.approx(drawn.ridge)


def test_pictures_are_written_whole(tmp_path: Path) -> None:
    costs = costs_of("tpu_v3:chip")
    page = save_roofline("b0", costs, tmp_path / "roof.html").read_text()
    for row in (*costs["blocks"], *costs["kernels"]):
        assert not row["operations"] or f"\\u003cb\\u003e{row['name']}\\u003c" in page
    assert "analytic model" in page and "ridge point" in page
    assert save_roofline("b0", costs, tmp_path / "roof.png").read_bytes().startswith(b"\x89PNG")
    assert "<svg" in save_roofline("b0", costs, tmp_path / "roof.svg").read_text()
    assert sorted(p.name for p in tmp_path.iterdir()) == ["roof.html", "roof.png", "roof.svg"]
    with pytest.raises(ValueError, match=r"roof\.gif.*\.png"):
        save_roofline("b0", costs, tmp_path / "roof.gif")
    with pytest.raises(ValueError, match="no folder"):
        save_roofline("b0", costs, tmp_path / "absent" / "roof.png")


def test_the_terminal_shows_roof_ridge_and_bounds() -> None:
    text = terminal_roofline("b0", costs_of("tpu_v3:chip"))
    lines = text.splitlines()
    assert lines[0] == "Roofline of b0 on tpu_v3:chip, batch 128"
    assert "\x1b" not in text and max(map(len, lines[2:])) <= 78
    assert "RR ridge point" in text and "cc blocks, compute bound" in text and "·" in text


def test_a_network_without_operations_cannot_be_drawn() -> None:
    costs = costs_of("v100")
    nothing = [{**row, "operations": 0} for row in costs["kernels"]]
    with pytest.raises(ValueError, match="nothing to draw"):
        scene("empty", {**costs, "kernels": nothing, "blocks": []})
