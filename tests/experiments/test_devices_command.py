"""`autoglyph devices` and its commands, on a small made-up table."""

import csv
import re

import numpy as np
import pytest

from autoglyph.hardware_models import estimate, load_device, record
from autoglyph.hardware_models.tables import accel_nasbench


@pytest.fixture
def table(tmp_path, monkeypatch):
    """24 networks with the throughput that a device of known constants has."""
    monkeypatch.chdir(tmp_path)
    rng, truth = np.random.default_rng(0), load_device("a100")
    rows = []
    for _ in range(24):
        codes = [rng.choice(values, 7) for values in ((1, 4, 6), (3, 5), (1, 2, 3), (0, 1))]
        texts = ["-".join(map(str, code)) for code in codes]
        network = record(accel_nasbench.architecture(*texts), fusion="eager")
        throughput = estimate(network, truth, 128).examples_per_s * np.exp(0.01 * rng.standard_normal())
        rows.append([*texts, throughput])
    with (tmp_path / "table.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["block_e", "block_k", "block_l", "block_se", "throughput_a100"])
        writer.writerows(rows)
    return tmp_path / "table.csv"


def test_devices_are_listed(run_cli):
    devices = {row["device"]: row for row in run_cli("devices", "--json").json}
    assert devices["tpu_v3"]["calibrated"] and not devices["v100"]["calibrated"]
    assert "tpu_v3" in run_cli("devices").out
    assert "validate" in run_cli("devices", "--help").out


def test_figures_of_a_device_are_shown(run_cli):
    shown = run_cli("devices", "show", "tpu_v3", "--json").json
    plain = run_cli("devices", "show", "tpu_v3:datasheet", "--json").json
    assert "fit to 60 networks" in shown["figures"]["bandwidth_efficiency"]["source"]
    assert plain["device"] == "tpu_v3:datasheet"
    assert plain["figures"]["bandwidth_efficiency"]["value"] == 0.8
    assert "Accel-NASBench" in run_cli("devices", "show", "tpu_v3").out


def test_calibrating_writes_a_device_that_validates(run_cli, table):
    arguments = ("devices", "calibrate", "a100:datasheet", table, "--networks", "16", "--output", "mine.toml")
    found = run_cli(*arguments, "--json").json
    assert set(found["constants"]) == {
        "matrix_efficiency", "depthwise_efficiency", "bandwidth_efficiency", "on_chip_share", "kernel_overhead_us"
    }  # fmt: skip
    assert found["calibration_networks"] == 16 and found["held_out"]["networks"] == 8
    assert found["held_out"]["after"]["mape"] < found["held_out"]["before"]["mape"]
    text = run_cli(*arguments).out
    assert "held-out" in text and "mine.toml" in text and "kernel_overhead_us" in text
    assert "table.csv" in (table.parent / "mine.toml").read_text()

    done = run_cli("devices", "validate", table, "--device", "mine.toml", "--json").json
    assert done["device"] == "a100" and done["networks"] == 24
    assert done["spearman"] > 0.99 and done["mape"] < 0.03 and abs(done["scale"] - 1) < 0.02
    assert set(done["baselines"]) == {"madds", "activations"}
    for figures in (done, *done["baselines"].values()):
        assert {"spearman", "kendall", "mape", "slow60_spearman"} <= set(figures)
    assert done["activations_do_as_well"] == (done["baselines"]["activations"]["spearman"] >= done["spearman"])


def test_small_tables_leave_one_out(run_cli, table):
    lines = table.read_text().splitlines()
    table.write_text("\n".join(lines[:13]) + "\n")
    arguments = ("devices", "calibrate", "a100", table, "--leave-one-out")
    found = run_cli(*arguments, "--json").json
    assert found["calibration_networks"] == found["held_out"]["networks"] == 12
    assert "each left out once" in run_cli(*arguments).out


def test_validation_draws_pictures(run_cli, table):
    done = run_cli("devices", "validate", table, "--device", "a100", "--html", "v.html", "--png", "v.png")
    assert done.code == 0 and "activations" in done.out and "v.html" in done.out
    page = (table.parent / "v.html").read_text()
    assert "measured time" in page and "http-equiv" not in page
    assert (table.parent / "v.png").read_bytes().startswith(b"\x89PNG")


def test_it_says_where_activations_do_as_well(run_cli, table):
    lines = table.read_text().splitlines()
    scores = [sum(map(int, line.split(",")[0].split("-"))) for line in lines[1:]]
    assert len(set(scores)) > 5
    with table.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(lines[0].split(","))
        for line in lines[1:]:
            codes = line.split(",")[:4]
            count = record(accel_nasbench.architecture(*codes), fusion="eager").activations
            writer.writerow([*codes, 1e9 / count])
    done = run_cli("devices", "validate", table, "--device", "a100")
    assert "activation count alone" in done.out


CASES = {
    "unknown device": (("show", "tpu_v33"), "did you mean 'tpu_v3'"),
    "device without its command": (("tpu_v3",), "No such command 'tpu_v3'.*devices --help"),
    "absent table": (("validate", "absent.csv", "--device", "a100"), "check the path"),
    "no table": (("validate", "other.csv", "--device", "a100"), "no known format"),
    "no column for the device": (("validate", "table.csv", "--device", "v100"), "--column: throughput_a100"),
    "unknown column": (("validate", "table.csv", "--device", "v100", "--column", "troughput_a100"), "did you mean"),
    "unknown picture": (("validate", "table.csv", "--device", "a100", "--png", "x.bmp"), r"\.png"),
    "missing folder": (("validate", "table.csv", "--device", "a100", "--html", "no/x.html"), "no folder"),
    "too many networks": (("calibrate", "a100", "table.csv", "--networks", "23"), "at most 21"),
    "too few networks": (("calibrate", "a100", "table.csv", "--networks", "4"), "10 or more"),
    "too few to leave one out": (("calibrate", "a100", "short.csv", "--leave-one-out"), "11 are needed"),
    "unknown output": (("calibrate", "a100", "table.csv", "--output", "x.json"), r"\.toml"),
}


@pytest.mark.parametrize("case", CASES)
def test_bad_questions_get_one_sentence(case, run_cli, table):
    (table.parent / "other.csv").write_text("a,b\n1,2\n")
    (table.parent / "short.csv").write_text("\n".join(table.read_text().splitlines()[:8]) + "\n")
    arguments, fix = CASES[case]
    done = run_cli("devices", *arguments)
    assert done.code == 2 and done.out == "" and done.err.count("\n") == 1, done
    assert re.search(fix, done.err), done.err
