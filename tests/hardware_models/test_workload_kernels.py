"""Kernels of a network worked out by hand under every fusion regime, and how operations join them."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from tiny_networks import OneSegment, residual_with_gate

from autoglyph.hardware_models import record
from autoglyph.hardware_models.kernels import DEPTHWISE, MATRIX, VECTOR, work
from autoglyph.search_spaces import ops
from autoglyph.search_spaces.net import Net, Tensor
from autoglyph.search_spaces.ops import Op, Shape
from autoglyph.search_spaces.space import load_space

FIELDS = (
    "name, kind, m, k, n, groups, read_elements, written_elements, weight_elements, vector_ops, "
    "input_vector_ops, madds, parameters, live_elements"
).split(", ")
EAGER = [
    ("net_conv", "matrix", 64, 36, 4, 1, 256, 256, 144, 0, 0, 9216, 144, 512),
    ("net_norm", "vector", 64, 0, 4, 1, 256, 256, 16, 512, 0, 0, 8, 512),
    ("net_activation", "vector", 64, 0, 4, 1, 256, 256, 0, 256, 0, 0, 0, 512),
    ("net_depthwise_conv", "depthwise", 64, 9, 1, 4, 256, 256, 36, 0, 0, 2304, 36, 512),
    ("net_dnorm", "vector", 64, 0, 4, 1, 256, 256, 16, 512, 0, 0, 8, 768),
    ("net_dswish", "vector", 64, 0, 4, 1, 256, 256, 0, 1280, 0, 0, 0, 768),
    ("net_squeeze", "vector", 1, 0, 4, 1, 256, 4, 0, 256, 0, 0, 0, 516),
    ("net_excite", "matrix", 1, 4, 4, 1, 4, 4, 20, 0, 0, 16, 20, 520),
    ("net_gate", "vector", 1, 0, 4, 1, 4, 4, 0, 16, 0, 0, 0, 520),
    ("net_multiply", "vector", 64, 0, 4, 1, 260, 256, 0, 256, 0, 0, 0, 772),
    ("net_project", "matrix", 64, 4, 4, 1, 256, 256, 16, 0, 0, 1024, 16, 768),
    ("net_pnorm", "vector", 64, 0, 4, 1, 256, 256, 16, 512, 0, 0, 8, 768),
    ("net_add", "vector", 64, 0, 4, 1, 512, 256, 0, 256, 0, 0, 0, 768),
    ("net_pool", "vector", 1, 0, 4, 1, 256, 4, 0, 256, 0, 0, 0, 260),
    ("net_dense", "matrix", 1, 4, 10, 1, 4, 10, 50, 0, 0, 40, 50, 14),
]
CHAIN = [
    ("net_conv", "matrix", 64, 36, 4, 1, 256, 256, 148, 256, 0, 9216, 152, 512),
    ("net_depthwise_conv", "depthwise", 64, 9, 1, 4, 256, 256, 40, 1280, 0, 2304, 44, 512),
    ("net_squeeze", "vector", 1, 0, 4, 1, 256, 4, 0, 256, 0, 0, 0, 516),
    ("net_excite", "matrix", 1, 4, 4, 1, 4, 4, 20, 16, 0, 16, 20, 520),
    ("net_multiply", "vector", 64, 0, 4, 1, 260, 256, 0, 256, 0, 0, 0, 772),
    ("net_project", "matrix", 64, 4, 4, 1, 512, 256, 20, 256, 0, 1024, 24, 768),
    ("net_pool", "vector", 1, 0, 4, 1, 256, 4, 0, 256, 0, 0, 0, 260),
    ("net_dense", "matrix", 1, 4, 10, 1, 4, 10, 50, 0, 0, 40, 50, 14),
]
FULL = [
    ("net_conv", "matrix", 64, 36, 4, 1, 256, 256, 148, 256, 0, 9216, 152, 512),
    ("net_depthwise_conv", "depthwise", 64, 9, 1, 4, 256, 260, 40, 1536, 0, 2304, 44, 516),
    ("net_excite", "matrix", 1, 4, 4, 1, 4, 4, 20, 16, 0, 16, 20, 520),
    ("net_project", "matrix", 64, 4, 4, 1, 516, 4, 20, 512, 256, 1024, 24, 520),
    ("net_dense", "matrix", 1, 4, 10, 1, 4, 10, 50, 0, 0, 40, 50, 14),
]


@pytest.mark.parametrize(("fusion", "expected"), [("eager", EAGER), ("chain", CHAIN), ("full", FULL)])
def test_kernels_by_hand(fusion: Any, expected: list[tuple[Any, ...]]) -> None:
    found = record(OneSegment(residual_with_gate), fusion=fusion)
    assert found.rows() == [dict(zip(FIELDS, kernel, strict=True)) for kernel in expected]
    assert (found.parameters, found.madds, found.activations) == (290, 12_600, 256 * 3 + 4 + 10)
    assert json.loads(json.dumps(found.rows())) == found.rows()


def _rows(write: Callable[[Net], Tensor], fusion: Any) -> list[dict[str, Any]]:
    return record(OneSegment(write), fusion=fusion).rows()


def test_an_operation_rides_only_on_a_value_that_nothing_else_reads() -> None:
    def two_readers(net: Net) -> Tensor:
        x = net.conv(net.input((4, 4, 2)), 2, 1)
        return net.add(net.activation(x, "relu"), x)

    assert [k["name"] for k in _rows(two_readers, "full")] == ["net_conv", "net_activation"]

    def sum_with_itself(net: Net) -> Tensor:
        x = net.conv(net.input((4, 4, 2)), 2, 1)
        return net.add(x, x)

    conv, add = _rows(sum_with_itself, "full")
    assert (add["name"], add["read_elements"]) == ("net_add", 32)


def test_a_residual_sum_joins_the_later_of_its_branches() -> None:
    def branches(net: Net) -> Tensor:
        x = net.input((4, 4, 2))
        first = net.conv(x, 2, 1, name="first")
        return net.add(first, net.conv(x, 2, 3, name="second"))

    first, second = _rows(branches, "chain")
    assert (first["vector_ops"], second["vector_ops"]) == (0, 32)
    assert second["read_elements"] == 64


def test_a_concatenation_is_read_in_place_only_by_a_matrix_product() -> None:
    def joined(net: Net) -> Tensor:
        x = net.input((4, 4, 2))
        both = net.concat(net.conv(x, 2, 1, name="a"), net.conv(x, 3, 1, name="b"))
        return net.conv(both, 4, 1, name="c")

    assert [k["name"] for k in _rows(joined, "chain")] == ["net_a", "net_b", "net_concat", "net_c"]
    full = _rows(joined, "full")
    assert [k["name"] for k in full] == ["net_a", "net_b", "net_c"]
    assert full[-1]["read_elements"] == 16 * 5

    def returned(net: Net) -> Tensor:
        x = net.input((4, 4, 2))
        return net.concat(net.conv(x, 2, 1, name="a"), x)

    assert [k["name"] for k in _rows(returned, "full")] == ["net_a", "net_concat"]


def test_a_norm_after_an_activation_is_not_folded() -> None:
    def late(net: Net) -> Tensor:
        return net.norm(net.activation(net.conv(net.input((4, 4, 2)), 2, 1), "relu"))

    (kernel,) = _rows(late, "chain")
    assert (kernel["vector_ops"], kernel["weight_elements"]) == (32 + 64, 4 + 8)


def test_blocks_are_recorded_once_and_placed_with_what_is_kept_beside_them() -> None:
    times = 0

    def inner(net: Net, x: Tensor, filters: int) -> Tensor:
        nonlocal times
        times += 1
        return net.conv(net.activation(net.conv(x, filters, 1, name="a"), "relu"), filters, 1, name="b")

    def with_blocks(net: Net) -> Tensor:
        x = net.input((4, 4, 2))
        y = net.block("one", inner, net.block("zero", inner, x, 2), 2)
        return net.add(net.conv(y, 2, 1, name="last"), x)

    rows = _rows(with_blocks, "chain")
    assert times == 1
    assert [k["name"] for k in rows] == ["net_zero_a", "net_zero_b", "net_one_a", "net_one_b", "net_last"]
    assert [k["live_elements"] for k in rows[2:]] == [96, 96, 96]


def test_a_block_that_does_nothing_leaves_no_kernel() -> None:
    def through(net: Net) -> Tensor:
        return net.conv(net.block("idle", lambda _, x: x, net.input((4, 4, 2))), 2, 1)

    assert [k["name"] for k in _rows(through, "full")] == ["net_conv"]


SHAPE: Shape = (7, 5, 6)
EVERY_OP = [
    (ops.Conv(name="x", filters=8, kernel=3, stride=2, use_bias=True), (SHAPE,), MATRIX),
    (ops.Conv(name="x", filters=4, kernel=3, groups=2), (SHAPE,), MATRIX),
    (ops.Conv(name="x", filters=12, kernel=3, groups=6), (SHAPE,), DEPTHWISE),
    (ops.DepthwiseConv(name="x", kernel=5, stride=2), (SHAPE,), DEPTHWISE),
    (ops.Dense(name="x", units=9), (SHAPE,), MATRIX),
    (ops.Dense(name="x", units=9, use_bias=False), ((6,),), MATRIX),
    (ops.BatchNorm(name="x"), (SHAPE,), VECTOR),
    (ops.Activation(name="x", kind="softmax"), (SHAPE,), VECTOR),
    (ops.Add(name="x"), (SHAPE, SHAPE, SHAPE), VECTOR),
    (ops.Multiply(name="x"), (SHAPE, (1, 1, 6)), VECTOR),
    (ops.Concat(name="x"), (SHAPE, SHAPE), VECTOR),
    (ops.Pool(name="x", kind="max", size=3, stride=2), (SHAPE,), VECTOR),
    (ops.GlobalPool(name="x", kind="average"), (SHAPE,), VECTOR),
]


@pytest.mark.parametrize(("op", "shapes", "kind"), EVERY_OP, ids=lambda v: type(v).__name__)
def test_the_layout_of_every_operation_agrees_with_the_operation(op: Op, shapes: tuple[Shape, ...], kind: int) -> None:
    found = work(op, *shapes)
    assert found.kind == kind
    assert found.m * found.k * found.n * found.groups == found.madds == op.madds(*shapes)
    assert found.m * found.n * found.groups == math.prod(op.output(*shapes)) == found.elements
    assert found.parameters == sum(math.prod(w) for w in op.weights(*shapes).values())


@dataclass(frozen=True, kw_only=True)
class Product(Op):
    """An operation that the cost model has no rule for."""

    def output(self, *inputs: Shape) -> Shape:
        return (*inputs[0][:-1], inputs[1][-1])

    def madds(self, *inputs: Shape) -> int:
        return math.prod(inputs[0]) * inputs[1][-1]


@dataclass(frozen=True, kw_only=True)
class Negate(Op):
    """Another one, without multiply-adds."""

    def output(self, *inputs: Shape) -> Shape:
        return inputs[0]


def test_operations_without_a_rule_are_a_product_or_element_wise() -> None:
    product = work(Product(name="p"), (5, 3), (3, 7))
    assert (product.kind, product.m, product.k, product.n, product.madds) == (MATRIX, 5, 3, 7, 105)
    assert (work(Negate(name="n"), (5, 3)).kind, work(Negate(name="n"), (5, 3)).vector_ops) == (VECTOR, 15)


def test_totals_do_not_depend_on_fusion_and_names_are_unique() -> None:
    network = load_space("efficientnet_x").individual("x-b1")
    workloads = [record(network, fusion=fusion) for fusion in ("eager", "chain", "full")]
    assert len({(w.parameters, w.madds, w.activations) for w in workloads}) == 1
    assert len(workloads[0]) > len(workloads[1]) > len(workloads[2])
    for found in workloads:
        assert len(np.unique(found.kernels["name"].astype(str))) == len(found)
        traffic = found.kernels["read_elements"] + found.kernels["written_elements"]
        assert (found.kernels["live_elements"] >= traffic).all()


def test_an_unknown_regime_is_refused() -> None:
    with pytest.raises(ValueError, match="Unknown fusion regime 'ful': did you mean 'full'"):
        record(OneSegment(residual_with_gate), fusion="ful")  # type: ignore[arg-type]
