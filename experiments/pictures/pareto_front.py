"""Pictures of a run: in the terminal, as PNG or SVG.

Colours are those of Okabe and Ito, which colour-blind people can tell apart; every picture says its run,
its device and where its accuracy comes from.
"""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from autoglyph.experiments.objectives import FloatArray
from autoglyph.experiments.run import Run
from autoglyph.experiments.views.safe_text import plain

BLUE, ORANGE, GREY = "#0072B2", "#D55E00", "#999999"
MAX_POINTS = 4000
_LOGARITHMIC_FROM = 2000  # trials; in a longer search most change nothing

_LABELS = {
    "top1": "top-1 accuracy (%)",
    "latency_ms": "latency (ms)",
    "energy_mj": "energy (mJ)",
    "peak_mb": "peak memory (MB)",
    "madds": "multiply-adds",
    "parameters": "parameters",
    "lacs": "accuracy x (latency / target)^w",
}


def axis_label(metric: str) -> str:
    """A metric with its unit."""
    return _LABELS.get(metric) or plain(metric)


def subtitle(run: Run) -> str:
    """Run, device and source of the accuracy, in one line."""
    experiment = run.record.experiment
    parts = [f"run {plain(run.name)}", f"{len(run):,} trials"]
    if experiment["device"]:
        batch = f", batch {experiment['batch']}" if experiment.get("batch") else ""
        parts.append(f"{plain(experiment['device'])}{batch} (analytic model)")
    if experiment["accuracy"] != "none":
        parts.append(f"accuracy: {plain(experiment['accuracy'])}")
    return " · ".join(parts)


@dataclass(frozen=True)
class _Scene:
    """What is drawn: a cloud of trials and the front through it, or best-so-far over trials."""

    title: str
    x_label: str
    y_label: str
    cloud: tuple[FloatArray, FloatArray]
    cloud_trials: FloatArray
    front: tuple[FloatArray, FloatArray]
    front_trials: FloatArray
    front_name: str


def _scene(run: Run) -> _Scene:
    usable = np.flatnonzero(np.isfinite(run.fitness).all(axis=1))
    shown = usable[np.linspace(0, len(usable) - 1, min(len(usable), MAX_POINTS)).astype(int)] if len(usable) else usable
    natural = run.fitness * np.array([o.sign for o in run.objectives], np.float64)
    if len(run.objectives) == 1:
        label = axis_label(run.objectives[0].name)
        best = np.maximum.accumulate(run.fitness[usable, 0]) * run.objectives[0].sign
        improved = np.flatnonzero(np.diff(best, prepend=np.nan) != 0)
        if len(usable):
            improved = np.append(improved, len(usable) - 1)
        return _Scene(
            f"Best {label} so far",
            "trial",
            label,
            (shown.astype(float), natural[shown, 0]),
            shown.astype(float),
            (usable[improved].astype(float), best[improved]),
            usable[improved].astype(float),
            "best so far",
        )
    y, x = run.objectives[0].name, run.objectives[1].name
    front = run.front[np.argsort(natural[run.front, 1], kind="stable")]
    return _Scene(
        f"Pareto front: {axis_label(y)} against {axis_label(x)}",
        axis_label(x),
        axis_label(y),
        (natural[shown, 1], natural[shown, 0]),
        shown.astype(float),
        (natural[front, 1], natural[front, 0]),
        front.astype(float),
        "Pareto front",
    )


