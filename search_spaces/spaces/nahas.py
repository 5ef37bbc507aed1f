"""The joint space of NAHAS: an EfficientNet of the `efficientnet` space and an accelerator (Zhou et al. 2021).

"baseline" is the point of the space next to EfficientNet-B0 on the baseline accelerator: its stages have at most
three layers, so stage 6 has three instead of four. "b0", "b0-coral" and "b0-pixel" are EfficientNet-B0 itself on
the three known accelerators; they are no points of the space.
"""

from __future__ import annotations

import functools
from collections.abc import Callable

from autoglyph.search_spaces.accelerator import accelerator_space
from autoglyph.search_spaces.architectures.efficientnet import EfficientNet
from autoglyph.search_spaces.codesign import CoDesign, feasible
from autoglyph.search_spaces.space import SearchSpace
from autoglyph.search_spaces.spaces import accelerator, efficientnet


def _space() -> CoDesign:
    return CoDesign(architecture=efficientnet.SPACE.value.clone(deep=True), accelerator=accelerator_space())


def _b0() -> EfficientNet:
    network: EfficientNet = efficientnet.SPACE.individual("b0")
    return network


def _baseline() -> CoDesign:
    network = _b0()
    network.rebind({"stages[5].repeats": max(efficientnet.LAYERS)})
    return CoDesign(architecture=network, accelerator=accelerator.SPACE.individual("baseline"))


def _b0_on(name: str) -> CoDesign:
    return CoDesign(architecture=_b0(), accelerator=accelerator.SPACE.individual(name))


INDIVIDUALS: dict[str, Callable[[], CoDesign]] = {
    "baseline": _baseline,
    "b0": functools.partial(_b0_on, "baseline"),
    "b0-coral": functools.partial(_b0_on, "coral"),
    "b0-pixel": functools.partial(_b0_on, "pixel"),
}

SPACE = SearchSpace(
    "nahas",
    _space,
    individuals=INDIVIDUALS,
    feasible=feasible,
    description="An EfficientNet of the space of that name together with its edge accelerator",
)
