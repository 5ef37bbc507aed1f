"""Children whose learning curves are known, as a child program of Autoglyph and as a trainable of Ray Tune."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyglove as pg
from ray import tune

from autoglyph.experiments import Domain, maximize, minimize
from autoglyph.experiments.ray_tune import individual
from autoglyph.search_spaces import SearchSpace

RUNGS = [1, 3, 6]
SPACE = SearchSpace(
    "tune_children",
    pg.Dict(
        width=pg.oneof([1, 2, 4, 8, 16]),
        speed=pg.floatv(0.1, 0.9),
        head=pg.oneof([pg.Dict(kind="flat"), pg.Dict(kind="deep", layers=pg.oneof([1, 2, 3]))]),
    ),
)


def measure(candidate: Any, step: int) -> dict[str, float]:
    if candidate.width == 4 and candidate.speed > 0.6 and step > 1:
        raise RuntimeError("diverged")
    if candidate.width == 2 and candidate.speed > 0.8:
        return {"accuracy": float("nan"), "cost": 2.0}
    ceiling = candidate.width**0.5 + (candidate.head.get("layers", 0) - 1.5) ** 2
    return {"accuracy": ceiling * (1 - (1 - candidate.speed) ** step), "cost": candidate.width * (1 + candidate.speed)}


def train(candidate: Any, *, seed: int, data: Any) -> Iterator[dict[str, float]]:
    for step in RUNGS:
        yield measure(candidate, step)


def _domain(*objectives: Any) -> Domain:
    return Domain(SPACE, program=train, objectives=list(objectives), rungs=RUNGS, load=lambda name, seed, program: None)


DOMAIN = _domain(maximize("accuracy"))
TWO = _domain(maximize("accuracy"), minimize("cost"))
REFERENCE = str(Path(__file__).resolve())


class Child(tune.Trainable):
    """One unit of budget a step."""

    def setup(self, config: dict[str, Any]) -> None:
        self.candidate = individual(config, SPACE)

    def step(self) -> dict[str, Any]:
        values = measure(self.candidate, self.iteration + 1)
        return {**values, "done": self.iteration + 1 == RUNGS[-1]}

    def reset_config(self, new_config: dict[str, Any]) -> bool:
        self.setup(new_config)
        return True


class Curve(tune.Trainable):
    """A loss that falls at a rate of its own."""

    def setup(self, config: dict[str, Any]) -> None:
        self.rate = config["rate"]

    def step(self) -> dict[str, Any]:
        return {"loss": loss(self.rate, self.iteration + 1)}

    def reset_config(self, new_config: dict[str, Any]) -> bool:
        self.setup(new_config)
        return True


def loss(rate: float, step: int) -> float:
    return math.exp(-rate * step)
