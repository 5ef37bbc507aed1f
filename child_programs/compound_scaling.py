"""Accuracy under compound scaling, predicted by a regression on published families.

The error of a network whose depth, width and resolution are multiplied by d, w and r is modelled as

    error(d, w, r) = level (1 + a_d d^-p_d + a_w w^-p_w + a_r r^-p_r),

a floor that no scaling removes and a power law for each dimension, added (the form of Rosenfeld et al. 2020 and
Hoffmann et al. 2022, there for model and data size). A dimension that is scaled alone therefore saturates, as Tan and
Le 2019 (EfficientNet, figure 3) measured. The level belongs to a family and its training recipe; the rest is shared.

Multipliers are those of the network as it is built, after rounding: blocks as a multiple of the base's, the
geometric mean over stages of its channels as a multiple of the base's, and the resolution as a multiple of 224 pixels.

The split between width, depth and resolution is an association across published recipes, not an experiment: see
`fit_compound_scaling` for which rows tell what. Nothing is predicted outside the ranges that the rows cover.
"""

from __future__ import annotations

import functools
import importlib.resources
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from autoglyph.search_spaces import plugins
from autoglyph.search_spaces.architectures.efficientnet import EfficientNet, Scaling

DIMENSIONS = ("depth", "width", "resolution")
BASE_RESOLUTION = 224
_UNSCALED = Scaling()
_SLACK = 1e-5  # the ranges of the file are rounded


@dataclass(frozen=True)
class Multipliers:
    """How much larger a network is than its base, as built.

    Attributes:
        depth: blocks.
        width: channels, geometric mean over stages.
        resolution: side of the input, as a multiple of 224 pixels.
    """

    depth: float
    width: float
    resolution: float


def built_multipliers(architecture: EfficientNet) -> Multipliers:
    """What the scaling of a network comes to after repeats and channels are rounded."""
    scaling, stages = architecture.scaling, architecture.stages
    depth = sum(scaling.repeats(s.repeats) for s in stages) / sum(s.repeats for s in stages)
    logs = [math.log(scaling.filters(s.filters) / _UNSCALED.filters(s.filters)) for s in stages]
    return Multipliers(depth, math.exp(sum(logs) / len(logs)), scaling.resolution / BASE_RESOLUTION)


@dataclass(frozen=True, kw_only=True)
class ScalingSurrogate:
    """Predicts ImageNet top-1 under compound scaling.

    Attributes:
        name: of its file.
        predicts: what exactly, in one line.
        source: the published rows.
        rows: how many were fitted.
        exponents: p_d, p_w and p_r, by dimension.
        coefficients: a_d, a_w and a_r, by dimension.
        log_levels: natural logarithm of the level, by family.
        ranges: least and greatest multiplier among the rows, by dimension.
        log_deviations: standard deviation of the logarithm of each coefficient by the jackknife, by dimension.
        held_out: mean absolute errors in percentage points: "leave_one_out", and "leave_one_family_out" where the
            level of the family comes from its own mean.
    """

    name: str
    predicts: str
    source: str
    rows: int
    exponents: Mapping[str, float]
    coefficients: Mapping[str, float]
    log_levels: Mapping[str, float]
    ranges: Mapping[str, tuple[float, float]]
    log_deviations: Mapping[str, float]
    held_out: Mapping[str, float]

    @classmethod
    def from_json(cls, text: str) -> ScalingSurrogate:
        """Reads what `fit_compound_scaling` wrote."""
        fields = json.loads(text)
        fields["ranges"] = {name: (low, high) for name, (low, high) in fields["ranges"].items()}
        return cls(**fields)

    def covers(self, multipliers: Multipliers) -> bool:
        """Whether all multipliers are within the ranges of the rows."""
        return self._outside(multipliers) is None

    def check(self, multipliers: Multipliers) -> None:
        """Refuses to extrapolate.

        Raises:
            ValueError: if a multiplier is outside the ranges of the rows.
        """
        name = self._outside(multipliers)
        if name is not None:
            low, high = self.ranges[name]
            raise ValueError(
                f"The surrogate {self.name!r} covers {name} multipliers from {low:.4g} to {high:.4g}, not "
                f"{getattr(multipliers, name):.4g}: scale less, or train the networks (accuracy 'trained')."
            )

    def top1(self, multipliers: Multipliers, family: str = "EfficientNet") -> float:
        """Predicted top-1 in percent of a network of a family.

        Args:
            multipliers: as built.
            family: whose level and recipe to take.

        Raises:
            ValueError: if a multiplier is outside the ranges of the rows, or the family is unknown.
        """
        if family not in self.log_levels:
            raise plugins.unknown_name("scaling family", family, self.log_levels)
        self.check(multipliers)
        reducible: float = sum(self.coefficients[d] * getattr(multipliers, d) ** -self.exponents[d] for d in DIMENSIONS)
        return 100 * (1 - math.exp(self.log_levels[family]) * (1 + reducible))

    def _outside(self, multipliers: Multipliers) -> str | None:
        for name in DIMENSIONS:
            low, high = self.ranges[name]
            if not low - _SLACK <= getattr(multipliers, name) <= high + _SLACK:
                return name
        return None


@functools.cache
def load_scaling_surrogate() -> ScalingSurrogate:
    """The surrogate that ships with the package."""
    folder: Any = importlib.resources.files("autoglyph.child_programs")
    return ScalingSurrogate.from_json((folder / "compound_scaling.json").read_text(encoding="utf-8"))