def terminal(run: Run, *, width: int = 78, height: int = 18) -> str:
    """The front, or best-so-far with one objective, as text.

    Args:
        run: what to draw.
        width: characters.
        height: lines.
    """
    scene = _scene(run)
    if len(scene.front_trials) == 0:
        return "(nothing to draw: no finished trial has all objectives)"
    plotext = _canvas(scene.title, scene.x_label, scene.y_label, width, height)
    shown = slice(None, None, max(1, len(scene.cloud[0]) // 800))
    plotext.scatter(*(c[shown].tolist() for c in scene.cloud), marker=".", label="trials")
    plotext.scatter(*(f.tolist() for f in scene.front), marker="#", label=scene.front_name)
    return _drawn(plotext)


def terminal_best(run: Run, *, width: int = 78, height: int = 11) -> str:
    """The best of the first objective so far over trials, as text (a logarithmic axis for many).

    Empty before the first result.

    Args:
        run: what to draw.
        width: characters.
        height: lines.
    """
    best = np.maximum.accumulate(run.fitness[:, 0]) if len(run) else np.zeros(0)
    known = np.flatnonzero(np.isfinite(best))
    if len(known) == 0:
        return ""
    shown = known[np.linspace(0, len(known) - 1, min(len(known), 4 * width)).round().astype(int)]
    label = axis_label(run.objectives[0].name)
    plotext = _canvas(f"Best {label} so far", "trials", label, width, height)
    if len(run) > _LOGARITHMIC_FROM:
        plotext.xscale("log")
        shown = np.unique(np.geomspace(known[0] + 1, known[-1] + 1, 4 * width).round().astype(int)) - 1
    plotext.plot((shown + 1).tolist(), (run.objectives[0].sign * best[shown]).tolist(), marker="·")
    return _drawn(plotext)


def _canvas(title: str, x_label: str, y_label: str, width: int, height: int) -> Any:
    import plotext

    plotext.clear_figure()
    plotext.theme("clear")
    plotext.plotsize(width, height)
    plotext.title(title)
    plotext.xlabel(x_label)
    plotext.ylabel(y_label)
    return plotext


def _drawn(plotext: Any) -> str:
    drawing: str = plotext.build()
    return "\n".join(line.rstrip() for line in plotext.uncolorize(drawing).splitlines())


def write_image(run: Run, path: Path) -> None:
    """A picture for documents; the suffix of the path, .png, .svg or .pdf, gives the format.

    Raises:
        ValueError: if the suffix is another one.
    """
    if path.suffix not in (".png", ".svg", ".pdf"):
        raise ValueError(f"Cannot write a picture as {path.suffix or path.name!r}: end its name in .png, .svg or .pdf.")
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    scene = _scene(run)
    figure = Figure(figsize=(8, 5), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    axes.scatter(*scene.cloud, s=4, color=GREY, alpha=0.5, linewidths=0, label="trials", rasterized=True)
    if len(run.objectives) > 1:
        style: Any = {"hv": "steps-post", "vh": "steps-pre"}[_step_shape(run)]
    else:
        style = "steps-post"
    axes.plot(
        *scene.front, color=BLUE, marker="o", markersize=4, markerfacecolor=ORANGE, markeredgewidth=0,
        drawstyle=style, label=scene.front_name,
    )  # fmt: skip
    axes.set_xlabel(scene.x_label)
    axes.set_ylabel(scene.y_label)
    axes.set_title(scene.title, loc="left", pad=22)
    axes.text(0, 1.015, subtitle(run), transform=axes.transAxes, fontsize=8, color="#555555")
    axes.grid(alpha=0.25)
    axes.legend(frameon=False, loc="lower right")
    with replaced_file(path) as temporary:
        figure.savefig(temporary, format=path.suffix[1:], dpi=150)


@contextlib.contextmanager
def replaced_file(path: Path) -> Iterator[Path]:
    """A temporary file that takes the place of `path` when it is complete.

    Raises:
        ValueError: if the folder is not there.
    """
    if not path.parent.is_dir():
        raise ValueError(f"There is no folder {str(path.parent)!r}: make it first, or choose another place.")
    handle, name = tempfile.mkstemp(prefix=".", suffix=path.suffix, dir=path.parent)
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        temporary.chmod(0o644)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def _step_shape(run: Run) -> str:
    """Which way the boundary of the dominated region turns between points of rising x."""
    return "hv" if run.objectives[0].sign > 0 and run.objectives[1].sign < 0 else "vh"
