"""Where an individual comes from: its recorded parents and theirs, and what each step changed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from autoglyph.experiments.run import Run

_NODES = 200


class Change(NamedTuple):
    """A decision in which a child differs from a parent.

    Attributes:
        name: of the decision.
        before: value of the parent, None where it did not make the decision.
        after: value of the child, None where it did not make it.
    """

    name: str
    before: Any
    after: Any


class Step(NamedTuple):
    """A parent and a child.

    Attributes:
        parent: trial number.
        child: trial number.
        changes: what differs.
    """

    parent: int
    child: int
    changes: list[Change]


@dataclass(frozen=True)
class Lineage:
    """The ancestors of a trial.

    Attributes:
        run: whose trials they are.
        trial: the individual.
        generations: steps back to each trial that is shown, 0 for the individual itself.
        steps: from parents to children.
        recorded: False where the record names no parents, because the algorithm works without: then the one step
            leads from the earlier trial that is nearest by decisions, and means nothing more.
        children: first trials that were made from this one.
    """

    run: Run
    trial: int
    generations: dict[int, int]
    steps: list[Step]
    recorded: bool
    children: list[int]


def lineage(run: Run, trial: int, *, generations: int = 12) -> Lineage:
    """Ancestors of a trial, the nearest first.

    Args:
        run: the run.
        trial: the individual.
        generations: how far back.
    """
    run.trial(trial)
    parents = run.parents
    depth, pairs, now = {trial: 0}, [], [trial]
    for generation in range(1, generations + 1):
        following = []
        for child in now:
            for parent in dict.fromkeys(parents[child].tolist()):
                if not 0 <= parent < len(run) or parent == child or len(depth) >= _NODES:
                    continue
                pairs.append((parent, child))
                if parent not in depth:
                    depth[parent] = generation
                    following.append(parent)
        now = following
    recorded = bool(pairs)
    if not recorded and trial > 0 and not (parents >= 0).any():
        nearest = nearest_earlier(run, trial)
        pairs, depth[nearest] = [(nearest, trial)], 1
    decided = dict(zip(depth, run.decisions_of(list(depth)), strict=True))
    steps = [Step(parent, child, changes(decided[parent], decided[child])) for parent, child in pairs]
    children = np.flatnonzero((parents == trial).any(axis=1))[:_NODES].tolist()
    return Lineage(run, trial, depth, steps, recorded, children)


def changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[Change]:
    """The decisions in which two individuals differ, in the order of the space."""
    names = dict.fromkeys([*after, *before])
    return [Change(n, before.get(n), after.get(n)) for n in names if before.get(n) != after.get(n)]


def nearest_earlier(run: Run, trial: int) -> int:
    """The earlier trial that shares most decisions with a trial; of equals the latest."""
    mine, others = run.genes[trial], run.genes[:trial]
    span = np.nanmax(run.genes, axis=0) - np.nanmin(run.genes, axis=0) if len(run) else 0.0
    is_number = np.array([c["kind"] == "float" for c in run.record.columns], bool)
    scale = np.where(span > 0, span, 1.0)
    apart = np.where(is_number, np.abs(others - mine) / scale, (others != mine).astype(float))
    return int(trial - 1 - np.nansum(apart, axis=1)[::-1].argmin())
