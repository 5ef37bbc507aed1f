"""`autoglyph scale`: latency-aware compound scaling of a network, beside scaling by multiply-adds."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from autoglyph.experiments.commands import _common
from autoglyph.experiments.commands._common import JsonOption, StoreOption

PANEL, ORDER = _common.REPLAY_PANEL, 33


def command(
    model: Annotated[str, typer.Argument(help="SPACE:NAME, RUN:TRIAL, RUN:best or an individual FILE.json.")],
    device: Annotated[str, typer.Option(help="Name of a chip, or a .toml file; its chip alone counts.")],
    doublings: Annotated[int, typer.Option(min=1, max=6, help="Doublings of latency, each a member.")] = 4,
    w: Annotated[float, typer.Option(min=-2.0, max=0.0, help="Exponent of the cost.")] = -0.07,
    batch: Annotated[int | None, typer.Option(min=1, help="Images at once; the device's default if not given.")] = None,
    accuracy: Annotated[str, typer.Option(help="surrogate, or trained at proxy scale.")] = "surrogate",
    data: Annotated[str, typer.Option(help="What to train on, with --accuracy trained.")] = "digits",
    epochs: Annotated[int, typer.Option(min=1, help="Epochs of each training.")] = 4,
    candidates: Annotated[int, typer.Option(min=2, help="Trainings for each doubling and objective.")] = 6,
    limit: Annotated[int | None, typer.Option(min=1, help="Train on at most so many images.")] = None,
    seed: Annotated[int, typer.Option(min=0, help="Seed of trainings.")] = 0,
    out: Annotated[Path | None, typer.Option(metavar="FOLDER", help="Write the families as individuals.")] = None,
    png: Annotated[Path | None, typer.Option(metavar="FILE", help="Draw accuracy against latency.")] = None,
    store: StoreOption = _common.DEFAULT_STORE_PATH,
    as_json: JsonOption = False,
) -> None:
    """Scale a network in depth, width and resolution as its latency doubles."""
    from autoglyph.experiments.individual_file import base_of
    from autoglyph.experiments.replaying.replayed import replay
    from autoglyph.experiments.scaling.families import draw_families, scale_families, write_families
    from autoglyph.experiments.scaling.networks import SurrogateAccuracy, TrainedAccuracy, scaled_networks
    from autoglyph.search_spaces import plugins

    if accuracy not in ("surrogate", "trained"):
        raise plugins.unknown_name("accuracy source", accuracy, ["surrogate", "trained"])
    networks = scaled_networks(replay(model, store), device, batch)
    base = base_of(model, store) if out is not None else None
    source: SurrogateAccuracy | TrainedAccuracy = SurrogateAccuracy(networks)
    if accuracy == "trained":
        from autoglyph.child_programs import load_dataset

        source = TrainedAccuracy(networks, load_dataset(data, seed=seed, limit=limit), data, epochs=epochs, seed=seed)
    shortlist = candidates if accuracy == "trained" else None
    result = {
        "model": model,
        **scale_families(networks, source, source=source.source, doublings=doublings, w=w, shortlist=shortlist),
    }
    if out is not None and base is not None:
        result["files"] = [str(path) for path in write_families(result, base, out)]
    if png is not None:
        draw_families(result, png)
        result["png"] = str(png)
    if as_json:
        _common.print_json(result)
    else:
        _print_text(result)


def _print_text(result: dict[str, Any]) -> None:
    print(f"{result['model']} on {result['device']} (analytic model, without its host), batch {result['batch']}")
    print(f"Accuracy: {result['accuracy_source']}.")
    headings = ["phi", "d", "w", "r", "MAdds (M)", "params (M)", "latency (ms)", "x base", "top-1 (%)", "reward"]
    for family in result["families"].values():
        rows = [
            [
                m["phi"],
                m["depth"],
                m["width"],
                m["resolution"],
                m["madds"] / 1e6,
                m["parameters"] / 1e6,
                m["latency_ms"],
                m["latency_ratio"],
                m["top1"],
                m["reward"],
            ]
            for m in family["members"]
        ]
        _common.print_table(family["title"], headings, rows)
    ours = {
        f"{family['title'].split(':')[0]}, {which}": family[key]
        for family in result["families"].values()
        for which, key in (("all doublings", "coefficients"), ("first doubling", "coefficients_of_first_doubling"))
    }
    table = [[name, *_cells(c)] for name, c in {**ours, **result["published"]}.items()]
    headings = ["family", "alpha (depth)", "beta (width)", "gamma (resolution)", "ln w / ln d", "ln r / ln d"]
    _common.print_table("Growth per doubling of the cost; published families per doubling of latency", headings, table)
    for kind in ("files", "png"):
        if kind in result:
            print(f"Written: {result[kind] if kind == 'png' else ', '.join(result[kind])}")
    if "files" in result:
        print(f"Next: autoglyph replay {result['files'][0]} --summary")


def _cells(growth: dict[str, float]) -> list[Any]:
    return [value if value < float("inf") else "depth does not grow" for value in growth.values()]
