"""Device files: TOML with the figures of one chip, read strictly.

Every number in the tables [figures] and [model] is `{ value = ..., source = "..." }`; a calibrated constant
also has `uncalibrated = ...`, its value before the fit, which "NAME:datasheet" reads. A file with an unknown,
missing or doubled key, a wrong type or a peak that its own clock and engines do not give is refused in one
sentence that names the fix.
"""

from __future__ import annotations

import dataclasses
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, cast, get_args

from autoglyph.hardware_models.accelerator import PREFIX, load_accelerator
from autoglyph.hardware_models.device import DATASHEET, WITHOUT_HOST, Constants, Device, Family, Figures, Precision
from autoglyph.hardware_models.fusion import FUSIONS, Fusion
from autoglyph.search_spaces import plugins

PEAK_TOLERANCE = 0.03
ENTRY_POINT_GROUP = "autoglyph.devices"

_FOLDER = Path(__file__).parent / "devices"
_TEXTS: dict[str, tuple[str, ...]] = {
    "name": (),
    "title": (),
    "family": get_args(Family),
    "precision": get_args(Precision),
    "fusion": FUSIONS,
}
_COUNTS = ("cores", "batch")
_TABLES: dict[str, type[Figures] | type[Constants]] = {"figures": Figures, "model": Constants}


def available_devices() -> list[str]:
    """Names that `load_device` knows: built-in files and those of installed packages."""
    return sorted({*_built_in(), *plugins.entry_points(ENTRY_POINT_GROUP)})


def load_device(name_or_path: str | Path, *, cores: int | None = None) -> Device:
    """A device by name, or from a file of one's own.

    Args:
        name_or_path: a name of `available_devices()`, or a path that ends in .toml; ":datasheet" behind it gives
            the device without its calibration, ":chip" the calibrated device without the floor of its host.
            "accelerator:NAME" is a known individual of the space of accelerators.
        cores: how many cores of the chip to use; None for what the file says.

    Raises:
        ValueError: if the name is unknown or the file is not a device.
        FileNotFoundError: if there is no such file.
    """
    name = str(name_or_path)
    device = _find(name.removesuffix(DATASHEET).removesuffix(WITHOUT_HOST))
    if name.endswith(DATASHEET):
        device = device.datasheet_only()
    elif name.endswith(WITHOUT_HOST):
        device = device.without_host()
    return device if cores is None else device.using(cores)


def _built_in() -> dict[str, Path]:
    return {path.stem: path for path in _FOLDER.glob("*.toml")}


def _find(name: str) -> Device:
    if name.startswith(PREFIX):
        return load_accelerator(name.removeprefix(PREFIX))
    if name.endswith(".toml"):
        return read_device(Path(name))
    if name in _built_in():
        return read_device(_built_in()[name])
    points = plugins.entry_points(ENTRY_POINT_GROUP)
    if name not in points:
        raise plugins.unknown_name("device", name, {*_built_in(), *points})
    found = points[name].load()
    if isinstance(found, Device):
        return found
    if isinstance(found, str | Path):
        return read_device(Path(found))
    raise ValueError(f"The entry point {name!r} of {ENTRY_POINT_GROUP} must be a Device or the path of a file.")


def read_device(path: Path) -> Device:
    """The device that a TOML file describes.

    Raises:
        ValueError: if it does not describe one.
        FileNotFoundError: if there is no such file.
    """
    if not path.is_file():
        raise FileNotFoundError(f"There is no device file {str(path)!r}: check the path.")
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError as error:
        raise ValueError(f"{path.name}: {error}; correct the TOML (a key may be given once).") from error
    return device_from_mapping(content, where=path.name)


def device_from_mapping(content: Mapping[str, Any], *, where: str) -> Device:
    """The device that the content of a device file describes.

    Args:
        content: what the file says.
        where: name of the file, for error messages.

    Raises:
        ValueError: if it does not describe a device.
    """
    _check_keys(where, content, [*_TEXTS, *_COUNTS, *_TABLES])
    for key, allowed in _TEXTS.items():
        if not isinstance(content[key], str) or (allowed and content[key] not in allowed):
            choices = f"one of {', '.join(allowed)}" if allowed else "a text"
            raise ValueError(f"{where}: {key} is {content[key]!r}; give {choices}.")
    for key in _COUNTS:
        if type(content[key]) is not int:
            raise ValueError(f"{where}: {key} is {content[key]!r}; give a whole number.")
    figures, sources, _ = _table(where, "figures", content["figures"])
    constants, more_sources, uncalibrated = _table(where, "model", content["model"])
    device = Device(
        name=content["name"],
        title=content["title"],
        family=cast(Family, content["family"]),
        precision=cast(Precision, content["precision"]),
        cores=content["cores"],
        fusion=cast(Fusion, content["fusion"]),
        batch=content["batch"],
        figures=Figures(**figures),
        model=Constants(**constants),
        sources=sources | more_sources,
        uncalibrated=uncalibrated,
    )
    _check_peak(where, device)
    return device


def _check_keys(where: str, given: Mapping[str, Any], wanted: Iterable[str]) -> None:
    known = list(wanted)
    for key in given:
        if key not in known:
            raise ValueError(f"{where}: {plugins.unknown_name('key', key, known)}")
    for key in known:
        if key not in given:
            raise ValueError(f"{where}: the key {key!r} is missing; add it.")


def _table(where: str, name: str, table: Any) -> tuple[dict[str, Any], dict[str, str], dict[str, float]]:
    """Values, sources and uncalibrated values of a table."""
    if not isinstance(table, Mapping):
        raise ValueError(f"{where}: {name} is {table!r}; give a table [{name}].")
    fields = {field.name: str(field.type) for field in dataclasses.fields(_TABLES[name])}
    _check_keys(f"{where} [{name}]", table, fields)
    values: dict[str, Any] = {}
    sources: dict[str, str] = {}
    uncalibrated: dict[str, float] = {}
    for key, kind in fields.items():
        place, figure = f"{where} [{name}] {key}", table[key]
        if name == "model" and isinstance(figure, Mapping) and "uncalibrated" in figure:
            uncalibrated[key] = float(_number(place, "uncalibrated", figure["uncalibrated"], whole=False))
            figure = {part: entry for part, entry in figure.items() if part != "uncalibrated"}
        values[key], sources[key] = _figure(place, figure, whole=kind == "int")
    return values, sources, uncalibrated


def _figure(where: str, figure: Any, *, whole: bool) -> tuple[float, str]:
    if not isinstance(figure, Mapping) or set(figure) != {"value", "source"}:
        raise ValueError(f'{where}: write it as {{ value = ..., source = "..." }}.')
    value, source = _number(where, "value", figure["value"], whole=whole), figure["source"]
    if not isinstance(source, str) or not source.strip():
        raise ValueError(f"{where}: source is {source!r}; say where the value comes from.")
    return value, source


def _number(where: str, key: str, value: Any, *, whole: bool) -> float:
    if type(value) is not int and (whole or type(value) is not float):
        raise ValueError(f"{where}: {key} is {value!r}; give a {'whole ' if whole else ''}number.")
    return value if whole else float(value)


def _check_peak(where: str, device: Device) -> None:
    published, computed = device.figures.peak_tera_ops_per_s, device.computed_peak_tera_ops_per_s
    if abs(computed / published - 1) > PEAK_TOLERANCE:
        raise ValueError(
            f"{where}: clock, cores, engines and multiply-adds a cycle give {computed:.4g} tera-operations/s, "
            f"peak_tera_ops_per_s says {published:g}; correct the one that is wrong."
        )
