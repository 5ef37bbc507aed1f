"""Estimated against measured times: calibration and validation of devices on tables, with a scatter plot."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from autoglyph.experiments.pictures.pareto_front import BLUE, GREY, replaced_file
from autoglyph.hardware_models import calibration, load_device
from autoglyph.hardware_models.agreement import Agreement, agreement
from autoglyph.hardware_models.calibration import Calibration
from autoglyph.hardware_models.device import Device
from autoglyph.hardware_models.device_text import device_toml
from autoglyph.hardware_models.measured import networks, read_table

Floats = NDArray[np.float64]

_PICTURES = (".png", ".svg", ".pdf")
_X_LABEL, _Y_LABEL = "measured time of a batch (ms)", "estimated, times one scale factor (ms)"


@dataclass(frozen=True)
class Validation:
    """A device's estimates beside measurements.

    Attributes:
        device: name.
        table: name of the file.
        batch: examples in a batch.
        names: of the networks.
        measured_ms: (networks,) time of a batch.
        estimated_ms: (networks,) the model's.
        model: agreement of the model.
        baselines: agreement of "madds" and "activations".
    """

    device: str
    table: str
    batch: int
    names: list[str]
    measured_ms: Floats
    estimated_ms: Floats
    model: Agreement
    baselines: Mapping[str, Agreement]

    @property
    def activations_do_as_well(self) -> bool:
        """Whether the activation count alone ranks at least as well."""
        return self.baselines["activations"].spearman >= self.model.spearman


def validate(device: str, table: Path, column: str | None = None) -> Validation:
    """Compares a device's estimates with a table.

    Args:
        device: name or .toml file.
        table: CSV file in any format of `hardware_models.tables`.
        column: measured column; None for the one measured on the device.

    Raises:
        ValueError: if the table, the column or the device is not usable.
    """
    chip = load_device(device)
    content = read_table(table)
    measured = content.column(chip.name, column)
    known = np.flatnonzero(np.isfinite(measured.latency_s))
    found = networks(content, chip.fusion, known)
    truth = measured.latency_s[known]
    estimated = found.latency_s(chip, measured.batch)
    return Validation(
        device=chip.name,
        table=table.name,
        batch=measured.batch,
        names=[content.names[int(index)] for index in known],
        measured_ms=truth * 1e3,
        estimated_ms=estimated * 1e3,
        model=agreement(estimated, truth),
        baselines={
            "madds": agreement(found.madds, truth),
            "activations": agreement(found.activations, truth),
        },
    )


def calibrate(device: str, table: Path, column: str | None, *, count: int | None, seed: int) -> Calibration:
    """Fits the constants of a device to networks of a table; see `hardware_models.calibration`.

    Args:
        device: name or .toml file.
        table: CSV file in any format of `hardware_models.tables`.
        column: measured column; None for the one measured on the device.
        count: networks to fit to, the others judge the fit; None for all, each judged by a fit to the others.
        seed: of their draw and of the fit.

    Raises:
        ValueError: if the table, the column or the device is not usable, or the networks are too few.
    """
    chip = load_device(device)
    content = read_table(table)
    measured = content.column(chip.name, column)
    if count is None:
        return calibration.leave_one_out(chip, content, measured, seed=seed, source=table.name)
    return calibration.calibrate(chip, content, measured, count=count, seed=seed, source=table.name)


def write_device(device: Device, path: Path) -> None:
    """Writes a device file; replaced whole or not at all."""
    with replaced_file(path) as temporary:
        temporary.write_text(device_toml(device, f"{device.title}, calibrated."), encoding="utf-8")


def _title(found: Validation) -> str:
    return f"{found.device} on {found.table}: Spearman {found.model.spearman:.4f}, MAPE {100 * found.model.mape:.1f} %"


def _subtitle(found: Validation) -> str:
    baselines = ", ".join(f"{name} {each.spearman:.4f}" for name, each in found.baselines.items())
    return f"{found.model.networks:,} networks, batch {found.batch}; Spearman of {baselines}"


def write_html(found: Validation, path: Path) -> None:
    """An interactive scatter plot in one file that opens offline.

    Args:
        found: what to draw.
        path: file to write; replaced whole or not at all.
    """
    import html

    import plotly.graph_objects as go

    scaled = found.model.scale * found.estimated_ms
    ends = [float(found.measured_ms.min()), float(found.measured_ms.max())]
    figure = go.Figure()
    figure.add_scatter(x=ends, y=ends, mode="lines", name="equal", line={"color": GREY}, hoverinfo="skip")
    figure.add_scattergl(
        x=found.measured_ms,
        y=scaled,
        mode="markers",
        name="networks",
        marker={"color": BLUE, "size": 4, "opacity": 0.5},
        text=[html.escape(name) for name in found.names],
        hovertemplate="%{text}<br>measured %{x:.4g} ms<br>estimated %{y:.4g} ms<extra></extra>",
    )
    figure.update_layout(
        template="plotly_white",
        title={"text": f"{html.escape(_title(found))}<br><sub>{html.escape(_subtitle(found))}</sub>"},
        xaxis_title=_X_LABEL,
        yaxis_title=_Y_LABEL,
    )
    with replaced_file(path) as temporary:
        temporary.write_text(
            figure.to_html(include_plotlyjs=True, full_html=True, config={"responsive": True, "displaylogo": False}),
            encoding="utf-8",
        )


def write_image(found: Validation, path: Path) -> None:
    """A scatter plot for documents; the suffix of the path, .png, .svg or .pdf, gives the format.

    Raises:
        ValueError: if the suffix is another one.
    """
    if path.suffix not in _PICTURES:
        raise ValueError(f"Cannot write a picture as {path.suffix or path.name!r}: end its name in .png, .svg or .pdf.")
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7, 6), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    ends = [float(found.measured_ms.min()), float(found.measured_ms.max())]
    axes.plot(ends, ends, color=GREY, linewidth=1, label="equal")
    scaled = found.model.scale * found.estimated_ms
    axes.scatter(found.measured_ms, scaled, s=5, color=BLUE, alpha=0.4, linewidths=0, label="networks", rasterized=True)
    axes.set_xlabel(_X_LABEL)
    axes.set_ylabel(_Y_LABEL)
    axes.set_title(_title(found), loc="left", pad=22)
    axes.text(0, 1.015, _subtitle(found), transform=axes.transAxes, fontsize=8, color="#555555")
    axes.grid(alpha=0.25)
    axes.legend(frameon=False, loc="lower right")
    with replaced_file(path) as temporary:
        figure.savefig(temporary, format=path.suffix[1:], dpi=150)
