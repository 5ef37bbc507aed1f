"""What a roofline shows and where: roofs, blocks, kernels and their names on a fixed canvas."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from autoglyph.experiments.pictures.label_places import Box, along, around, place
from autoglyph.experiments.pictures.roofline_blocks import joint_name

_NEAR = 4.0  # blocks that are nearer to each other on the canvas share a label
_LEGEND = (0.0, 0.74, 0.17, 1.0)  # left, bottom, right, top as shares of the axes


class Roof(NamedTuple):
    """One limit.

    Attributes:
        name: what limits, with its figure.
        xs: intensities, in operations a byte.
        ys: rates, in giga-operations a second.
        main: whether it is of the matrix units and off-chip memory.
    """

    name: str
    xs: tuple[float, float]
    ys: tuple[float, float]
    main: bool


@dataclass(frozen=True)
class Scene:
    """What is drawn, and where on the canvas.

    Attributes:
        title: network, device and batch.
        subtitle: totals, and what the figures are.
        roofs: the limits.
        ridge: intensity and rate of the ridge point.
        blocks: those that do operations, the slowest first.
        kernels: those that do operations.
        x_range: limits of the intensity.
        y_range: limits of the rate.
    """

    title: str
    subtitle: str
    roofs: list[Roof]
    ridge: tuple[float, float]
    blocks: list[dict[str, Any]]
    kernels: list[dict[str, Any]]
    x_range: tuple[float, float]
    y_range: tuple[float, float]

    def at(self, x: float, y: float, axes: Box) -> tuple[float, float]:
        """Place of a point on the canvas."""
        (x0, x1), (y0, y1) = self.x_range, self.y_range
        across, up = math.log(x / x0) / math.log(x1 / x0), math.log(y / y0) / math.log(y1 / y0)
        return axes.left + across * (axes.right - axes.left), axes.bottom + up * (axes.top - axes.bottom)

    def values(self, across: float, up: float, axes: Box) -> tuple[float, float]:
        """Intensity and rate of a place on the canvas."""
        (x0, x1), (y0, y1) = self.x_range, self.y_range
        x = x0 * (x1 / x0) ** ((across - axes.left) / (axes.right - axes.left))
        return x, y0 * (y1 / y0) ** ((up - axes.bottom) / (axes.top - axes.bottom))

    def share(self, row: dict[str, Any]) -> float:
        """Share of the time that a block takes."""
        return float(row["latency_us"] / sum(b["latency_us"] for b in self.blocks))


def scene(name: str, costs: dict[str, Any]) -> Scene:
    """What a roofline shows.

    Args:
        name: of the network.
        costs: of `replayed.workload_costs`.

    Raises:
        ValueError: if nothing does any operation.
    """
    blocks = sorted((b for b in costs["blocks"] if b["operations"]), key=lambda b: -float(b["latency_us"]))
    kernels = [k for k in costs["kernels"] if k["operations"]]
    if not kernels:
        raise ValueError(f"{name} does no operations, so there is nothing to draw: leave out --roofline.")
    peak, ridge = costs["peak_tera_ops_per_s"] * 1e3, costs["ridge_ops_per_byte"]
    intensities = [row["ops_per_byte"] for row in kernels]
    rates = [row["attained_giga_ops_per_s"] for row in kernels]
    x_range = min(*intensities, ridge) / 2, max(max(intensities) * 2, ridge * 8)
    slopes, flats = [("off-chip memory", costs["bandwidth_gb_per_s"])], [("matrix units", peak)]
    if costs["on_chip_bandwidth_gb_per_s"] > 1.05 * costs["bandwidth_gb_per_s"]:
        slopes.append(("on-chip memory", costs["on_chip_bandwidth_gb_per_s"]))
    if costs["vector_peak_tera_ops_per_s"] * 1e3 < 0.95 * peak:
        flats.append(("vector units", costs["vector_peak_tera_ops_per_s"] * 1e3))
    roofs = [
        Roof(f"{what}: {_amount(rate)}B/s", (x_range[0], peak / rate), (x_range[0] * rate, peak), what[:3] == "off")
        for what, rate in slopes
    ] + [
        Roof(
            f"{what}: {_amount(rate)}op/s",
            (rate / max(bandwidth for _, bandwidth in slopes), x_range[1]),
            (rate, rate),
            what == "matrix units",
        )
        for what, rate in flats
    ]
    return Scene(
        title=f"{name} on {costs['device']}, batch {costs['batch']}",
        subtitle=(
            f"{costs['latency_ms']:.4g} ms in the analytic model · "
            f"ridge point at {_rounded(ridge)} operations / byte · "
            f"{costs['achieved_tera_ops_per_s']:.3g} of {costs['peak_tera_ops_per_s']:.3g} tera-operations / s attained"
        ),
        roofs=roofs,
        ridge=(ridge, peak),
        blocks=blocks,
        kernels=kernels,
        x_range=x_range,
        y_range=(min(*rates, peak) / 2, peak * 3),
    )


def columns(rows: Sequence[dict[str, Any]]) -> tuple[list[float], list[float]]:
    """Intensities and rates of blocks or kernels."""
    return [row["ops_per_byte"] for row in rows], [row["attained_giga_ops_per_s"] for row in rows]


class Label(NamedTuple):
    """A label on the canvas: the blocks that it names, its text, the point it belongs to, and its place."""

    names: list[str]
    text: str
    point: tuple[float, float]
    box: Box


def labels(drawn: Scene, axes: Box, glyph: tuple[float, float], radii: Sequence[float]) -> list[Label]:
    """Names of blocks, one for those at one place, and where they go.

    They cover no markers, roofs, names of roofs, legend, or each other; names for which there is no room are left out.
    """
    taken = [_legend_box(axes), around(*drawn.at(*drawn.ridge, axes), 6)]
    for roof in drawn.roofs:
        ends = [drawn.at(x, y, axes) for x, y in zip(roof.xs, roof.ys, strict=True)]
        taken += along(ends, 3)
        taken += along(roof_name_ends(drawn, roof, axes, glyph), 1.6 * glyph[1])
    together: list[tuple[tuple[float, float, float], list[str]]] = []
    for block, x, y, radius in zip(drawn.blocks, *columns(drawn.blocks), radii, strict=True):
        point = drawn.at(x, y, axes)
        near = (names for (other_x, other_y, _), names in together if math.dist(point, (other_x, other_y)) < _NEAR)
        names = next(near, None)
        if names is None:
            together.append(((*point, radius), [block["name"]]))
        else:
            names.append(block["name"])
    texts = [joint_name(names) for _, names in together]
    boxes = place([point for point, _ in together], texts, glyph=glyph, canvas=axes, taken=taken)
    return [
        Label(names, text, point[:2], box)
        for (point, names), text, box in zip(together, texts, boxes, strict=True)
        if box is not None
    ]


def _legend_box(axes: Box) -> Box:
    width, height = axes.right - axes.left, axes.top - axes.bottom
    left, bottom, right, top = _LEGEND
    return Box(
        axes.left + left * width, axes.bottom + bottom * height, axes.left + right * width, axes.bottom + top * height
    )


def roof_name_ends(drawn: Scene, roof: Roof, axes: Box, glyph: tuple[float, float]) -> list[tuple[float, float]]:
    """Line along which the name of a roof is written: flat ones above their right end, others below their middle."""
    (x0, y0), (x1, y1) = (drawn.at(x, y, axes) for x, y in zip(roof.xs, roof.ys, strict=True))
    length, width = math.hypot(x1 - x0, y1 - y0), glyph[0] * len(roof.name)
    across, up = (x1 - x0) / length, (y1 - y0) / length
    end = length - 4 if up == 0 else 0.5 * length + width / 2
    lift = (0.75 if up == 0 or not roof.main else -0.75) * glyph[1]
    return [(x0 + across * d - up * lift, y0 + up * d + across * lift) for d in (end - width, end)]


def _amount(giga: float) -> str:
    return f"{giga / 1e3:.3g} T" if giga >= 1e3 else f"{giga:.3g} G"


def _rounded(number: float) -> str:
    return f"{number:,.0f}" if number >= 1000 else f"{number:.3g}"
