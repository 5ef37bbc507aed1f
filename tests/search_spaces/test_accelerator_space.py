"""The accelerator space of NAHAS, its rules and the joint space."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyglove as pg
import pytest

from autoglyph.search_spaces.accelerator import (
    CHOICES,
    Accelerator,
    check_valid,
    macs_per_cycle,
    register_block_rows,
    tile_bytes,
    valid,
    violations,
)
from autoglyph.search_spaces.codesign import CoDesign, accelerator_columns
from autoglyph.search_spaces.parts import part_names
from autoglyph.search_spaces.space import SearchSpace, load_space

SPACE, JOINT = load_space("accelerator"), load_space("nahas")
BASELINE: dict[str, Any] = {
    "pes_x": 4,
    "pes_y": 4,
    "simd_units": 64,
    "compute_lanes": 4,
    "local_memory_mb": 2.0,
    "register_file_kb": 32,
    "io_bandwidth_gb_per_s": 15.0,
}


def test_the_published_sizes() -> None:
    assert SPACE.size == 50_000
    assert load_space("efficientnet").size * 50_000 == 36**7 * 50_000 == JOINT.size
    assert part_names(JOINT.genome) == ["architecture", "accelerator"]


def test_the_baseline_has_the_published_peak() -> None:
    baseline = SPACE.individual("baseline")
    assert baseline.columns == BASELINE
    assert macs_per_cycle(BASELINE) == 16_384
    assert baseline.peak_tera_ops_per_s == pytest.approx(26.2144)


@pytest.mark.parametrize("name", ["baseline", "coral", "pixel"])
def test_known_accelerators_are_valid_points(name: str) -> None:
    known = SPACE.individual(name)
    assert pg.eq(SPACE.genome.decode(SPACE.genome.encode(known)), known)
    assert violations(known) == []
    check_valid(known)


def test_known_pairs() -> None:
    assert JOINT.feasible(JOINT.genome.encode(JOINT.individual("baseline"))[None]).all()
    b0 = JOINT.individual("b0")
    assert pg.eq(b0.architecture, load_space("efficientnet").individual("b0"))
    assert pg.eq(JOINT.individual("b0-coral").accelerator, SPACE.individual("coral"))
    with pytest.raises(ValueError, match="repeats"):
        JOINT.genome.encode(b0)  # its sixth stage has four layers


@pytest.mark.parametrize(("name", "value"), [(name, choices[-1] * 2) for name, choices in CHOICES.items()])
def test_values_outside_the_space_are_refused_by_name(name: str, value: Any) -> None:
    with pytest.raises(ValueError, match=rf"{name} of an accelerator is .*; give one of .*{CHOICES[name][-1]:g}\."):
        Accelerator(**{**BASELINE, name: value})
    with pytest.raises(ValueError, match=name):
        SPACE.individual("baseline").rebind({name: value})


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        ({"simd_units": 128, "register_file_kb": 8}, "register_file"),
        ({"compute_lanes": 8, "local_memory_mb": 0.5}, "local_memory"),
        ({"pes_x": 8, "pes_y": 8, "compute_lanes": 8}, "io_bandwidth"),
    ],
)
def test_broken_rules_are_named(change: dict[str, Any], rule: str) -> None:
    broken = Accelerator(**{**BASELINE, **change})
    assert [sentence.partition(":")[0] for sentence in violations(broken)] == [rule]
    with pytest.raises(ValueError, match=f"Invalid accelerator. {rule}: "):
        check_valid(broken)


def test_rules_by_hand() -> None:
    # 64 units: 8 bytes of weights and 4 of a sum each, 8 bytes of inputs a row; 32 KB = 32,768 bytes
    assert register_block_rows(BASELINE) == (32_768 - 8 * 64) // (4 * 64 + 8) == 122
    # weights 64 x 1152 and inputs 4 x 32 x 1152, both twice, and 4 x 32 x 64 outputs
    assert tile_bytes(BASELINE) == 2 * 64 * 1152 + 2 * 128 * 1152 + 128 * 64


def test_every_point_is_judged_as_its_rules_say() -> None:
    rows = SPACE.genome.rows_at(0, SPACE.size)
    mask = SPACE.feasible(rows)
    assert int(mask.sum()) == 35_928
    for at in np.random.default_rng(0).integers(0, SPACE.size, 300):
        accelerator = SPACE.genome.decode(rows[at])
        assert (violations(accelerator) == []) == mask[at] == bool(valid(accelerator.columns))


def test_a_pair_is_feasible_if_its_accelerator_is() -> None:
    rows = JOINT.genome.random(2000, np.random.default_rng(0))
    accelerators = np.ascontiguousarray(rows[:, -len(CHOICES) :])
    np.testing.assert_array_equal(JOINT.feasible(rows), SPACE.feasible(accelerators))
    assert 0 < JOINT.feasible(rows).mean() < 1


def test_columns_of_an_accelerator_that_is_fixed_in_part() -> None:
    some = Accelerator(**{**BASELINE, "pes_x": pg.oneof([2, 8]), "local_memory_mb": pg.oneof([0.5, 4.0])})
    space = SearchSpace("some", lambda: CoDesign(architecture=JOINT.individual("b0").architecture, accelerator=some))
    rows = space.genome.rows_at(0, 4)
    columns = accelerator_columns(rows, space.genome)
    assert columns["pes_x"].tolist() == [2, 2, 8, 8]
    assert columns["local_memory_mb"].tolist() == [0.5, 4.0, 0.5, 4.0]
    assert columns["simd_units"].tolist() == [64] * 4


def test_a_choice_among_whole_accelerators_is_refused() -> None:
    either = pg.oneof([SPACE.individual("coral"), SPACE.individual("pixel")])
    space = SearchSpace(
        "either", lambda: CoDesign(architecture=JOINT.individual("b0").architecture, accelerator=either)
    )
    with pytest.raises(ValueError, match="one by one"):
        accelerator_columns(space.genome.rows_at(0, 2), space.genome)
