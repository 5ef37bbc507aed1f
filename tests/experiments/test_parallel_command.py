"""`autoglyph parallel`: pipelines and meshes on the command line."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

MODEL = ("parallel", "efficientnet:b0", "--device", "tpu_v3:datasheet")


def test_a_pipeline_is_shown_stage_by_stage(run_cli: Callable) -> None:
    arguments = (*MODEL, "--stages", "4", "--micro-batches", "32", "--batch", "256")
    value = run_cli(*arguments, "--json").json
    assert value["batch"] == 256 and value["micro_batches"] == 32 and len(value["stages"]) == 4
    assert sum(stage["kernels"] for stage in value["stages"]) == 115
    assert 3 / 35 <= value["bubble"] < 0.3 and 1 < value["speedup"] < 4
    assert value["single_device_ms"] / value["step_ms"] == pytest.approx(value["speedup"])
    assert value["memory_gb"] == max(stage["memory_gb"] for stage in value["stages"])
    assert value["memory_gb"] < value["memory_without_recomputation_gb"] < value["single_device_memory_gb"]
    text = run_cli(*arguments).out
    assert "stem_conv" in text and "idle" in text and "with re-computation" in text and "It fits" in text
    kept = run_cli(*arguments, "--no-recomputation", "--json").json
    assert kept["step_ms"] < value["step_ms"] and kept["memory_gb"] == value["memory_without_recomputation_gb"]
    slow = run_cli(*arguments, "--link-gb-per-s", "1", "--json").json
    assert slow["step_ms"] > value["step_ms"] and slow["link_gb_per_s"] == 1


def test_micro_batches_are_four_a_stage_unless_told(run_cli: Callable) -> None:
    assert run_cli(*MODEL, "--stages", "2", "--json").json["micro_batches"] == 8


def test_a_mesh_is_shown(run_cli: Callable) -> None:
    arguments = (*MODEL, "--mesh", "x=4,y=2", "--layout", "batch=x,channels=y")
    value = run_cli(*arguments, "--json").json
    assert value["chips"] == 8 and value["layout"] == {"batch": "x", "channels": "y"}
    assert value["compute_ms"] + value["communication_ms"] == pytest.approx(value["step_ms"])
    assert 1 < value["speedup"] < 8 and value["memory_gb"] < value["single_device_memory_gb"]
    data = run_cli(*MODEL, "--mesh", "x=4", "--layout", "batch=x", "--json").json
    assert data["channel_mb"] == 0 and data["gradient_mb"] == pytest.approx(1.5 * 5288548 * 2 / 1e6)
    text = run_cli(*arguments).out
    assert "8 x tpu_v3:datasheet" in text and "gradient_mb" in text and "It fits" in text


CASES = {
    "neither": ((), "Give either --stages for a pipeline or --mesh for a mesh"),
    "both": (("--stages", "2", "--mesh", "x=2"), "Give either --stages"),
    "layout alone": (("--stages", "2", "--layout", "batch=x"), "add --mesh"),
    "micro-batches of a mesh": (("--mesh", "x=2", "--micro-batches", "2"), "give --stages instead of --mesh"),
    "no stage": (("--stages", "0"), "give 1 to 115 stages"),
    "too many stages": (("--stages", "116", "--micro-batches", "1"), "give 1 to 115 stages"),
    "no micro-batch": (("--stages", "2", "--micro-batches", "0"), "micro_batches is 0"),
    "batch": (("--stages", "2", "--micro-batches", "5"), "batch of 128 does not split in 5 micro-batches"),
    "mesh": (("--mesh", "x4"), "write x=4,y=2"),
    "layout": (("--mesh", "x=4", "--layout", "batch"), "write batch=x,heads=y"),
    "illegal": (("--mesh", "x=4", "--layout", "batch=x,channels=x"), "same mesh dimension x"),
    "channels": (("--mesh", "x=4", "--layout", "channels=x"), "stage2_block2_se_reduce has 6 output channels"),
    "rows": (("--mesh", "x=4", "--layout", "rows=x"), "split batch or channels"),
    "link": (("--stages", "2", "--link-gb-per-s", "0"), "The link has 0 GB/s"),
}


@pytest.mark.parametrize("case", CASES)
def test_bad_questions_get_one_sentence(case: str, run_cli: Callable) -> None:
    arguments, message = CASES[case]
    done = run_cli(*MODEL, *arguments)
    assert done.code == 2 and done.out == "" and done.err.count("\n") == 1, done
    assert re.search(message, done.err), done.err


def test_models_that_are_no_networks_are_refused(run_cli: Callable) -> None:
    done = run_cli("parallel", "mesh_layout:data-parallel", "--device", "tpu_v3", "--stages", "2")
    assert done.code == 2 and "are no networks" in done.err
