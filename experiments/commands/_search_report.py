"""Running a search under a progress bar and reporting how it ended."""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import typer

from autoglyph.experiments.commands import _common
from autoglyph.experiments.pictures import pareto_front
from autoglyph.experiments.run import Run
from autoglyph.experiments.search import Finished, Progress, Search
from autoglyph.experiments.store import RunRecord, Store
from autoglyph.experiments.tensorboard_log import TensorBoardLog

_FRONT_LINES = 12
_REFRESH_SECONDS = 0.1


def carry_out(
    search: Search,
    store: Store,
    record: RunRecord,
    *,
    started: float,
    html: Path | None = None,
    png: Path | None = None,
    tensorboard: Path | None = None,
    as_json: bool = False,
) -> None:
    """Runs a search and prints its front.

    Args:
        search: ready to run.
        store: the open record.
        record: the run to write.
        started: `time.perf_counter()` when the work on it began.
        html: web page to write.
        png: picture to write.
        tensorboard: folder for the event files of TensorBoard.
        as_json: print one JSON object instead of text.

    Raises:
        typer.Exit: with code 130 if the search was interrupted.
    """
    log = None if tensorboard is None else TensorBoardLog(tensorboard, store.path, record)
    with _progress_bar(record.name) as show:

        def observe(progress: Progress) -> None:
            show(progress)
            if log is not None:
                log.update()

        finished = search.run(store, record, observe)
    if log is not None:
        log.close()
    wall_s = time.perf_counter() - started
    run = Run.open(record.name, store.path)
    if html is not None:
        from autoglyph.experiments.views.report import write_report

        write_report(run, html, store=store.path)
    if png is not None:
        pareto_front.write_image(run, png)
    if as_json:
        _common.print_json(as_object(run, finished, wall_s))
    else:
        _print_text(run, finished, wall_s, store.path, html, png)
    if finished.reason == "interrupted":
        where = "" if str(store.path) == str(_common.DEFAULT_STORE_PATH) else f" --store {store.path}"
        _common.note(f"Interrupted; continue with: autoglyph resume {record.name}{where}")
        raise typer.Exit(130)


def as_object(run: Run, finished: Finished, wall_s: float) -> dict[str, Any]:
    """The result of a search as one plain object."""
    experiment = run.record.experiment
    return {
        "run": run.name,
        "trials": len(run),
        "wall_s": wall_s,
        "trials_per_s": finished.evaluated / wall_s,
        "hypervolume": run.hypervolume,
        "front": front_entries(run),
        "reference": {o.name: float(o.sign * r) for o, r in zip(run.objectives, run.reference, strict=True)},
        "reason": finished.reason,
        "duplicates": finished.duplicates,
        "refused": finished.refused,
        "failed": run.num_failed,
        "copied": run.num_copied,
        "infeasible": run.num_infeasible,
        "device": experiment["device"],
        "accuracy": experiment["accuracy"],
        "accuracy_source": experiment["accuracy_source"],
    }


def front_entries(run: Run) -> list[dict[str, Any]]:
    """The front as plain objects, by the first objective from worst to best."""
    return [
        {"trial": int(t), "objectives": run.objective_values(int(t)), "individual": run.decisions(int(t))}
        for t in run.front
    ]


def print_front(run: Run) -> None:
    """Prints the front, best-so-far and the table of the front."""
    print(pareto_front.terminal(run))
    if len(run.objectives) > 1:
        print(pareto_front.terminal_best(run))
    print(pareto_front.subtitle(run))
    names = [o.name for o in run.objectives]
    front = run.front.tolist()
    shown = front
    if len(front) > _FRONT_LINES:
        step = (len(front) - 1) / (_FRONT_LINES - 1)
        shown = [front[round(i * step)] for i in range(_FRONT_LINES)]
    others = [m for m in run.metrics if m not in names]
    rows = [[t, *run.objective_values(t).values(), *(float(run.metrics[m][t]) for m in others)] for t in shown]
    size = f"{len(front)} individuals" + (f", {len(shown)} shown" if len(shown) < len(front) else "")
    _common.print_table(f"Pareto front ({size})", ["trial", *names, *others], rows)


def untrained(run: Run) -> dict[str, int]:
    """Trials without a result of their own by what became of them."""
    return {
        "copied from trials that compute the same": run.num_copied,
        "infeasible": run.num_infeasible,
        "failed": run.num_failed,
    }


def _print_text(run: Run, finished: Finished, wall_s: float, store: Path, html: Path | None, png: Path | None) -> None:
    print_front(run)
    rate = _rate(finished.evaluated / wall_s)
    why = {"exhausted": "; nothing new is left to propose"}.get(finished.reason, "")
    extras = [f"{finished.duplicates:,} duplicates not paid for", f"{finished.refused:,} refused"]
    extras += [f"{count:,} {what}" for what, count in untrained(run).items() if count]
    print(f"{finished.evaluated:,} trials in {wall_s:.1f} s ({rate}){why}; {', '.join(extras)}.")
    print(f"Hypervolume {run.hypervolume:.5g}. Recorded as {run.name} in {store}.")
    for path in (html, png):
        if path is not None:
            print(f"Picture: {path}")
    if len(run.front):
        print(f"Next: autoglyph show {run.name} {run.front[-1]}   autoglyph pareto {run.name} --html front.html")


def _rate(per_second: float) -> str:
    return f"{per_second:,.0f}/s" if per_second >= 10 else f"{60 * per_second:.1f}/min"


@contextlib.contextmanager
def _progress_bar(name: str) -> Iterator[Callable[[Progress], None]]:
    if not sys.stderr.isatty():
        yield lambda progress: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bar

    columns = [
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.completed:,.0f}/{task.total:,.0f}"),
        TextColumn("{task.fields[rate]}"),
        TextColumn("{task.fields[best]}"),
        TimeRemainingColumn(),
    ]
    with Bar(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(name, total=1, rate="", best="")
        last = 0.0

        def observe(progress: Progress) -> None:
            nonlocal last
            if progress.elapsed_s - last >= _REFRESH_SECONDS:
                last = progress.elapsed_s
                rate = "trials " + _rate(progress.evaluated / progress.elapsed_s)
                bar.update(
                    task,
                    completed=progress.trials,
                    total=progress.budget,
                    rate=rate,
                    best=progress.archive.summary(),
                )

        yield observe
