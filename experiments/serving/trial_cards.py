"""Cards about one individual: what it is, what it costs, how to have it again."""

from __future__ import annotations

import json
from typing import Any

from autoglyph.experiments.pictures.pareto_front import axis_label
from autoglyph.experiments.run import Run
from autoglyph.experiments.serving import markup
from autoglyph.experiments.serving.individuals import individual, replay_command
from autoglyph.experiments.serving.place import Place, address
from autoglyph.experiments.views.safe_text import lines, plain

_KERNELS = 400


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


def picture_cards(run: Run, trial: int, place: Place) -> list[Any]:
    """What there is to see of an individual: why it failed, its architecture or formula, and its cost.

    Args:
        run: its run.
        trial: its number.
        place: where the cards stand.
    """
    return [*failure_card(run, trial), cost_card(run, trial, place)]


def decisions_card(run: Run, trial: int) -> Any:
    """What was decided."""
    chosen = run.decisions(trial)
    rows = [[markup.name_of(name, 60), markup.name_of(str(value), 60)] for name, value in chosen.items()]
    return markup.card(
        "Decisions",
        markup.table(["Decision", "Value"], rows, caption="Decisions of the individual"),
        note=f"{len(chosen):,} decisions; those below a choice not taken were not made.",
    )


def cost_card(run: Run, trial: int, place: Place) -> Any:
    """What the network costs on a chip, kernel by kernel, with the choice of the chip.

    Args:
        run: its run.
        trial: its number.
        place: where the card stands; its choice `device` names the chip.
    """
    from dash import html

    from autoglyph.experiments.replaying.replayed import costs as costs_of
    from autoglyph.hardware_models import available_devices

    shown = individual(run, trial)
    if shown.network is None:
        text = shown.trouble or "Individuals of this space are no networks, so no chip is modelled."
        return markup.card("Cost", html.P(plain(text, 400), className="quiet"), part="cost")
    known = available_devices()
    default = run.record.experiment.get("device")
    device = place.get("device") or (default if default in known else known[0])
    if device not in known:
        raise ValueError(f"There is no device {plain(device)!r} here; choose one of {', '.join(known)}.")
    options = [(name, place.changed({"device": name}).href, name == device) for name in known]
    costs = costs_of(shown.network, device)
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
        html.Div(
            markup.table(
                ["Kernel", "Latency (µs)", "Bound", "Multiply-adds", "Ops per byte"],
                [
                    [
                        kernel["name"],
                        markup.number(kernel["latency_us"]),
                        kernel["bound"],
                        markup.number(kernel["madds"]),
                        markup.number(kernel["ops_per_byte"]),
                    ]
                    for kernel in costs["kernels"][:_KERNELS]
                ],
                numeric=[1, 3, 4],
                caption=f"Cost of every kernel on {device}",
            ),
            className="tall",
        ),
        note=f"{costs['device_title']}, batch {costs['batch']}: analytic roofline model, not a measurement.",
        part="cost",
    )
