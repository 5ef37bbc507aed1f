"""Parameters and multiply-adds of the published members, exactly and against the published tables."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import pytest

from autoglyph.hardware_models import Workload, record
from autoglyph.search_spaces.space import load_space

REFERENCE = Path(__file__).resolve().parents[2].parent / "shared" / "reference"
GOLDEN = {  # parameters, multiply-adds
    "b0": (5_288_548, 385_814_752),
    "b1": (7_794_184, 686_802_832),
    "b2": (9_109_994, 993_561_872),
    "b3": (12_233_232, 1_827_141_392),
    "b4": (19_341_616, 4_393_771_024),
    "b5": (30_389_784, 10_266_384_752),
    "b6": (43_040_704, 19_067_593_536),
    "b7": (66_347_960, 37_745_884_192),
    "x-b0": (7_584_104, 920_421_088),
    "x-b1": (9_571_024, 1_606_191_824),
    "x-b2": (9_974_470, 2_306_854_656),
    "x-b3": (13_293_970, 4_333_620_800),
    "x-b4": (21_144_322, 10_521_697_408),
    "x-b5": (33_433_452, 24_556_434_560),
    "x-b6": (47_653_344, 47_476_678_944),
    "x-b7": (73_156_704, 91_787_133_376),
}
PUBLISHED_PARAMETERS_M = {"b0": 5.3, "b1": 7.8, "b2": 9.2, "b3": 12, "b4": 19, "b5": 30, "b6": 43, "b7": 66}
FAMILIES = {
    "EfficientNet": "",
    "EfficientNet-X": "x-",
    "EfficientNet-X-tpu": "x-tpu-",
    "EfficientNet-X-gpu": "x-gpu-",
    "EfficientNet-H": "h-",
    "EfficientNet-H-tpu": "h-tpu-",
}
SPACE = load_space("efficientnet_x")
WORKLOADS: dict[str, Workload] = {}


def _workload(name: str) -> Workload:
    if name not in WORKLOADS:
        WORKLOADS[name] = record(SPACE.individual(name))
    return WORKLOADS[name]


def _table(name: str) -> list[dict[str, Any]]:
    path = REFERENCE / name
    if not path.exists():
        pytest.skip(f"needs ../shared/reference/{name}: absent")
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize("name", GOLDEN)
def test_counts_are_pinned(name: str) -> None:
    assert (_workload(name).parameters, _workload(name).madds) == GOLDEN[name]


@pytest.mark.parametrize(("name", "published"), PUBLISHED_PARAMETERS_M.items())
def test_parameters_are_those_of_the_paper(name: str, published: float) -> None:
    """Tan and Le 2019, Table 2, rounded there; B2 is printed as 9.2 and counts to 9.11."""
    assert _workload(name).parameters / 1e6 == pytest.approx(published, rel=0.02)


def test_every_member_agrees_with_the_reference_table() -> None:
    rows = _table("efficientnet_x_scaling.csv")
    names = [FAMILIES[row["family"]] + row["variant"].lower() for row in rows]
    assert sorted(names) == sorted(SPACE.individual_names)
    for name, row in zip(names, rows, strict=True):
        found = _workload(name)
        assert found.parameters / 1e6 == pytest.approx(float(row["params_M_computed"]), rel=5e-3), name
        assert found.madds / 1e9 == pytest.approx(float(row["GMACs_computed"]), rel=5e-3), name


def test_counts_agree_with_timm_at_other_resolutions() -> None:
    """results-imagenet.csv of timm: EfficientNet-X-B5 at 448 and 576 pixels, H-B5 at 448, X-B3 at 288."""
    expected = {("x-b5", 448): (33.44, 23.35), ("x-b5", 576): (33.44, 38.59)}
    expected |= {("h-b5", 448): (45.88, 27.16), ("x-b3", 288): (13.3, 3.91)}
    for (name, resolution), (parameters, madds) in expected.items():
        network = SPACE.individual(name)
        network.rebind({"scaling.resolution": resolution})
        found = record(network)
        assert found.parameters / 1e6 == pytest.approx(parameters, rel=5e-3)
        assert found.madds / 1e9 == pytest.approx(madds, rel=1e-2), (name, resolution)
        if (name, resolution) == ("x-b5", 448):
            assert found.activations / 1e6 == pytest.approx(68.87, rel=1e-2)


def test_parameters_of_random_networks_are_those_of_accel_nasbench() -> None:
    from accel_nasbench import SPACE as MEASURED
    from accel_nasbench import rows_and_columns

    rows, table = rows_and_columns()
    for at in range(0, len(rows), 30):
        found = record(MEASURED.genome.decode(rows[at]))
        assert found.parameters / 1e6 == pytest.approx(table["params_M"][at], abs=6e-5)
