"""`autoglyph replay`: a discovered or a published individual as a trainable Keras model."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from autoglyph.experiments.commands import _common
from autoglyph.experiments.commands._common import JsonOption, StoreOption

PANEL, ORDER = _common.REPLAY_PANEL, 30


def command(
    model: Annotated[str, typer.Argument(help="RUN:TRIAL, RUN:best or SPACE:NAME.")],
    scale: Annotated[str | None, typer.Option(help="full, or proxy: small enough to train here.")] = None,
    summary: Annotated[bool, typer.Option("--summary", help="Show layers, parameters and multiply-adds.")] = False,
    cost: Annotated[str | None, typer.Option(metavar="DEVICE", help="Show its cost on a chip.")] = None,
    train: Annotated[
        str | None, typer.Option(metavar="DATA", help="Train on digits, FILE.npz or a keras.datasets name.")
    ] = None,
    epochs: Annotated[int, typer.Option(min=1, help="Epochs of training.")] = 10,
    width: Annotated[float, typer.Option(help="Width of the proxy, as a factor of the published base.")] = 0.25,
    resolution: Annotated[int | None, typer.Option(min=8, help="Side of the proxy's images, pixels.")] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="Train on at most so many images.")] = None,
    seed: Annotated[int, typer.Option(min=0, help="Seed of weights and training.")] = 0,
    export: Annotated[Path | None, typer.Option(metavar="FILE.keras", help="Save the model for plain Keras.")] = None,
    store: StoreOption = _common.DEFAULT_STORE_PATH,
    as_json: JsonOption = False,
) -> None:
    """Build, inspect, train and export an individual as a Keras model."""
    from autoglyph.experiments.replay import replay
    from autoglyph.experiments.replay_model import Wishes, carry_out

    wishes = Wishes(
        scale=scale or ("proxy" if train else "full"),
        summary=summary,
        device=cost,
        data=train,
        epochs=epochs,
        width=width,
        resolution=resolution,
        limit=limit,
        seed=seed,
        export=export,
    )
    found = replay(model, store)
    result = carry_out(found, wishes, quiet=as_json)
    if as_json:
        _common.print_json(result)
    else:
        _print_text(result)


def _print_text(result: dict[str, Any]) -> None:
    print(f"{result['model']} of {result['space']}, {result['scale']} size")
    print(
        f"parameters {result['parameters']:,} ({result['trainable_parameters']:,} trainable), "
        f"multiply-adds {result['madds']:,}"
    )
    if "cost" in result:
        from autoglyph.experiments.commands.cost import print_costs

        print_costs(result["model"], result["cost"])
    if "training" in result:
        training = result["training"]
        rows = [[e["epoch"], e["loss"], e["top1"]] for e in training["epochs"]]
        _common.print_table(
            f"Trained on {training['data']} ({training['images']:,} images; validation: {training['validation']})",
            ["epoch", "training loss", "validation top-1 (%)"],
            rows,
        )
        print(f"Chance is {training['chance']:.3g} %.")
    if "export" in result:
        print(f"Saved: {result['export']} (load with keras.models.load_model; outputs are logits)")
