"""Every device file loads and names its sources; a wrong file is refused with one sentence that helps."""

from __future__ import annotations

import copy
import dataclasses
import importlib.metadata
import tomllib
from pathlib import Path
from typing import Any

import pytest

from autoglyph.hardware_models import available_devices, load_device
from autoglyph.hardware_models.device import Constants, Figures
from autoglyph.hardware_models.device_file import PEAK_TOLERANCE, device_from_mapping, read_device
from autoglyph.search_spaces import plugins

FOLDER = Path(__file__).resolve().parents[2] / "hardware_models" / "devices"
TPU_V3 = tomllib.loads((FOLDER / "tpu_v3.toml").read_text())
NUMBERS = {field.name for table in (Figures, Constants) for field in dataclasses.fields(table)}


@pytest.mark.parametrize("name", available_devices())
class TestEveryDevice:
    def test_has_its_name_and_a_source_for_every_number(self, name: str) -> None:
        chip = load_device(name)
        assert chip.name == name and chip.title
        assert set(chip.sources) == NUMBERS and all(chip.sources.values())

    def test_reproduces_its_published_peak(self, name: str) -> None:
        chip = load_device(name)
        published = chip.figures.peak_tera_ops_per_s
        assert chip.computed_peak_tera_ops_per_s == pytest.approx(published, rel=PEAK_TOLERANCE)

    def test_says_whether_it_is_a_core_or_a_chip(self, name: str) -> None:
        chip = load_device(name)
        assert chip.unit == ("chip" if chip.cores == chip.figures.cores_per_chip else "core")
        whole = load_device(name, cores=chip.figures.cores_per_chip)
        assert whole.unit == "chip"
        assert whole.peak_ops_per_s == chip.figures.peak_tera_ops_per_s * 1e12
        assert whole.bandwidth_bytes_per_s == chip.figures.off_chip_bandwidth_gb_per_s * 1e9
        assert load_device(name, cores=1).unit == ("chip" if whole.cores == 1 else "core")


def test_the_built_in_devices() -> None:
    expected = {"tpu_v2", "tpu_v3", "tpu_v4", "tpu_v5e", "tpu_v5p", "v100", "p100", "a100", "h100", "coral_edge_tpu"}
    assert expected <= set(available_devices())
    assert {path.stem for path in FOLDER.glob("*.toml")} <= set(available_devices())
    assert load_device("tpu_v3").unit == "core"
    assert [load_device(name).batch for name in ("tpu_v3", "v100", "coral_edge_tpu")] == [128, 128, 1]


def test_the_chip_alone_has_no_host_floor_and_keeps_its_calibration() -> None:
    whole, alone = load_device("tpu_v3"), load_device("tpu_v3:chip")
    assert alone.name == "tpu_v3:chip" and alone.base_name == whole.name
    assert alone == dataclasses.replace(
        whole,
        name=alone.name,
        model=dataclasses.replace(whole.model, host_us_per_example=0.0),
        sources={**whole.sources, "host_us_per_example": "left out: the chip alone"},
    )
    assert whole.model.host_us_per_example > 0


def _set(content: dict[str, Any], path: str, value: Any) -> None:
    *parents, last = path.split(".")
    for parent in parents:
        content = content[parent]
    if value is None:
        del content[last]
    else:
        content[last] = value


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        ("clock", 1.0, "mine.toml: Unknown key 'clock': choose one of|did you mean"),
        ("figures.clock_hz", {}, r"mine.toml \[figures\]: Unknown key 'clock_hz': did you mean 'clock_ghz'"),
        ("figures.clock_ghz", None, r"mine.toml \[figures\]: the key 'clock_ghz' is missing; add it."),
        ("model.overlap", None, r"mine.toml \[model\]: the key 'overlap' is missing; add it."),
        ("batch", None, "mine.toml: the key 'batch' is missing; add it."),
        ("batch", 1.5, "mine.toml: batch is 1.5; give a whole number."),
        ("cores", True, "mine.toml: cores is True; give a whole number."),
        ("cores", 3, "tpu_v3: cores is 3; give 1 to 2, the cores of the chip."),
        ("batch", 0, "tpu_v3: batch is 0; give 1 or more."),
        ("title", 3, "mine.toml: title is 3; give a text."),
        ("family", "cpu", "mine.toml: family is 'cpu'; give one of tpu, gpu, edge."),
        ("precision", "fp8", "mine.toml: precision is 'fp8'; give one of bf16, fp16, int8."),
        ("fusion", "some", "mine.toml: fusion is 'some'; give one of eager, chain, full."),
        ("figures", 3, r"mine.toml: figures is 3; give a table \[figures\]."),
        ("figures.clock_ghz", 0.94, r"\[figures\] clock_ghz: write it as \{ value = ..., source = \"...\" \}."),
        ("figures.clock_ghz.unit", "GHz", r"clock_ghz: write it as \{ value"),
        ("figures.clock_ghz.value", "0.94", "clock_ghz: value is '0.94'; give a number."),
        ("figures.clock_ghz.value", True, "clock_ghz: value is True; give a number."),
        ("figures.tile_m.value", 8.0, "tile_m: value is 8.0; give a whole number."),
        ("figures.clock_ghz.source", " ", "clock_ghz: source is ' '; say where the value comes from."),
        ("figures.off_chip_bandwidth_gb_per_s.value", 0, "off_chip_bandwidth_gb_per_s is 0; give a positive"),
        ("figures.static_w.value", -1.0, "static_w is -1; give a positive number."),
        ("model.overlap.value", 1.5, "overlap is 1.5; give 0 to 1."),
        ("model.matrix_efficiency.value", 0, "matrix_efficiency is 0; give 0.001 to 1."),
        ("figures.clock_ghz.value", 1.4, "give 183.5 tera-operations/s, peak_tera_ops_per_s says 123; correct"),
    ],
)
def test_a_wrong_file_is_refused(path: str, value: Any, message: str) -> None:
    content = copy.deepcopy(TPU_V3)
    _set(content, path, value)
    with pytest.raises(ValueError, match=message) as caught:
        device_from_mapping(content, where="mine.toml")
    assert "\n" not in str(caught.value)


