"""`autoglyph parallel`: what training a network costs on several chips, as a pipeline or on a mesh."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from autoglyph.experiments.commands import _common
from autoglyph.experiments.commands._common import JsonOption, StoreOption

PANEL, ORDER = _common.REPLAY_PANEL, 32
_MICRO_BATCHES_PER_STAGE = 4  # from there on the paper found the bubble negligible (Huang et al. 2019, section 2.3)


def command(
    model: Annotated[str, typer.Argument(help="RUN:TRIAL, RUN:best or SPACE:NAME.")],
    device: Annotated[str, typer.Option(help="Name of a chip, or a .toml file.")],
    stages: Annotated[int | None, typer.Option(help="Chips in a pipeline.")] = None,
    micro_batches: Annotated[
        int | None, typer.Option(help="Parts of the batch in a pipeline; 4 a stage if left out.")
    ] = None,
    mesh: Annotated[str | None, typer.Option(help="Mesh of chips, such as x=4,y=2.")] = None,
    layout: Annotated[str | None, typer.Option(help="What is split over it, such as batch=x,channels=y.")] = None,
    batch: Annotated[int | None, typer.Option(min=1, help="Images in one step, over all chips.")] = None,
    link_gb_per_s: Annotated[
        float | None, typer.Option(help="Bandwidth between neighbours, 82 (a link of TPU v3) if left out.")
    ] = None,
    link_latency_us: Annotated[float | None, typer.Option(help="Latency between neighbours, 1 if left out.")] = None,
    recomputation: Annotated[
        bool, typer.Option("--recomputation/--no-recomputation", help="Keep activations at the cuts alone.")
    ] = True,
    store: StoreOption = _common.DEFAULT_STORE_PATH,
    as_json: JsonOption = False,
) -> None:
    """Estimate a training step on several chips."""
    from autoglyph.experiments.replaying import replayed
    from autoglyph.hardware_models import load_device, record
    from autoglyph.hardware_models.parallel.link import DEFAULT_BANDWIDTH_GB_PER_S, DEFAULT_LATENCY_US, Link

    if (stages is None) == (mesh is None):
        raise ValueError("Give either --stages for a pipeline or --mesh for a mesh.")
    if mesh is None and layout is not None:
        raise ValueError("A layout needs a mesh: add --mesh, such as --mesh x=4,y=2.")
    if stages is None and micro_batches is not None:
        raise ValueError("Micro-batches are parts of a pipeline's batch: give --stages instead of --mesh.")
    link = Link(
        DEFAULT_BANDWIDTH_GB_PER_S if link_gb_per_s is None else link_gb_per_s,
        DEFAULT_LATENCY_US if link_latency_us is None else link_latency_us,
    )
    chip = load_device(device)
    found = replayed.replay(model, store)
    workload = record(replayed.architecture_of(found), fusion=chip.fusion)
    head = {
        "model": found.name,
        "device": chip.name,
        "link_gb_per_s": link.bandwidth_gb_per_s,
        "device_memory_gb": chip.figures.off_chip_gib * 2**30 * chip.chip_share / 1e9,
    }
    if stages is not None:
        value = head | _pipeline(workload, chip, stages, micro_batches, batch, link, recomputation)
        show = _print_pipeline
    else:
        value = head | _mesh(workload, chip, mesh or "", layout or "", batch, link)
        show = _print_mesh
    if as_json:
        _common.print_json(value)
    else:
        show(value)


def _pipeline(
    workload: Any, chip: Any, stages: int, micro_batches: int | None, batch: int | None, link: Any, recomputation: bool
) -> dict[str, Any]:
    from autoglyph.hardware_models.parallel.pipeline import estimate_pipeline

    cost = estimate_pipeline(
        workload,
        chip,
        stages=stages,
        micro_batches=_MICRO_BATCHES_PER_STAGE * stages if micro_batches is None else micro_batches,
        batch=batch,
        link=link,
        recomputation=recomputation,
    )
    return {
        "batch": cost.batch,
        "micro_batches": cost.micro_batches,
        "recomputation": cost.recomputation,
        "step_ms": cost.step_s * 1e3,
        "single_device_ms": cost.single_device_s * 1e3,
        "speedup": cost.speedup,
        "bubble": cost.bubble,
        "transferred_gb": cost.transferred_bytes / 1e9,
        "memory_gb": cost.memory_bytes / 1e9,
        "memory_without_recomputation_gb": cost.memory_without_recomputation_bytes / 1e9,
        "single_device_memory_gb": cost.single_device_bytes / 1e9,
        "stages": [
            {
                "stage": number,
                "kernels": stage.kernels,
                "first kernel": stage.name,
                "forward_ms": stage.forward_s * 1e3,
                "backward_ms": stage.backward_s * 1e3,
                "input_gb": stage.input_bytes / 1e9,
                "memory_gb": stage.memory_bytes / 1e9,
                "all_kept_gb": stage.memory_without_recomputation_bytes / 1e9,
            }
            for number, stage in enumerate(cost.stages, 1)
        ],
    }


def _mesh(workload: Any, chip: Any, mesh: str, layout: str, batch: int | None, link: Any) -> dict[str, Any]:
    from autoglyph.hardware_models.parallel.mesh_workload import estimate_workload_layout
    from autoglyph.search_spaces.mesh_layouts import parse_layout, parse_mesh

    sizes, split = parse_mesh(mesh), parse_layout(layout)
    cost = estimate_workload_layout(workload, chip, sizes, split, batch=batch, link=link)
    return {
        "mesh": sizes,
        "layout": split,
        "chips": cost.chips,
        "batch": cost.batch,
        "step_ms": cost.step_s * 1e3,
        "compute_ms": cost.compute_s * 1e3,
        "communication_ms": cost.communication_s * 1e3,
        "single_device_ms": cost.single_device_s * 1e3,
        "speedup": cost.speedup,
        "gradient_mb": cost.gradient_bytes / 1e6,
        "channel_mb": cost.channel_bytes / 1e6,
        "state_gb": cost.state_bytes / 1e9,
        "activations_gb": cost.activation_bytes / 1e9,
        "memory_gb": cost.memory_bytes / 1e9,
        "single_device_memory_gb": cost.single_device_bytes / 1e9,
    }


def _print_pipeline(value: dict[str, Any]) -> None:
    stages = value["stages"]
    print(
        f"{value['model']} on {len(stages)} x {value['device']} (analytic model), batch {value['batch']} in "
        f"{value['micro_batches']} micro-batches: {value['step_ms']:.4g} ms a step, {value['speedup']:.3g} times one "
        f"chip's speed, {value['bubble']:.1%} idle, {value['transferred_gb']:.4g} GB over the links."
    )
    _common.print_table("Stages, times of one micro-batch", list(stages[0]), [list(s.values()) for s in stages])
    again = "with re-computation" if value["recomputation"] else "all activations kept"
    print(
        f"Memory of the fullest chip {value['memory_gb']:.4g} GB ({again}), "
        f"{value['memory_without_recomputation_gb']:.4g} GB if all activations are kept; one chip alone "
        f"{value['single_device_memory_gb']:.4g} GB. {_there_is(value)}"
    )


def _print_mesh(value: dict[str, Any]) -> None:
    print(
        f"{value['model']} on {value['chips']} x {value['device']} (analytic model), batch {value['batch']}: "
        f"{value['step_ms']:.4g} ms a step, {value['speedup']:.3g} times one chip's speed."
    )
    rows = [[name, value[name]] for name in list(value)[list(value).index("step_ms") :]]
    _common.print_table("One chip of the mesh", ["figure", "value"], rows)
    print(_there_is(value))


def _there_is(value: dict[str, Any]) -> str:
    if not value["device_memory_gb"]:
        return f"{value['device']} has no memory of its own."
    verdict = "fits" if value["memory_gb"] <= value["device_memory_gb"] else "does not fit"
    return f"It {verdict} in the {value['device_memory_gb']:.4g} GB of {value['device']}."
