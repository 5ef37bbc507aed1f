"""`autoglyph draw`: the pyramid or the scale-permuted backbone of a detector as a picture."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from autoglyph.experiments.commands import _common
from autoglyph.experiments.commands._common import JsonOption, StoreOption

PANEL, ORDER = _common.REPLAY_PANEL, 32


def command(
    model: Annotated[str, typer.Argument(help="RUN:TRIAL, RUN:best or SPACE:NAME of a detector.")],
    output: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write the picture (.png, .svg or .pdf); else words alone.")
    ] = None,
    store: StoreOption = _common.DEFAULT_STORE_PATH,
    as_json: JsonOption = False,
) -> None:
    """Draw the pyramid of merging cells, or the scale-permuted backbone, of a detector."""
    from autoglyph.experiments.pictures.level_graph import check_picture, draw_levels, level_nodes, level_text
    from autoglyph.experiments.replaying.replayed import replay

    if output is not None:
        check_picture(output)
    found = replay(model, store)
    part, title = _part(found.individual, found.name)
    nodes = level_nodes(part)
    if output is not None:
        draw_levels(nodes, title, output)
    if as_json:
        picture = None if output is None else str(output)
        _common.print_json({"model": found.name, "nodes": [vars(node) for node in nodes], "picture": picture})
        return
    _common.say("\n".join([title, *(f"  {line}" for line in level_text(nodes))]))
    if output is not None:
        print(f"Wrote {output}.")


def _part(individual: Any, name: str) -> tuple[Any, str]:
    """What of a detector can be drawn, and what it is called."""
    from autoglyph.search_spaces.architectures.retinanet import RetinaNet
    from autoglyph.search_spaces.architectures.spinenet import SpineNet
    from autoglyph.search_spaces.blocks.nas_fpn import NasFpn

    if isinstance(individual, RetinaNet) and isinstance(individual.pyramid, NasFpn):
        stacks = individual.pyramid.stacks
        return individual.pyramid, f"{name}: the pyramid that it stacks {stacks} time{'s' if stacks > 1 else ''}"
    if isinstance(individual, RetinaNet) and isinstance(individual.backbone, SpineNet):
        return individual.backbone, f"{name}: the blocks of its backbone"
    raise ValueError(
        f"{name} has no pyramid of merging cells and no scale-permuted backbone: give an individual of nas_fpn or "
        "spinenet, such as nas_fpn:r50_nas_fpn_7_256."
    )
