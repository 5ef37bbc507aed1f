"""The roofline of a network on a chip: every kernel at its operational intensity and attained rate."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from autoglyph.experiments.pictures import BLUE, GREY, ORANGE

GREEN = "#009E73"  # Okabe and Ito
_LOOKS = {"compute": (BLUE, "o", "circle"), "memory": (ORANGE, "s", "square"), "overhead": (GREEN, "^", "triangle-up")}
_X, _Y = "operational intensity (operations / byte)", "attained rate (giga-operations / s)"
_NAMED = 12


def save_roofline(name: str, costs: dict[str, Any], path: str | Path) -> Path:
    """Draws the roofline into a file.

    Args:
        name: of the network.
        costs: of `replay.workload_costs`.
        path: ends in .html (kernel names under the pointer) or .png (the slowest kernels named).

    Raises:
        ValueError: if the path ends otherwise or its folder is missing.
    """
    file = Path(path)
    if file.suffix not in (".html", ".png"):
        raise ValueError(f"Cannot draw to {str(path)!r}: give a file name that ends in .html or .png.")
    if not file.parent.is_dir():
        raise ValueError(f"Cannot draw to {str(path)!r}: make the folder {str(file.parent)!r} first.")
    (_save_html if file.suffix == ".html" else _save_png)(_title(name, costs), costs, file)
    return file


def terminal_roofline(name: str, costs: dict[str, Any], *, width: int = 78, height: int = 18) -> str:
    """The roofline as text, both axes logarithmic."""
    import plotext

    plotext.clear_figure()
    plotext.theme("clear")
    plotext.plotsize(width, height)
    plotext.title(_title(name, costs))
    plotext.xlabel(_X)
    plotext.ylabel(_Y)
    plotext.xscale("log")
    plotext.yscale("log")
    roof = _roof(costs)
    plotext.plot(*roof, marker="·", label="roof")
    for bound, kernels in _by_bound(costs).items():
        points = [k["ops_per_byte"] for k in kernels], [k["attained_giga_ops_per_s"] for k in kernels]
        plotext.scatter(*points, marker=bound[0], label=f"{bound} bound")
    return str(plotext.build())


def _title(name: str, costs: dict[str, Any]) -> str:
    ridge = costs["ridge_ops_per_byte"]
    return f"{name} on {costs['device']}, batch {costs['batch']} (analytic model), ridge at {ridge:.3g} ops/byte"


def _by_bound(costs: dict[str, Any]) -> dict[str, list[dict[str, Any]]]:
    """Kernels that do operations, by what they wait for."""
    found: dict[str, list[dict[str, Any]]] = {}
    for kernel in costs["kernels"]:
        if kernel["ops_per_byte"] > 0:
            found.setdefault(kernel["bound"], []).append(kernel)
    return found


def _roof(costs: dict[str, Any]) -> tuple[list[float], list[float]]:
    peak, ridge = costs["peak_tera_ops_per_s"] * 1e3, costs["ridge_ops_per_byte"]
    intensities = [k["ops_per_byte"] for k in costs["kernels"] if k["ops_per_byte"] > 0]
    low, high = min([*intensities, ridge / 10]), max([*intensities, ridge * 10])
    return [low, ridge, high], [low * costs["bandwidth_gb_per_s"], peak, peak]


def _save_html(title: str, costs: dict[str, Any], file: Path) -> None:
    import plotly.graph_objects as go

    figure = go.Figure()
    xs, ys = _roof(costs)
    figure.add_scatter(x=xs, y=ys, mode="lines", line={"color": GREY}, name="roof")
    figure.add_scatter(
        x=xs[1:2],
        y=ys[1:2],
        mode="markers+text",
        text=["ridge"],
        marker={"color": GREY},
        textposition="top center",
        name="ridge point",
    )
    for bound, kernels in _by_bound(costs).items():
        color, _, symbol = _LOOKS[bound]
        figure.add_scatter(
            x=[k["ops_per_byte"] for k in kernels],
            y=[k["attained_giga_ops_per_s"] for k in kernels],
            mode="markers",
            marker={"color": color, "symbol": symbol},
            text=[f"{k['name']}: {k['latency_us']:.3g} us" for k in kernels],
            name=f"{bound} bound",
        )
    figure.update_layout(title=title, template="simple_white")
    figure.update_xaxes(type="log", title=_X)
    figure.update_yaxes(type="log", title=_Y)
    figure.write_html(file, include_plotlyjs=True)


def _save_png(title: str, costs: dict[str, Any], file: Path) -> None:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(10, 6), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots()
    xs, ys = _roof(costs)
    axes.plot(xs, ys, color=GREY, label="roof")
    axes.annotate("ridge point", (xs[1], ys[1]), color="#444444", textcoords="offset points", xytext=(0, 6))
    for bound, kernels in _by_bound(costs).items():
        color, marker, _ = _LOOKS[bound]
        points = [k["ops_per_byte"] for k in kernels], [k["attained_giga_ops_per_s"] for k in kernels]
        axes.scatter(*points, c=color, marker=marker, s=18, label=f"{bound} bound")
    drawn = [k for kernels in _by_bound(costs).values() for k in kernels]
    for kernel in sorted(drawn, key=lambda k: -float(k["latency_us"]))[:_NAMED]:
        axes.annotate(kernel["name"], (kernel["ops_per_byte"], kernel["attained_giga_ops_per_s"]), fontsize=6)
    axes.set(xscale="log", yscale="log", xlabel=_X, ylabel=_Y, title=title)
    axes.legend()
    figure.savefig(file, dpi=150)
