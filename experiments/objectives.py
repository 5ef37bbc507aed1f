"""Objectives and constraints: what a search wants, in terms of named metrics.

Metric names carry their unit: top1 (percent), latency_ms, energy_mj, peak_mb, madds, parameters.
"""

from __future__ import annotations

import abc
import ast
import operator
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

import numpy as np
import pyglove as pg
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
Metrics = Mapping[str, FloatArray]

_LARGER_IS_BETTER = {"top1", "top5", "accuracy", "ap", "bleu", "score", "reward", "throughput_per_s"}


class Objective(pg.Object, abc.ABC):
    """One number that a search improves."""

    @property
    @abc.abstractmethod
    def name(self) -> str:
        """How the objective is called in tables and records."""

    @property
    @abc.abstractmethod
    def metrics(self) -> tuple[str, ...]:
        """The metrics it is made of."""

    @property
    @abc.abstractmethod
    def sign(self) -> int:
        """1 if larger is better, -1 if smaller is."""

    @abc.abstractmethod
    def function(self) -> Callable[[Metrics], FloatArray]:
        """Metrics -> (n,) values in the objective's own direction and unit.

        The function reads nothing of the symbolic value any more: reading PyGlove attributes for every batch
        would cost more than the arithmetic.
        """

    def values(self, metrics: Metrics) -> FloatArray:
        """(n,) values in the objective's own direction and unit."""
        return self.function()(metrics)


class _OfOneMetric(Objective, abc.ABC):
    metric: str

    @property
    def name(self) -> str:
        """The metric."""
        return str(self.metric)

    @property
    def metrics(self) -> tuple[str, ...]:
        """The metric."""
        return (self.metric,)

    def function(self) -> Callable[[Metrics], FloatArray]:
        """The metric."""
        return operator.itemgetter(self.metric)


class Maximize(_OfOneMetric):
    """A metric of which more is better."""

    @property
    def sign(self) -> int:
        """1."""
        return 1


class Minimize(_OfOneMetric):
    """A metric of which less is better."""

    @property
    def sign(self) -> int:
        """-1."""
        return -1


class Lacs(Objective):
    """Accuracy and cost as one number: accuracy x (cost / target)^w.

    MnasNet (Tan et al. 2019) and EfficientNet-X (Li et al. 2021) use w everywhere; NAHAS (Zhou et al. 2021)
    calls that the soft form, and the hard form is 0 within the target and -1 beyond it.

    Attributes:
        accuracy: metric to raise.
        latency: metric to hold near the target: latency, or energy in its place.
        target: wanted value of that metric, in its unit.
        w: exponent of the soft form.
        form: "soft" or "hard".
    """

    accuracy: str
    latency: str
    target: float
    w: float = -0.07
    form: Literal["soft", "hard"] = "soft"

    @property
    def name(self) -> str:
        """Always "lacs"."""
        return "lacs"

    @property
    def metrics(self) -> tuple[str, ...]:
        """Accuracy and cost."""
        return (self.accuracy, self.latency)

    @property
    def sign(self) -> int:
        """1."""
        return 1

    def function(self) -> Callable[[Metrics], FloatArray]:
        """The product, in the unit of the accuracy."""
        if self.target <= 0:
            raise ValueError(f"The target of lacs must be positive, received {self.target}.")
        accuracy, latency, target, w, soft = self.accuracy, self.latency, self.target, self.w, self.form == "soft"

        def product(metrics: Metrics) -> FloatArray:
            ratio = metrics[latency] / target
            exponent = w if soft else np.where(ratio <= 1, 0.0, -1.0)
            return np.asarray(metrics[accuracy] * ratio**exponent)

        return product


class Nahas(Objective):
    """The reward of NAHAS: accuracy x (cost / target)^w0 x (area / area target)^w1 (Zhou et al. 2021, recalled).

    Each exponent is p where its target is kept and q where it is not: hard p = 0 and q = -1, soft p = q = -0.07.

    Attributes:
        accuracy: metric to raise.
        latency: metric to hold near the target: latency, or energy in its place.
        target: wanted value of that metric, in its unit.
        area: metric of the chip's area, None to leave it out.
        area_target: wanted value of that metric, in its unit; given with `area` alone.
        form: "soft" or "hard".
    """

    accuracy: str
    latency: str
    target: float
    area: str | None = None
    area_target: float | None = None
    form: Literal["soft", "hard"] = "soft"

    @property
    def name(self) -> str:
        """Always "nahas"."""
        return "nahas"

    @property
    def metrics(self) -> tuple[str, ...]:
        """Accuracy, cost and, where it counts, area."""
        return (self.accuracy, self.latency, *([self.area] if self.area else []))

    @property
    def sign(self) -> int:
        """1."""
        return 1

    def function(self) -> Callable[[Metrics], FloatArray]:
        """The product, in the unit of the accuracy."""
        if (self.area is None) != (self.area_target is None):
            raise ValueError("The reward of nahas counts the area with its target: give both, area and area_target.")
        targets: dict[str, float] = {self.latency: self.target}
        if self.area is not None and self.area_target is not None:
            targets[self.area] = self.area_target
        for metric, target in targets.items():
            if target <= 0:
                raise ValueError(f"The target of {metric} in nahas must be positive, received {target}.")
        accuracy = self.accuracy
        within, beyond = (0.0, -1.0) if self.form == "hard" else (-0.07, -0.07)

        def product(metrics: Metrics) -> FloatArray:
            reward = np.asarray(metrics[accuracy])
            for metric, target in targets.items():
                ratio = metrics[metric] / target
                reward = reward * ratio ** np.where(ratio <= 1, within, beyond)
            return reward

        return product


