"""An experiment: everything that decides what a search does, as one symbolic value."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping, Sequence
from typing import Any

import pyglove as pg

from autoglyph.algorithms import Algorithm, catalog
from autoglyph.algorithms import hurdles as hurdle_rules
from autoglyph.algorithms.hurdles import HurdleRule
from autoglyph.algorithms.pyglove_generator import PyGloveGenerator
from autoglyph.experiments.domain import Domain, load_domain
from autoglyph.experiments.flows import in_flow
from autoglyph.experiments.known_start import resolved
from autoglyph.experiments.objectives import (
    Constraint,
    Objective,
    objective_from_json,
    objective_to_json,
    parse_constraint,
    parse_objective,
)
from autoglyph.experiments.symbolic_settings import algorithm_from, plain, settings_of
from autoglyph.search_spaces import plugins


class Experiment(pg.Object):
    """A search before it is run. Two equal experiments give equal records.

    Attributes:
        domain: name of the domain, or "file.py[:NAME]".
        algorithm: how the next individuals are chosen; a `pg.DNAGenerator` is taken as one.
        algorithm_name: what the algorithm is called in the catalog; "" for its own name.
        objectives: what is wanted; several mean a Pareto search.
        constraints: bounds beyond which an individual is refused before a trial is spent.
        trials: how many different individuals to evaluate.
        seed: of all randomness.
        accuracy: which score of the domain tells what an individual is worth; "trained" for its program.
        device: chip whose cost model gives latency and energy, None for no cost model.
        batch: images in one inference of the cost model; None for the device's own default.
        data: data set that the program trains on.
        program: child program and its settings, None where individuals are not trained.
        hurdles: who is trained further, None to train every child to the end.
        in_flight: children in training at once, each told as it is done; 0 to tell whole batches, which gives the
            same record wherever children are trained.
        fingerprints: whether a trained candidate that computes the same as one before takes its result, in domains
            that can tell.
    """

    domain: str
    algorithm: Algorithm
    objectives: list[Objective]
    algorithm_name: str = ""
    constraints: list[Constraint] = []
    trials: int = 1000
    seed: int = 0
    accuracy: str = "none"
    device: str | None = None
    batch: int | None = None
    data: str = "digits"
    program: Any = None
    hurdles: Any = None
    in_flight: int = 0
    fingerprints: bool = True


def define(
    domain_name: str,
    *,
    algorithm: str | Algorithm | pg.DNAGenerator | None = None,
    objectives: Sequence[str] = (),
    constraints: Sequence[str] = (),
    trials: int = 1000,
    seed: int = 0,
    accuracy: str | None = None,
    device: str | None = None,
    batch: int | None = None,
    data: str | None = None,
    flow: str = "joint",
    hurdles: str | None = None,
    in_flight: int = 0,
    settings: Mapping[str, str] | None = None,
) -> tuple[Experiment, Domain]:
    """Makes an experiment from names, with the domain's own defaults for what is left out.

    Args:
        domain_name: see `load_domain`.
        algorithm: name in the catalog, an algorithm or flow, or a `pg.DNAGenerator`; by default NSGA-II for several
            objectives and regularized evolution for one.
        objectives: see `parse_objective`.
        constraints: see `parse_constraint`.
        trials: individuals to evaluate.
        seed: of all randomness.
        accuracy: a score of the domain, or "trained".
        device: a chip, "none" for no cost model.
        batch: images in one inference.
        data: data set.
        flow: "joint", "phased[:PART,...]" or "nested[:PART]"; see `flows.parse_flow`.
        hurdles: a hurdle rule by name, such as "pdh".
        in_flight: children in training at once, 0 for batch after batch.
        settings: symbolic path -> value as text, such as {"algorithm.population_size": "64"}; "algorithm.start" may
            name a known individual of the space.

    Raises:
        ValueError: if a name is unknown or a value does not fit, in one sentence.
    """
    domain = load_domain(domain_name)
    wanted = [parse_objective(o) for o in objectives] or list(domain.objectives)
    if not wanted:
        raise ValueError(f"The domain {domain_name} has no default objective: give one with --objective max:METRIC.")
    name = algorithm or ("nsga2" if len(wanted) > 1 else "regularized_evolution")
    accuracy = accuracy or domain.accuracy_names[0]
    if accuracy not in domain.accuracy_names:
        raise plugins.unknown_name(f"source of accuracy for {domain_name}", accuracy, domain.accuracy_names)
    if trials < 1:
        raise ValueError(f"Expected at least one trial, received --trials {trials}.")
    if seed < 0:
        raise ValueError(f"Expected a seed of 0 or more, received --seed {seed}.")
    if not isinstance(name, str):
        if flow != "joint":
            raise ValueError(f"An algorithm that is given as a value brings its flow, received {flow!r}: leave it out.")
        algorithm_name, chosen = "", PyGloveGenerator(generator=name) if isinstance(name, pg.DNAGenerator) else name
    else:
        algorithm_name, chosen = in_flow(flow, name, algorithm is not None, domain.space, trials)
    experiment = Experiment(
        domain=domain_name,
        algorithm=chosen,
        algorithm_name=algorithm_name,
        objectives=wanted,
        constraints=[parse_constraint(c) for c in constraints],
        trials=trials,
        seed=seed,
        accuracy=accuracy,
        device=None if device == "none" else device or domain.device,
        batch=batch,
        data=data or domain.data,
        program=_copy(domain.program) if accuracy == "trained" else None,
        hurdles=None if hurdles is None else hurdle_rules.get(hurdles)(),
        in_flight=in_flight,
    )
    change(experiment, resolved(settings or {}, domain.space))
    if experiment.hurdles is not None:
        children = trials - experiment.algorithm.initial_population
        rule = experiment.hurdles.for_budget(children, domain.num_rungs(experiment.program))
        experiment.rebind(hurdles=rule, raise_on_no_change=False)
    return experiment, domain


def change(experiment: Experiment, settings: Mapping[str, str]) -> None:
    """Changes symbolic fields of an experiment in place.

    Args:
        experiment: the experiment.
        hurdles: a hurdle rule by name, such as "pdh".
        in_flight: children in training at once, 0 for batch after batch.
        settings: symbolic path -> value as text, read as JSON where it is JSON.

    Raises:
        ValueError: if there is no such field, or it does not take such a value.
    """
    for path, text in settings.items():
        try:
            value = json.loads(text)
        except json.JSONDecodeError:
            value = text
        owner, _, field = path.rpartition(".")
        try:
            target: Any = experiment.sym_get(pg.KeyPath.parse(owner)) if owner else experiment
        except (KeyError, ValueError):
            target = None
        known = [str(k) for k in target.sym_keys()] if isinstance(target, pg.Object) else []
        if field not in known:
            prefix = owner + "." if known and owner else ""
            raise plugins.unknown_name(
                "setting", path, [prefix + k for k in known] or [str(k) for k in experiment.sym_keys()]
            )
        try:
            experiment.rebind({path: value}, raise_on_no_change=False)
        except (TypeError, ValueError) as error:
            reason = str(error).splitlines()[0]
            raise ValueError(f"The setting {path} does not take {text!r}: {reason}") from error


def describe(experiment: Experiment, domain: Domain) -> dict[str, Any]:
    """Plain JSON description, enough to make the experiment again where the domain is installed."""
    name = experiment.algorithm_name or catalog.name_of(experiment.algorithm)
    return {
        "domain": experiment.domain,
        "space": domain.space.name,
        "digest": domain.space.digest,
        "algorithm": {
            "name": name,
            "settings": {} if catalog.is_value_of_file(name) else settings_of(experiment.algorithm),
        },
        "objectives": [objective_to_json(o) for o in experiment.objectives],
        "constraints": [f"{c.metric}{c.relation}{c.bound!r}" for c in experiment.constraints],
        "trials": experiment.trials,
        "seed": experiment.seed,
        "accuracy": experiment.accuracy,
        "accuracy_source": domain.sources.get(experiment.accuracy, experiment.accuracy),
        "device": experiment.device,
        "batch": experiment.batch,
        "data": experiment.data,
        "program": settings_of(experiment.program),
        "hurdles": plain(experiment.hurdles),
        "in_flight": experiment.in_flight,
        "fingerprints": experiment.fingerprints,
    }


def from_description(description: Mapping[str, Any]) -> tuple[Experiment, Domain]:
    """The experiment of a plain description.

    Raises:
        ValueError: if the space has changed since, or something in the description is not known here.
    """
    try:
        domain = load_domain(description["domain"])
        if domain.space.digest != description["digest"]:
            raise ValueError(
                f"This run searched another version of the space {description['space']!r} than the one installed "
                "here: go back to the version that made it, or start a new run."
            )
        name = description["algorithm"]["name"]
        algorithm = algorithm_from(name, description["algorithm"]["settings"])
        program: Any = _copy(domain.program) if description["accuracy"] == "trained" else None
        if isinstance(program, pg.Object):
            program.rebind(description["program"], raise_on_no_change=False)
        experiment = Experiment(
            domain=description["domain"],
            algorithm=algorithm,
            algorithm_name=name,
            objectives=[objective_from_json(o) for o in description["objectives"]],
            constraints=[parse_constraint(c) for c in description["constraints"]],
            trials=description["trials"],
            seed=description["seed"],
            accuracy=description["accuracy"],
            device=description["device"],
            batch=description["batch"],
            data=description["data"],
            program=program,
            hurdles=_rule_from(description.get("hurdles")),
            in_flight=description.get("in_flight", 0),
            fingerprints=description.get("fingerprints", False),
        )
    except (KeyError, TypeError) as error:
        raise ValueError(f"The record describes an experiment that this version cannot read ({error}).") from error
    return experiment, domain


def describe_columns(domain: Domain) -> list[dict[str, Any]]:
    """Plain description of a space's decisions, in the order of the genes."""
    return [plain(dataclasses.asdict(column)) for column in domain.space.genome.columns]


def _rule_from(described: Mapping[str, Any] | None) -> HurdleRule | None:
    return None if described is None else hurdle_rules.get(described["hurdles"])(**described["settings"])


def _copy(value: Any) -> Any:
    return value.clone(deep=True) if isinstance(value, pg.Object) else value
