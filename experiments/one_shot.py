"""One-shot searches of a domain: shared weights in a file, the network found in the record."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from autoglyph.experiments.domain import Domain, load_domain
from autoglyph.experiments.experiment import define, describe, describe_columns
from autoglyph.experiments.known_start import START
from autoglyph.experiments.run import Run
from autoglyph.experiments.search import Search
from autoglyph.experiments.store import Store

if TYPE_CHECKING:
    from autoglyph.child_programs.weight_sharing.one_shot import Cost, Progress, Schedule
    from autoglyph.child_programs.weight_sharing.supernet import Supernet

METHODS = ("uniform", "fair", "policy", "gradient")


def one_shot(
    reference: str,
    output: Path,
    *,
    method: str = "uniform",
    data: str | None = None,
    steps: int = 2000,
    batch_size: int = 64,
    learning_rate: float = 0.1,
    device: str | None = None,
    target_ms: float | None = None,
    beta: float = -0.07,
    seed: int = 0,
    run: str | None = None,
    store: Path,
    show: Callable[[Progress], None] | None = None,
) -> dict[str, Any]:
    """Trains shared weights for the space of a domain, as its own child program sizes networks, and writes them.

    Args:
        reference: a domain whose program is `ImageClassification`; see `load_domain`.
        output: .npz file for the weights.
        method: "uniform", "fair" (FairNAS), "policy" (ENAS; TuNAS with a target) or "gradient" (DARTS).
        data: data set; None for the domain's.
        steps: on the weights.
        batch_size: images a step.
        learning_rate: peak of the weights' cosine.
        device: chip of the target; None for the domain's.
        target_ms: latency to aim at; None for accuracy alone.
        beta: weight of the distance from the target, negative.
        seed: of all randomness.
        run: name of the run that records the network found; None for the next free one.
        store: the record.
        show: is given the progress of every step.

    Returns:
        "method", "steps", "weights" (how many), "output"; where a network is found, "run", "decisions" by name and
        "top1" in percent with shared weights.

    Raises:
        ValueError: if the domain trains no image networks, or something does not fit, in one sentence.
    """
    from autoglyph.child_programs import ImageClassification
    from autoglyph.child_programs.tensorflow_process import prepare_process
    from autoglyph.child_programs.weight_sharing.one_shot import Schedule
    from autoglyph.child_programs.weight_sharing.shared_weights import SharedWeights
    from autoglyph.child_programs.weight_sharing.supernet import Supernet

    domain = load_domain(reference)
    program = domain.program
    if not isinstance(program, ImageClassification):
        raise ValueError(f"{reference} trains no image networks: weights are shared where ImageClassification trains.")
    if not output.parent.is_dir():
        raise ValueError(f"There is no folder {str(output.parent)!r}: make it, or name another file.")
    cost = None if target_ms is None else _latency(domain, device)
    prepare_process(program.cores)
    loaded = domain.load_data(data or domain.data, seed, program)
    images = loaded.resized(program.resolution or loaded.resolution)
    weights = SharedWeights(seed)
    supernet = Supernet(weights, images, width=program.width, label_smoothing=program.label_smoothing)
    schedule = Schedule(steps, batch_size, learning_rate, seed)
    last: Progress | None = None
    for last in _searched(method, supernet, domain, schedule, cost, target_ms or 1.0, beta):
        if show is not None:
            show(last)
    weights.save(output)
    size = sum(array.size for arrays in weights.values().values() for array in arrays)
    result: dict[str, Any] = {"method": method, "steps": steps, "weights": size, "output": str(output)}
    if last is not None and last.found is not None:
        genes = json.dumps(domain.space.genome.to_json(last.found))
        result |= _recorded(reference, genes, output, data, seed, run, store)
    return result


def _searched(
    method: str,
    supernet: Supernet,
    domain: Domain,
    schedule: Schedule,
    cost: Cost | None,
    target: float,
    beta: float,
) -> Iterator[Progress]:
    from autoglyph.child_programs.weight_sharing import one_shot as searches
    from autoglyph.child_programs.weight_sharing.paths import paths_of
    from autoglyph.child_programs.weight_sharing.policy import PathPolicy

    space = domain.space
    if method == "gradient":
        base = PathPolicy(space).most_likely()
        return searches.search_by_gradient(supernet, space, base, schedule)
    paths = paths_of(supernet, space.genome)
    if method == "policy":
        return searches.search_by_policy(paths, space, schedule, cost=cost, target=target, beta=beta)
    train = searches.train_fairly if method == "fair" else searches.train_uniformly
    return train(paths, space, schedule)


def _latency(domain: Domain, device: str | None) -> Cost:
    """Latency of a path at full size in milliseconds."""
    from autoglyph.hardware_models import PopulationCost, load_device

    name = device or domain.device
    if name is None:
        raise ValueError("Name the chip that --target-ms means with --device; autoglyph devices lists them.")
    cost = PopulationCost(domain.space, load_device(name))
    return lambda row: float(cost(row[None])["latency_ms"][0])


def _recorded(
    reference: str, genes: str, weights: Path, data: str | None, seed: int, run: str | None, store: Path
) -> dict[str, Any]:
    """Measures the network that was found, in a run of one trial."""
    experiment, domain = define(
        reference,
        algorithm="tournament_evolution",
        accuracy="trained",
        objectives=["max:top1"],
        trials=1,
        seed=seed,
        data=data,
        settings={START: genes, "program.shared_weights": json.dumps(str(weights)), "program.epochs": "[0]"},
    )
    with Store(store, create=True) as opened:
        record = opened.create_run(run, "one-shot", describe(experiment, domain), describe_columns(domain))
        Search(experiment, domain).run(opened, record)
        found = Run(record, opened.trials(record.run))
    genome = domain.space.genome
    row = genome.from_json(json.loads(found.trials[0].genes))
    decisions = {c.name: c.candidates[int(gene)] for c, gene in zip(genome.columns, row, strict=True) if c.candidates}
    return {"run": record.name, "decisions": decisions, "top1": float(found.metrics["top1"][0])}