class Constraint(pg.Object):
    """A bound on a metric: individuals beyond it are refused.

    Attributes:
        metric: name of the metric.
        relation: "<=" or ">=".
        bound: in the unit of the metric.
    """

    metric: str
    relation: Literal["<=", ">="]
    bound: float

    def holds(self, metrics: Metrics) -> NDArray[np.bool_]:
        """(n,) mask of individuals within the bound."""
        values = metrics[self.metric]
        return values <= self.bound if self.relation == "<=" else values >= self.bound


def maximize(metric: str) -> Maximize:
    """More of the metric is better."""
    return Maximize(metric=metric)


def minimize(metric: str) -> Minimize:
    """Less of the metric is better."""
    return Minimize(metric=metric)


def lacs(
    accuracy: str, latency: str, *, target: float, w: float = -0.07, form: Literal["soft", "hard"] = "soft"
) -> Lacs:
    """Accuracy x (latency / target)^w."""
    return Lacs(accuracy=accuracy, latency=latency, target=float(target), w=float(w), form=form)


def nahas(
    accuracy: str,
    latency: str,
    *,
    target: float,
    area: str | None = None,
    area_target: float | None = None,
    form: Literal["soft", "hard"] = "soft",
) -> Nahas:
    """Accuracy x (latency / target)^w0 x (area / area_target)^w1."""
    wanted = None if area_target is None else float(area_target)
    return Nahas(accuracy=accuracy, latency=latency, target=float(target), area=area, area_target=wanted, form=form)


_KINDS: dict[str, Callable[..., Objective]] = {
    "maximize": maximize,
    "minimize": minimize,
    "lacs": lacs,
    "nahas": nahas,
}


def parse_objective(text: str) -> Objective:
    """Reads an objective from text.

    Args:
        text: "maximize(top1)", "minimize(latency_ms)", "max:top1", "min:latency_ms", a bare metric whose
            direction is known, "lacs(top1, latency_ms, target=1.5, w=-0.07)" or
            "nahas(top1, energy_mj, target=0.7, area=area_mm2, area_target=50, form=hard)".

    Raises:
        ValueError: if the text is none of these.
    """
    short = re.fullmatch(r"\s*(max|min):\s*(\w+)\s*", text)
    if short:
        return maximize(short[2]) if short[1] == "max" else minimize(short[2])
    if re.fullmatch(r"\s*\w+\s*", text):
        name = text.strip()
        return maximize(name) if name in _LARGER_IS_BETTER else minimize(name)
    try:
        call = ast.parse(text.strip(), mode="eval").body
        if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Name):
            raise ValueError("not a call")
        arguments = [_literal(a) for a in call.args]
        keywords = {str(k.arg): _literal(k.value) for k in call.keywords}
        return _KINDS[call.func.id](*arguments, **keywords)
    except (KeyError, SyntaxError, TypeError, ValueError) as error:
        raise ValueError(
            f"Cannot read the objective {text!r}: write max:METRIC, min:METRIC, "
            "lacs(ACCURACY, LATENCY, target=NUMBER, w=-0.07) or "
            "nahas(ACCURACY, LATENCY, target=NUMBER, area=AREA, area_target=NUMBER, form=soft)."
        ) from error


def parse_constraint(text: str) -> Constraint:
    """Reads "metric<=number" or "metric>=number".

    Raises:
        ValueError: if the text is neither.
    """
    match = re.fullmatch(r"\s*(\w+)\s*(<=|>=)\s*([-+.\deE]+)\s*", text)
    try:
        if match:
            return Constraint(metric=match[1], relation=match[2], bound=float(match[3]))
    except ValueError:
        pass
    raise ValueError(f"Cannot read the constraint {text!r}: write METRIC<=NUMBER or METRIC>=NUMBER.")


def objective_to_json(objective: Objective) -> dict[str, Any]:
    """Plain description of an objective."""
    settings = {str(k): v for k, v in objective.sym_init_args.items()}
    return {"kind": type(objective).__name__.lower(), **settings}


def objective_from_json(description: Mapping[str, Any]) -> Objective:
    """The objective of a plain description.

    Raises:
        ValueError: if the description is not one of an objective.
    """
    settings = dict(description)
    try:
        return _KINDS[settings.pop("kind")](**settings)
    except (KeyError, TypeError) as error:
        raise ValueError(f"The record holds an objective that is not known here: {dict(description)}.") from error


def fitness(objectives: Sequence[Objective], metrics: Metrics) -> FloatArray:
    """(n, M) values to maximise; -inf in all columns of an individual with a value that is not finite."""
    return fitness_function(objectives)(metrics)


def fitness_function(objectives: Sequence[Objective]) -> Callable[[Metrics], FloatArray]:
    """`fitness` of fixed objectives, for many batches."""
    parts = [(o.sign, o.function()) for o in objectives]

    def of(metrics: Metrics) -> FloatArray:
        columns = np.stack([sign * np.asarray(values(metrics), np.float64) for sign, values in parts], axis=1)
        columns[~np.isfinite(columns).all(axis=1)] = -np.inf
        return columns

    return of


def _literal(node: ast.expr) -> Any:
    return node.id if isinstance(node, ast.Name) else ast.literal_eval(node)
