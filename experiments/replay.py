"""From a name or a record to an individual, and from an individual to a model."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from autoglyph.experiments.domain import built_in_names, load_domain
from autoglyph.experiments.experiment import from_description
from autoglyph.experiments.individual_file import is_individual_file, read_individual
from autoglyph.experiments.run import Run
from autoglyph.experiments.store import DEFAULT_STORE
from autoglyph.search_spaces.architecture import Architecture
from autoglyph.search_spaces.codesign import CoDesign


@dataclass(frozen=True)
class Replayed:
    """An individual and where it comes from.

    Attributes:
        name: reference that finds it again, "RUN:TRIAL" or "SPACE:NAME".
        individual: the decoded value.
        space: name of its space.
        recorded: metrics that the record holds of it.
    """

    name: str
    individual: Any
    space: str
    recorded: dict[str, float | None]


def replay(reference: str, store: str | Path = DEFAULT_STORE) -> Replayed:
    """Finds an individual.

    Args:
        reference: "RUN:TRIAL", "RUN:best" (the end of the front that is best in the first objective),
            "SPACE:NAME" for a known individual, "file.py:NAME" of a space in a file, or an individual "FILE.json".
        store: the record that holds the run.

    Raises:
        ValueError: if the reference or the space does not fit.
        StoreError: if the record, the run or the trial is not there.
    """
    if is_individual_file(reference):
        read, space_name = read_individual(Path(reference))
        return Replayed(reference, read, space_name, {})
    owner, separator, name = reference.rpartition(":")
    if not separator or not owner or not name:
        raise ValueError(f"Cannot read {reference!r}: write RUN:TRIAL, RUN:best or SPACE:NAME.")
    if not name.isdecimal() and (owner in built_in_names() or ".py" in owner):
        space = load_domain(owner).space
        return Replayed(reference, space.individual(name), space.name, {})
    run = Run.open(owner, store)
    if name == "best":
        if len(run.front) == 0:
            raise ValueError(f"The run {owner} has no finished trial yet: resume it first.")
        name = str(run.front[-1])
    if not name.isdecimal():
        raise ValueError(f"Cannot read the trial {name!r} of {owner}: give its number, or best.")
    record = run.trial(int(name))
    _, domain = from_description(run.record.experiment)
    genome = domain.space.genome
    individual = genome.decode(genome.from_json(json.loads(record.genes)))
    return Replayed(f"{owner}:{name}", individual, domain.space.name, json.loads(record.metrics))


def architecture_of(replayed: Replayed) -> Architecture:
    """The network that an individual is, or has beside its accelerator.

    Raises:
        ValueError: if individuals of its space are no networks.
    """
    individual = replayed.individual
    network = individual.architecture if isinstance(individual, CoDesign) else individual
    if not isinstance(network, Architecture):
        raise ValueError(f"Individuals of {replayed.space} are no networks: this command needs one.")
    return network


def costs(architecture: Architecture, device: str, batch: int | None = None) -> dict[str, Any]:
    """What a network costs on a chip, in all and by kernel.

    Args:
        architecture: the network.
        device: name of a device, or a file that describes one.
        batch: images in one inference; None for the device's default.
    """
    from autoglyph.hardware_models import estimate, load_device, record

    chip = load_device(device)
    workload = record(architecture, fusion=chip.fusion)
    cost = estimate(workload, chip, batch=batch)
    return {
        "device": chip.name,
        "batch": cost.batch,
        "latency_ms": cost.latency_s * 1e3,
        "energy_mj": cost.energy_j * 1e3,
        "peak_mb": cost.peak_bytes / 1e6,
        "madds": workload.madds,
        "parameters": workload.parameters,
        "achieved_tera_ops_per_s": cost.achieved_ops_per_s / 1e12,
        "peak_tera_ops_per_s": cost.peak_ops_per_s / 1e12,
        "kernels": _kernel_rows(workload, cost),
    }


def summary(architecture: Architecture, model: Any) -> dict[str, int]:
    """Parameters and multiply-adds, counted twice: from the Keras model and from the workload.

    Args:
        architecture: the network.
        model: its Keras model.
    """
    from autoglyph.child_programs import count_madds, count_parameters
    from autoglyph.hardware_models import record

    workload = record(architecture)
    return {
        "parameters": int(model.count_params()),
        "trainable_parameters": count_parameters(model),
        "madds": count_madds(model),
        "workload_parameters": workload.parameters,
        "workload_madds": workload.madds,
    }


def _kernel_rows(workload: Any, cost: Any) -> list[dict[str, Any]]:
    kernels = workload.kernels
    return [
        {
            "name": str(name),
            "latency_us": float(kernel_s) * 1e6,
            "compute_us": float(compute_s) * 1e6,
            "memory_us": float(memory_s) * 1e6,
            "bound": str(bound),
            "madds": int(madds),
        }
        for name, kernel_s, compute_s, memory_s, bound, madds in zip(
            cost.names, cost.kernels_s, cost.compute_s, cost.memory_s, cost.bound, kernels["madds"], strict=True
        )
    ]
