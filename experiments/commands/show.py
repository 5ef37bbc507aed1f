"""`autoglyph show`: a run, or one of its trials."""

from __future__ import annotations

import collections
import json
from typing import Annotated, Any

import typer

from autoglyph.experiments.commands import _common
from autoglyph.experiments.commands._common import JsonOption, StoreOption

PANEL, ORDER = _common.INSPECT_PANEL, 21


def command(
    run: Annotated[str, typer.Argument(help="Name of the run.")],
    trial: Annotated[int | None, typer.Argument(help="Number of a trial.")] = None,
    store: StoreOption = _common.DEFAULT_STORE_PATH,
    as_json: JsonOption = False,
) -> None:
    """Show a run, or one trial of it."""
    from autoglyph.experiments.run import Run

    opened = Run.open(run, store)
    value = _run_object(opened) if trial is None else _trial_object(opened, trial)
    if as_json:
        _common.print_json(value)
    elif trial is None:
        _print_run(opened, value)
    else:
        _print_trial(value)


def _run_object(run: Any) -> dict[str, Any]:
    rungs = collections.Counter(map(len, run.rungs.values()))
    return {
        "run": run.name,
        "created": run.record.created,
        "trials": len(run),
        "failed": run.num_failed,
        "copied": run.num_copied,
        "infeasible": run.num_infeasible,
        "front": run.front.tolist(),
        "hypervolume": run.hypervolume,
        "digest": run.digest(),
        "experiment": run.record.experiment,
        "rungs": {str(reached): rungs[reached] for reached in sorted(rungs)},
        "hurdles": [payload for _, kind, payload in run.events if kind == "hurdle"],
        "workers": [payload for _, kind, payload in run.events if kind == "worker"],
    }


def _trial_object(run: Any, trial: int) -> dict[str, Any]:
    record = run.trial(trial)
    return {
        "run": run.name,
        "trial": trial,
        "status": record.status,
        "objectives": run.objective_values(trial),
        "metrics": json.loads(record.metrics),
        "rungs": json.loads(record.rungs) if record.rungs else [],
        "hurdles": json.loads(record.gate) if record.gate else [],
        "individual": run.decisions(trial),
        "parents": json.loads(record.parents),
        "on_front": trial in run.front,
        "seconds": record.seconds,
        "copies": record.copies,
        "error": record.error,
    }


def _print_run(run: Any, value: dict[str, Any]) -> None:
    from autoglyph.experiments.commands._search_report import print_front, untrained

    print_front(run)
    experiment = value["experiment"]
    settings = ", ".join(f"{k}={v}" for k, v in experiment["algorithm"]["settings"].items())
    _common.say(
        f"Space {experiment['space']}, {experiment['algorithm']['name']}({settings}), seed {experiment['seed']}."
    )
    _common.say(f"Accuracy: {experiment['accuracy_source']}.")
    if value["rungs"]:
        _common.say(
            "Trained: " + ", ".join(f"{n:,} to rung {int(r) - 1}" for r, n in value["rungs"].items() if r != "0") + "."
        )
    for hurdle in value["hurdles"]:
        height = "postponed, no member was trained so long" if hurdle["value"] is None else f"at {hurdle['value']:.5g}"
        _common.say(f"Hurdle after rung {hurdle['rung']}, set after {hurdle['children']:,} children: {height}.")
    for happening in value["workers"]:
        _common.say(f"Trial {happening['trial']}: {happening['what']}")
    saved = {what: count for what, count in untrained(run).items() if count and what != "failed"}
    if saved:
        _common.say("Not trained: " + ", ".join(f"{count:,} {what}" for what, count in saved.items()) + ".")
    _common.say(
        f"Hypervolume {value['hypervolume']:.5g}, {value['failed']} failed trials. Digest {value['digest'][:16]}."
    )


def _print_trial(value: dict[str, Any]) -> None:
    front = ", on the front" if value["on_front"] else ""
    parents = f", parents {', '.join(map(str, value['parents']))}" if value["parents"] else ""
    _common.say(f"Trial {value['trial']} of {value['run']}: {value['status']}{front}{parents}")
    if value["copies"] is not None:
        _common.say(f"Not trained: it computes the same as trial {value['copies']}.")
    _common.print_table("Metrics", ["metric", "value"], [[k, _text(v)] for k, v in value["metrics"].items()])
    hurdles = value["hurdles"]
    for number, rung in enumerate(value["rungs"]):
        above = f" (to exceed for the next: {_text(hurdles[number])})" if number < len(hurdles) else ""
        _common.say(f"Rung {number}: " + ", ".join(f"{k} {_text(v)}" for k, v in rung.items()) + above)
    _common.print_table("Decisions", ["decision", "value"], [[k, str(v)] for k, v in value["individual"].items()])
    if value["error"]:
        _common.say(value["error"])
    _common.say(f"Next: autoglyph replay {value['run']}:{value['trial']} --summary")


def _text(value: Any) -> str:
    return "not finite" if value is None else _common.format_value(value)
