"""The Pareto front of two or three objectives over the cloud of trials."""

from __future__ import annotations

from typing import Any

import numpy as np

from autoglyph.experiments.views.figures.style import BLUE, GREY, ORANGE, decision_lines, empty, finish
from autoglyph.experiments.views.points import Points
from autoglyph.experiments.views.safe_text import markup

_HOVERED = 600


def front_figure(seen: Points, *, selected: int | None = None) -> Any:
    """Cloud and front; the trial of a point is its `customdata`.

    Args:
        seen: of `points`; with two axes the first one is drawn upwards.
        selected: trial to mark.
    """
    import plotly.graph_objects as go

    labels = [a.label for a in seen.axes]
    title = "Pareto front: " + " against ".join(labels)
    if seen.usable == 0:
        return empty(title, "No finished trial has all of these values yet.", seen.run)
    cloud = seen.cloud[~np.isin(seen.cloud, seen.front)]
    places = dict(zip(("yx" if len(labels) == 2 else "xyz"), [a.values for a in seen.axes], strict=True))
    hover = "trial %{customdata}" + "".join(
        f"<br>{markup(label)}: %{{{axis}:.5g}}" for axis, label in zip(places, labels, strict=True)
    )
    kind = go.Scatter3d if len(labels) == 3 else go.Scatter  # a few thousand points need no WebGL
    figure = go.Figure()
    shown = "" if len(cloud) + len(seen.front) >= seen.usable else f" ({len(cloud):,} of {seen.usable:,} drawn)"
    figure.add_trace(
        kind(
            **{axis: values[cloud] for axis, values in places.items()},
            mode="markers",
            name=f"trials{shown}",
            marker={"color": GREY, "size": 3 if len(labels) == 3 else 5, "opacity": 0.5},
            customdata=cloud,
            hovertemplate=hover + "<extra></extra>",
        )
    )
    front = seen.front[np.argsort(places["x"][seen.front], kind="stable")]
    hovered = front[:_HOVERED].tolist()
    texts = [decision_lines(d) for d in seen.run.decisions_of(hovered)] + [""] * (len(front) - len(hovered))
    line: dict[str, Any] = {"color": BLUE}
    if len(labels) == 2:
        line["shape"] = "hv" if seen.axes[0].sign > 0 and seen.axes[1].sign < 0 else "vh"
    figure.add_trace(
        kind(
            **{axis: values[front] for axis, values in places.items()},
            mode="markers" if len(labels) == 3 else "lines+markers",
            name=f"Pareto front ({len(front):,})",
            line=line,
            marker={"color": ORANGE, "size": 4 if len(labels) == 3 else 8, "line": {"color": BLUE, "width": 1}},
            customdata=front,
            text=texts,
            hovertemplate=hover + "<br>%{text}<extra></extra>",
        )
    )
    if selected is not None and all(np.isfinite(values[selected]) for values in places.values()):
        figure.add_trace(
            kind(
                **{axis: values[[selected]] for axis, values in places.items()},
                mode="markers",
                name=f"trial {selected}",
                marker={"color": "#000000", "size": 12, "symbol": "circle-open"},
                customdata=[selected],
                hovertemplate=hover + "<extra></extra>",
            )
        )
    if len(labels) == 3:
        figure.update_layout(scene={f"{axis}axis": {"title": {"text": markup(label)}} for axis, label in
                                    zip(places, labels, strict=True)})  # fmt: skip
        return finish(figure, title, seen.run, height=620)
    return finish(figure, title, seen.run, axes=dict(zip(places, labels, strict=True)))