def test_a_doubled_key_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text((FOLDER / "tpu_v3.toml").read_text().replace("cores = 1", "cores = 1\ncores = 2"))
    with pytest.raises(ValueError, match=r"mine.toml: Cannot overwrite a value .* \(a key may be given once\)"):
        load_device(path)


def test_a_file_of_one_s_own(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text((FOLDER / "tpu_v3.toml").read_text().replace('name = "tpu_v3"', 'name = "mine"'))
    assert load_device(str(path)) == dataclasses.replace(load_device("tpu_v3"), name="mine")
    with pytest.raises(FileNotFoundError, match="There is no device file .*other.toml': check the path."):
        load_device(tmp_path / "other.toml")


def test_an_unknown_name_suggests_the_nearest() -> None:
    with pytest.raises(ValueError, match="Unknown device 'tpuv3': did you mean 'tpu_v3'"):
        load_device("tpuv3")


class _Point:
    def __init__(self, found: object) -> None:
        self._found = found

    def load(self) -> object:
        return self._found


def test_installed_packages_add_devices(monkeypatch: pytest.MonkeyPatch) -> None:
    own = dataclasses.replace(load_device("tpu_v3"), name="own")
    points = {"own": _Point(own), "file": _Point(str(FOLDER / "v100.toml")), "wrong": _Point(3)}
    monkeypatch.setattr(plugins, "entry_points", lambda group: points if group == "autoglyph.devices" else {})
    assert {"own", "file", "wrong", "tpu_v3"} <= set(available_devices())
    assert load_device("own") is own
    assert load_device("file") == load_device("v100")
    with pytest.raises(ValueError, match="'wrong' of autoglyph.devices must be a Device or the path of a file."):
        load_device("wrong")


def test_the_entry_point_group_is_asked() -> None:
    assert isinstance(plugins.entry_points("autoglyph.devices"), dict)
    assert all(
        isinstance(point, importlib.metadata.EntryPoint) for point in plugins.entry_points("autoglyph.devices").values()
    )


def test_constants_can_be_replaced_with_their_source() -> None:
    chip = load_device("tpu_v3")
    fitted = chip.with_constants({"overlap": 0.5}, "a fit")
    assert fitted.model.overlap == 0.5 and fitted.sources["overlap"] == "a fit"
    assert fitted.figures == chip.figures and chip.sources["overlap"] != "a fit"
    with pytest.raises(ValueError, match="Unknown constant of the model 'overlapp': did you mean 'overlap'"):
        chip.with_constants({"overlapp": 0.5}, "a fit")
    with pytest.raises(ValueError, match="overlap is 2; give 0 to 1"):
        chip.with_constants({"overlap": 2.0}, "a fit")


def test_recalled_figures_say_so() -> None:
    """Figures that no page was seen for are marked; so are the model's assumptions."""
    for name in available_devices():
        for key, source in load_device(name).sources.items():
            marked = ("recalled", "seen", "assum", "unknown", "inferred", "none", "fit", "a program runs")
            assert any(mark in source for mark in marked), (name, key, source)
    assert read_device(FOLDER / "tpu_v3.toml").sources["clock_ghz"].startswith("recalled")
