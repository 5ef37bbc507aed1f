"""`autoglyph supernet`: one set of weights for a whole space, and what a one-shot search finds with it."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Annotated, Any

import typer

from autoglyph.experiments.commands import _common
from autoglyph.experiments.commands._common import JsonOption, StoreOption

PANEL, ORDER = _common.SEARCH_PANEL, 15


def command(
    space: Annotated[str, typer.Argument(help="A space of image networks by name, or file.py[:NAME].")],
    output: Annotated[Path, typer.Option("--output", metavar="FILE.npz", help="Where the weights go.")],
    method: Annotated[
        str,
        typer.Option(help="uniform or fair (FairNAS) paths; policy: ENAS, with --target-ms TuNAS; gradient: DARTS."),
    ] = "uniform",
    data: Annotated[str | None, typer.Option(help="digits, FILE.npz or a keras.datasets name.")] = None,
    steps: Annotated[int, typer.Option(min=1, help="Steps on the weights.")] = 2000,
    batch_size: Annotated[int, typer.Option(min=1, help="Images a step.")] = 64,
    learning_rate: Annotated[float, typer.Option(help="Peak of the weights' learning rate.")] = 0.1,
    device: Annotated[str | None, typer.Option(help="Chip whose latency --target-ms means.")] = None,
    target_ms: Annotated[float | None, typer.Option(help="Latency to aim at, in milliseconds; policy only.")] = None,
    beta: Annotated[float, typer.Option(help="Weight of the distance from the target.")] = -0.07,
    seed: Annotated[int, typer.Option(min=0, help="Seed of all randomness.")] = 0,
    run: Annotated[str | None, typer.Option(help="Name of the run that records the network found.")] = None,
    store: StoreOption = _common.DEFAULT_STORE_PATH,
    as_json: JsonOption = False,
) -> None:
    """Train shared weights for all networks of a space, and search with them."""
    from autoglyph.experiments.one_shot import METHODS, one_shot
    from autoglyph.search_spaces import plugins

    if method not in METHODS:
        raise plugins.unknown_name("method", method, METHODS)
    if output.suffix != ".npz":
        raise ValueError(f"Cannot write {str(output)!r}: shared weights are an .npz file.")
    if target_ms is not None and method != "policy":
        raise ValueError(f"The method {method} knows no latency: leave --target-ms out, or use --method policy.")
    started = time.perf_counter()
    found = one_shot(
        space,
        output,
        method=method,
        data=data,
        steps=steps,
        batch_size=batch_size,
        learning_rate=learning_rate,
        device=device,
        target_ms=target_ms,
        beta=beta,
        seed=seed,
        run=run,
        store=store,
        show=None if as_json else _Progress(steps, started),
    )
    result = {**found, "seconds": time.perf_counter() - started}
    if as_json:
        _common.print_json(result)
        return
    print(f"Wrote {output}: {result['weights']:,} shared weights after {steps:,} steps ({result['seconds']:.0f} s).")
    if "run" in result:
        print(f"Found {json.dumps(result['decisions'])}: top-1 {result['top1']:.2f} % with shared weights.")
        print(f"Recorded as {result['run']}.  Next: autoglyph replay {result['run']}:best --train digits")
    print(
        f"Next: autoglyph search {space} --set program.shared_weights={output} --set program.epochs=[0]"
        " --algorithm regularized_evolution"
    )


class _Progress:
    """A line on standard error now and then."""

    def __init__(self, steps: int, started: float) -> None:
        self._every = max(1, steps // 10)
        self._started = started

    def __call__(self, progress: Any) -> None:
        if progress.step % self._every == 0:
            sure = "" if progress.confidence is None else f", mean confidence {progress.confidence:.2f}"
            seconds = time.perf_counter() - self._started
            _common.note(f"step {progress.step:,}: loss {progress.loss:.3f}{sure} ({seconds:.0f} s)")
