"""Cards about one individual: what it is, what it costs, how to have it again."""

from __future__ import annotations

import base64
import json
from typing import Any

from autoglyph.experiments.pictures.pareto_front import axis_label
from autoglyph.experiments.pictures.roofline import roofline_figure
from autoglyph.experiments.run import Run
from autoglyph.experiments.serving import markup
from autoglyph.experiments.serving.place import Place, address, run_place
from autoglyph.experiments.views.architecture_graph import (
    architecture_graph,
    collapsed,
    depth_of,
    expression_graph,
    formula_svg,
    formulas,
)
from autoglyph.experiments.views.figures.architecture import graph_figure, kernels_figure
from autoglyph.experiments.views.figures.lineage import lineage_figure
from autoglyph.experiments.views.individuals import Individual, replay_command
from autoglyph.experiments.views.lineage import lineage
from autoglyph.experiments.views.safe_text import lines, plain

_KERNELS, _CHANGES, _GENERATIONS_LISTED = 400, 12, 4


def summary_card(run: Run, trial: int, store: str, title: Any) -> Any:
    """Objectives, metrics, parents, the replay command and the download of a trial.

    Args:
        run: its run.
        trial: its number.
        store: the record as the server was given it.
        title: of the card.
    """
    from dash import dcc, html

    record = run.trial(trial)
    objectives = run.objective_values(trial) if record.status == "completed" else {}
    metrics = {name: value for name, value in json.loads(record.metrics).items() if name not in objectives}
    values = {**objectives, **metrics}
    where = address(run.name, run.record.run)
    parents = [
        dcc.Link(str(parent), href=Place(("run", where, "trial", str(parent))).href)
        for parent in json.loads(record.parents)
        if isinstance(parent, int)
    ]
    spaced = [item for parent in parents for item in (parent, " ")]
    kinds = [markup.badge(record.status, record.status)]
    if trial in run.front:
        kinds.append(markup.badge("on the front", "front"))
    return markup.card(
        title,
        html.Div(kinds, className="badges"),
        markup.facts([(plain(axis_label(name)), markup.number(value)) for name, value in values.items()]),
        markup.facts([("parents", html.Span(spaced) if parents else "none"), ("ask", f"{record.ask:,}")]),
        html.H3("Replay it in Keras"),
        markup.command_line(replay_command(run, trial, store), "replay-command"),
        html.A(
            "Download as JSON",
            href=f"/download/{where}/{trial}.json",
            download=f"trial-{trial}.json",
            className="button plain",
            id="download",
        ),
        part="trial-summary",
    )


def failure_card(run: Run, trial: int) -> list[Any]:
    """The text of the failure of a trial that failed."""
    from dash import html

    error = run.trial(trial).error
    return [markup.card("Failure", html.Pre(lines(error)))] if error else []


def picture_cards(shown: Individual, place: Place, *, roofline: bool) -> list[Any]:
    """What there is to see of an individual: why it failed, its architecture or formula, and its cost.

    Args:
        shown: the individual.
        place: where the cards stand.
        roofline: also the roofline of its kernels, which is drawn later: its labels take a second to place.
    """
    failed = failure_card(shown.run, shown.trial)
    return [*failed, *architecture_cards(shown), cost_card(shown, place, roofline=roofline)]


def architecture_cards(shown: Individual) -> list[Any]:
    """The network as a graph of its parts, or the expression as a formula and a tree.

    Args:
        shown: the individual.
    """
    from dash import html

    title = f"{shown.run.name}:{shown.trial}"
    cards = []
    written = formulas(shown.value)
    if written:
        svg = formula_svg(written["latex"])
        drawn = [html.Img(src=_picture(svg), alt=written["text"], className="drawn")] if svg else []
        tree = graph_figure(expression_graph(shown.value), title)
        cards.append(
            markup.card(
                "Formula",
                *drawn,
                html.Div(written["text"], className="formula"),
                html.Details([html.Summary("LaTeX"), html.Pre(written["latex"])]),
                markup.graph(tree, "architecture-graph", "The expression as a tree"),
                part="architecture",
            )
        )
    if shown.network is not None:
        whole = architecture_graph(shown.network)
        graph = collapsed(whole, depth_of(whole))
        drawn_graph = markup.graph(
            graph_figure(graph, title), "architecture-graph", f"The architecture as a graph of {len(graph.nodes)} parts"
        )
        note = f"{len(whole.nodes):,} operations, drawn as {len(graph.nodes):,} parts from the input down."
        cards.append(
            markup.card("Architecture", html.Div(drawn_graph, className="tall drawing", tabIndex="0"), note=note,
                        part="architecture")
        )  # fmt: skip
    return cards


