"""Flows: in which order the parts of a space are searched. Each is an algorithm around the chosen one.

- "joint": all decisions at once;
- "phased:accelerator,architecture": one part after the other, each with trials in proportion to its decisions; a part
  that is left out stays as it is in the space's individual "baseline", so "phased:architecture" is the search on fixed
  hardware;
- "nested:accelerator": a search of the rest for every candidate of that part.
"""

from __future__ import annotations

from typing import Any

from autoglyph.algorithms import Algorithm, catalog
from autoglyph.algorithms.nested import Nested
from autoglyph.algorithms.phased import Phased
from autoglyph.experiments.known_start import genes_of
from autoglyph.search_spaces import plugins
from autoglyph.search_spaces.space import SearchSpace

FLOWS = ("joint", "phased", "nested")
BASELINE = "baseline"
_INNER_SEARCHES = 20


def in_flow(flow: str, name: str, chosen: bool, space: SearchSpace, trials: int) -> tuple[str, Algorithm]:
    """The algorithm of a flow and its name in the catalog.

    Args:
        flow: "joint", "phased[:PART,PART...]" or "nested[:PART]"; without parts, the top-level ones in their order.
        name: algorithm of a joint search.
        chosen: whether the user asked for that algorithm; otherwise parts are searched with the flow's own choice.
        space: what is searched.
        trials: budget of the whole search.

    Raises:
        ValueError: if the flow, a part or the algorithm is unknown.
    """
    kind, _, listed = flow.partition(":")
    paths = [path.strip() for path in listed.split(",") if path.strip()]
    if kind not in FLOWS:
        raise plugins.unknown_name("flow", kind, FLOWS)
    if kind == "joint":
        if paths:
            raise ValueError(f"A joint search takes no parts, received {flow!r}: write --flow joint.")
        return name, catalog.make(name)
    inner: Any = None
    if chosen:
        inner = name if ".py" in name else catalog.make(name)
    if kind == "nested":
        if len(paths) > 1:
            raise ValueError(f"A nested search has one outer part, received {', '.join(paths)}: name the outer one.")
        inner_trials = max(1, trials // _INNER_SEARCHES)
        return kind, Nested(outer_part="".join(paths), inner=inner, inner_trials=inner_trials)
    return kind, Phased(order=paths, inner=inner, trials=trials, start=_baseline(space))


def _baseline(space: SearchSpace) -> list[Any] | None:
    return genes_of(BASELINE, space) if BASELINE in space.individual_names else None
