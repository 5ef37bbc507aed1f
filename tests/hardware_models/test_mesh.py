"""Mesh layouts: results of simulated processors, bytes by hand and as they are sent, what is refused."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from tiny_networks import device

from autoglyph.hardware_models.parallel.link import Link
from autoglyph.hardware_models.parallel.mesh import estimate_layout, estimate_layouts
from autoglyph.hardware_models.parallel.mesh_simulator import ring_all_reduce, simulate_program
from autoglyph.search_spaces.mesh_layouts import check_layout, legal
from autoglyph.search_spaces.mesh_program import Program, perceptron, transformer

TINY = transformer(batch=4, length=4, d_model=4, heads=4, d_k=4, d_ff=8, vocab=12)
DIMS = list(TINY.sizes)
MESH = {"x": 2, "y": 2}
CHIP = device()
ELEMENT = CHIP.element_bytes


def values_of(program: Program) -> dict[str, NDArray[Any]]:
    rng = np.random.default_rng(0)
    made = {op.output for op in program.operations}
    wanted = {name for op in program.operations for name in op.inputs} - made
    shapes = {name: tuple(program.sizes[dim] for dim in program.tensors[name]) for name in sorted(wanted)}
    return {n: rng.integers(12, size=s) if n == "ids" else rng.normal(size=s) / 2 for n, s in shapes.items()}


def legal_layouts() -> list[dict[str, str]]:
    axes = np.array(list(itertools.product(range(3), repeat=len(DIMS))), np.int64)
    mask = legal(TINY, DIMS, axes, np.full((len(axes), 2), 2))
    return [{d: " xy"[a] for d, a in zip(DIMS, row, strict=True) if a} for row in axes[mask]]


@pytest.mark.parametrize("mesh", [{"x": 2, "y": 2}, {"x": 4, "y": 2}])
def test_the_simulator_gives_what_one_processor_gives_and_sends_what_the_model_says(mesh: dict[str, int]) -> None:
    """All tensors of a forward and backward pass, for a sample of the legal layouts."""
    program = TINY.with_gradients()
    values = values_of(program)
    alone = simulate_program(program, values, {}, {})
    assert all(not sent.any() for sent in alone.sent_elements.values())
    layouts = legal_layouts()
    assert len(layouts) > 100
    for layout in [*layouts[:: len(layouts) // 60], {"batch": "x", "heads": "y", "d_ff": "y", "vocab": "y"}]:
        found = simulate_program(program, values, mesh, layout)
        for name, value in alone.values.items():
            np.testing.assert_allclose(found.values[name], value, rtol=1e-9, atol=1e-12, err_msg=f"{name} {layout}")
        cost = estimate_layout(TINY, CHIP, mesh, layout)
        for name, sent in found.sent_elements.items():
            assert sent.mean() * ELEMENT == cost.bytes_by_operation.get(name, 0.0), (name, layout)


def test_the_gradients_of_a_program_are_its_gradients() -> None:
    program, h = TINY.with_gradients(), 1e-6
    values = values_of(program)
    found = simulate_program(program, values, {}, {}).values
    rng = np.random.default_rng(1)
    for name in sorted(TINY.weights):
        step = rng.normal(size=values[name].shape)
        losses = [
            (simulate_program(program, values | {name: values[name] + sign * h * step}, {}, {}).values["likelihoods"]
            * values["d_likelihoods"]).sum()
            for sign in (1, -1)
        ]  # fmt: skip
        assert (found[f"d_{name}"] * step).sum() == pytest.approx((losses[0] - losses[1]) / (2 * h), rel=1e-5, abs=1e-8)


@pytest.mark.parametrize("count", [1, 2, 3, 5])
def test_a_ring_sends_twice_the_array_but_its_share(count: int) -> None:
    parts = [np.arange(30.0).reshape(5, 6) * (i + 1) for i in range(count)]
    results, sent = ring_all_reduce(parts, np.add)
    assert all(np.array_equal(r, sum(parts)) for r in results)
    assert sent == [2 * (count - 1) * 30 // count] * count


def test_data_parallelism_by_hand() -> None:
    """Each of 4 processors has 2 of 8 examples; both weight gradients, 4 x 16 each, are all-reduced."""
    cost = estimate_layout(perceptron(batch=8, d_io=4, d_hidden=16), CHIP, {"x": 4}, {"batch": "x"})
    ring = 2 * 3 / 4 * 4 * 16 * ELEMENT
    assert cost.bytes_by_operation == {"d_hidden_w": ring, "d_output_v": ring}
    assert cost.communication_bytes == 2 * ring
    assert cost.madds == 5 * 2 * 4 * 16  # two products forward; v, r and w backward, x is data
    assert cost.weight_bytes == 2 * 4 * 16 * 3 * ELEMENT
    assert cost.activation_bytes == 2 * (16 + 16 + 4) * ELEMENT
    assert cost.communication_s == pytest.approx(2 * (ring / 82e9 + 6 * 1e-6))


def test_model_parallelism_by_hand() -> None:
    """The hidden units are split over 4: only the output, 8 x 4, is a sum of parts; x needs no gradient."""
    cost = estimate_layout(perceptron(batch=8, d_io=4, d_hidden=16), CHIP, {"x": 4}, {"d_hidden": "x"})
    assert cost.bytes_by_operation == {"output": 2 * 3 / 4 * 8 * 4 * ELEMENT}
    assert cost.madds == 5 * 8 * 4 * 4
    assert cost.weight_bytes == 2 * 4 * 4 * 3 * ELEMENT
    assert cost.activation_bytes == 8 * (4 + 4 + 4) * ELEMENT


def test_data_and_model_parallelism_by_hand() -> None:
    """Batch over 4 and hidden over 2: gradients of half the weights over 4, outputs of a quarter batch over 2."""
    mesh, layout = {"x": 4, "y": 2}, {"batch": "x", "d_hidden": "y"}
    cost = estimate_layout(perceptron(batch=8, d_io=4, d_hidden=16), CHIP, mesh, layout)
    gradient, output = 2 * 3 / 4 * 4 * 8 * ELEMENT, 2 * 1 / 2 * 2 * 4 * ELEMENT
    assert cost.bytes_by_operation == {"d_hidden_w": gradient, "d_output_v": gradient, "output": output}
    forward = estimate_layout(perceptron(batch=8, d_io=4, d_hidden=16), CHIP, mesh, layout, training=False)
    assert forward.bytes_by_operation == {"output": output} and forward.madds == 2 * 2 * 4 * 8


def test_a_transformer_layer_by_hand() -> None:
    """batch x {heads, d_ff, vocab}, Megatron-like: what each processor of 2 x 2 sends in the forward pass."""
    layout = {"batch": "x", "heads": "y", "d_ff": "y", "vocab": "y"}
    cost = estimate_layout(TINY, CHIP, MESH, layout, training=False)
    tokens = 2 * 4  # of the processors that share a batch part
    half = 2 * 1 / 2 * ELEMENT  # of what is all-reduced over 2
    assert cost.bytes_by_operation == {
        "embed": half * tokens * 4, "project": half * tokens * 4, "contract": half * tokens * 4,
        "predict": 2 * half * tokens,
    }  # fmt: skip
    deep = transformer(batch=4, length=4, d_model=4, heads=4, d_k=4, d_ff=8, vocab=12, layers=3)
    deeper = estimate_layout(deep, CHIP, MESH, layout, training=False).bytes_by_operation
    assert deeper["project"] == 3 * cost.bytes_by_operation["project"] and deeper["embed"] == half * tokens * 4


def test_positions_split_for_queries_alone_are_gathered_to_be_attended_to() -> None:
    forward = estimate_layout(TINY, CHIP, {"x": 2}, {"length": "x"}, training=False)
    assert forward.bytes_by_operation == {"memory": 1 / 2 * 4 * 4 * 4 * ELEMENT}


def test_single_layouts_and_many_at_once_agree() -> None:
    axes = np.array([[1 if d == "batch" else 2 if d in ("heads", "d_ff") else 0 for d in DIMS], [0] * len(DIMS)])
    many = estimate_layouts(TINY, CHIP, DIMS, axes, np.array([[4, 2], [4, 2]]))
    one = estimate_layout(TINY, CHIP, {"x": 4, "y": 2}, {"batch": "x", "heads": "y", "d_ff": "y"})
    assert many.step_s[0] == one.step_s and many.memory_bytes[0] == one.memory_bytes
    assert many.communication_bytes[1] == 0 and many.madds[1] > 4 * one.madds
    slow = estimate_layout(TINY, CHIP, {"x": 2}, {"batch": "x"}, link=Link(bandwidth_gb_per_s=1e-3, latency_us=0.0))
    assert slow.communication_s == pytest.approx(slow.communication_bytes / 1e6)


ILLEGAL: dict[str, tuple[dict[str, str], str]] = {
    "tensor": ({"heads": "x", "d_k": "x"}, "tensor w_q has both heads and d_k.*same mesh dimension x"),
    "weights": ({"d_model": "y", "d_ff": "y"}, "tensor w_in has both d_model and d_ff"),
    "positions": ({"length": "x", "memory_length": "x"}, "tensor scores has both length and memory_length"),
    "sizes": ({"batch": "z"}, "batch of size 4 does not divide by 3, the size of the mesh dimension z"),
    "dimension": ({"head": "x"}, "Unknown dimension 'head': did you mean 'heads'"),
    "axis": ({"heads": "w"}, "Unknown mesh dimension 'w'"),
}


@pytest.mark.parametrize("case", ILLEGAL)
def test_illegal_layouts_are_refused_by_name(case: str) -> None:
    layout, message = ILLEGAL[case]
    with pytest.raises(ValueError, match=message):
        estimate_layout(TINY, CHIP, {"x": 2, "y": 2, "z": 3}, layout)


def test_the_mask_of_legal_layouts_is_what_is_refused_one_by_one() -> None:
    rng = np.random.default_rng(0)
    axes = rng.integers(0, 3, (400, len(DIMS))) * (rng.random((400, len(DIMS))) < 0.5)
    sizes = rng.choice([1, 2, 4, 8], (400, 2))
    mask = legal(TINY, DIMS, axes, sizes)
    assert 20 < mask.sum() < 380
    for row, (x, y), fine in zip(axes, sizes, mask, strict=True):
        layout = {d: " xy"[a] for d, a in zip(DIMS, row, strict=True) if a}
        try:
            check_layout(TINY, {"x": int(x), "y": int(y)}, layout)
        except ValueError:
            assert not fine, layout
        else:
            assert fine, layout


def test_programs_and_values_that_do_not_fit_are_refused() -> None:
    net = perceptron(batch=2, d_io=2, d_hidden=2)
    with pytest.raises(ValueError, match="operation hidden needs w, which nothing makes"):
        simulate_program(net, {"x": np.zeros((2, 2))}, {}, {})
    with pytest.raises(ValueError, match=r"x has shape \(2, 3\): give \(2, 2\)"):
        simulate_program(net, {"x": np.zeros((2, 3))}, {}, {})
    with pytest.raises(ValueError, match="'h' is used but not declared"):
        Program("p", {"a": 1}, {"x": ("a",)}, frozenset(), frozenset(), net.operations)