def lineage_card(run: Run, trial: int) -> Any:
    """The ancestors of a trial and what each step changed.

    Args:
        run: its run.
        trial: its number.
    """
    from dash import dcc, html

    found = lineage(run, trial)
    near = [step for step in found.steps if found.generations.get(step.child, 99) < _GENERATIONS_LISTED]
    rows = [
        [
            dcc.Link(f"{step.parent:,}", href=run_place(run.name, run.record.run, step.parent).href),
            dcc.Link(f"{step.child:,}", href=run_place(run.name, run.record.run, step.child).href),
            html.Div([*map(_change, step.changes[:_CHANGES]), *_rest(len(step.changes))], className="stack"),
        ]
        for step in near
    ]  # fmt: skip
    note = (
        f"{len(found.generations) - 1:,} recorded ancestors, {max(found.generations.values(), default=0)} steps back."
        if found.recorded
        else "The algorithm names no parents: the earlier trial that shares most decisions is shown instead."
    )
    children = [
        html.Span([dcc.Link(f"{t:,}", href=run_place(run.name, run.record.run, t).href), " "]) for t in found.children
    ]
    return markup.card(
        "Lineage",
        markup.graph(lineage_figure(found), "lineage-graph", f"Ancestors of trial {trial:,}"),
        html.Div(
            markup.table(["Parent", "Child", "Changed"], rows, caption="What each step changed"), className="tall"
        ),
        html.P(["Its first children: ", *children], className="note") if children else "",
        note=note,
        part="lineage",
    )


def _change(change: Any) -> Any:
    from dash import html

    before, after = ("–" if value is None else plain(value, 40) for value in (change.before, change.after))
    return html.Span(f"{plain(change.name, 50)}: {before} → {after}")


def _rest(changes: int) -> list[Any]:
    from dash import html

    return [html.Span(f"and {changes - _CHANGES} more")] if changes > _CHANGES else []


def _picture(svg: str) -> str:
    return "data:image/svg+xml;base64," + base64.b64encode(svg.encode()).decode("ascii")


def decisions_card(run: Run, trial: int) -> Any:
    """What was decided."""
    chosen = run.decisions(trial)
    rows = [[markup.name_of(name, 60), markup.name_of(str(value), 60)] for name, value in chosen.items()]
    return markup.card(
        "Decisions",
        markup.table(["Decision", "Value"], rows, caption="Decisions of the individual"),
        note=f"{len(chosen):,} decisions; those below a choice not taken were not made.",
    )


def cost_card(shown: Individual, place: Place, *, roofline: bool) -> Any:
    """What the network costs on a chip, kernel by kernel, with the choice of the chip.

    Args:
        shown: the individual.
        place: where the card stands; its choice `device` names the chip.
        roofline: also the roofline of the kernels.

    Raises:
        ValueError: if there is no such device.
    """
    from dash import html

    from autoglyph.hardware_models import available_devices

    if shown.network is None:
        text = shown.trouble or "Individuals of this space are no networks, so no chip is modelled."
        return markup.card("Cost", html.P(plain(text, 400), className="quiet"), part="cost")
    known = available_devices()
    device, costs = costs_of(shown, place)
    options = [(name, place.changed({"device": name}).href, name == device) for name in known]
    title = f"{shown.run.name}:{shown.trial}"
    return markup.card(
        "Cost",
        markup.choices("Device", options),
        markup.facts(
            [
                ("latency (ms)", markup.number(costs["latency_ms"])),
                ("energy (mJ)", markup.number(costs["energy_mj"])),
                ("peak memory (MB)", markup.number(costs["peak_mb"])),
                ("multiply-adds", markup.number(costs["madds"])),
                ("parameters", markup.number(costs["parameters"])),
            ]
        ),
        html.Div(id="roofline-place") if roofline else "",
        markup.graph(kernels_figure(title, costs), "kernels-graph", f"The slowest kernels on {device}"),
        html.Details([html.Summary(f"All {len(costs['kernels']):,} kernels"), _kernel_table(costs, device)]),
        note=f"{costs['device_title']}, batch {costs['batch']}: analytic roofline model, not a measurement.",
        part="cost",
    )


def costs_of(shown: Individual, place: Place) -> tuple[str, dict[str, Any]]:
    """The device that a place chooses, and what an individual's network costs on it.

    Raises:
        ValueError: if there is no such device.
    """
    from autoglyph.experiments.replaying.replayed import costs
    from autoglyph.hardware_models import available_devices

    experiment, known = shown.run.record.experiment, available_devices()
    default = experiment.get("device")
    device = place.get("device") or (default if default in known else known[0])
    if device not in known:
        raise ValueError(f"There is no device {plain(device)!r} here; choose one of {', '.join(known)}.")
    batch = experiment.get("batch") if device == default else None
    assert shown.network is not None
    return device, costs(shown.network, device, batch if isinstance(batch, int) else None)


def roofline_graph(shown: Individual, place: Place) -> Any:
    """The roofline of the kernels of an individual's network."""
    device, costs = costs_of(shown, place)
    figure = roofline_figure(plain(f"{shown.run.name}:{shown.trial}"), costs)
    return markup.graph(figure, "roofline-graph", f"Roofline of the kernels on {device}")


def _kernel_table(costs: dict[str, Any], device: str) -> Any:
    from dash import html

    rows = [
        [
            kernel["name"],
            markup.number(kernel["latency_us"]),
            kernel["bound"],
            markup.number(kernel["madds"]),
            markup.number(kernel["ops_per_byte"]),
        ]
        for kernel in costs["kernels"][:_KERNELS]
    ]
    headings = ["Kernel", "Latency (µs)", "Bound", "Multiply-adds", "Ops per byte"]
    return html.Div(
        markup.table(headings, rows, numeric=[1, 3, 4], caption=f"Cost of every kernel on {device}"), className="tall"
    )
