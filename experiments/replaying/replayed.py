"""From a name or a record to an individual, and from an individual to a model."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from autoglyph.experiments.domain import built_in_names, load_domain
from autoglyph.experiments.experiment import from_description
from autoglyph.experiments.individual_file import is_individual_file, read_individual
from autoglyph.experiments.run import Run
from autoglyph.experiments.store import DEFAULT_STORE
from autoglyph.search_spaces import plugins
from autoglyph.search_spaces.architecture import Architecture
from autoglyph.search_spaces.codesign import CoDesign

if TYPE_CHECKING:
    from autoglyph.hardware_models.device import Device
    from autoglyph.hardware_models.roofline import Cost
    from autoglyph.hardware_models.workload import Workload


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

    def _repr_html_(self) -> str:
        from autoglyph.experiments.views.notebook import individual_html

        found: Any = self
        return individual_html(found)


def replay(reference: str, store: str | Path = DEFAULT_STORE) -> Replayed:
    """Finds an individual.

    Args:
        reference: "RUN:TRIAL", "RUN:best" (the end of the front that is best in the first objective),
            "SPACE:NAME" for a known individual (where one is called by a number, as in "spinenet:49", trial 49 of a
            run "spinenet" is "spinenet:049"), "file.py:NAME" of a space in a file, or an individual "FILE.json".
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
    if owner in built_in_names() or (".py" in owner and not name.isdecimal()):
        space = load_domain(owner).space
        if not name.isdecimal() or name in space.individual_names:
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


def device_of(replayed: Replayed) -> Device:
    """The accelerator that an individual brings.

    Raises:
        ValueError: if it brings none.
    """
    from autoglyph.hardware_models import accelerator

    individual = replayed.individual
    if not isinstance(individual, CoDesign):
        raise ValueError(
            f"Individuals of {replayed.space} bring no accelerator: name a chip with --device; "
            "autoglyph devices lists them."
        )
    return accelerator.device_of(individual.accelerator, "its own accelerator")


def costs(architecture: Architecture, device: str | Device, batch: int | None = None) -> dict[str, Any]:
    """What a network costs on a chip, in all and by kernel.

    Args:
        architecture: the network.
        device: a device, its name, or a file that describes one.
        batch: images in one inference; None for the device's default.
    """
    from autoglyph.hardware_models import load_device, record

    chip = load_device(device) if isinstance(device, str) else device
    return workload_costs(record(architecture, fusion=chip.fusion), chip, batch)


def workload_costs(workload: Workload, device: Device, batch: int | None = None) -> dict[str, Any]:
    """What a workload costs on a chip, in all and by kernel, with the figures of a roofline.

    Operational intensities are operations (two a multiply-add, one a vector step) by all bytes that a kernel
    reads and writes, on the chip or off it; the ridge point is peak by off-chip bandwidth.

    Args:
        workload: of the network.
        device: the chip.
        batch: examples in one inference; None for the device's default.
    """
    from autoglyph.experiments.pictures.roofline_blocks import block_rows
    from autoglyph.hardware_models import estimate

    cost = estimate(workload, device, batch=batch)
    kernels = _kernel_rows(workload, cost, device.element_bytes)
    vector_macs_per_s = device.cores * device.figures.vector_macs_per_cycle_per_core * device.figures.clock_ghz * 1e9
    return {
        "device": device.name,
        "device_title": device.title,
        "batch": cost.batch,
        "latency_ms": cost.latency_s * 1e3,
        "energy_mj": cost.energy_j * 1e3,
        "peak_mb": cost.peak_bytes / 1e6,
        "madds": workload.madds,
        "parameters": workload.parameters,
        "achieved_tera_ops_per_s": cost.achieved_ops_per_s / 1e12,
        "peak_tera_ops_per_s": cost.peak_ops_per_s / 1e12,
        "vector_peak_tera_ops_per_s": 2 * vector_macs_per_s / 1e12,
        "bandwidth_gb_per_s": device.bandwidth_bytes_per_s / 1e9,
        "on_chip_bandwidth_gb_per_s": device.bandwidth_bytes_per_s * device.model.on_chip_bandwidth_ratio / 1e9,
        "ridge_ops_per_byte": device.peak_ops_per_s / device.bandwidth_bytes_per_s,
        "blocks": block_rows(kernels),
        "kernels": kernels,
    }


def training_costs(workload: Workload, device: Device, batch: int | None, optimizer: str) -> dict[str, Any]:
    """What one training step costs on a chip, in all and by kernel; the update is the last one.

    Args:
        workload: of the network in inference.
        device: the chip.
        batch: examples in one step; None for the device's default.
        optimizer: "sgd", "momentum" or "adam".

    Raises:
        ValueError: if there is no such optimizer.
    """
    from autoglyph.hardware_models.training_step import MOMENTS, estimate_training

    if optimizer not in MOMENTS:
        raise plugins.unknown_name("optimizer", optimizer, MOMENTS)
    cost = estimate_training(workload, device, batch, optimizer=cast(Any, optimizer))
    return {
        "optimizer": optimizer,
        "latency_ms": cost.latency_s * 1e3,
        "update_ms": cost.update.latency_s * 1e3,
        "energy_mj": cost.energy_j * 1e3,
        "peak_mb": cost.peak_bytes / 1e6,
        "madds": cost.step.madds,
        "kernels": [
            *_kernel_rows(cost.step_workload, cost.step, device.element_bytes),
            *_kernel_rows(cost.update_workload, cost.update, device.element_bytes),
        ],
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


def _kernel_rows(workload: Workload, cost: Cost, element_bytes: int) -> list[dict[str, Any]]:
    kernels = workload.kernels
    per_example = 2 * kernels["madds"] + kernels["vector_ops"] + kernels["input_vector_ops"]
    activations = (kernels["read_elements"] + kernels["written_elements"]) * cost.batch
    moved = (activations + kernels["weight_elements"]) * element_bytes
    operations = per_example * cost.batch
    return [
        {
            "name": str(kernels["name"][i]),
            "latency_us": float(cost.kernels_s[i]) * 1e6,
            "compute_us": float(cost.compute_s[i]) * 1e6,
            "memory_us": float(cost.memory_s[i]) * 1e6,
            "bound": str(cost.bound[i]),
            "madds": int(kernels["madds"][i]),
            "operations": int(operations[i]),
            "bytes": int(moved[i]),
            "ops_per_byte": float(operations[i] / max(int(moved[i]), 1)),
            "attained_giga_ops_per_s": float(operations[i] / cost.kernels_s[i]) / 1e9,
        }
        for i in range(len(kernels))
    ]
