"""Tables of other people's networks are read as the networks that they name."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from autoglyph.hardware_models import estimate, load_device, record
from autoglyph.hardware_models.measured import Networks, networks, read_table
from autoglyph.hardware_models.tables import accel_nasbench, nasbench201, published_models
from autoglyph.search_spaces.space import load_space

REFERENCE = Path(__file__).resolve().parents[2].parent / "shared" / "reference"
ALL_3X3 = "|nor_conv_3x3~0|+|nor_conv_3x3~0|nor_conv_3x3~1|+|nor_conv_3x3~0|nor_conv_3x3~1|nor_conv_3x3~2|"
NO_PATH = "|none~0|+|skip_connect~0|none~1|+|none~0|skip_connect~1|none~2|"
B0 = ("1-6-6-6-6-6-6", "3-3-5-3-5-5-3", "1-2-2-3-3-4-1", "1-1-1-1-1-1-1")


def _write(path: Path, rows: list[dict[str, Any]]) -> Path:
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return path


def _accel_row(codes: tuple[str, ...], **measured: float) -> dict[str, Any]:
    return dict(zip(("block_e", "block_k", "block_l", "block_se"), codes, strict=True)) | measured


def test_the_columns_of_accel_nasbench_spell_efficientnet_b0() -> None:
    found, b0 = accel_nasbench.architecture(*B0), load_space("efficientnet_x").individual("b0")
    assert record(found).rows() == record(b0).rows()


def test_throughputs_become_latencies_of_the_batch(tmp_path: Path) -> None:
    path = _write(tmp_path / "t.csv", [_accel_row(B0, throughput_tpuv2=640.0, throughput_tpuv3=float("nan"))] * 3)
    table = read_table(path)
    assert table.column("tpu_v2").latency_s.tolist() == [0.1] * 3 and table.column("tpu_v2").batch == 64
    assert table.column("tpu_v3:datasheet") is table.column("tpu_v3")
    assert table.names[0] == "/".join(B0) and table.column("tpu_v3").batch == 128
    with pytest.raises(ValueError, match="measured on v100.* --column: throughput_tpuv2, throughput_tpuv3"):
        table.column("v100")
    assert table.column("v100", "throughput_tpuv2") is table.column("tpu_v2")
    with pytest.raises(ValueError, match="Unknown column of measured times 'throughput_tpu2': did you mean"):
        table.column("v100", "throughput_tpu2")


def test_networks_together_cost_what_each_costs_alone() -> None:
    codes = (("1-4-6-1-4-6-1", "3-5-3-5-3-5-3", "1-2-3-1-2-4-3", "0-1-0-1-0-1-0"), B0)
    workloads = [record(accel_nasbench.architecture(*code), fusion="chain") for code in codes]
    together, device = Networks(workloads), load_device("tpu_v3")
    alone = [estimate(workload, device, 32) for workload in workloads]
    assert together.latency_s(device, 32) == pytest.approx([each.latency_s for each in alone])
    assert together.madds.tolist() == [each.madds for each in alone]
    assert together.activations.tolist() == [each.activations for each in alone]


def test_cells_of_nasbench201_have_the_published_counts() -> None:
    """Dong and Yang 2020: the cell of six 3x3 convolutions has 1.5315 M parameters and 220.12 M FLOPs."""
    found = record(nasbench201.NasBench201(edges=nasbench201.parse(ALL_3X3)))
    assert found.parameters / 1e6 == pytest.approx(1.531546, abs=1e-6)
    assert found.madds / 1e6 == pytest.approx(220.12, rel=1e-2)
    small = nasbench201.NasBench201(edges=nasbench201.parse(ALL_3X3)).proxy(
        resolution=8, channels=1, classes=4, width=0.5
    )
    assert record(small).kernels["m"][0] == 64 and small.resolution == 8


def test_cells_without_a_path_are_left_out(tmp_path: Path) -> None:
    assert not nasbench201.is_connected(nasbench201.parse(NO_PATH))
    path = _write(tmp_path / "t.csv", [{"arch_str": cell, "hwnb_c10_raspi4_ms": 7.0} for cell in (NO_PATH, ALL_3X3)])
    assert read_table(path).names == [ALL_3X3]
    with pytest.raises(ValueError, match="No path of operations"):
        record(nasbench201.NasBench201(edges=nasbench201.parse(NO_PATH)))


def test_dead_ends_of_a_cell_cost_nothing() -> None:
    straight = "|none~0|+|none~0|none~1|+|skip_connect~0|none~1|none~2|"
    dead = "|none~0|+|none~0|nor_conv_3x3~1|+|skip_connect~0|nor_conv_3x3~1|none~2|"
    costs = [record(nasbench201.NasBench201(edges=nasbench201.parse(cell))).madds for cell in (straight, dead)]
    assert costs[0] == costs[1]


@pytest.mark.parametrize("cell", ["", "|none~0|", ALL_3X3.replace("3x3~1", "5x5~1"), ALL_3X3.replace("~2", "~1")])
def test_what_is_no_cell_is_refused(cell: str) -> None:
    with pytest.raises(ValueError, match="NAS-Bench-201"):
        nasbench201.parse(cell)


def test_a_plain_list_of_kernels(tmp_path: Path) -> None:
    workloads = {name: record(load_space("efficientnet_x").individual(name), fusion="chain") for name in ("b0", "x-b0")}
    rows = [
        {"network": name, "latency_ms": 1.5, "batch": 8} | kernel
        for name, workload in workloads.items()
        for kernel in workload.rows()
    ]
    table = read_table(_write(tmp_path / "k.csv", rows))
    assert table.names == ["b0", "x-b0"] and table.column("anything").batch == 8
    device = load_device("a100")
    found = networks(table, "eager", [0, 1]).latency_s(device, 8)
    assert found == pytest.approx([estimate(workload, device, 8).latency_s for workload in workloads.values()])
    rows[1]["latency_ms"] = 2.0
    with pytest.raises(ValueError, match="cannot be read as kernel_list: latency_ms of the network 'b0' differs"):
        read_table(_write(tmp_path / "k.csv", rows))


def test_a_table_of_no_format_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no known format.*accel_nasbench: block_e, block_k.*nasbench201: arch_str"):
        read_table(_write(tmp_path / "t.csv", [{"a": 1}]))
    with pytest.raises(FileNotFoundError, match="check the path"):
        read_table(tmp_path / "absent.csv")
    (tmp_path / "empty.csv").write_text("arch_str\n")
    with pytest.raises(ValueError, match="no rows"):
        read_table(tmp_path / "empty.csv")
    wrong = _accel_row(("1-6", *B0[1:]), throughput_a100=1.0)
    table = read_table(_write(tmp_path / "t.csv", [wrong]))
    with pytest.raises(ValueError, match="'1-6' has 2 numbers; give one for each of 7 stages"):
        networks(table, "eager", [0])
    with pytest.raises(ValueError, match="no measured networks"):
        networks(table, "eager", [])


def test_every_row_of_accel_nasbench_is_its_network() -> None:
    path = REFERENCE / "accel_nasbench.csv"
    if not path.exists():
        pytest.skip("needs ../shared/reference/accel_nasbench.csv: absent")
    table = read_table(path)
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file))
    for index in [*range(0, len(rows), 100), *(i for i, row in enumerate(rows[:60]) if "4" in row["block_l"])]:
        found = table.read(index, "eager")
        assert found.parameters / 1e6 == pytest.approx(float(rows[index]["params_M"]), abs=6e-5)
    assert np.isfinite(table.column("rtx3090").latency_s).sum() > 2900


@pytest.mark.parametrize(
    ("name", "published_m"),
    [
        ("Inception v1", 6.62),
        ("MobileNet v1", 4.23),
        ("MobileNet v2", 3.50),
        ("ResNet-50 V1", 25.56),
        ("ResNet-50 V2", 25.57),
        ("ResNet-152 V2", 60.2),
        ("SqueezeNet", 1.248),
        ("VGG16", 138.36),
        ("VGG19", 143.67),
        ("EfficientNet-EdgeTpu-S*", 5.43),
        ("EfficientNet-EdgeTpu-M*", 6.90),
        ("EfficientNet-EdgeTpu-L*", 10.59),
    ],
)
def test_published_models_have_their_published_parameters(name: str, published_m: float) -> None:
    """As printed by torchvision, Keras applications and timm, in millions."""
    network = published_models.architecture(name, 224)
    assert network is not None
    assert record(network).parameters / 1e6 == pytest.approx(published_m, rel=2e-3)


def test_multiply_adds_of_published_models() -> None:
    """Sandler et al. 2018 count 300 M for MobileNetV2 and 569 M for MobileNetV1; VGG16 has 15.5 G."""
    for name, millions in (("MobileNet v2", 300), ("MobileNet v1", 569), ("VGG16", 15470)):
        network = published_models.architecture(name, 224)
        assert network is not None
        assert record(network).madds / 1e6 == pytest.approx(millions, rel=3e-3)


def test_rows_of_a_benchmark_page(tmp_path: Path) -> None:
    row = {"device": "Coral USB Accelerator USB3", "input_size": 224.0, "latency_ms": 2.4, "status": "seen"}
    rows = [
        row | {"model": "MobileNet v1"},
        row | {"model": "MobileNet v2", "status": "recalled"},
        row | {"model": "DeepLab V3"},
        row | {"model": "VGG16", "device": "Desktop CPU"},
    ]
    table = read_table(_write(tmp_path / "t.csv", rows))
    assert table.names == ["MobileNet v1 224"]
    assert table.column("coral_edge_tpu").latency_s.tolist() == [0.0024] and table.column("coral_edge_tpu").batch == 1
    with pytest.raises(ValueError, match="no row has a network of"):
        read_table(_write(tmp_path / "t.csv", rows[1:]))
    small = published_models.PublishedModel(name="VGG16").proxy(resolution=64, channels=1, classes=7, width=1.0)
    assert small.resolution == 64 and record(small).kernels["n"][-1] == 7
