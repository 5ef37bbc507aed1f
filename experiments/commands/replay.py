"""`autoglyph replay`: a discovered or a published individual as something that trains in Keras."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from autoglyph.experiments.commands import _common
from autoglyph.experiments.commands._common import JsonOption, StoreOption

PANEL, ORDER = _common.REPLAY_PANEL, 30


def command(
    model: Annotated[str, typer.Argument(help="RUN:TRIAL, RUN:best, SPACE:NAME or an exported folder or detector.")],
    scale: Annotated[str | None, typer.Option(help="full, or proxy: small enough to train here.")] = None,
    summary: Annotated[bool, typer.Option("--summary", help="Show layers, parameters and multiply-adds.")] = False,
    cost: Annotated[str | None, typer.Option(metavar="DEVICE", help="Show its cost on a chip.")] = None,
    train: Annotated[
        str | None,
        typer.Option(
            metavar="DATA",
            help="Train on digits, FILE.npz, a keras.datasets name, a sequence task, SOURCE:TARGET text, "
            "digits_canvas or COCO's ANNOTATIONS.json:FOLDER.",
        ),
    ] = None,
    epochs: Annotated[int, typer.Option(min=1, help="Epochs of training.")] = 10,
    steps: Annotated[int | None, typer.Option(min=1, help="Steps of training in place of epochs; sequences.")] = None,
    width: Annotated[float, typer.Option(help="Width of the proxy, as a factor of the published base.")] = 0.25,
    resolution: Annotated[
        int | None, typer.Option(min=8, help="Side of the proxy's images in pixels; most tokens of a sequence.")
    ] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="Train on at most so many images or pairs.")] = None,
    vocabulary: Annotated[int, typer.Option(min=5, help="Subwords of parallel text.")] = 8000,
    seed: Annotated[int, typer.Option(min=0, help="Seed of weights and training.")] = 0,
    export: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="Save FILE.keras for plain Keras, FILE.py of an expression, or a translator."
        ),
    ] = None,
    predict: Annotated[Path | None, typer.Option(metavar="IMAGE", help="Find boxes in an image file.")] = None,
    strict: Annotated[bool, typer.Option("--strict", help="Refuse bad annotations; else they are skipped.")] = False,
    translate: Annotated[Path | None, typer.Option(metavar="FILE", help="Translate a text file line by line.")] = None,
    output: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write the translations, or draw the boxes.")
    ] = None,
    reference: Annotated[Path | None, typer.Option(metavar="FILE", help="Compare the translations by BLEU.")] = None,
    beams: Annotated[int, typer.Option(min=1, help="Beams of decoding; 1 is greedy.")] = 4,
    store: StoreOption = _common.DEFAULT_STORE_PATH,
    as_json: JsonOption = False,
) -> None:
    """Build, inspect, train and export a network or an expression for Keras, and translate."""
    from autoglyph.experiments.commands._replay_report import print_result
    from autoglyph.experiments.replaying.carry_out import Wishes, carry_out
    from autoglyph.experiments.replaying.kinds import detectors, sequences
    from autoglyph.experiments.replaying.replayed import replay

    wishes = Wishes(
        scale=scale or ("proxy" if train else "full"),
        summary=summary,
        device=cost,
        data=train,
        epochs=epochs,
        steps=steps,
        width=width,
        resolution=resolution,
        limit=limit,
        vocabulary=vocabulary,
        seed=seed,
        export=export,
        predict=predict,
        strict=strict,
        translate=translate,
        output=output,
        reference=reference,
        beams=beams,
    )
    if Path(model).is_dir():
        result = sequences.carry_out_translator(Path(model), wishes, quiet=as_json)
    elif Path(model).suffix == ".keras":
        result = detectors.carry_out_file(Path(model), wishes)
    else:
        result = carry_out(replay(model, store), wishes, quiet=as_json)
    if as_json:
        _common.print_json(result)
    else:
        print_result(result)
